//! What a scenario can do with a machine: the people's side (look, touch, type) and the lab's own (run, put, get).

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::channel::Ended;
use super::machine::Machine;
use super::picture::Picture;
use super::planes;
use super::vm::{BOOT, Parts, Vm};

/// Given to a command unless the caller says otherwise.
const COMMAND: Duration = Duration::from_secs(60);

/// A person's finger or hand stays for this long: an emulated machine may miss what is quicker.
const HAND: Duration = Duration::from_millis(150);

/// How often to look whether something has come true.
const POLL: Duration = Duration::from_millis(200);

/// Where programs are put.
const BIN: &str = "/usr/local/bin";

/// A program that was started in the guest and left running.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// What it was started as; its output is in `/tmp/NAME.log` in the guest.
    name: String,
    pid: u32,
}

impl Job {
    /// Its process group.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }
}

/// A machine, with the person in front of it.
#[derive(Debug)]
pub(crate) struct Guest {
    vm: Vm,
    machine: Machine,
    artefacts: PathBuf,
    /// Width and height of the screen, once seen.
    size: Option<(usize, usize)>,
}

impl Guest {
    /// Starts a machine. Screenshots and logs go to `artefacts`.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn start(parts: &Parts, machine: Machine, artefacts: &Path) -> Result<Self> {
        let vm = Vm::start(parts, machine, artefacts)?;
        Ok(Self { vm, machine, artefacts: artefacts.to_path_buf(), size: None })
    }

    /// Runs a shell command as root and tells how it ended.
    ///
    /// # Errors
    /// When the guest does not answer.
    pub(crate) fn run(&mut self, command: &str, timeout: Duration) -> Result<Ended> {
        self.vm.channel.run(command, b"", timeout)
    }

    /// Runs a shell command as root that must succeed, and gives what it wrote to standard output.
    ///
    /// # Errors
    /// When it fails or takes longer than a minute; what it complained about is in the error.
    pub(crate) fn sh(&mut self, command: &str) -> Result<String> {
        self.sh_for(command, COMMAND)
    }

    /// As [`Guest::sh`] with another time limit.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub(crate) fn sh_for(&mut self, command: &str, timeout: Duration) -> Result<String> {
        let ended = self.run(command, timeout)?;
        ensure!(!ended.timed_out, "`{command}` takes longer than {} s", timeout.as_secs());
        if ended.status != 0 {
            let said = format!("{}{}", ended.stdout, ended.stderr);
            bail!("`{command}` failed with status {}: {}", ended.status, said.trim());
        }
        Ok(ended.stdout)
    }

    /// Starts a shell command as root and leaves it running. Its output goes to `/tmp/NAME.log` in the guest and is fetched
    /// into the artefacts at the end.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn spawn(&mut self, command: &str, name: &str) -> Result<Job> {
        let pid = self.vm.channel.spawn(command, &format!("/tmp/{name}.log"))?;
        Ok(Job { name: name.to_owned(), pid })
    }

    /// Asks until a shell command succeeds, and gives what it then wrote.
    ///
    /// # Errors
    /// When it does not within `timeout`; `what` says what was waited for.
    pub(crate) fn wait_for(
        &mut self,
        what: &str,
        command: &str,
        timeout: Duration,
    ) -> Result<String> {
        self.wait_while(what, command, None, timeout)
    }

    /// As [`Guest::wait_for`] something that only `job` can bring about.
    ///
    /// # Errors
    /// As [`Guest::wait_for`], and at once when the job has ended; the end of its log is in the error.
    pub(crate) fn wait_for_job(
        &mut self,
        what: &str,
        command: &str,
        job: &Job,
        timeout: Duration,
    ) -> Result<String> {
        self.wait_while(what, command, Some(job), timeout)
    }

    fn wait_while(
        &mut self,
        what: &str,
        command: &str,
        job: Option<&Job>,
        timeout: Duration,
    ) -> Result<String> {
        let start = Instant::now();
        loop {
            // First, so that what it did just before it ended still counts.
            let has_ended = match job {
                Some(job) => self.run(&format!("kill -0 {}", job.pid), COMMAND)?.status != 0,
                None => false,
            };
            let ended = self.run(command, COMMAND)?;
            if ended.status == 0 {
                return Ok(ended.stdout);
            }
            if has_ended || start.elapsed() > timeout {
                let said = format!("{}{}", ended.stdout, ended.stderr);
                let after = start.elapsed().as_secs();
                let log = job.map(|job| self.end_of_log(job, has_ended)).unwrap_or_default();
                bail!(
                    "{what}: not there after {after} s; `{command}` fails with status {} ({}){log}",
                    ended.status,
                    said.trim()
                );
            }
            thread::sleep(POLL);
        }
    }

    fn end_of_log(&mut self, job: &Job, has_ended: bool) -> String {
        let name = &job.name;
        let tail = self.run(&format!("tail -n 8 /tmp/{name}.log"), COMMAND);
        let tail = tail.map(|tail| tail.stdout).unwrap_or_default();
        let state = if has_ended { "has ended" } else { "runs" };
        format!("; {name} {state}, and said last:\n{}", tail.trim_end())
    }

    /// Copies a program of the host into the guest's path and gives its name there.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub(crate) fn install(&mut self, program: &Path) -> Result<String> {
        let name =
            program.file_name().and_then(|name| name.to_str()).context("a program's name")?;
        let content = fs::read(program).with_context(|| program.display().to_string())?;
        let path = format!("{BIN}/{name}");
        self.vm.channel.put(&path, 0o755, content)?;
        Ok(path)
    }

    /// Writes a file that everybody may read.
    ///
    /// # Errors
    /// When the guest can't.
    pub(crate) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) -> Result<()> {
        self.vm.channel.put(path, 0o644, content.into())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the guest can't.
    pub(crate) fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.vm.channel.get(path)
    }

    /// What the screen shows, from outside the guest; on the virtual card what [`super::planes`] puts together.
    ///
    /// # Errors
    /// When QEMU can't tell.
    pub(crate) fn screendump(&mut self) -> Result<Picture> {
        if self.machine == Machine::Vkms {
            let picture = planes::all(self)?;
            self.size = Some((picture.width, picture.height));
            return Ok(picture);
        }
        let file = self.artefacts.join(".screendump.ppm");
        let arguments = json!({ "filename": file, "format": "ppm" });
        self.vm.qmp.execute("screendump", &arguments)?;
        let picture = Picture::from_ppm(&fs::read(&file)?)?;
        fs::remove_file(&file)?;
        self.size = Some((picture.width, picture.height));
        Ok(picture)
    }

    /// Takes a screendump and keeps it as `NAME.png` among the artefacts.
    ///
    /// # Errors
    /// When QEMU can't tell or the file can't be written.
    pub(crate) fn keep_screendump(&mut self, name: &str) -> Result<Picture> {
        let picture = self.screendump()?;
        picture.save_png(&self.artefacts.join(format!("{name}.png")))?;
        Ok(picture)
    }

    /// Looks until the picture is the same twice in a row, half a second apart.
    ///
    /// # Errors
    /// When it keeps changing for longer than `timeout`; the last two pictures are then among the artefacts.
    pub(crate) fn still_screendump(&mut self, timeout: Duration) -> Result<Picture> {
        let start = Instant::now();
        let mut before = self.screendump()?;
        loop {
            thread::sleep(Duration::from_millis(500));
            let now = self.screendump()?;
            if now == before {
                return Ok(now);
            }
            if start.elapsed() > timeout {
                before.save_png(&self.artefacts.join("restless-before.png"))?;
                now.save_png(&self.artefacts.join("restless-after.png"))?;
                let seconds = timeout.as_secs();
                bail!(
                    "the screen does not come to rest within {seconds} s: compare restless-before.png \
                     with restless-after.png"
                );
            }
            before = now;
        }
    }

    /// Looks until the screen shows what `is_there` wants.
    ///
    /// # Errors
    /// When it does not within `timeout`; `what` says what was waited for, and what is seen instead is among the artefacts.
    pub(crate) fn wait_for_picture(
        &mut self,
        what: &str,
        timeout: Duration,
        is_there: impl Fn(&Picture) -> bool,
    ) -> Result<Picture> {
        let start = Instant::now();
        loop {
            let picture = self.screendump()?;
            if is_there(&picture) {
                return Ok(picture);
            }
            if start.elapsed() > timeout {
                picture.save_png(&self.artefacts.join("instead.png"))?;
                bail!(
                    "{what}: not seen within {} s; instead.png has what is seen",
                    timeout.as_secs()
                );
            }
            thread::sleep(POLL);
        }
    }

    /// The person touches the screen at a pixel.
    ///
    /// # Errors
    /// When the machine has no screen, or QEMU refuses.
    pub(crate) fn tap(&mut self, x: usize, y: usize) -> Result<()> {
        self.point(x, y)?;
        thread::sleep(HAND);
        self.button(true)?;
        thread::sleep(HAND);
        self.button(false)?;
        thread::sleep(HAND);
        Ok(())
    }

    /// The person puts a finger on the screen at a pixel, and leaves it there until [`Guest::lift`].
    ///
    /// # Errors
    /// As [`Guest::tap`].
    pub(crate) fn hold(&mut self, x: usize, y: usize) -> Result<()> {
        self.point(x, y)?;
        thread::sleep(HAND);
        self.button(true)?;
        thread::sleep(HAND);
        Ok(())
    }

    /// The person takes the finger of [`Guest::hold`] away.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub(crate) fn lift(&mut self) -> Result<()> {
        self.button(false)?;
        thread::sleep(HAND);
        Ok(())
    }

    /// The person presses keys together, named as QEMU names them (`a`, `ret`, `shift`), in this order, and lets go.
    ///
    /// # Errors
    /// When QEMU does not know a key.
    pub(crate) fn press(&mut self, keys: &[&str]) -> Result<()> {
        for key in keys {
            self.key(key, true)?;
        }
        thread::sleep(HAND);
        for key in keys.iter().rev() {
            self.key(key, false)?;
        }
        thread::sleep(HAND);
        Ok(())
    }

    /// Pulls the network cable, or puts it back.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub(crate) fn set_cable(&mut self, is_plugged: bool) -> Result<()> {
        let arguments = json!({ "name": "net-card", "up": is_plugged });
        self.vm.qmp.execute("set_link", &arguments).map(drop)
    }

    /// From now on the machine boots again when it is told to, where QEMU would otherwise end.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub(crate) fn let_reboot(&mut self) -> Result<()> {
        self.vm.qmp.execute("set-action", &json!({ "reboot": "reset" })).map(drop)
    }

    /// Waits until a machine that boots again answers commands.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn wait_for_boot(&mut self) -> Result<()> {
        self.vm.channel.wait_for_boot(BOOT)
    }

    /// Keeps what tells afterwards how it went: the last picture, the journal and the logs of programs.
    pub(crate) fn keep_evidence(&mut self) {
        // A machine that is stuck can't tell; the rest of the evidence is still worth having.
        if self.machine.has_screendump() {
            let _ = self.keep_screendump("end");
        }
        let journal = "journalctl --boot --no-pager --output=short-monotonic | tail -n 2000";
        if let Ok(journal) = self.run(journal, COMMAND) {
            let _ = fs::write(self.artefacts.join("journal.log"), journal.stdout);
        }
        let Ok(logs) = self.run("ls /tmp/*.log /var/log/Xorg.*.log", COMMAND) else { return };
        for path in logs.stdout.lines() {
            let name = path.rsplit('/').next().unwrap_or("unnamed.log");
            if let Ok(content) = self.get(path) {
                let _ = fs::write(self.artefacts.join(name), content);
            }
        }
    }

    /// What the agent said last, for a message; empty where there is none.
    pub(crate) fn last_words_of_agent(&mut self) -> String {
        let tail = "journalctl --boot --quiet --no-pager --output=cat --lines 12 \
                    --unit lotse-machine --unit lotse-agent";
        let said = self.run(tail, COMMAND).map(|ended| ended.stdout).unwrap_or_default();
        if said.is_empty() { said } else { format!("\nthe agent said last:\n{}", said.trim_end()) }
    }

    fn point(&mut self, x: usize, y: usize) -> Result<()> {
        let (width, height) = match self.size {
            Some(size) => size,
            None => self.screendump().map(|picture| (picture.width, picture.height))?,
        };
        ensure!(x < width && y < height, "({x}, {y}) is outside of {width}×{height}");
        // 0 to 32767 span the screen; this is the middle of the pixel.
        let middle = |at: usize, size: usize| (2 * at + 1) * 32768 / (2 * size);
        let axis = |name: &str, value: usize| json!({ "type": "abs", "data": { "axis": name, "value": value } });
        self.input(json!([axis("x", middle(x, width)), axis("y", middle(y, height))]))
    }

    fn button(&mut self, is_down: bool) -> Result<()> {
        self.input(json!([{ "type": "btn", "data": { "button": "left", "down": is_down } }]))
    }

    fn key(&mut self, name: &str, is_down: bool) -> Result<()> {
        let key = json!({ "type": "qcode", "data": name });
        self.input(json!([{ "type": "key", "data": { "down": is_down, "key": key } }]))
    }

    fn input(&mut self, events: Value) -> Result<()> {
        self.vm.qmp.execute("input-send-event", &json!({ "events": events })).map(drop)
    }
}
