//! Control messages: what the moderator and a member tell each other.

use serde::{Deserialize, Serialize};

use super::{
    Arrow, ArrowReport, ControlGrant, CoveredParts, FromFiles, FromTerminal, OutputList,
    OutputName, Restart, RestartReport, Rights, ScreenReport, SecretBytes, ToFiles, ToTerminal,
    Turn,
};
use crate::MemberId;

/// Control messages of the moderator to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromModerator {
    /// Pictures are wanted, or no longer. The first one after `true` is complete.
    Watch(bool),
    /// The picture with this number is on the moderator's screen; the device may send another.
    PictureShown(u32),
    /// Something was lost: the next picture must hold all that changed since the one with this
    /// number, which everybody has; all there is, if it is 0.
    Refresh {
        /// The number.
        after: u32,
    },
    /// The session is over.
    End,
    /// Keys and members change.
    Turn(Turn),
    /// To the device and to the controller: from now on this one controls it, and nobody else.
    Grant(ControlGrant),
    /// To the device and to the controller: that grant is over.
    Revoke {
        /// Its number.
        grant: u16,
    },
    /// To a device: no more than this may be done from now on.
    Limit(Rights),
    /// To the deputy: the key between it and a member, should it take over.
    DeputyKey {
        /// The member.
        member: MemberId,
        /// The key.
        key: SecretBytes,
    },
    /// Another of the device's screens is wanted, by its name in [`FromMember::Outputs`].
    Show(OutputName),
    /// To a device: about its terminal.
    Terminal(ToTerminal),
    /// To a device: a member points at something on its screen.
    Point {
        /// Who.
        by: MemberId,
        /// Where.
        arrow: Arrow,
    },
    /// To an onlooker that points: what the device said of arrows.
    Arrows(ArrowReport),
    /// To a device: it, or its application, is to be restarted.
    Restart(Restart),
    /// To a device: about its files.
    Files {
        /// The request's number, another for each; of [`ToFiles::Cancel`] it does not matter.
        id: u16,
        /// What.
        what: ToFiles,
    },
}

/// Control messages of a member to the moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromMember {
    /// First message of all: the keys are here, and the person has consented.
    Entered {
        /// To what.
        granted: Rights,
        /// The member's Ed25519 key for this session.
        key: [u8; 32],
    },
    /// What a device's screen is doing.
    Screen(ScreenReport),
    /// This character cannot be typed with the keyboard layout of the device.
    CannotType(char),
    /// The member ends its part.
    End(DeviceEnd),
    /// The member has the keys of this epoch and sends under no older ones, and has that list.
    Turned {
        /// The epoch.
        epoch: u16,
        /// The number of the list of members.
        roster: u32,
    },
    /// The member has sent much under the key of this epoch: it is time for another.
    WearsOut {
        /// The epoch.
        epoch: u16,
    },
    /// The person at the device allows no more than this from now on.
    Limit(Rights),
    /// Something of the picture was lost since the one with this number; 0 if there is none.
    Refresh {
        /// The number.
        after: u32,
    },
    /// The member was shown another list of this number than somebody else.
    RostersDiffer {
        /// The number.
        roster: u32,
    },
    /// The member would like to control the device.
    AskControl,
    /// The screens that a device has, the one that is read among them; sent when there is a choice.
    Outputs(Box<OutputList>),
    /// Parts of the picture that other hardware covers, most often with a video: what is seen
    /// there is not in the picture. None when nothing is covered any more.
    Covered(CoveredParts),
    /// About the device's terminal.
    Terminal(FromTerminal),
    /// An onlooker points at something; to be passed on to the device.
    Point(Arrow),
    /// What a device says of arrows.
    Arrows(ArrowReport),
    /// What becomes of a restart.
    Restart(RestartReport),
    /// About the device's files.
    Files {
        /// The number of the request that this answers.
        id: u16,
        /// What.
        what: FromFiles,
    },
}

/// What the person at the device has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Consent {
    /// These rights, which may be fewer than were asked for.
    Granted(Rights),
    /// No.
    Refused,
    /// Nobody answered in time, which is a no.
    TimedOut,
    /// The device cannot show the question, so that nobody could answer.
    CannotAsk,
}

/// Why a device ended the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeviceEnd {
    /// The person there pressed Stop.
    Stopped,
    /// The agent is being stopped.
    ShuttingDown,
    /// Something at the device does not work.
    Fault,
}
