//! Lotse's whole path: an agent that reads a file as its screen, encryption, the server, and a
//! technician who decodes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use lotse_bench::Workload;
use lotse_client::{ConnectOptions, Connection, Incoming, connect};
use lotse_codec::{DecodeError, Decoder, Limits, Size};
use lotse_protocol::message::{Rights, Role};
use lotse_protocol::session::{Moderator, ModeratorConfig, ModeratorEvent, Output};
use rand_core::OsRng;
use serde_json::{Value, json};

use crate::counter::Counter;
use crate::offered::{Offered, Print};
use crate::peers::{open_when_up, start_display};
use crate::player::{FileStage, Film, Stage};
use crate::process::{MemoryWatch, Program, processor_time};
use crate::server::Server;
use crate::viewers::Viewers;

/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the last picture may take.
const LAST: Duration = Duration::from_secs(60);
/// Events of a session that wait at most.
const MAX_EVENTS: usize = 64;

/// The programs and the folder for what they leave behind.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Product {
    /// The session server's program
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) server: PathBuf,
    /// The agent's program
    #[arg(long, value_name = "PROGRAM")]
    agent: PathBuf,
    /// For logs and the server's data
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Who watches: the technician, and others who look on
    #[arg(long, default_value_t = 1)]
    viewers: usize,
    /// The agent reads an X display, which tells what is drawn, and not a file, which does not
    #[arg(long)]
    x: bool,
    /// Photographs may be shown roughly at first, as by default; else nothing is ever lost
    #[arg(long)]
    rough: bool,
    /// A line with so many bits a second, ms there and back, and every how many-th packet lost, as in
    /// 5000000:80:0; none is slower than this computer
    #[arg(long, value_name = "BITS:MS:LOSS", value_parser = crate::line::parse)]
    line: Option<crate::line::Line>,
}

/// Plays one workload through the product.
///
/// # Errors
/// When a program does not do its part, or the last picture does not come.
pub(crate) fn measure(
    product: &Product,
    workload: &Workload,
    size: Size,
    seed: u64,
) -> Result<Value> {
    let film = Film::draw(workload, size, seed);
    let mut shown = Shown::start(product, size)?;
    let offered = Arc::new(Offered::default());
    let outcome = (|| {
        let server = Server::start(&product.server, &product.folder)?;
        let counter = Counter::start(server.listening, product.line)?;
        let agent_server = format!("127.0.0.1:{}#{}", counter.port(), server.fingerprint()?);
        let mut kiosk = Kiosk::start(product, &agent_server, &shown.source, size)?;
        film.begin(&mut *shown.stage, &offered)?;
        let technician = Technician::start(&server.address, &offered)?;
        let number = kiosk.let_in(&technician)?;
        let count = product.viewers.saturating_sub(1);
        let viewers = Viewers::join(&server.address, number, count)?;
        let processes = kiosk.agent.family();
        ensure!(processes.len() >= 2, "the agent has {} processes", processes.len());
        let memory = MemoryWatch::start(processes.clone());
        let (before, watched) = (counter.up(), Instant::now());
        technician.watch()?;
        wait_for_last(&offered)?;
        let (first, first_wait) = (counter.up() - before, watched.elapsed());
        let seen = offered.first_at().map(|at| at.saturating_duration_since(watched));
        // What the beginning still has on its way is not the workload's.
        thread::sleep(Duration::from_millis(500));
        offered.clear();
        let (before, before_back) = (counter.up(), counter.down());
        let (cpu, start) = (processor_time(&processes), Instant::now());
        film.play(&mut *shown.stage, &offered)?;
        let played = Instant::now();
        wait_for_last(&offered)?;
        let exact = played.elapsed();
        let cpu = processor_time(&processes).saturating_sub(cpu);
        let mut report = offered.report();
        let way = if product.x { "lotse-x" } else { "lotse" };
        let of = |what: Value| json!({ "workload": workload.name, "way": way, "path": what });
        if let Value::Object(map) = &mut report {
            map.insert("bytes".into(), (counter.up() - before).into());
            map.insert("bytes_back".into(), (counter.down() - before_back).into());
            map.insert("first_bytes".into(), first.into());
            map.insert("first_seen_ms".into(), seen.map(ms).into());
            map.insert("exact_after_ms".into(), ms(exact).into());
            map.insert("first_ms".into(), (first_wait.as_secs_f64() * 1000.0).into());
            map.insert("cpu_s".into(), cpu.as_secs_f64().into());
            map.insert("wall_s".into(), start.elapsed().as_secs_f64().into());
            map.insert("memory".into(), memory.most().into());
            map.insert("viewers".into(), product.viewers.into());
            map.insert("fewest_pictures".into(), viewers.fewest_pictures()?.into());
        }
        Ok(of(report))
    })();
    // Whatever happened, the screen goes.
    outcome.with_context(|| format!("{} through Lotse", workload.name))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Waits until the viewer has the last frame.
pub(crate) fn wait_for_last(offered: &Offered) -> Result<()> {
    let end = Instant::now() + LAST;
    while !offered.is_up_to_date() {
        ensure!(Instant::now() < end, "the last picture did not come: {}", offered.report());
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// A screen that the agent reads, and what is drawn on it.
struct Shown {
    stage: Box<dyn Stage>,
    /// As the agent's configuration names it.
    source: String,
    file: Option<PathBuf>,
    _display: Option<Program>,
}

impl Shown {
    fn start(product: &Product, size: Size) -> Result<Self> {
        if product.x {
            let (display, number) = start_display(&product.folder, size)?;
            let stage = Box::new(open_when_up(&format!(":{number}"), size)?);
            let source = format!("x11:{number}");
            return Ok(Self { stage, source, file: None, _display: Some(display) });
        }
        let file = Path::new("/dev/shm").join(format!("lotse-bench-{}", std::process::id()));
        let stage = Box::new(FileStage::create(&file, size)?);
        let source = format!("file:{}:{}x{}", file.display(), size.width, size.height);
        Ok(Self { stage, source, file: Some(file), _display: None })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = self.file.take().map(fs::remove_file);
    }
}

/// The machine and the person in front of it.
struct Kiosk {
    agent: Program,
    person: ChildStdin,
}

impl Kiosk {
    fn start(product: &Product, server: &str, source: &str, size: Size) -> Result<Self> {
        let mut command = Program::command(&product.agent);
        let simulated = format!("{}x{}", size.width, size.height);
        command.args(["--simulated", &simulated, "--still", "--screen", source]);
        command.args(["--server", server, "--name", "Bench"]);
        let config = product.folder.join("agent.toml");
        let photographs = if product.rough { "rough-at-first" } else { "exact" };
        fs::write(&config, format!("[screen]\nphotographs = \"{photographs}\"\n"))?;
        command.arg("--config").arg(&config);
        let log = product.folder.join("agent.log");
        let mut agent = Program::start(command, &log, true)?;
        let person = agent.child().stdin.take().context("no input")?;
        let end = Instant::now() + PATIENCE;
        while !fs::read_to_string(&log).unwrap_or_default().contains("connected to") {
            ensure!(Instant::now() < end, "the agent does not reach the server; see agent.log");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { agent, person })
    }

    fn act(&mut self, lines: &[&str]) -> Result<()> {
        for line in lines {
            writeln!(self.person, "{line}").context("the agent is gone")?;
        }
        self.person.flush().context("the agent is gone")
    }

    /// Types the number and says yes.
    fn let_in(&mut self, technician: &Technician) -> Result<u32> {
        let Told::Number(number) = technician.wait()? else { bail!("no number") };
        self.act(&[&format!("type {number:09}"), "wait 300", "key ENTER"])?;
        let Told::Compare = technician.wait()? else { bail!("no code") };
        technician.act(Do::Confirm)?;
        self.act(&["wait 2500", "key RIGHT", "wait 300", "key ENTER"])?;
        let Told::Connected = technician.wait()? else { bail!("not connected") };
        Ok(number)
    }
}

/// What the technician does.
enum Do {
    Confirm,
    Watch,
}

/// What the technician is told.
enum Told {
    Number(u32),
    Compare,
    Connected,
    Ended(String),
}

/// A technician in a thread of this program, who decodes every update and acknowledges it.
struct Technician {
    commands: tokio::sync::mpsc::Sender<Do>,
    events: Receiver<Told>,
}

impl Technician {
    fn start(address: &str, offered: &Arc<Offered>) -> Result<Self> {
        let address = address.parse().context("the server's address")?;
        let (commands, to_do) = tokio::sync::mpsc::channel(MAX_EVENTS);
        let (tell, events) = sync_channel(MAX_EVENTS);
        let offered = Arc::clone(offered);
        thread::spawn(move || {
            let outcome = (|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    let options =
                        ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("bench") };
                    let connection = connect(&address, &options).await?;
                    let name = "Bench".try_into().map_err(|_| anyhow::anyhow!("a name"))?;
                    let config = ModeratorConfig::new(name, Rights::VIEW);
                    let moderator = Moderator::new(config, Box::new(OsRng));
                    let decoder = Decoder::new(Limits::default());
                    Watching { moderator, connection, decoder, offered }.run(to_do, &tell).await
                })
            })();
            if let Err(error) = outcome {
                let _ = tell.send(Told::Ended(format!("{error:#}")));
            }
        });
        Ok(Self { commands, events })
    }

    fn act(&self, what: Do) -> Result<()> {
        self.commands.try_send(what).map_err(|_| anyhow::anyhow!("the technician is gone"))
    }

    fn watch(&self) -> Result<()> {
        self.act(Do::Watch)
    }

    fn wait(&self) -> Result<Told> {
        match self.events.recv_timeout(PATIENCE).context("nothing happens")? {
            Told::Ended(why) => bail!("the session ended: {why}"),
            told => Ok(told),
        }
    }
}

/// A session from the technician's side.
struct Watching {
    moderator: Moderator,
    connection: Connection,
    decoder: Decoder,
    offered: Arc<Offered>,
}

impl Watching {
    async fn run(
        mut self,
        mut commands: tokio::sync::mpsc::Receiver<Do>,
        tell: &std::sync::mpsc::SyncSender<Told>,
    ) -> Result<()> {
        self.moderator.open();
        loop {
            while let Some(output) = self.moderator.poll_output() {
                match output {
                    Output::Request(what) => drop(self.connection.request(what)?),
                    Output::Packet(class, packet) => self.connection.send(class, packet)?,
                    Output::Event(event) => {
                        if let Some(told) = self.take(event)? {
                            tell.send(told)?;
                        }
                    }
                }
            }
            let now = Instant::now();
            let due = self.moderator.poll_timeout().unwrap_or(now + PATIENCE);
            tokio::select! {
                incoming = self.connection.next() => match incoming {
                    Incoming::Packet(packet) => {
                        self.moderator.handle_packet(&packet, Instant::now());
                    }
                    Incoming::Reply(reply) => self.moderator.handle_answer(reply.answer),
                    Incoming::Notice(notice) => self.moderator.handle_notice(notice, Instant::now()),
                    Incoming::Lost(why) => bail!("the link is lost: {why}"),
                    _ => {}
                },
                command = commands.recv() => match command {
                    Some(Do::Confirm) => {
                        if let Some(member) = self.moderator.comparing() {
                            self.moderator.confirm_code(member);
                        }
                    }
                    Some(Do::Watch) => self.moderator.watch(true),
                    None => return Ok(()),
                },
                () = tokio::time::sleep_until(due.into()) => {
                    self.moderator.handle_timeout(Instant::now());
                }
            }
        }
    }

    fn take(&mut self, event: ModeratorEvent) -> Result<Option<Told>> {
        Ok(match event {
            ModeratorEvent::Opened { number, .. } => Some(Told::Number(u32::from(number))),
            ModeratorEvent::Knocking { member, .. } => {
                self.moderator.admit(member);
                None
            }
            ModeratorEvent::Compare { member, role: Role::Onlooker, .. } => {
                self.moderator.confirm_code(member);
                None
            }
            ModeratorEvent::Compare { .. } => Some(Told::Compare),
            ModeratorEvent::Connected { role: Role::Device, .. } => Some(Told::Connected),
            ModeratorEvent::Picture(update) => {
                let number = match self.decoder.decode(&update) {
                    Ok(changed) => changed.number,
                    // As a console does: something was lost on the way.
                    Err(DecodeError::Missing { .. } | DecodeError::NoPicture) => {
                        self.moderator.refresh();
                        return Ok(None);
                    }
                    Err(error) => return Err(error.into()),
                };
                let now = Instant::now();
                self.moderator.picture_shown(number);
                self.offered.see(Print::of_rgba(self.decoder.picture().0), now);
                None
            }
            ModeratorEvent::Ended(why) => Some(Told::Ended(format!("{why:?}"))),
            _ => None,
        })
    }
}
