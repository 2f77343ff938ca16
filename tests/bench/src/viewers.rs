//! Those who look on while the whole path is measured: consoles of this program, each with a link and
//! keys of its own, that open every packet and decode nothing.

use anyhow::{Context as _, Result, ensure};
use lotse_protocol::{ServerAddress, SessionNumber};
use tokio::runtime::Runtime;

use crate::crowd::{self, Guest};

/// Some onlookers of a session; they leave when this is dropped.
pub(crate) struct Viewers {
    guests: Vec<Guest>,
    /// In which they run.
    _runtime: Runtime,
}

impl Viewers {
    /// Has `count` of them join; the moderator must let them in.
    ///
    /// # Errors
    /// When one does not come in.
    pub(crate) fn join(address: &str, number: u32, count: usize) -> Result<Self> {
        let address: ServerAddress = address.parse().context("the server's address")?;
        let number = SessionNumber::try_from(number).context("the session's number")?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let keys = crowd::make_keys(count)?;
        let guests = runtime.block_on(async {
            let mut guests = Vec::new();
            for key in keys {
                guests.push(crowd::join(&address, number, key).await?);
            }
            anyhow::Ok(guests)
        })?;
        Ok(Self { guests, _runtime: runtime })
    }

    /// The fewest pictures that any of them got.
    ///
    /// # Errors
    /// When one is not in the session any more.
    pub(crate) fn fewest_pictures(&self) -> Result<Option<usize>> {
        for guest in &self.guests {
            let ended = guest.ended();
            ensure!(ended.is_none(), "somebody who looked on is gone: {ended:?}");
        }
        Ok(self.guests.iter().map(Guest::pictures).min())
    }
}
