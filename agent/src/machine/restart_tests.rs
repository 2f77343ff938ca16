//! Restarts: announced, prevented, and the way back.

use lotse_protocol::message::{Restart, SecretBytes, decode};

use super::*;
use crate::ipc::FromPrograms;
use crate::machine::restart::take;
use crate::machine::session::Phase;
use crate::panel::{Right, RightSet, Work};

const COUNTDOWN: Duration = Duration::from_secs(10);

/// A technician who may do all that the policy says is connected; files go into a folder.
fn connected_with(policy: Rights, folder: &std::path::Path) -> Bench {
    let mut bench = Bench::with(policy, |settings| settings.data_directory = folder.to_owned());
    let ready = FromPrograms::Ready {
        terminal: false,
        application: true,
        machine: true,
        files: Rights::NONE,
    };
    bench.process.handle_programs(ready, bench.now);
    bench.accept();
    bench.hears(connected());
    bench
}

fn reboot() -> ToMachine {
    let ticket: SecretBytes = decode(&[7; 32]).unwrap();
    ToMachine::Restart(Restart::Machine { ticket })
}

fn ticket_is_kept(bench: &Bench) -> bool {
    bench.process.keep.read("return").unwrap().is_some()
}

/// The machine of before is up again; whether it has something to come back to.
fn up_again(policy: Rights, folder: &std::path::Path) -> (Bench, bool) {
    let mut bench = Bench::with(policy, |settings| settings.data_directory = folder.to_owned());
    let kept = take(&bench.process.keep, SystemTime::now());
    let is_something = kept.is_some();
    if let Some(kept) = kept {
        bench.process.begin_return(kept, bench.now);
    }
    (bench, is_something)
}

fn granted(bench: &Bench) -> Option<Rights> {
    match bench.process.session.phase {
        Phase::Live { granted } => Some(granted),
        _ => None,
    }
}

#[test]
fn a_restart_is_announced_and_the_person_can_prevent_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = connected_with(Rights::KNOWN, folder.path());
    for prevents in [true, false] {
        bench.hears(reboot());
        let View::Coming(coming) = bench.process.panel.view() else { panic!("not announced") };
        assert_eq!((coming.what, coming.name.as_str()), (Work::Reboot, "Ada"));
        bench.attack();
        assert!(!bench.is_steered(), "nobody presses its button from afar");
        if prevents {
            bench.press("prevent");
        }
        bench.wait(COUNTDOWN);
        assert_eq!(ticket_is_kept(&bench), !prevents);
        assert!(matches!(bench.process.panel.view(), View::Session(_)));
    }
    // The program that does it says that it cannot.
    let failed = FromPrograms::Restarted { is_machine: true, is_done: false };
    bench.process.handle_programs(failed, bench.now);
    assert!(!ticket_is_kept(&bench));
}

#[test]
fn nothing_is_restarted_without_its_right_and_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let both = Rights::VIEW.with(Rights::CONTROL);
    let mut bench = connected_with(both, folder.path());
    bench.hears(reboot());
    assert!(matches!(bench.process.panel.view(), View::Session(_)));
    let ends: [fn(&mut Bench); 3] = [
        |bench| bench.hears(ToMachine::Limit(Rights::VIEW)),
        |bench| bench.hears(ToMachine::Ended(Ended::ByTechnician)),
        |bench| bench.hears(ToMachine::Ended(Ended::ConnectionLost)),
    ];
    for end in ends {
        let mut bench = connected_with(Rights::KNOWN, folder.path());
        bench.hears(reboot());
        end(&mut bench);
        bench.wait(COUNTDOWN);
        assert!(!ticket_is_kept(&bench) && bench.process.coming.is_none());
    }
    // Stopped while it goes down: it does not come back.
    let mut bench = connected_with(Rights::KNOWN, folder.path());
    bench.hears(reboot());
    bench.wait(COUNTDOWN);
    assert!(ticket_is_kept(&bench));
    bench.press("stop");
    assert!(!ticket_is_kept(&bench));
}

#[test]
fn a_machine_comes_back_once_with_what_was_consented_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = connected_with(Rights::KNOWN, folder.path());
    let limit = Rights::VIEW.with(Rights::CONTROL).with(Rights::REBOOT);
    before.hears(ToMachine::Limit(limit));
    before.hears(reboot());
    before.wait(COUNTDOWN);
    // It is lost, as when the power goes; the policy is another one now.
    let policy = Rights::VIEW.with(Rights::REBOOT).with(Rights::SHELL);
    let (mut bench, is_something) = up_again(policy, folder.path());
    assert!(is_something && !ticket_is_kept(&bench), "deleted before it is used");
    let View::Session(sign) = bench.process.panel.view() else { panic!("no sign") };
    assert!(sign.is_silent && sign.name.as_str() == "Ada", "the sign is there at once");
    bench.attack();
    bench.hears(connected());
    assert_eq!(granted(&bench), None, "nothing is live before it has proved");
    bench.hears(ToMachine::Server { is_reachable: true });
    bench.hears(ToMachine::Ask {
        name: "Eve".try_into().unwrap(),
        asks: Rights::KNOWN,
        standing: Standing::Password,
    });
    bench.hears(connected());
    assert_eq!(granted(&bench), Some(Rights::VIEW.with(Rights::REBOOT)));
    let View::Session(sign) = bench.process.panel.view() else { panic!("no sign") };
    assert_eq!(sign.name.as_str(), "Ada", "as the person has accepted");
    assert_eq!(sign.rights, RightSet::of(&[Right::View, Right::Reboot]));
    let (bench, is_something) = up_again(policy, folder.path());
    assert!(!is_something && !bench.process.session.is_going_on());
}

#[test]
fn whoever_shows_no_ticket_gets_nothing_of_a_return() {
    let folder = tempfile::tempdir().unwrap();
    for standing in [Standing::Compare(123_456), Standing::Password] {
        let mut before = connected_with(Rights::KNOWN, folder.path());
        before.hears(reboot());
        before.wait(COUNTDOWN);
        let is_right = standing == Standing::Password;
        // What is not allowed any more is no reason to let anybody in either.
        let policy = if is_right { Rights::NONE } else { Rights::KNOWN };
        let (mut bench, _) = up_again(policy, folder.path());
        bench.hears(ToMachine::Server { is_reachable: true });
        let (name, asks) = ("Ada".try_into().unwrap(), Rights::KNOWN);
        bench.hears(ToMachine::Ask { name, asks, standing });
        bench.hears(connected());
        assert_eq!(granted(&bench), None);
        assert!(!bench.process.session.is_going_on());
    }
}

#[test]
fn a_ticket_that_is_too_old_is_deleted_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = connected_with(Rights::KNOWN, folder.path());
    let later = |seconds| SystemTime::now() + Duration::from_secs(seconds);
    for (seconds, counts) in [(590, true), (610, false)] {
        before.hears(reboot());
        before.wait(COUNTDOWN);
        assert_eq!(take(&before.process.keep, later(seconds)).is_some(), counts);
        assert!(!ticket_is_kept(&before));
    }
    // A clock that is not set yet tells nothing.
    before.hears(reboot());
    before.wait(COUNTDOWN);
    assert!(take(&before.process.keep, SystemTime::UNIX_EPOCH).is_some());
    // The server is never reached.
    before.hears(reboot());
    before.wait(COUNTDOWN);
    let (mut bench, _) = up_again(Rights::KNOWN, folder.path());
    bench.wait(Duration::from_secs(601));
    bench.hears(ToMachine::Server { is_reachable: true });
    assert!(!bench.process.session.is_going_on());
}
