//! What members say to each other inside the encryption.
//!
//! Control and input messages are in postcard. A picture message is whatever the picture codec
//! made; this crate does not look into it. Every list and text is bounded by its type.

use heapless::String;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::MemberId;
use crate::packet::INPUT_PADDING;
use crate::session::MAX_MEMBERS;

/// A name as it may come from a stranger: at most 64 bytes. Show it framed as a name, without
/// control characters.
pub type Name = String<64>;

/// What a member is in a session. The moderator is not among them: there is one, and the others
/// join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// Shows its screen, and may let it be controlled.
    Device,
    /// Looks on, and may be given control of a device by the moderator.
    Onlooker,
}

/// What a session may do at a device, each named on its own when the person there is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub struct Rights(u16);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// See the screen.
    pub const VIEW: Self = Self(1);
    /// Use pointer, touch and keyboard.
    pub const CONTROL: Self = Self(1 << 1);
    /// Point at something for the others to see, without touching it.
    pub const POINTER: Self = Self(1 << 2);
    /// Read files.
    pub const FILE_READ: Self = Self(1 << 3);
    /// Write files.
    pub const FILE_WRITE: Self = Self(1 << 4);
    /// Read and write the clipboard.
    pub const CLIPBOARD: Self = Self(1 << 5);
    /// Use a terminal.
    pub const SHELL: Self = Self(1 << 6);
    /// Restart the device or its application.
    pub const REBOOT: Self = Self(1 << 7);
    /// Show the own screen to the others.
    pub const PRESENT: Self = Self(1 << 8);
    /// Keep what is seen.
    pub const RECORD: Self = Self(1 << 9);
    /// Every right that this version can name.
    pub const KNOWN: Self = Self((1 << 10) - 1);

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both: rights only ever get fewer on their way.
    #[must_use]
    pub const fn capped_by(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in here and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in here.
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl From<u16> for Rights {
    /// Rights that this version does not know are dropped: what cannot be named is not granted.
    fn from(bits: u16) -> Self {
        Self(bits & Self::KNOWN.0)
    }
}

impl From<Rights> for u16 {
    fn from(rights: Rights) -> Self {
        rights.0
    }
}

/// A list that is bounded before anything is allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// As many of these as fit.
    pub fn of(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().take(MAX).collect())
    }

    /// The items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> IntoIterator for List<T, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> serde::de::Visitor<'de> for Items<T, MAX> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "at most {MAX} items")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<Vec<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    if list.len() >= MAX {
                        return Err(serde::de::Error::invalid_length(MAX, &self));
                    }
                    list.push(item);
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Items::<T, MAX>(std::marker::PhantomData)).map(Self)
    }
}

/// Bytes that do not show in debug output.
#[derive(
    Clone, PartialEq, Eq, Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop,
)]
pub struct SecretBytes(pub(crate) [u8; 32]);

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// One member as the moderator has written it down for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who.
    pub member: MemberId,
    /// Its join instance.
    pub instance: u16,
    /// What it is.
    pub role: Role,
    /// What it calls itself. Nobody has checked it.
    pub name: Name,
    /// What may be done at it, if it is a device.
    pub rights: Rights,
    /// Who controls it, if it is a device and somebody does.
    pub controller: Option<MemberId>,
    /// Its Ed25519 key for this session; the moderator signs with its own.
    pub key: [u8; 32],
}

/// An Ed25519 signature, its halves R and s (RFC 8032 §5.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The first half.
    pub r: [u8; 32],
    /// The second half.
    pub s: [u8; 32],
}

/// What changes in the list of members, and the moderator's signature of what it becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterChange {
    /// Its number, one more than that of the list before, unless this is the whole list.
    pub number: u32,
    /// How many have taken over as the moderator so far.
    pub term: u16,
    /// This is the whole list: forget what was there before.
    pub is_whole: bool,
    /// Who moderates.
    pub moderator: MemberId,
    /// Who takes over when the moderator is lost.
    pub deputy: Option<MemberId>,
    /// Who is gone.
    pub gone: List<MemberId, MAX_MEMBERS>,
    /// Who is new or has changed.
    pub changed: List<Entry, MAX_MEMBERS>,
    /// Of the whole list, by the moderator.
    pub signature: Signature,
}

/// How the key of an epoch comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewSecret {
    /// The epoch stays.
    Same,
    /// Everybody derives it from that of the epoch before; who comes in gets the new one alone.
    Ratchet,
    /// Nobody can derive it.
    Fresh(SecretBytes),
}

/// Another epoch, another list of members, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The epoch from here on.
    pub epoch: u16,
    /// Where its key comes from.
    pub secret: NewSecret,
    /// Who is in the session.
    pub roster: RosterChange,
}

/// One member may control one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlGrant {
    /// Its number, which no other grant of the session has; not 0.
    pub number: u16,
    /// What is controlled.
    pub device: MemberId,
    /// Who controls it.
    pub controller: MemberId,
    /// What the controller may do at most.
    pub rights: Rights,
    /// The key of these two.
    pub key: SecretBytes,
}

/// Control messages of the moderator to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromModerator {
    /// Pictures are wanted, or no longer. The first one after `true` is complete.
    Watch(bool),
    /// The picture with this number is on the moderator's screen; the device may send another.
    PictureShown(u32),
    /// Something was lost: the next picture must be complete.
    Refresh,
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
    /// Something of the picture was lost; the next one must be complete.
    Refresh,
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
}

/// What a moderator and a member tell each other about what has arrived; the next one says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The number of the control packet that is due.
    pub next: u64,
    /// Later ones were here already: send from there on again.
    pub is_missing: bool,
}

/// Feedback of a device to the one who controls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromControlled {
    /// About input packets.
    pub input: Acknowledgement,
    /// The device's time for the freshness of input: goes up by one every
    /// [`crate::session::TICK`].
    pub tick: u32,
    /// So many inputs were not carried out under this grant.
    pub dropped: u32,
    /// The numbers of those that were dropped last because they were too old: from the first to
    /// before the second.
    pub too_old: (u64, u64),
    /// Somebody at the device uses it: nothing is carried out.
    pub is_paused: bool,
}

/// Feedback of a controller to the device: it is there and holds something down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillHere {
    /// The last [`FromControlled::tick`] that the controller saw.
    pub tick: u32,
}

/// Feedback of a device to everybody: which list of members it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterSeen {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The name of one of a device's screens, as in `drm:HDMI-A-1`.
pub type OutputName = String<64>;

/// The screens of a device; more than eight are not told.
pub type OutputList = heapless::Vec<OutputReport, 8>;

/// Parts of a picture that are covered; more than four are not told.
pub type CoveredParts = heapless::Vec<Part, 4>;

/// One of a device's screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputReport {
    /// By which it is asked for.
    pub name: OutputName,
    /// Whether it is the one that is read now.
    pub is_read: bool,
}

/// A rectangle in the device's picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// First column.
    pub x: u16,
    /// First row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
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

/// What the device's screen is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ScreenReport {
    /// It shows a picture.
    Shown {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
    },
    /// It shows nothing.
    Off,
    /// It cannot be read at the moment; the device looks for it again.
    Unreadable,
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

/// One input of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The last [`FromControlled::tick`] that the controller saw when it sent this.
    pub tick: u32,
    /// What the controller did.
    pub event: InputEvent,
}

/// A place in the device's picture. The size comes along, so that a place means the same pixel
/// after the picture's size has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Column in pixels.
    pub x: u16,
    /// Row in pixels.
    pub y: u16,
    /// Width in pixels of the picture that the controller saw.
    pub width: u16,
    /// Its height.
    pub height: u16,
}

/// What a controller can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InputEvent {
    /// A key by its place on the keyboard.
    Key {
        /// Number of `linux/input-event-codes.h`.
        code: u16,
        /// Down or up.
        pressed: bool,
    },
    /// Text to be typed with the device's keyboard layout.
    Text(String<192>),
    /// The pointer is here.
    Pointer(Place),
    /// A mouse button where the pointer is: 0 left, 1 middle, 2 right.
    Button {
        /// Which.
        button: u8,
        /// Down or up.
        pressed: bool,
    },
    /// The wheel, in notches; positive is away from the user, and to the right.
    Wheel {
        /// Up and down.
        vertical: i8,
        /// Left and right.
        horizontal: i8,
    },
    /// A finger is down here.
    Touch {
        /// Which finger, from 0.
        slot: u8,
        /// Where.
        at: Place,
    },
    /// A finger is lifted.
    Lift {
        /// Which finger.
        slot: u8,
    },
    /// Everything is let go.
    ReleaseAll,
}

/// Bytes that are not the message they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message does not make sense")]
pub struct InvalidMessage;

/// A message in postcard; nothing may follow it.
pub(crate) fn encode(message: &impl Serialize) -> Vec<u8> {
    // Fails only without memory: every message has a bounded size.
    postcard::to_allocvec(message).unwrap_or_default()
}

/// The message in some bytes.
///
/// # Errors
/// [`InvalidMessage`], also when something follows the message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InvalidMessage> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        _ => Err(InvalidMessage),
    }
}

/// An input padded with zeros to a multiple of [`INPUT_PADDING`].
pub(crate) fn encode_input(input: &Input) -> Vec<u8> {
    let mut bytes = encode(input);
    bytes.resize(bytes.len().next_multiple_of(INPUT_PADDING), 0);
    bytes
}

/// The input in some bytes, padding included.
///
/// # Errors
/// [`InvalidMessage`] also when the padding is not all zeros.
pub fn decode_input(bytes: &[u8]) -> Result<Input, InvalidMessage> {
    match postcard::take_from_bytes(bytes) {
        Ok((input, padding)) if padding.iter().all(|&b| b == 0) => Ok(input),
        _ => Err(InvalidMessage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn places() -> impl Strategy<Value = Place> {
        any::<(u16, u16, u16, u16)>().prop_map(|(x, y, width, height)| Place {
            x,
            y,
            width,
            height,
        })
    }

    fn events() -> impl Strategy<Value = InputEvent> {
        prop_oneof![
            any::<(u16, bool)>().prop_map(|(code, pressed)| InputEvent::Key { code, pressed }),
            "\\PC{0,48}".prop_map(|text| InputEvent::Text(text.as_str().try_into().unwrap())),
            places().prop_map(InputEvent::Pointer),
            any::<(u8, bool)>()
                .prop_map(|(button, pressed)| InputEvent::Button { button, pressed }),
            any::<(i8, i8)>()
                .prop_map(|(vertical, horizontal)| InputEvent::Wheel { vertical, horizontal }),
            (any::<u8>(), places()).prop_map(|(slot, at)| InputEvent::Touch { slot, at }),
            any::<u8>().prop_map(|slot| InputEvent::Lift { slot }),
            Just(InputEvent::ReleaseAll),
        ]
    }

    proptest! {
        #[test]
        fn input_survives_its_padding(tick: u32, event in events()) {
            let input = Input { tick, event };
            let bytes = encode_input(&input);
            prop_assert_eq!(bytes.len() % INPUT_PADDING, 0);
            prop_assert_eq!(decode_input(&bytes), Ok(input));
        }

        #[test]
        fn garbage_never_panics(bytes in vec(any::<u8>(), 0..300)) {
            decode_input(&bytes).ok();
            decode::<FromModerator>(&bytes).ok();
            decode::<FromMember>(&bytes).ok();
        }

        #[test]
        fn unknown_rights_are_never_granted(bits: u16) {
            let rights: Rights = decode(&encode(&bits)).unwrap();
            prop_assert!(Rights::KNOWN.allows(rights));
        }
    }

    #[test]
    fn a_list_is_cut_off_at_its_bound() {
        let bytes = |count: usize| encode(&vec![7_u8; count]);
        assert_eq!(decode::<List<u8, 3>>(&bytes(3)), Ok(List::of([7; 3])));
        assert_eq!(decode::<List<u8, 3>>(&bytes(4)), Err(InvalidMessage));
        // As long as a length can be, with nothing behind it.
        assert!(decode::<List<u8, 3>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
    }

    #[test]
    fn lists_of_a_device_survive_the_way_and_are_bounded() {
        let name: OutputName = "drm:HDMI-A-1".try_into().unwrap();
        let report = OutputReport { name: name.clone(), is_read: true };
        let outputs = FromMember::Outputs(Box::new([report].into_iter().collect()));
        assert_eq!(decode(&encode(&outputs)), Ok(outputs));
        let part = Part { x: 1, y: 2, width: 300, height: 4 };
        let covered = FromMember::Covered([part, part].into_iter().collect());
        assert_eq!(decode(&encode(&covered)), Ok(covered));
        let show = FromModerator::Show(name);
        assert_eq!(decode(&encode(&show)), Ok(show));
        let parts = heapless::Vec::<Part, 5>::from_slice(&[part; 5]).unwrap();
        let mut many = encode(&FromMember::Covered(CoveredParts::new()));
        many.pop();
        many.extend(encode(&parts));
        assert_eq!(decode::<FromMember>(&many), Err(InvalidMessage));
    }

    #[test]
    fn a_single_letter_and_a_click_have_the_same_size() {
        let size = |event| encode_input(&Input { tick: 9, event }).len();
        let place = Place { x: 1919, y: 1079, width: 1920, height: 1080 };
        assert_eq!(size(InputEvent::Pointer(place)), INPUT_PADDING);
        assert_eq!(size(InputEvent::Key { code: 30, pressed: true }), INPUT_PADDING);
        assert_eq!(size(InputEvent::Text("é".try_into().unwrap())), INPUT_PADDING);
    }

    #[test]
    fn rejects_text_longer_than_its_bound() {
        let mut bytes = encode(&(0_u32, 1_u8, "x".repeat(193)));
        assert_eq!(decode_input(&bytes), Err(InvalidMessage));
        bytes = encode(&(0_u32, 1_u8, "x".repeat(192)));
        assert!(decode_input(&bytes).is_ok());
    }
}
