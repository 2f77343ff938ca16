//! One QEMU: starting it cold or from a saved state, and saving that state.
//!
//! An emulated machine boots in half a minute or more, but starts from a saved state in a second. So the first run of a kind
//! boots it once and saves it beside the image; each scenario then begins with the same freshly booted machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use lotse_lab_guest::PORT;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::channel::Channel;
use super::image::{Image, ROOT_LABEL};
use super::machine::Machine;
use super::qmp::Qmp;
use crate::host_process::HostProcess;
use crate::say;

/// Debian packages of the emulator.
pub(crate) const PACKAGES: [&str; 2] = ["qemu-system-x86", "qemu-utils"];

const QEMU: &str = "qemu-system-x86_64";

/// A cold boot takes 20 s on an idle computer; a busy one needs several times that.
pub(crate) const BOOT: Duration = Duration::from_secs(300);

/// Starting from a state reads 160 MB and waits for the guest's first answer.
const RESTORE: Duration = Duration::from_secs(60);

const MEMORY: &str = "768";

/// States of a kind that are kept, 150 MB each. They differ by the hand and by QEMU, and so from checkout to checkout.
const MAX_STATES: usize = 3;

/// Of the hash in a state's name.
const KEY_BYTES: usize = 8;

/// Counts machines of this run, for the names of their folders.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// What machines are made of.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// The guest's system.
    pub(crate) image: Image,
    /// The program that answers in the guest.
    pub(crate) hand: PathBuf,
}

/// A running machine. Dropping it ends it; nothing that it wrote to its disk remains.
#[derive(Debug)]
pub(crate) struct Vm {
    // First, so that it ends before its folder is removed.
    process: HostProcess,
    /// QEMU itself.
    pub(crate) qmp: Qmp,
    /// The guest.
    pub(crate) channel: Channel,
    folder: PathBuf,
}

/// Where a machine's disk comes from and whether it continues from a state.
enum From<'a> {
    /// The disk to change, from power-on.
    PowerOn(&'a Path),
    /// A folder with `disk.qcow2` and `memory`.
    State(&'a Path),
}

impl Vm {
    /// Starts a machine of a kind that has just booted; boots and saves one when that has not been done.
    ///
    /// # Errors
    /// When QEMU can't be started or the guest does not come up; the serial log is then in `artefacts`.
    pub(crate) fn start(parts: &Parts, machine: Machine, artefacts: &Path) -> Result<Self> {
        let state = saved_state(parts, machine, artefacts)?;
        let mut vm = Self::launch(parts, machine, &From::State(&state), artefacts)?;
        vm.channel.refresh()?;
        Ok(vm)
    }

    fn launch(parts: &Parts, machine: Machine, from: &From<'_>, artefacts: &Path) -> Result<Self> {
        let folder = private_folder()?;
        let mut command = HostProcess::command(QEMU);
        command.args(arguments(parts, machine));
        let (qmp, channel) = (folder.join("qmp"), folder.join("channel"));
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", qmp.display()));
        command.args(["-device", "virtio-serial-pci", "-chardev"]);
        command.arg(format!("socket,id=hand,path={},server=on,wait=off", channel.display()));
        command.args(["-device", &format!("virtserialport,chardev=hand,name={PORT}")]);
        command.arg("-serial").arg(format!("file:{}", artefacts.join("serial.log").display()));
        let (disk, snapshot) = match from {
            From::PowerOn(disk) => (disk.to_path_buf(), "off"),
            From::State(state) => {
                command.arg("-incoming");
                command.arg(format!("exec:cat {}", state.join("memory").display()));
                (state.join("disk.qcow2"), "on")
            }
        };
        let disk = disk.display();
        command.arg("-drive");
        command.arg(format!("file={disk},if=none,id=root,format=qcow2,snapshot={snapshot}"));
        command.args(["-device", "virtio-blk-pci,drive=root"]);
        let process = HostProcess::start(command, &artefacts.join("qemu.log"))?;
        let mut qmp = Qmp::connect(&qmp, RESTORE).with_context(|| complaint(artefacts))?;
        let patience = match from {
            From::PowerOn(_) => BOOT,
            From::State(_) => {
                resume(&mut qmp)?;
                RESTORE
            }
        };
        let channel = Channel::connect(&channel, patience)?;
        Ok(Self { process, qmp, channel, folder })
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.process.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Sockets have a short limit for their path, so they live in the temporary folder, in one that only we can enter.
fn private_folder() -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("lotse-lab-{}-{number}", std::process::id()));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("{} can't be made", folder.display()))?;
    Ok(folder)
}

fn complaint(artefacts: &Path) -> String {
    let log = fs::read_to_string(artefacts.join("qemu.log")).unwrap_or_default();
    format!("QEMU does not start: {}", log.trim())
}

/// What a machine is made of, apart from where it keeps things: a state fits only the same arguments.
fn arguments(parts: &Parts, machine: Machine) -> Vec<String> {
    let image = &parts.image;
    let kernel = format!(
        "root=LABEL={ROOT_LABEL} rw console=tty0 console=ttyS0 quiet net.ifnames=0 mitigations=off {}",
        machine.kernel_arguments()
    );
    let mut arguments: Vec<String> = [
        // Emulation, on purpose: the same everywhere, whether or not there is hardware support.
        "-accel",
        "tcg",
        "-cpu",
        "Westmere",
        "-m",
        MEMORY,
        "-smp",
        "2",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-device",
        "virtio-rng-pci",
        "-netdev",
        "user,id=net",
        "-device",
        "virtio-net-pci,netdev=net,id=net-card",
    ]
    .map(String::from)
    .into();
    arguments.extend(machine.devices().iter().copied().map(String::from));
    let hand = format!("file={},if=none,id=hand-disk,format=raw,readonly=on", parts.hand.display());
    arguments.extend(["-drive".to_owned(), hand]);
    let hand = "virtio-blk-pci,drive=hand-disk,serial=lotse-lab-guest";
    arguments.extend(["-device".to_owned(), hand.to_owned()]);
    for (option, path) in [("-kernel", image.kernel()), ("-initrd", image.initrd())] {
        arguments.extend([option.to_owned(), path.display().to_string()]);
    }
    arguments.extend(["-append".to_owned(), kernel]);
    arguments
}

fn resume(qmp: &mut Qmp) -> Result<()> {
    let start = Instant::now();
    loop {
        let status = qmp.execute("query-status", &json!({}))?;
        if status.get("status").and_then(Value::as_str) != Some("inmigrate") {
            break;
        }
        ensure!(start.elapsed() < RESTORE, "the saved state is not read in time");
        std::thread::sleep(Duration::from_millis(10));
    }
    qmp.execute("cont", &json!({}))?;
    Ok(())
}

/// The folder of the state of this kind of machine, made when there is none that fits.
fn saved_state(parts: &Parts, machine: Machine, artefacts: &Path) -> Result<PathBuf> {
    let states = parts.image.folder.join("states");
    fs::create_dir_all(&states)?;
    let lock = fs::File::create(states.join(format!("{machine}.lock")))?;
    lock.lock().context("the saved states can't be locked")?;
    // The hand's path differs between checkouts, its content counts.
    let hand = fs::read(&parts.hand)?;
    let key =
        state_key(&arguments(&Parts { hand: "hand".into(), ..parts.clone() }, machine), &hand)?;
    let folder = states.join(format!("{machine}-{key}"));
    if folder.exists() {
        // Those used last are kept.
        fs::File::open(&folder)?.set_modified(SystemTime::now())?;
        return Ok(folder);
    }
    say::step(&format!("booting a machine of kind {machine}; the next ones start from its state"));
    let start = Instant::now();
    let unfinished = states.join(format!("{machine}.unfinished"));
    remove(&unfinished)?;
    fs::create_dir_all(&unfinished)?;
    boot_and_save(parts, machine, &unfinished, artefacts)?;
    remove_superseded(&states, machine)?;
    fs::rename(&unfinished, &folder)?;
    say::step(&format!("{machine} is booted and saved, in {} s", start.elapsed().as_secs()));
    Ok(folder)
}

fn boot_and_save(parts: &Parts, machine: Machine, into: &Path, artefacts: &Path) -> Result<()> {
    let disk = into.join("disk.qcow2");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
        .args([parts.image.disk(), disk.clone()])
        .status()
        .context("qemu-img can't be started")?;
    ensure!(made.success(), "qemu-img failed ({made})");
    let mut vm = Vm::launch(parts, machine, &From::PowerOn(&disk), artefacts)?;
    // Degraded would do; what failed is in the log, and the scenarios will say whether it matters.
    let settle = "systemctl is-system-running --wait; systemctl --failed --no-legend; sync";
    let settled = vm.channel.run(settle, b"", BOOT)?;
    ensure!(!settled.timed_out, "the guest does not finish booting");
    fs::write(artefacts.join("boot.log"), settled.stdout)?;
    vm.qmp.save_state(&into.join("memory"), RESTORE)?;
    // Ends QEMU in good order, so that the disk is complete.
    vm.qmp.execute("quit", &json!({}))?;
    ensure!(vm.process.wait(RESTORE)?.is_some(), "QEMU does not end");
    Ok(())
}

fn state_key(arguments: &[String], hand: &[u8]) -> Result<String> {
    let version = Command::new(QEMU).arg("--version").output().context(QEMU)?;
    let mut hash = Sha256::new();
    hash.update(&version.stdout);
    for argument in arguments {
        hash.update(argument.as_bytes());
        hash.update([0]);
    }
    hash.update(hand);
    Ok(hash.finalize().iter().take(KEY_BYTES).map(|byte| format!("{byte:02x}")).collect())
}

/// Removes the states of a kind but for those used last: one is added next. A run that uses one has it open already.
fn remove_superseded(states: &Path, machine: Machine) -> Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(states)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_state_of(machine, &name) {
            found.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    found.sort();
    let excess = (found.len() + 1).saturating_sub(MAX_STATES);
    found.iter().take(excess).try_for_each(|(_, path)| remove(path))
}

/// Whether a folder's name is that of a state of this kind: the kind's own name may be the beginning of another's.
fn is_state_of(machine: Machine, name: &str) -> bool {
    let key = name.strip_prefix(machine.name()).and_then(|rest| rest.strip_prefix('-'));
    key.is_some_and(|key| key.len() == 2 * KEY_BYTES && key.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_belongs_to_the_kind_that_it_is_named_for() {
        assert!(is_state_of(Machine::Vesa, "vesa-0123456789abcdef"));
        for other in
            ["vesa.lock", "vesa-more-0123456789abcdef", "vesa-more.lock", "vesa16-0123456789abcdef"]
        {
            assert!(!is_state_of(Machine::Vesa, other), "{other}");
        }
    }

    #[test]
    fn only_the_states_used_last_are_kept() {
        let states = std::env::temp_dir().join(format!("lotse-states-{}", std::process::id()));
        let state = |number: u64| states.join(format!("vesa-{number:016x}"));
        for number in 0..5 {
            fs::create_dir_all(state(number)).unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(number);
            fs::File::open(state(number)).unwrap().set_modified(used).unwrap();
        }
        remove_superseded(&states, Machine::Vesa).unwrap();
        let kept: Vec<u64> = (0..5).filter(|number| state(*number).exists()).collect();
        fs::remove_dir_all(&states).unwrap();
        assert_eq!(kept, [3, 4]);
    }
}
