//! English.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Need help?",
        instruction: "Type the session number that the technician tells you.",
        connect: "Connect",
        close: "Close",
        server_reachable: "Ready",
        server_unreachable: "No connection to the server",
    },
    password: PasswordTexts {
        title: "Type the password",
        instruction: "Type the six digits that the technician tells you after the number.",
        of_number: "For the number",
    },
    joining: JoiningTexts {
        title: "Connecting …",
        waiting: "Waiting for the technician. You will be asked before anyone sees this screen.",
        cancel: "Cancel",
    },
    asking: AskingTexts {
        title: "Let a technician connect?",
        name_label: "The caller’s name, as given:",
        rights_label: "The caller wants to:",
        choose: "Choose what to allow",
        code_question: "Does the technician say the same code?",
        code_advice: "If not, refuse.",
        accept: "Accept",
        refuse: "Refuse",
        countdown: |seconds| match seconds {
            1 => "Refused in 1 second without an answer".to_owned(),
            _ => format!("Refused in {seconds} seconds without an answer"),
        },
    },
    rights: RightTexts {
        view: "see the screen",
        control: "use keyboard and touch",
        pointer: "point with an arrow",
        files_read: "fetch files from here",
        files_write: "send files here",
        shell: "run commands",
        reboot: "restart the machine",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certificate",
            meaning: "The technician is known to the operator of this machine.",
        },
        code_compared: LevelText {
            word: "Compare the code",
            meaning: "Only equal codes are safe.",
        },
        none: LevelText {
            word: "Not checked",
            meaning: "Nobody knows who this is. Accept only if you are sure.",
        },
        password: LevelText {
            word: "Password",
            meaning: "The technician knows the password of this session.",
        },
    },
    session: SessionTexts {
        connected: "Technician connected",
        by_certificate: "Connected · certificate",
        by_code: "Connected · code compared",
        by_password: "Connected · password",
        interrupted: "Connection interrupted",
        stop: "Stop",
        look_only: "Watch only",
        only_looks_on: "May only watch",
        terminal_open: "Terminal open",
        files_move: "Files are being moved",
    },
    work: WorkTexts {
        reboot: "The technician restarts this machine.",
        restart_application: "The technician restarts the application of this machine.",
        countdown: |seconds| format!("In {seconds} s"),
        prevent: "Do not restart",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "End session",
        ended_by_policy: MessageText {
            happened: "This machine ended the session.",
            safe: "Nobody can see or use it any more.",
            next: "If you still need help, call the technician.",
        },
        ended_by_staff: MessageText {
            happened: "You ended the session.",
            safe: "Nobody can see or use this machine any more.",
            next: "If you still need help, ask for a new session number.",
        },
        ended_by_technician: MessageText {
            happened: "The technician ended the session.",
            safe: "Nobody can see or use this machine any more.",
            next: "You can go on working.",
        },
        ended_by_time: MessageText {
            happened: "The session lasted as long as allowed and is over.",
            safe: "Nobody can see or use this machine any more.",
            next: "If you still need help, ask for a new session number.",
        },
        ended_connection_lost: MessageText {
            happened: "The connection to the technician is lost.",
            safe: "The session is over. Nobody can see or use this machine any more.",
            next: "If you still need help, ask for a new session number.",
        },
        interrupted: MessageText {
            happened: "The connection is interrupted.",
            safe: "The technician can do nothing at the moment.",
            next: "Please wait: it is being restored.",
        },
        not_certified: MessageText {
            happened: "The technician’s certificate is not valid for this machine.",
            safe: "Nobody is connected.",
            next: "Tell the technician, who may need a new certificate.",
        },
        not_joined: MessageText {
            happened: "This session number does not work.",
            safe: "Nobody is connected.",
            next: "Ask the technician for the number and type it again.",
        },
        number_burned: MessageText {
            happened: "Three wrong passwords were typed for this number.",
            safe: "Nobody is connected.",
            next: "Ask the technician for a new number and password.",
        },
        refused: MessageText {
            happened: "You refused.",
            safe: "Nobody is connected.",
            next: "You can go on working.",
        },
        refused_by_time: MessageText {
            happened: "Nobody answered the question, so the answer was no.",
            safe: "Nobody is connected.",
            next: "If you need help, ask for a new session number.",
        },
        server_unreachable: MessageText {
            happened: "The session server does not answer.",
            safe: "Nobody is connected.",
            next: "Check the network cable, then try again.",
        },
        not_safe: MessageText {
            happened: "The connection was not safe and was cut.",
            safe: "Nobody is connected.",
            next: "Tell the technician, and ask for a new session number.",
        },
        wrong_password: MessageText {
            happened: "The password was not right.",
            safe: "Nobody is connected.",
            next: "Ask for the password and type the number again. After three attempts you need a new number.",
        },
    },
};
