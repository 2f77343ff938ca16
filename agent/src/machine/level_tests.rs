//! Passwords and certificates against a network process that was taken over.

use lotse_protocol::certificate::{
    self, CertifiedTechnician, Entry, Holder, KeyPair, Pass, from_hex, issue, issue_state,
};
use rand_core::OsRng;

use super::*;
use crate::panel::{self, Message};

const BOTH: Rights = Rights::KNOWN;

/// What the handshake has come to, as a hash.
const TRANSCRIPT: [u8; 32] = [5; 32];

impl Bench {
    fn type_password(&mut self) {
        for digit in "111222".chars() {
            self.press(&format!("digit-{digit}"));
        }
        self.press("connect");
    }

    fn message(&self) -> Option<Message> {
        match self.process.panel.view() {
            View::Message(message) => Some(*message),
            _ => None,
        }
    }

    fn close_message(&mut self) {
        self.press("ok");
    }
}

fn knows_password() -> ToMachine {
    ToMachine::Ask {
        name: NetworkName::try_from("Ada").unwrap(),
        asks: Rights::KNOWN,
        standing: Standing::Password,
    }
}

#[test]
fn three_wrong_passwords_burn_a_number_here_too() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in 0..4 {
        // Each time as after a restart.
        let mut bench = Bench::with(BOTH, |settings| {
            settings.data_directory = folder.path().to_owned();
        });
        bench.join();
        bench.hears(ToMachine::AskPassword);
        if wrong == 3 {
            assert_eq!(bench.message(), Some(Message::NumberBurned));
            break;
        }
        bench.type_password();
        assert!(matches!(bench.process.panel.view(), View::Joining { .. }));
        // Not even an answer is needed: it was tried.
        if wrong == 0 {
            bench.hears(ToMachine::Ended(Ended::WrongPassword));
            assert_eq!(bench.message(), Some(Message::WrongPassword));
            bench.close_message();
        }
    }
}

#[test]
fn a_right_password_is_followed_by_the_question() {
    let mut bench = Bench::new(BOTH);
    for _ in 0..4 {
        bench.join();
        bench.hears(ToMachine::AskPassword);
        bench.type_password();
        bench.hears(knows_password());
        let View::Asking(ask) = bench.process.panel.view() else { panic!("the person is asked") };
        assert_eq!(ask.level, panel::Level::Password);
        bench.wait(READ);
        bench.press("refuse");
        bench.close_message();
    }
}

#[test]
fn nobody_asks_for_a_password_before_a_number_was_typed() {
    let mut bench = Bench::new(BOTH);
    bench.hears(ToMachine::AskPassword);
    assert!(matches!(bench.process.panel.view(), View::Hidden));
}

fn policy(text: &str) -> Policy {
    let text = format!("server = \"x\"\n[policy]\n{}", text.replace("[levels]", "[policy.levels]"));
    toml::from_str::<Config>(&text).unwrap().check().unwrap().policy
}

#[test]
fn a_right_that_demands_more_is_not_given() {
    let demands = |settings: &mut Settings| {
        settings.policy = policy("[levels]\ncontrol = \"password\"");
    };
    let mut bench = Bench::with(BOTH, demands);
    bench.accept();
    bench.hears(ToMachine::Connected { rights: Rights::KNOWN });
    bench.attack();
    assert!(bench.is_watched() && !bench.is_steered());

    let mut bench = Bench::with(BOTH, |settings| {
        let levels = ["view", "control", "pointer", "shell", "reboot"];
        let levels = levels.map(|name| format!("{name} = \"certificate\"\n")).concat();
        settings.policy = policy(&format!("[levels]\n{levels}"));
    });
    bench.join();
    bench.hears(ask());
    assert_eq!(bench.message(), Some(Message::Ended(panel::Ended::ByPolicy)));
}

/// An operator, his technician, and a machine that is enrolled.
struct Operator {
    pass: Pass,
    bench: Bench,
    _folder: tempfile::TempDir,
}

impl Operator {
    fn new(rights: Rights, is_unattended: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = KeyPair::generate(&mut OsRng);
        let now = SystemTime::now();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let sign = |subject, name: &str, holder| {
            let entry = Entry {
                name: name.try_into().unwrap(),
                holder,
                groups: certificate::groups(["all"]).unwrap(),
                not_before: now - 60,
                not_after: now + 3600,
            };
            issue(&root, subject, entry, &mut OsRng).unwrap()
        };
        let key = from_hex(&public_key(folder.path()).unwrap()).unwrap();
        let key = certificate::PublicKey(key.try_into().unwrap());
        let enrolment =
            Enrolment { root: root.public(), certificate: sign(key, "Kiosk", Holder::Device) };
        let key = KeyPair::generate(&mut OsRng);
        let holder = Holder::Technician { rights: u16::from(rights) };
        let certificate = sign(key.public(), "Ada", holder);
        let fresh = (now - 60, now + 3600);
        let state = issue_state(&root, 1, fresh, 0, heapless::Vec::new()).unwrap();
        let pass = Pass { key, certificate, state, root: root.public() };
        let bench = Bench::with(BOTH, |settings| {
            settings.data_directory = folder.path().to_owned();
            settings.enrolment = Some(enrolment);
            settings.policy.unattended = is_unattended;
        });
        Self { pass, bench, _folder: folder }
    }

    /// The machine's own nonce, which a network process sees in its proof.
    fn nonce(&mut self) -> [u8; 32] {
        self.bench.process.identity.nonce_of_tests().expect("the machine has signed")
    }

    fn shows(&mut self, technician: CertifiedTechnician) {
        let standing = Standing::Shown { technician: Box::new(technician), transcript: TRANSCRIPT };
        let name = NetworkName::try_from("Somebody").unwrap();
        self.bench.hears(ToMachine::Ask { name, asks: Rights::KNOWN, standing });
    }

    fn meet(&mut self) -> CertifiedTechnician {
        self.bench.join();
        self.bench.hears(ToMachine::Identify { transcript: TRANSCRIPT });
        let nonce = self.nonce();
        let shown = certificate::identify_technician(&self.pass, &nonce, &TRANSCRIPT);
        self.shows(shown.clone());
        shown
    }
}

#[test]
fn a_certified_technician_needs_nobody_only_where_the_policy_says_so() {
    let mut attended = Operator::new(Rights::KNOWN, false);
    attended.meet();
    let View::Asking(ask) = attended.bench.process.panel.view() else {
        panic!("somebody is asked")
    };
    assert_eq!((ask.level, ask.name.as_str()), (panel::Level::Certificate, "Ada"));

    let mut alone = Operator::new(Rights::KNOWN, true);
    alone.meet();
    alone.bench.hears(ToMachine::Connected { rights: Rights::KNOWN });
    let View::Session(panel::Connected { level, .. }) = alone.bench.process.panel.view() else {
        panic!("the session is shown: {:?}", alone.bench.process.panel.view())
    };
    assert_eq!(*level, Some(panel::Level::Certificate));
    alone.bench.attack();
    assert!(alone.bench.is_steered());
    // A code or a password needs a person all the same.
    let mut alone = Operator::new(Rights::KNOWN, true);
    alone.bench.join();
    alone.bench.hears(ask_by_code());
    assert!(matches!(alone.bench.process.panel.view(), View::Asking(_)));
}

fn ask_by_code() -> ToMachine {
    ask()
}

#[test]
fn a_technician_does_no_more_than_his_certificate_says() {
    let mut operator = Operator::new(Rights::VIEW, true);
    operator.meet();
    operator.bench.hears(ToMachine::Connected { rights: Rights::KNOWN });
    operator.bench.attack();
    assert!(operator.bench.is_watched() && !operator.bench.is_steered());
}

#[test]
fn a_taken_over_network_process_shows_no_certificate() {
    // One that it has recorded, of a join before.
    let mut operator = Operator::new(Rights::KNOWN, true);
    let recorded = operator.meet();
    operator.bench.hears(ToMachine::Ended(Ended::ByTechnician));
    operator.bench.close_message();
    operator.bench.join();
    operator.bench.hears(ToMachine::Identify { transcript: TRANSCRIPT });
    operator.shows(recorded.clone());
    assert_eq!(operator.bench.message(), Some(Message::NotCertified));

    // One for which the machine was not even asked to sign.
    operator.bench.close_message();
    operator.bench.join();
    operator.shows(recorded);
    assert_eq!(operator.bench.message(), Some(Message::NotCertified));
    operator.bench.attack();
    assert!(!operator.bench.is_watched() && !operator.bench.is_steered());
}

#[test]
fn a_session_ends_with_its_certificate() {
    let mut operator = Operator::new(Rights::KNOWN, true);
    operator.meet();
    operator.bench.hears(ToMachine::Connected { rights: Rights::KNOWN });
    operator.bench.now += Duration::from_secs(3700);
    operator.bench.process.handle_timeouts(operator.bench.now);
    let ended = Message::Ended(panel::Ended::ByTime);
    assert_eq!(operator.bench.message(), Some(ended));
}
