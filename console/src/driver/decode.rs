//! Decodes pictures on a thread of their own.

use std::time::Instant;

use lotse_codec::{Changed, Decoder, Limits};
use tokio::sync::mpsc;

use crate::model::picture::{Exactness, PixelRect, SharedPicture};

/// Updates that wait for the decoder. The device sends two ahead at most.
const MAX_UPDATES: usize = 8;

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    /// It is in the picture.
    Shown {
        /// Its number, to be acknowledged.
        number: u32,
    },
    /// It could not be used; the next one must be complete.
    Unusable,
}

/// The two queues of the decoding thread; it ends when they are dropped.
pub(super) struct DecodeThread {
    updates: mpsc::Sender<Vec<u8>>,
    decoded: mpsc::Receiver<Decoded>,
}

impl DecodeThread {
    /// Starts a thread that decodes into a shared picture.
    pub(super) fn start(picture: SharedPicture) -> Self {
        let (updates, jobs) = mpsc::channel(MAX_UPDATES);
        let (results, decoded) = mpsc::channel(MAX_UPDATES);
        let thread = std::thread::Builder::new().name("picture".into());
        if let Err(error) = thread.spawn(move || run(jobs, &results, &picture)) {
            tracing::error!("pictures cannot be decoded: {error}");
        }
        Self { updates, decoded }
    }

    /// Gives it an update; `false` if it is too far behind, and the update is lost.
    pub(super) fn give(&self, update: Vec<u8>) -> bool {
        self.updates.try_send(update).is_ok()
    }

    /// What became of the next update; waits for it.
    pub(super) async fn next(&mut self) -> Decoded {
        match self.decoded.recv().await {
            Some(decoded) => decoded,
            // The thread is gone, which was logged; there is nothing to wait for.
            None => std::future::pending().await,
        }
    }
}

fn run(
    mut updates: mpsc::Receiver<Vec<u8>>,
    results: &mpsc::Sender<Decoded>,
    picture: &SharedPicture,
) {
    let mut decoder = Decoder::new(Limits::default());
    while let Some(update) = updates.blocking_recv() {
        let decoded = match decoder.decode(&update) {
            Ok(changed) => take_over(&decoder, &changed, picture),
            Err(error) => {
                tracing::warn!("a picture could not be used: {error}");
                Decoded::Unusable
            }
        };
        if results.blocking_send(decoded).is_err() {
            return;
        }
    }
}

/// Copies what changed into the shared picture.
fn take_over(decoder: &Decoder, changed: &Changed, shared: &SharedPicture) -> Decoded {
    let (pixels, size) = decoder.picture();
    let mut picture = shared.lock();
    if let Err(error) = picture.resize(size.width, size.height) {
        tracing::warn!("{error}");
        return Decoded::Unusable;
    }
    for rect in &changed.rects {
        let (x, y, width, height) = (rect.x, rect.y, rect.width, rect.height);
        picture.copy_rgbx(pixels, PixelRect { x, y, width, height });
    }
    let is_exact = decoder.coarse_tiles() == 0;
    picture.set_exactness(if is_exact { Exactness::Exact } else { Exactness::Rough });
    picture.finish_update(Instant::now());
    Decoded::Shown { number: changed.number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn garbage_is_unusable_and_the_thread_goes_on() {
        let picture = SharedPicture::default();
        let mut thread = DecodeThread::start(picture.clone());
        for garbage in [vec![], vec![0xff; 100]] {
            assert!(thread.give(garbage));
            assert_eq!(thread.next().await, Decoded::Unusable);
        }
        assert!(picture.lock().is_empty());
    }
}
