//! What each member has seen, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use lotse_protocol::SessionNumber;
use lotse_protocol::session::Roster;

/// How often what is waited for is looked at; times are taken where things happen.
const LOOK: Duration = Duration::from_millis(2);

/// What happened at one member.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Times>);

/// When what happened.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// The session is open here; its number.
    pub(super) number: Option<SessionNumber>,
    /// It is inside.
    pub(super) connected: Option<Instant>,
    /// It is not any more, or never was.
    pub(super) ended: Option<String>,
    /// Who is on its list, since when. A list comes together with the key that its members have.
    pub(super) listed: BTreeMap<u16, Instant>,
    /// Who is not any more, since when.
    pub(super) unlisted: BTreeMap<u16, Instant>,
    /// As the moderator: who is gone for good, since when.
    pub(super) removed: BTreeMap<u16, Instant>,
    /// When pictures came.
    pub(super) pictures: Vec<Instant>,
}

impl Seen {
    /// Looks at it, or notes something down.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Times) -> T) -> T {
        let mut times = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        look(&mut times)
    }

    /// A list of members came.
    pub(super) fn list(&self, roster: &Roster, now: Instant) {
        let present: BTreeSet<u16> = roster.iter().map(|entry| entry.member.0).collect();
        self.with(|times| {
            let before: Vec<u16> = times.listed.keys().copied().collect();
            for gone in before.into_iter().filter(|member| !present.contains(member)) {
                times.listed.remove(&gone);
                times.unlisted.entry(gone).or_insert(now);
            }
            for member in present {
                times.listed.entry(member).or_insert(now);
            }
        });
    }
}

/// Waits until something is true.
///
/// # Errors
/// When it is not in time; `what` says what it was.
pub(super) async fn wait<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T> {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() > until {
            bail!("in {} s did not happen: {what}", patience.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
