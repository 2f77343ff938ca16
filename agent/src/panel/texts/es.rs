//! Spanish.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "¿Necesita ayuda?",
        instruction: "Escriba el número de sesión que le dice el técnico.",
        connect: "Conectar",
        close: "Cerrar",
        server_reachable: "Listo",
        server_unreachable: "Sin conexión con el servidor",
    },
    password: PasswordTexts {
        title: "Escriba la contraseña",
        instruction: "Escriba las seis cifras que el técnico le dice después del número.",
        of_number: "Para el número",
    },
    joining: JoiningTexts {
        title: "Conectando …",
        waiting: "Esperando al técnico. Se le preguntará antes de que alguien vea esta pantalla.",
        cancel: "Cancelar",
    },
    asking: AskingTexts {
        title: "¿Dejar que se conecte un técnico?",
        name_label: "Nombre, según quien llama:",
        rights_label: "Quien llama quiere:",
        choose: "¿Qué permite?",
        code_question: "¿Dice el técnico el mismo código?",
        code_advice: "Si no, rechace.",
        accept: "Aceptar",
        refuse: "Rechazar",
        countdown: |seconds| match seconds {
            1 => "Rechazado en 1 segundo si no hay respuesta".to_owned(),
            _ => format!("Rechazado en {seconds} segundos si no hay respuesta"),
        },
    },
    rights: RightTexts {
        view: "ver la pantalla",
        control: "usar teclado y pantalla táctil",
        pointer: "señalar con una flecha",
        files_read: "recoger archivos de aquí",
        files_write: "enviar archivos aquí",
        shell: "ejecutar órdenes",
        reboot: "reiniciar la máquina",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certificado",
            meaning: "El operador de esta máquina conoce al técnico.",
        },
        code_compared: LevelText {
            word: "Compare el código",
            meaning: "Solo códigos iguales son seguros.",
        },
        none: LevelText {
            word: "Sin comprobar",
            meaning: "Nadie sabe quién es. Acepte solo si está seguro.",
        },
        password: LevelText {
            word: "Contraseña",
            meaning: "El técnico conoce la contraseña de esta sesión.",
        },
    },
    session: SessionTexts {
        connected: "Técnico conectado",
        by_certificate: "Conectado · certificado",
        by_code: "Conectado · código comparado",
        by_password: "Conectado · contraseña",
        interrupted: "Conexión interrumpida",
        stop: "Parar",
        look_only: "Solo mirar",
        only_looks_on: "Solo puede mirar",
        terminal_open: "Terminal abierto",
        files_move: "Se transfieren archivos",
    },
    work: WorkTexts {
        reboot: "El técnico reinicia esta máquina.",
        restart_application: "El técnico reinicia la aplicación de esta máquina.",
        countdown: |seconds| format!("En {seconds} s"),
        prevent: "No reiniciar",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Terminar sesión",
        ended_by_policy: MessageText {
            happened: "Esta máquina terminó la sesión.",
            safe: "Ya nadie puede verla ni usarla.",
            next: "Si aún necesita ayuda, llame al técnico.",
        },
        ended_by_staff: MessageText {
            happened: "Usted terminó la sesión.",
            safe: "Ya nadie puede ver ni usar esta máquina.",
            next: "Si aún necesita ayuda, pida un nuevo número de sesión.",
        },
        ended_by_technician: MessageText {
            happened: "El técnico terminó la sesión.",
            safe: "Ya nadie puede ver ni usar esta máquina.",
            next: "Puede seguir trabajando.",
        },
        ended_by_time: MessageText {
            happened: "La sesión duró lo permitido y ha terminado.",
            safe: "Ya nadie puede ver ni usar esta máquina.",
            next: "Si aún necesita ayuda, pida un nuevo número de sesión.",
        },
        ended_connection_lost: MessageText {
            happened: "Se ha perdido la conexión con el técnico.",
            safe: "La sesión ha terminado. Ya nadie puede ver ni usar esta máquina.",
            next: "Si aún necesita ayuda, pida un nuevo número de sesión.",
        },
        interrupted: MessageText {
            happened: "La conexión está interrumpida.",
            safe: "El técnico no puede hacer nada en este momento.",
            next: "Espere, por favor: se está restableciendo.",
        },
        not_certified: MessageText {
            happened: "El certificado del técnico no vale para esta máquina.",
            safe: "Nadie está conectado.",
            next: "Dígaselo al técnico, que quizá necesite un certificado nuevo.",
        },
        not_joined: MessageText {
            happened: "Este número de sesión no funciona.",
            safe: "Nadie está conectado.",
            next: "Pregunte el número al técnico y escríbalo otra vez.",
        },
        number_burned: MessageText {
            happened: "Se escribieron tres contraseñas falsas para este número.",
            safe: "Nadie está conectado.",
            next: "Pida al técnico un número y una contraseña nuevos.",
        },
        refused: MessageText {
            happened: "Usted rechazó.",
            safe: "Nadie está conectado.",
            next: "Puede seguir trabajando.",
        },
        refused_by_time: MessageText {
            happened: "Nadie respondió a la pregunta, así que la respuesta fue no.",
            safe: "Nadie está conectado.",
            next: "Si necesita ayuda, pida un nuevo número de sesión.",
        },
        server_unreachable: MessageText {
            happened: "El servidor de sesiones no responde.",
            safe: "Nadie está conectado.",
            next: "Revise el cable de red e inténtelo otra vez.",
        },
        not_safe: MessageText {
            happened: "La conexión no era segura y se cortó.",
            safe: "Nadie está conectado.",
            next: "Dígaselo al técnico y pida un nuevo número de sesión.",
        },
        wrong_password: MessageText {
            happened: "La contraseña no era correcta.",
            safe: "Nadie está conectado.",
            next: "Pida la contraseña y escriba el número otra vez. Tras tres intentos necesita un número nuevo.",
        },
    },
};
