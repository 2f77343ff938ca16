//! How people get into the session: passwords, and who waits to be let in.

use lotse_protocol::ServerAddress;
use lotse_protocol::SessionNumber;

use super::state::shown_name;
use super::{Code, Event, Level};

/// Those who wait to be let in that are shown at most.
const MAX_SHOWN: usize = 20;

/// The passwords of a session: for the ear, and for a link.
///
/// Its `Debug` hides them: they do not belong in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Six digits without a space.
    pub password: String,
    /// The same and more in a link, whose fragment no server sees.
    pub link: String,
}

impl Invitation {
    /// For a session at a server.
    pub fn new(
        server: &ServerAddress,
        number: SessionNumber,
        (password, secret): (&str, &str),
    ) -> Self {
        let host = server.host();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let port = if server.port() == 443 { String::new() } else { format!(":{}", server.port()) };
        let number = u32::from(number);
        let link = format!("https://{host}{port}/j/{number}#{secret}");
        Self { password: password.to_owned(), link }
    }

    /// The password in two groups, as it is shown and spoken: `123 456`.
    pub fn grouped(&self) -> String {
        match self.password.split_at_checked(3) {
            Some((left, right)) => format!("{left} {right}"),
            None => self.password.clone(),
        }
    }
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invitation(…)")
    }
}

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knock {
    /// Who, as the session counts its members.
    pub member: u16,
    /// How it calls itself. A claim, not a proof, unless certificates were checked.
    pub who: String,
    /// Whether it wants to show a screen, or to look on.
    pub is_device: bool,
    /// What the technician has to go by.
    pub need: Need,
}

/// What the technician has to go by before he lets somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The name alone: too many comparisons came to nothing. One follows.
    Name,
    /// Both people must compare this code.
    Compare(Code),
    /// This was checked.
    Checked(Level),
}

/// What is shown of the ways into a session.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Its passwords, if it has any.
    pub invitation: Option<Invitation>,
    /// How sure it is who has joined, where that was checked without people.
    pub checked: Option<Level>,
    /// Those who wait to be let in.
    pub knocking: Vec<Knock>,
    /// Wrong passwords that were tried with this number.
    pub wrong_passwords: u8,
    /// Whether the number before this one was given up after three wrong passwords.
    pub is_renewed: bool,
}

impl Access {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Invitation(invitation) => self.invitation = Some(invitation.clone()),
            Event::Checked { level, .. } => self.checked = Some(*level),
            Event::Knocking(knock) => {
                self.knocking.retain(|before| before.member != knock.member);
                if self.knocking.len() < MAX_SHOWN {
                    self.knocking.push(Knock { who: shown_name(&knock.who), ..knock.clone() });
                }
            }
            Event::Left { member } => self.knocking.retain(|knock| knock.member != *member),
            Event::WrongPassword => self.wrong_passwords = self.wrong_passwords.saturating_add(1),
            Event::NumberBurned => *self = Self { is_renewed: true, ..Self::default() },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_its_secret_where_no_server_sees_it() {
        let number: SessionNumber = "412936085".parse().unwrap();
        let link = |server: &str| {
            Invitation::new(&server.parse().unwrap(), number, ("012345", "abc")).link
        };
        assert_eq!(link("lotse.example"), "https://lotse.example/j/412936085#abc");
        assert_eq!(link("[2001:db8::1]:8443"), "https://[2001:db8::1]:8443/j/412936085#abc");
    }

    #[test]
    fn a_log_never_shows_a_password() {
        let server = "lotse.example".parse().unwrap();
        let number = "412936085".parse().unwrap();
        let invitation = Invitation::new(&server, number, ("012345", "abc"));
        assert_eq!(invitation.grouped(), "012 345");
        assert!(!format!("{invitation:?}").contains("012"));
    }
}
