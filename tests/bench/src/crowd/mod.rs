//! A full session through a real server: how long until newcomers are in, and until those who
//! stay have a key that those who left do not.

mod seen;
mod side;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lotse_protocol::handshake::JoinKey;
use lotse_protocol::header::MemberId;
use lotse_protocol::message::{Consent, Rights, Role};
use lotse_protocol::session::{
    MAX_MEMBERS, Moderator, ModeratorConfig, ModeratorEvent, Onlooker, OnlookerEvent, Participant,
    ParticipantEvent,
};
use lotse_protocol::{ServerAddress, SessionNumber};
use rand_core::{OsRng, RngCore as _};
use serde_json::{Value, json};

use self::seen::{Seen, wait};
use self::side::Running;
use crate::process::{MemoryWatch, processor_time};
use crate::server::Server;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Who leave at once.
const MANY: usize = 30;
/// How often the device sends a picture, and its bytes: a panel where a gauge moves.
const PICTURES: (Duration, usize) = (Duration::from_millis(20), 600);
/// Pictures are watched for so long before and after somebody leaves.
const WATCH: Duration = Duration::from_secs(1);

/// How large a session, through which server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Crowd {
    /// The session server's program
    #[arg(long, value_name = "PROGRAM")]
    server: PathBuf,
    /// For logs and the server's data
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Members, the moderator and one device among them
    #[arg(long, default_value_t = MAX_MEMBERS)]
    members: usize,
}

/// A second console in the session.
pub(crate) struct Guest {
    running: Running<Onlooker>,
    seen: Arc<Seen>,
    /// From the connection's first byte until the keys are there. Nobody thinks: codes are
    /// confirmed at once.
    join: Duration,
}

/// Fills a session and empties it again.
///
/// # Errors
/// When somebody does not come in, or is not told in time.
pub(crate) fn measure(crowd: &Crowd) -> Result<Value> {
    let least = MANY + 5;
    ensure!(
        (least..=MAX_MEMBERS).contains(&crowd.members),
        "a session of {least} to {MAX_MEMBERS} members can be measured"
    );
    let server = Server::start(&crowd.server, &crowd.folder)?;
    let address: ServerAddress = server.address.parse().context("the server's address")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let processes = server.process.family();
    let memory = MemoryWatch::start(processes.clone());
    let before = processor_time(&processes);
    let mut report = runtime.block_on(fill_and_empty(&address, crowd.members))?;
    if let Value::Object(map) = &mut report {
        let cpu = processor_time(&processes).saturating_sub(before);
        map.insert("server_cpu_s".into(), cpu.as_secs_f64().into());
        map.insert("server_memory".into(), memory.most().into());
    }
    Ok(report)
}

async fn fill_and_empty(address: &ServerAddress, members: usize) -> Result<Value> {
    // Every program makes its pair before it is needed.
    let mut keys = tokio::task::spawn_blocking(move || make_keys(members - 1)).await??;
    let chair = Arc::new(Seen::default());
    let moderator = moderate(address, &chair)?;
    let number = wait("the session opens", PATIENCE, || chair.with(|seen| seen.number)).await?;
    let device = bring_device(address, number, keys.pop().context("a key")?).await?;
    wait("the device is in", PATIENCE, || chair.with(|seen| seen.connected)).await?;
    moderator.order(|moderator| moderator.watch(true))?;
    let sending = tokio::spawn(send_pictures(device));

    let mut guests = Vec::new();
    for key in keys {
        guests.push(join(address, number, key).await?);
    }
    let newcomer = wait("the last one is listed everywhere", PATIENCE, || {
        let all: Vec<_> = guests.iter().map(|guest| &guest.seen).chain([&chair]).collect();
        all.iter().all(|seen| seen.with(|seen| seen.listed.len() == members)).then(Instant::now)
    });
    newcomer.await?;
    let joins: Vec<Duration> = guests.iter().map(|guest| guest.join).collect();
    let full = Instant::now();
    tokio::time::sleep(WATCH).await;

    let one = leave(&mut guests, 1, &chair).await?;
    let many = leave(&mut guests, MANY, &chair).await?;
    let kicked = kick(&moderator, &mut guests, &chair).await?;
    let ended: Vec<String> =
        guests.iter().filter_map(|guest| guest.seen.with(|seen| seen.ended.clone())).collect();
    ensure!(ended.is_empty(), "members that stay were sent away: {ended:?}");
    tokio::time::sleep(WATCH).await;
    sending.abort();
    let gap = guests.iter().map(|guest| longest_gap(&guest.seen, full)).max();
    Ok(json!({
        "members": members,
        "join_ms": spread(&joins),
        "join_last_ms": joins.last().map(|join| ms(*join)),
        "one_left": one,
        "many_left": many,
        "kicked": kicked,
        "longest_gap_between_pictures_ms": gap.map(ms),
    }))
}

/// Pairs for all, made by as many threads as there are processors.
///
/// # Errors
/// When there are no threads.
pub(crate) fn make_keys(count: usize) -> Result<Vec<JoinKey>> {
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let make = |share: usize| (0..share).map(|_| JoinKey::generate(&mut OsRng)).collect();
        let share = |thread| (thread..count).step_by(threads).len();
        let workers: Vec<_> = (0..threads)
            .map(|thread| (share(thread), make))
            .map(|(share, make)| scope.spawn(move || make(share)))
            .collect();
        let mut keys = Vec::new();
        for worker in workers {
            let made: Result<Vec<_>, _> =
                worker.join().map_err(|_| anyhow::anyhow!("making keys"))?;
            keys.extend(made?);
        }
        Ok(keys)
    })
}

/// The console that opens the session; it lets everybody in at once.
fn moderate(address: &ServerAddress, seen: &Arc<Seen>) -> Result<Running<Moderator>> {
    let config = ModeratorConfig::new(name("Moderator")?, Rights::VIEW);
    let side = Moderator::new(config, Box::new(OsRng));
    let seen = Arc::clone(seen);
    let take = move |moderator: &mut Moderator, event, now| match event {
        ModeratorEvent::Opened { number, .. } => {
            seen.with(|seen| seen.number = Some(number));
        }
        ModeratorEvent::Knocking { member, .. } => moderator.admit(member),
        ModeratorEvent::Compare { member, .. } => moderator.confirm_code(member),
        ModeratorEvent::Connected { role: Role::Device, .. } => {
            seen.with(|seen| seen.connected = Some(now));
        }
        ModeratorEvent::Members(roster) => seen.list(&roster, now),
        ModeratorEvent::Removed { member } => {
            seen.with(|seen| seen.removed.insert(member.0, now));
        }
        ModeratorEvent::Ended(why) => seen.with(|seen| seen.ended = Some(format!("{why:?}"))),
        _ => {}
    };
    Ok(Running::start(address, side, Moderator::open, take))
}

/// The device; its person says yes at once.
async fn bring_device(
    address: &ServerAddress,
    number: SessionNumber,
    key: JoinKey,
) -> Result<Running<Participant>> {
    let side = Participant::new(name("Kiosk")?, Box::new(OsRng));
    let seen = Arc::new(Seen::default());
    let note = Arc::clone(&seen);
    let take = move |device: &mut Participant, event, now| match event {
        ParticipantEvent::Ask { asks, .. } => device.decide(Consent::Granted(asks), now),
        ParticipantEvent::Connected { .. } => note.with(|seen| seen.connected = Some(now)),
        ParticipantEvent::Ended(why) => note.with(|seen| seen.ended = Some(format!("{why:?}"))),
        _ => {}
    };
    let running = Running::start(address, side, move |device| device.join(number, key), take);
    wait("the device joins", PATIENCE, || seen.with(|seen| seen.connected)).await?;
    Ok(running)
}

/// Sends pictures, as far as anybody here is concerned.
async fn send_pictures(device: Running<Participant>) {
    let mut clock = tokio::time::interval(PICTURES.0);
    loop {
        clock.tick().await;
        let mut picture = vec![0; PICTURES.1];
        OsRng.fill_bytes(&mut picture);
        if device.order(move |device| device.send_picture(&picture)).is_err() {
            return;
        }
    }
}

/// One more console joins and looks on.
///
/// # Errors
/// When it does not come in.
pub(crate) async fn join(
    address: &ServerAddress,
    number: SessionNumber,
    key: JoinKey,
) -> Result<Guest> {
    let side = Onlooker::new(name("Colleague")?, Box::new(OsRng));
    let seen = Arc::new(Seen::default());
    let note = Arc::clone(&seen);
    let take = move |guest: &mut Onlooker, event, now| match event {
        OnlookerEvent::Compare { .. } => guest.confirm_code(now),
        OnlookerEvent::Connected => note.with(|seen| seen.connected = Some(now)),
        OnlookerEvent::Members(roster) => note.list(&roster, now),
        OnlookerEvent::Picture(_) => note.with(|seen| seen.pictures.push(now)),
        OnlookerEvent::Ended(why) => note.with(|seen| seen.ended = Some(format!("{why:?}"))),
        OnlookerEvent::RostersDiffer => {
            note.with(|seen| seen.ended = Some("lists differ".to_owned()));
        }
        _ => {}
    };
    let start = Instant::now();
    let running = Running::start(address, side, move |guest| guest.join(number, key), take);
    // In, and able to read: the list comes with the key.
    let inside = wait("a member is in and has the list", PATIENCE, || {
        seen.with(|seen| seen.connected.filter(|_| !seen.listed.is_empty()).map(|_| list_at(seen)))
    });
    let inside = inside
        .await
        .with_context(|| format!("it ended: {:?}", seen.with(|seen| seen.ended.clone())));
    let join = inside?.saturating_duration_since(start);
    Ok(Guest { running, seen, join })
}

impl Guest {
    /// How many pictures it got.
    pub(crate) fn pictures(&self) -> usize {
        self.seen.with(|seen| seen.pictures.len())
    }

    /// Why it is not in the session any more, if so.
    pub(crate) fn ended(&self) -> Option<String> {
        self.seen.with(|seen| seen.ended.clone())
    }
}

fn list_at(seen: &seen::Times) -> Instant {
    seen.listed.values().copied().min().unwrap_or_else(Instant::now)
}

/// The last ones leave at the same moment: until all others have a key that they do not have, and
/// until the moderator knows it.
async fn leave(guests: &mut Vec<Guest>, count: usize, chair: &Seen) -> Result<Value> {
    let stay = guests.len().saturating_sub(count);
    let before: Vec<u16> = present(chair);
    let start = Instant::now();
    let leaving = guests.split_off(stay);
    for guest in &leaving {
        guest.running.order(Onlooker::end)?;
    }
    let told = until_unlisted(guests, chair, before.len() - count, start).await?;
    let gone = absent(&before, chair);
    ensure!(gone.len() == count, "{} are gone instead of {count}", gone.len());
    let removed = until_removed(chair, &gone, start).await?;
    Ok(json!({ "left": count, "stayed": stay, "told_ms": told, "removed_ms": ms(removed) }))
}

/// The moderator sends one away.
async fn kick(
    moderator: &Running<Moderator>,
    guests: &mut Vec<Guest>,
    chair: &Seen,
) -> Result<Value> {
    let before = present(chair);
    let victim = *before.last().context("somebody")?;
    let start = Instant::now();
    moderator.order(move |moderator| moderator.kick(MemberId(victim)))?;
    // Members are numbered in the order in which they came.
    guests.pop();
    let told = until_unlisted(guests, chair, before.len() - 1, start).await?;
    ensure!(absent(&before, chair) == [victim], "somebody else was sent away");
    let removed = until_removed(chair, &[victim], start).await?;
    Ok(json!({ "told_ms": told, "removed_ms": ms(removed) }))
}

fn present(chair: &Seen) -> Vec<u16> {
    chair.with(|seen| seen.listed.keys().copied().collect())
}

fn absent(before: &[u16], chair: &Seen) -> Vec<u16> {
    let now = present(chair);
    before.iter().copied().filter(|member| !now.contains(member)).collect()
}

/// Waits until nobody's list has more than so many members; when each was told, after `start`.
async fn until_unlisted(
    guests: &[Guest],
    chair: &Seen,
    members: usize,
    start: Instant,
) -> Result<Value> {
    let is_done = || {
        let is_short = |seen: &Seen| seen.with(|seen| seen.listed.len() == members);
        (is_short(chair) && guests.iter().all(|guest| is_short(&guest.seen))).then_some(())
    };
    wait("all who stay have another key", PATIENCE, is_done).await?;
    let last_gone =
        |seen: &Seen| seen.with(|seen| seen.unlisted.values().copied().max()).unwrap_or(start);
    let told = guests.iter().map(|guest| last_gone(&guest.seen).saturating_duration_since(start));
    Ok(spread(&told.collect::<Vec<_>>()))
}

async fn until_removed(chair: &Seen, gone: &[u16], start: Instant) -> Result<Duration> {
    let last = wait("the moderator may say that they are removed", PATIENCE, || {
        chair.with(|seen| {
            gone.iter().map(|id| seen.removed.get(id).copied()).collect::<Option<Vec<_>>>()
        })
    });
    let last = last.await?.into_iter().max().unwrap_or(start);
    Ok(last.saturating_duration_since(start))
}

/// The longest time without a picture.
fn longest_gap(seen: &Seen, since: Instant) -> Duration {
    seen.with(|seen| {
        let times: Vec<_> = seen.pictures.iter().filter(|at| **at >= since).collect();
        let gaps = times.windows(2).filter_map(|pair| match pair {
            [one, next] => Some(next.saturating_duration_since(**one)),
            _ => None,
        });
        gaps.max().unwrap_or(Duration::MAX)
    })
}

/// Median and most of some times.
fn spread(times: &[Duration]) -> Value {
    let mut times: Vec<_> = times.iter().copied().map(ms).collect();
    times.sort_by(f64::total_cmp);
    json!({ "p50": times.get(times.len() / 2), "most": times.last() })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn name(text: &str) -> Result<lotse_protocol::message::Name> {
    text.try_into().map_err(|_| anyhow::anyhow!("a name"))
}
