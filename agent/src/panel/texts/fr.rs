//! French.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Besoin d’aide ?",
        instruction: "Tapez le numéro de session que le technicien vous donne.",
        connect: "Connecter",
        close: "Fermer",
        server_reachable: "Prêt",
        server_unreachable: "Pas de connexion au serveur",
    },
    password: PasswordTexts {
        title: "Tapez le mot de passe",
        instruction: "Tapez les six chiffres que le technicien vous donne après le numéro.",
        of_number: "Pour le numéro",
    },
    joining: JoiningTexts {
        title: "Connexion …",
        waiting: "En attente du technicien. On vous demandera avant que quelqu’un voie cet écran.",
        cancel: "Annuler",
    },
    asking: AskingTexts {
        title: "Laisser un technicien se connecter ?",
        name_label: "Nom donné par l’appelant :",
        rights_label: "L’appelant veut :",
        choose: "Que permettez-vous ?",
        code_question: "Le technicien dit-il le même code ?",
        code_advice: "Sinon, refusez.",
        accept: "Accepter",
        refuse: "Refuser",
        countdown: |seconds| match seconds {
            1 => "Refusé dans 1 seconde sans réponse".to_owned(),
            _ => format!("Refusé dans {seconds} secondes sans réponse"),
        },
    },
    rights: RightTexts {
        view: "voir l’écran",
        control: "utiliser clavier et tactile",
        pointer: "montrer avec une flèche",
        files_read: "récupérer des fichiers",
        files_write: "envoyer des fichiers",
        shell: "exécuter des commandes",
        reboot: "redémarrer la machine",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certificat",
            meaning: "L’exploitant de cette machine connaît le technicien.",
        },
        code_compared: LevelText {
            word: "Comparez le code",
            meaning: "Seuls des codes égaux sont sûrs.",
        },
        none: LevelText {
            word: "Non vérifié",
            meaning: "Personne ne sait qui c’est. N’acceptez que si vous êtes sûr.",
        },
        password: LevelText {
            word: "Mot de passe",
            meaning: "Le technicien connaît le mot de passe de cette session.",
        },
    },
    session: SessionTexts {
        connected: "Technicien connecté",
        by_certificate: "Connecté · certificat",
        by_code: "Connecté · code comparé",
        by_password: "Connecté · mot de passe",
        interrupted: "Connexion interrompue",
        stop: "Stop",
        look_only: "Voir seulement",
        only_looks_on: "Peut seulement voir",
        terminal_open: "Terminal ouvert",
        files_move: "Transfert de fichiers",
    },
    work: WorkTexts {
        reboot: "Le technicien redémarre cette machine.",
        restart_application: "Le technicien redémarre l’application de cette machine.",
        countdown: |seconds| format!("Dans {seconds} s"),
        prevent: "Ne pas redémarrer",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Terminer la session",
        ended_by_policy: MessageText {
            happened: "Cette machine a mis fin à la session.",
            safe: "Plus personne ne peut la voir ni l’utiliser.",
            next: "S’il vous faut encore de l’aide, appelez le technicien.",
        },
        ended_by_staff: MessageText {
            happened: "Vous avez mis fin à la session.",
            safe: "Plus personne ne peut voir ni utiliser cette machine.",
            next: "S’il vous faut encore de l’aide, demandez un nouveau numéro de session.",
        },
        ended_by_technician: MessageText {
            happened: "Le technicien a mis fin à la session.",
            safe: "Plus personne ne peut voir ni utiliser cette machine.",
            next: "Vous pouvez continuer à travailler.",
        },
        ended_by_time: MessageText {
            happened: "La session a duré le temps permis et est terminée.",
            safe: "Plus personne ne peut voir ni utiliser cette machine.",
            next: "S’il vous faut encore de l’aide, demandez un nouveau numéro de session.",
        },
        ended_connection_lost: MessageText {
            happened: "La connexion avec le technicien est perdue.",
            safe: "La session est terminée. Plus personne ne peut voir ni utiliser cette machine.",
            next: "S’il vous faut encore de l’aide, demandez un nouveau numéro de session.",
        },
        interrupted: MessageText {
            happened: "La connexion est interrompue.",
            safe: "Le technicien ne peut rien faire pour le moment.",
            next: "Patientez, s’il vous plaît : elle est en cours de rétablissement.",
        },
        not_certified: MessageText {
            happened: "Le certificat du technicien ne vaut pas pour cette machine.",
            safe: "Personne n’est connecté.",
            next: "Dites-le au technicien, qui a peut-être besoin d’un nouveau certificat.",
        },
        not_joined: MessageText {
            happened: "Ce numéro de session ne fonctionne pas.",
            safe: "Personne n’est connecté.",
            next: "Demandez le numéro au technicien et tapez-le encore une fois.",
        },
        number_burned: MessageText {
            happened: "Trois mots de passe faux ont été tapés pour ce numéro.",
            safe: "Personne n’est connecté.",
            next: "Demandez au technicien un nouveau numéro et un nouveau mot de passe.",
        },
        refused: MessageText {
            happened: "Vous avez refusé.",
            safe: "Personne n’est connecté.",
            next: "Vous pouvez continuer à travailler.",
        },
        refused_by_time: MessageText {
            happened: "Personne n’a répondu à la question, la réponse était donc non.",
            safe: "Personne n’est connecté.",
            next: "S’il vous faut de l’aide, demandez un nouveau numéro de session.",
        },
        server_unreachable: MessageText {
            happened: "Le serveur de sessions ne répond pas.",
            safe: "Personne n’est connecté.",
            next: "Vérifiez le câble réseau, puis réessayez.",
        },
        not_safe: MessageText {
            happened: "La connexion n’était pas sûre et a été coupée.",
            safe: "Personne n’est connecté.",
            next: "Dites-le au technicien et demandez un nouveau numéro de session.",
        },
        wrong_password: MessageText {
            happened: "Le mot de passe n’était pas le bon.",
            safe: "Personne n’est connecté.",
            next: "Demandez le mot de passe et retapez le numéro. Après trois essais, il vous faut un nouveau numéro.",
        },
    },
};
