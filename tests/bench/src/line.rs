//! A line that is slower than this computer: so many bits a second, so long there and back, now and
//! then a packet lost.
//!
//! It is a model in front of TCP, not a network: what is read from one side is cut into packets, each
//! of which leaves when those before it have, arrives half a round trip later, and, if it is lost,
//! holds up all that follow for a round trip more, as a repeated packet does. That senders become slower after a loss is
//! not part of it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of a packet.
const PACKET: usize = 1460;
/// What waits before the line at most: more is left in the sender's hands.
const QUEUE: Duration = Duration::from_millis(60);
/// Packets on their way at most.
const MAX_FLYING: usize = 4096;

/// What a line does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    bits_per_second: f64,
    round_trip: Duration,
    /// One packet of so many is lost; 0 for none.
    loss: u32,
}

/// A line as in `5000000:80:0`.
///
/// # Errors
/// When it is none.
pub(crate) fn parse(text: &str) -> Result<Line, String> {
    let fields: Vec<&str> = text.split(':').collect();
    let [bits, ms, loss] = fields.as_slice() else { return Err("three numbers".to_owned()) };
    let number = |text: &str| text.parse::<u32>().map_err(|error| format!("{text}: {error}"));
    Ok(Line {
        bits_per_second: f64::from(number(bits)?.max(1)),
        round_trip: Duration::from_millis(number(ms)?.into()),
        loss: number(loss)?,
    })
}

/// When packets arrive. No clock: the time comes in.
#[derive(Debug)]
struct Way {
    line: Line,
    free_at: Instant,
    held_up: Instant,
    sent: u32,
}

impl Way {
    /// A packet of so many bytes comes to the line; when it arrives, and when another one may come.
    fn carry(&mut self, bytes: usize, now: Instant) -> (Instant, Instant) {
        let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / self.line.bits_per_second);
        self.free_at = self.free_at.max(now) + takes;
        self.sent = self.sent.wrapping_add(1);
        let mut arrives = self.free_at + self.line.round_trip / 2;
        if self.line.loss > 0 && self.sent.is_multiple_of(self.line.loss) {
            arrives += self.line.round_trip;
        }
        // TCP hands nothing over out of order.
        self.held_up = self.held_up.max(arrives);
        (self.held_up, self.free_at.checked_sub(QUEUE).unwrap_or(now))
    }
}

/// Forwards what is read from one side over a line of its own; `count` is told of all bytes.
pub(crate) fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    line: Line,
    mut count: impl FnMut(usize) + Send + 'static,
) {
    let (queue, arriving): (SyncSender<(Instant, Vec<u8>)>, Receiver<_>) = sync_channel(MAX_FLYING);
    thread::spawn(move || {
        let now = Instant::now();
        let mut way = Way { line, free_at: now, held_up: now, sent: 0 };
        let mut packet = vec![0; PACKET];
        while let Ok(len @ 1..) = from.read(&mut packet) {
            count(len);
            let (arrives, next) = way.carry(len, Instant::now());
            let bytes = packet.get(..len).unwrap_or_default().to_vec();
            if queue.send((arrives, bytes)).is_err() {
                break;
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    });
    thread::spawn(move || {
        for (arrives, bytes) in arriving {
            thread::sleep(arrives.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_its_time_and_a_lost_packet_holds_up_the_rest() {
        let start = Instant::now();
        let line = parse("1000000:150:3").unwrap();
        let mut way = Way { line, free_at: start, held_up: start, sent: 0 };
        let arrivals: Vec<u128> = (0..4)
            .map(|_| way.carry(1250, start).0.saturating_duration_since(start).as_millis())
            .collect();
        // 10 ms each and 75 on the way; the third comes 150 later, and the fourth with it.
        assert_eq!(arrivals, [85, 95, 255, 255]);
    }
}
