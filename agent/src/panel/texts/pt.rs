//! Portuguese.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Precisa de ajuda?",
        instruction: "Digite o número da sessão que o técnico lhe diz.",
        connect: "Ligar",
        close: "Fechar",
        server_reachable: "Pronto",
        server_unreachable: "Sem ligação ao servidor",
    },
    password: PasswordTexts {
        title: "Digite a senha",
        instruction: "Digite os seis algarismos que o técnico diz depois do número.",
        of_number: "Para o número",
    },
    joining: JoiningTexts {
        title: "A ligar …",
        waiting: "À espera do técnico. Será perguntado antes que alguém veja este ecrã.",
        cancel: "Cancelar",
    },
    asking: AskingTexts {
        title: "Deixar um técnico ligar-se?",
        name_label: "Nome, dado por quem chama:",
        rights_label: "Quem chama quer:",
        choose: "O que permite?",
        code_question: "O técnico diz o mesmo código?",
        code_advice: "Se não, recuse.",
        accept: "Aceitar",
        refuse: "Recusar",
        countdown: |seconds| match seconds {
            1 => "Recusado em 1 segundo sem resposta".to_owned(),
            _ => format!("Recusado em {seconds} segundos sem resposta"),
        },
    },
    rights: RightTexts {
        view: "ver o ecrã",
        control: "usar teclado e toque",
        pointer: "apontar com uma seta",
        files_read: "buscar ficheiros daqui",
        files_write: "enviar ficheiros para aqui",
        shell: "executar comandos",
        reboot: "reiniciar a máquina",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certificado",
            meaning: "O operador desta máquina conhece o técnico.",
        },
        code_compared: LevelText {
            word: "Compare o código",
            meaning: "Só códigos iguais são seguros.",
        },
        none: LevelText {
            word: "Não verificado",
            meaning: "Ninguém sabe quem é. Aceite só se tiver a certeza.",
        },
        password: LevelText { word: "Senha", meaning: "O técnico conhece a senha desta sessão." },
    },
    session: SessionTexts {
        connected: "Técnico ligado",
        by_certificate: "Ligado · certificado",
        by_code: "Ligado · código comparado",
        by_password: "Ligado · senha",
        interrupted: "Ligação interrompida",
        stop: "Parar",
        look_only: "Só ver",
        only_looks_on: "Só pode ver",
        terminal_open: "Terminal aberto",
        files_move: "Transferência de ficheiros",
    },
    work: WorkTexts {
        reboot: "O técnico reinicia esta máquina.",
        restart_application: "O técnico reinicia a aplicação desta máquina.",
        countdown: |seconds| format!("Em {seconds} s"),
        prevent: "Não reiniciar",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Terminar sessão",
        ended_by_policy: MessageText {
            happened: "Esta máquina terminou a sessão.",
            safe: "Já ninguém a pode ver nem usar.",
            next: "Se ainda precisa de ajuda, chame o técnico.",
        },
        ended_by_staff: MessageText {
            happened: "Terminou a sessão.",
            safe: "Já ninguém pode ver nem usar esta máquina.",
            next: "Se ainda precisa de ajuda, peça um novo número de sessão.",
        },
        ended_by_technician: MessageText {
            happened: "O técnico terminou a sessão.",
            safe: "Já ninguém pode ver nem usar esta máquina.",
            next: "Pode continuar a trabalhar.",
        },
        ended_by_time: MessageText {
            happened: "A sessão durou o tempo permitido e terminou.",
            safe: "Já ninguém pode ver nem usar esta máquina.",
            next: "Se ainda precisa de ajuda, peça um novo número de sessão.",
        },
        ended_connection_lost: MessageText {
            happened: "A ligação ao técnico perdeu-se.",
            safe: "A sessão terminou. Já ninguém pode ver nem usar esta máquina.",
            next: "Se ainda precisa de ajuda, peça um novo número de sessão.",
        },
        interrupted: MessageText {
            happened: "A ligação está interrompida.",
            safe: "Neste momento o técnico não pode fazer nada.",
            next: "Aguarde, por favor: está a ser restabelecida.",
        },
        not_certified: MessageText {
            happened: "O certificado do técnico não vale para esta máquina.",
            safe: "Ninguém está ligado.",
            next: "Diga-o ao técnico, que talvez precise de um novo certificado.",
        },
        not_joined: MessageText {
            happened: "Este número de sessão não funciona.",
            safe: "Ninguém está ligado.",
            next: "Pergunte o número ao técnico e digite-o outra vez.",
        },
        number_burned: MessageText {
            happened: "Foram digitadas três senhas erradas para este número.",
            safe: "Ninguém está ligado.",
            next: "Peça ao técnico um novo número e uma nova senha.",
        },
        refused: MessageText {
            happened: "Recusou.",
            safe: "Ninguém está ligado.",
            next: "Pode continuar a trabalhar.",
        },
        refused_by_time: MessageText {
            happened: "Ninguém respondeu à pergunta, por isso a resposta foi não.",
            safe: "Ninguém está ligado.",
            next: "Se precisa de ajuda, peça um novo número de sessão.",
        },
        server_unreachable: MessageText {
            happened: "O servidor de sessões não responde.",
            safe: "Ninguém está ligado.",
            next: "Verifique o cabo de rede e tente outra vez.",
        },
        not_safe: MessageText {
            happened: "A ligação não era segura e foi cortada.",
            safe: "Ninguém está ligado.",
            next: "Diga-o ao técnico e peça um novo número de sessão.",
        },
        wrong_password: MessageText {
            happened: "A senha não estava certa.",
            safe: "Ninguém está ligado.",
            next: "Peça a senha e digite o número outra vez. Após três tentativas precisa de um novo número.",
        },
    },
};
