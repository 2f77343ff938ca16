//! What a member may ask of a device, by message, right, role and moment, in one table.
//!
//! What is not in the table is denied, and so is everything before the person there has consented. The device looks here for each message; consoles look here
//! too, but nobody relies on them.

use crate::message::{FromModerator, InputEvent, Rights, ToFiles, ToTerminal};

/// What is asked of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Pictures begin or cease.
    Watch,
    /// A picture was shown.
    PictureShown,
    /// The next picture must be complete.
    Refresh,
    /// The session ends.
    End,
    /// Keys and members change.
    Turn,
    /// Another screen is to be shown.
    Show,
    /// Somebody may control the device, or may not any more.
    Grant,
    /// Less may be done from now on.
    Limit,
    /// A key or button goes down, a pointer or finger moves, a wheel turns, a text is typed.
    Act,
    /// A key, button or finger is lifted.
    LetGo,
    /// A terminal is opened and used.
    Terminal,
    /// A terminal is closed.
    CloseTerminal,
    /// A member points at something.
    Point,
    /// The device or its application is restarted.
    Restart,
    /// A folder is looked into, a file read.
    ReadFile,
    /// A file is written.
    WriteFile,
    /// No more of a file is wanted.
    CancelFile,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// The moderator, over the channel of the pair.
    Moderator,
    /// The one who controls this device, over the channel of the grant.
    Controller,
    /// Anybody else in the session.
    Other,
}

/// What is going on at the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// The session is live.
    Live,
    /// The session is live, and somebody at the device uses it right now.
    PersonActs,
    /// The link to the moderator is broken for the moment.
    Away,
}

/// One line of the table: this may be asked by these under that right in such moments.
struct Line {
    what: Kind,
    by: Asker,
    under: Rights,
    when: &'static [Moment],
}

const fn line(what: Kind, by: Asker, under: Rights, when: &'static [Moment]) -> Line {
    Line { what, by, under, when }
}

const INSIDE: &[Moment] = &[Moment::Live, Moment::PersonActs, Moment::Away];

/// The table.
const TABLE: [Line; 17] = [
    line(Kind::Show, Asker::Moderator, Rights::VIEW, INSIDE),
    line(Kind::Watch, Asker::Moderator, Rights::VIEW, INSIDE),
    line(Kind::PictureShown, Asker::Moderator, Rights::VIEW, INSIDE),
    line(Kind::Refresh, Asker::Moderator, Rights::VIEW, INSIDE),
    line(Kind::End, Asker::Moderator, Rights::NONE, INSIDE),
    line(Kind::Turn, Asker::Moderator, Rights::NONE, INSIDE),
    line(Kind::Grant, Asker::Moderator, Rights::NONE, INSIDE),
    line(Kind::Limit, Asker::Moderator, Rights::NONE, INSIDE),
    line(Kind::Act, Asker::Controller, Rights::CONTROL, &[Moment::Live]),
    line(Kind::LetGo, Asker::Controller, Rights::CONTROL, INSIDE),
    line(Kind::Terminal, Asker::Moderator, Rights::SHELL, INSIDE),
    line(Kind::CloseTerminal, Asker::Moderator, Rights::NONE, INSIDE),
    line(Kind::Point, Asker::Moderator, Rights::POINTER, &[Moment::Live, Moment::PersonActs]),
    line(Kind::Restart, Asker::Moderator, Rights::REBOOT, INSIDE),
    line(Kind::ReadFile, Asker::Moderator, Rights::FILE_READ, INSIDE),
    line(Kind::WriteFile, Asker::Moderator, Rights::FILE_WRITE, INSIDE),
    line(Kind::CancelFile, Asker::Moderator, Rights::NONE, INSIDE),
];

/// Whether something may be done.
pub(super) fn allows(what: Kind, by: Asker, rights: Rights, when: Moment) -> bool {
    TABLE.iter().any(|line| {
        line.what == what && line.by == by && rights.allows(line.under) && line.when.contains(&when)
    })
}

/// What an input is in the table.
pub(super) fn kind_of(event: &InputEvent) -> Kind {
    match event {
        InputEvent::ReleaseAll
        | InputEvent::Lift { .. }
        | InputEvent::Key { pressed: false, .. }
        | InputEvent::Button { pressed: false, .. } => Kind::LetGo,
        InputEvent::Key { pressed: true, .. }
        | InputEvent::Button { pressed: true, .. }
        | InputEvent::Text(_)
        | InputEvent::Pointer(_)
        | InputEvent::Wheel { .. }
        | InputEvent::Touch { .. } => Kind::Act,
    }
}

/// What a message of the moderator is in the table; `None` if it is not for devices.
pub(super) fn kind_of_moderators(message: &FromModerator) -> Option<Kind> {
    Some(match message {
        FromModerator::Watch(_) => Kind::Watch,
        FromModerator::PictureShown(_) => Kind::PictureShown,
        FromModerator::Refresh { .. } => Kind::Refresh,
        FromModerator::Show(_) => Kind::Show,
        FromModerator::End => Kind::End,
        FromModerator::Turn(_) => Kind::Turn,
        FromModerator::Grant(_) | FromModerator::Revoke { .. } => Kind::Grant,
        FromModerator::Limit(_) => Kind::Limit,
        FromModerator::Terminal(ToTerminal::Close) => Kind::CloseTerminal,
        FromModerator::Terminal(_) => Kind::Terminal,
        FromModerator::Point { .. } => Kind::Point,
        FromModerator::Restart(_) => Kind::Restart,
        FromModerator::Files { what, .. } => match what {
            ToFiles::List { .. } | ToFiles::Read { .. } | ToFiles::Taken(_) => Kind::ReadFile,
            ToFiles::Write { .. } | ToFiles::Data(_) => Kind::WriteFile,
            ToFiles::Cancel => Kind::CancelFile,
        },
        FromModerator::DeputyKey { .. } | FromModerator::Arrows(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 17] = [
        Kind::Show,
        Kind::Watch,
        Kind::PictureShown,
        Kind::Refresh,
        Kind::End,
        Kind::Turn,
        Kind::Grant,
        Kind::Limit,
        Kind::Act,
        Kind::LetGo,
        Kind::Terminal,
        Kind::CloseTerminal,
        Kind::Point,
        Kind::Restart,
        Kind::ReadFile,
        Kind::WriteFile,
        Kind::CancelFile,
    ];
    const ASKERS: [Asker; 3] = [Asker::Moderator, Asker::Controller, Asker::Other];
    const MOMENTS: [Moment; 3] = [Moment::Live, Moment::PersonActs, Moment::Away];

    /// The same rules once more, said the other way round: by reasons to deny.
    fn is_denied(what: Kind, by: Asker, rights: Rights, when: Moment) -> bool {
        let pictures = [Kind::Watch, Kind::PictureShown, Kind::Refresh, Kind::Show];
        let inputs = [Kind::Act, Kind::LetGo];
        by == Asker::Other
            || (by == Asker::Controller) != inputs.contains(&what)
            || pictures.contains(&what) && !rights.allows(Rights::VIEW)
            || inputs.contains(&what) && !rights.allows(Rights::CONTROL)
            || what == Kind::Terminal && !rights.allows(Rights::SHELL)
            || what == Kind::Point && !rights.allows(Rights::POINTER)
            || what == Kind::Point && when == Moment::Away
            || what == Kind::Restart && !rights.allows(Rights::REBOOT)
            || what == Kind::ReadFile && !rights.allows(Rights::FILE_READ)
            || what == Kind::WriteFile && !rights.allows(Rights::FILE_WRITE)
            || what == Kind::Act && when != Moment::Live
    }

    #[test]
    fn every_message_right_role_and_moment_is_as_the_rules_say() {
        let mut allowed = 0;
        for what in KINDS {
            for by in ASKERS {
                for when in MOMENTS {
                    for bits in 0..=u16::from(Rights::KNOWN) {
                        let rights = Rights::from(bits);
                        let may = allows(what, by, rights, when);
                        assert_eq!(
                            may,
                            !is_denied(what, by, rights, when),
                            "{what:?} {by:?} {rights:?} {when:?}"
                        );
                        allowed += usize::from(may);
                    }
                }
            }
        }
        assert!(allowed > 0);
    }

    #[test]
    fn one_right_is_never_a_way_to_another() {
        let names = (0..10).map(|bit| Rights::from(1 << bit));
        for right in names.filter(|right| *right != Rights::CONTROL) {
            for when in MOMENTS {
                assert!(!allows(Kind::Act, Asker::Controller, right, when), "{right:?}");
            }
        }
    }

    #[test]
    fn every_message_about_files_needs_the_right_of_its_direction() {
        let reads = Rights::KNOWN.without(Rights::FILE_WRITE);
        let writes = Rights::KNOWN.without(Rights::FILE_READ);
        let (path, after): (Box<crate::message::FilePath>, _) = (Box::default(), Box::default());
        let read = [
            ToFiles::List { path: Box::clone(&path), after },
            ToFiles::Read { path: path.clone(), at: 0, credit: 1 },
            ToFiles::Taken(1),
        ];
        let write = [
            ToFiles::Write { path, size: 1, hash: [0; 32], may_replace: false },
            ToFiles::Data(crate::message::FileBytes::of(b"x")),
        ];
        let may = |what: &ToFiles, rights| {
            let message = FromModerator::Files { id: 1, what: what.clone() };
            let kind = kind_of_moderators(&message).unwrap();
            assert!(!allows(kind, Asker::Controller, rights, Moment::Live));
            allows(kind, Asker::Moderator, rights, Moment::Live)
        };
        assert!(read.iter().all(|what| may(what, reads) && !may(what, writes)));
        assert!(write.iter().all(|what| may(what, writes) && !may(what, reads)));
        assert!(may(&ToFiles::Cancel, Rights::NONE));
    }
}
