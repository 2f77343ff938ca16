//! An operator's certificates: who may do what on which machines.
//!
//! `lotse-console authority` keeps a folder with the operator's root and what was signed with it.
//! It belongs on a computer of the operator's, not on a session server: whoever has the root can
//! let anybody in. Technicians get a pass that counts for hours, machines a certificate that goes
//! into their configuration.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail, ensure};
use lotse_protocol::certificate::{
    Entry, Holder, KeyPair, MAX_REVOKED, Pass, PublicKey, SignedCertificate, SignedState, State,
    from_hex, groups, issue, issue_state, to_hex,
};
use lotse_protocol::message::{Name, Rights};
use rand_core::OsRng;
use serde_json::{Value, json};

/// Bytes of a file at most.
const MAX_FILE: u64 = 64 << 10;

/// Seconds of an hour.
const HOUR: u64 = 3600;

/// Says who may do what on an operator's machines.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Authority {
    /// The folder with the root; keep it away from session servers
    #[arg(long, value_name = "FOLDER", default_value = "lotse-authority")]
    folder: PathBuf,
    #[command(subcommand)]
    what: What,
}

const EXAMPLE: &str = "\
Example:
  lotse-console authority init
  lotse-agent identity                                       at the machine: prints its key
  lotse-console authority device KEY --name 'Press 3' --group line-3 >> agent.toml
  lotse-console authority technician --name Ada --group line-3 --hours 10 --out ada.pass
  lotse-console window --pass ada.pass
  lotse-console authority revoke SERIAL                      and hand out fresh passes or states

A pass counts only together with a state that is fresh: `authority state` makes one, and
`authority technician` puts one into the pass. A machine that was off the network learns from the
pass itself what was taken back.";

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a root and the folder for it
    Init,
    /// Enrol a machine: print the lines for its configuration
    Device {
        /// What `lotse-agent identity` prints at the machine
        key: String,
        /// What the machine is called
        #[arg(long)]
        name: String,
        /// Groups that it is in
        #[arg(long = "group", default_value = "all")]
        groups: Vec<String>,
    },
    /// Make a pass for a technician
    Technician {
        /// What the technician is called
        #[arg(long)]
        name: String,
        /// Groups of machines that the pass is for
        #[arg(long = "group", default_value = "all")]
        groups: Vec<String>,
        /// What the technician may do: view, control
        #[arg(long, value_delimiter = ',', default_value = "view,control")]
        rights: Vec<String>,
        /// For how long, 1 to 168
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=168))]
        hours: u16,
        /// The file that is written, for the technician alone
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take a certificate back, by the serial number that it was issued under
    Revoke {
        /// As in the folder's list
        serial: String,
        /// For how long the new state is fresh
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=744))]
        hours: u16,
    },
    /// Take all passes back that were issued until now
    RevokePasses {
        /// For how long the new state is fresh
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=744))]
        hours: u16,
    },
    /// Sign anew what was taken back, and put it into a pass if one is given
    State {
        /// For how long it is fresh
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=744))]
        hours: u16,
        /// A technician's pass that gets it
        #[arg(long, value_name = "FILE")]
        pass: Option<PathBuf>,
    },
}

/// Does what the arguments ask.
///
/// # Errors
/// When something cannot be read, written or signed.
pub fn run(options: &Authority) -> anyhow::Result<()> {
    let folder = &options.folder;
    match &options.what {
        What::Init => init(folder),
        What::Device { key, name, groups } => device(folder, key, name, groups),
        What::Technician { name, groups, rights, hours, out } => {
            technician(folder, (name, groups, rights), *hours, out)
        }
        What::Revoke { serial, hours } => {
            let serial = u64::from_str_radix(serial, 16).context("the serial number")?;
            let mut state = Opened::open(folder)?;
            if !state.current.revoked.contains(&serial) {
                let added = state.current.revoked.push(serial);
                ensure!(
                    added.is_ok(),
                    "{MAX_REVOKED} certificates are taken back already; take all passes back \
                     with `revoke-passes`"
                );
            }
            state.sign(*hours)
        }
        What::RevokePasses { hours } => {
            let mut state = Opened::open(folder)?;
            state.current.oldest = now();
            state.sign(*hours)
        }
        What::State { hours, pass } => {
            let mut state = Opened::open(folder)?;
            state.sign(*hours)?;
            if let Some(file) = pass {
                let Pass { key, certificate, root, .. } = read_pass(file)?;
                let state = read_state(folder)?;
                write_pass(file, &Pass { key, certificate, state, root })?;
            }
            Ok(())
        }
    }
}

/// The root, and what it has signed last.
struct Opened<'a> {
    folder: &'a Path,
    root: KeyPair,
    current: State,
}

impl<'a> Opened<'a> {
    fn open(folder: &'a Path) -> anyhow::Result<Self> {
        let root = read_root(folder)?;
        let current = read_state(folder)?.state(root.public());
        let current = current.context("the state in the folder is not signed by its root")?;
        Ok(Self { folder, root, current })
    }

    /// Signs the state as the next one.
    fn sign(&mut self, hours: u16) -> anyhow::Result<()> {
        let State { oldest, revoked, generation, .. } = &self.current;
        let generation = generation + 1;
        let times = (now(), now() + u64::from(hours) * HOUR);
        let signed = issue_state(&self.root, generation, times, *oldest, revoked.clone())?;
        write(&self.folder.join("state"), to_hex(&signed.encode()).as_bytes(), Secrecy::Public)?;
        print(&format!("state {generation}, fresh for {hours} hours"))
    }
}

fn init(folder: &Path) -> anyhow::Result<()> {
    ensure!(!folder.join("root.key").exists(), "there is a root in {} already", folder.display());
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let root = KeyPair::generate(&mut OsRng);
    let secret = to_hex(&root.secret()[..]);
    write(&folder.join("root.key"), secret.as_bytes(), Secrecy::Secret)?;
    let times = (now(), now() + 24 * HOUR);
    let state = issue_state(&root, 1, times, 0, heapless::Vec::new())?;
    write(&folder.join("state"), to_hex(&state.encode()).as_bytes(), Secrecy::Public)?;
    print(&format!("root {}", to_hex(&root.public().0)))
}

fn device(folder: &Path, key: &str, name: &str, in_groups: &[String]) -> anyhow::Result<()> {
    let root = read_root(folder)?;
    let subject = public_key(key).context("the machine's key")?;
    // Until it is taken back.
    let entry = Entry {
        name: name_of(name)?,
        holder: Holder::Device,
        groups: groups(in_groups.iter().map(String::as_str)).context("--group")?,
        not_before: now(),
        not_after: u64::MAX,
    };
    let certificate = sign(folder, &root, subject, entry)?;
    print(&format!(
        "[operator]\nroot = \"{}\"\ncertificate = \"{}\"",
        to_hex(&root.public().0),
        to_hex(&certificate.encode())
    ))
}

fn technician(
    folder: &Path,
    (name, in_groups, rights): (&str, &[String], &[String]),
    hours: u16,
    out: &Path,
) -> anyhow::Result<()> {
    let root = read_root(folder)?;
    let key = KeyPair::generate(&mut OsRng);
    let rights = rights.iter().try_fold(Rights::NONE, |all, word| {
        Ok::<_, anyhow::Error>(all.with(match word.as_str() {
            "view" => Rights::VIEW,
            "control" => Rights::CONTROL,
            other => bail!("{other:?} is no right; there are view, control"),
        }))
    })?;
    let entry = Entry {
        name: name_of(name)?,
        holder: Holder::Technician { rights: rights.into() },
        groups: groups(in_groups.iter().map(String::as_str)).context("--group")?,
        not_before: now(),
        not_after: now() + u64::from(hours) * HOUR,
    };
    let certificate = sign(folder, &root, key.public(), entry)?;
    Opened::open(folder)?.sign(hours)?;
    let state = read_state(folder)?;
    write_pass(out, &Pass { key, certificate, state, root: root.public() })
}

/// Signs a certificate and notes it in the folder's list.
fn sign(
    folder: &Path,
    root: &KeyPair,
    subject: PublicKey,
    entry: Entry,
) -> anyhow::Result<SignedCertificate> {
    let (name, until) = (entry.name.clone(), entry.not_after);
    let kind = if entry.holder == Holder::Device { "device" } else { "technician" };
    let certificate = issue(root, subject, entry, &mut OsRng)?;
    let serial = certificate.certificate(root.public()).map_or(0, |issued| issued.serial);
    let list = folder.join("issued");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&list)
        .with_context(|| format!("open {}", list.display()))?;
    // A name has no line breaks in it: see name_of.
    writeln!(file, "{serial:016x} {kind} {name} {until}").context("write the list")?;
    Ok(certificate)
}

/// A technician's pass.
///
/// # Errors
/// When the file is none, or its certificate does not count now.
pub fn read_pass(file: &Path) -> anyhow::Result<Pass> {
    let shown = file.display();
    let read = || -> anyhow::Result<Pass> {
        let value: Value = serde_json::from_slice(&read(file)?)?;
        let bytes = |name: &str| -> anyhow::Result<Vec<u8>> {
            let text = value.get(name).and_then(Value::as_str).context("something is missing")?;
            Ok(from_hex(text)?)
        };
        let pass = Pass {
            key: KeyPair::from_secret(&fixed(&bytes("key")?)?),
            certificate: SignedCertificate::decode(&bytes("certificate")?)?,
            state: SignedState::decode(&bytes("state")?)?,
            root: PublicKey(fixed(&bytes("root")?)?),
        };
        pass.check(now())?;
        Ok(pass)
    };
    read().with_context(|| format!("the pass {shown} cannot be used"))
}

fn write_pass(file: &Path, pass: &Pass) -> anyhow::Result<()> {
    let value = json!({
        "key": to_hex(&pass.key.secret()[..]),
        "certificate": to_hex(&pass.certificate.encode()),
        "state": to_hex(&pass.state.encode()),
        "root": to_hex(&pass.root.0),
    });
    write(file, format!("{value:#}\n").as_bytes(), Secrecy::Secret)
}

fn read_root(folder: &Path) -> anyhow::Result<KeyPair> {
    let text = String::from_utf8(read(&folder.join("root.key"))?)?;
    Ok(KeyPair::from_secret(&fixed(&from_hex(&text)?)?))
}

fn read_state(folder: &Path) -> anyhow::Result<SignedState> {
    let text = String::from_utf8(read(&folder.join("state"))?)?;
    Ok(SignedState::decode(&from_hex(&text)?)?)
}

fn public_key(text: &str) -> anyhow::Result<PublicKey> {
    Ok(PublicKey(fixed(&from_hex(text)?)?))
}

fn fixed(bytes: &[u8]) -> anyhow::Result<[u8; 32]> {
    bytes.try_into().context("a key has 64 hexadecimal digits")
}

fn name_of(text: &str) -> anyhow::Result<Name> {
    ensure!(!text.chars().any(char::is_control), "a name is one line");
    Name::try_from(text).ok().context("a name has 64 bytes at most")
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).with_context(|| format!("open {}", file.display()))?;
    opened.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether others on this computer may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    Public,
    Secret,
}

/// Writes a file at once or not at all.
fn write(file: &Path, bytes: &[u8], secrecy: Secrecy) -> anyhow::Result<()> {
    let new = file.with_extension("new");
    let _ = std::fs::remove_file(&new);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secrecy == Secrecy::Secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let write = || {
        let mut out = options.open(&new)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        std::fs::rename(&new, file)
    };
    write().with_context(|| format!("write {}", file.display()))
}

/// Seconds since 1970, UTC.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line")]
fn print(text: &str) -> anyhow::Result<()> {
    println!("{text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(folder: &Path, what: What) -> anyhow::Result<()> {
        run(&Authority { folder: folder.to_owned(), what })
    }

    fn pass_of(folder: &Path, name: &str) -> PathBuf {
        let out = folder.join(format!("{name}.pass"));
        let what = What::Technician {
            name: name.to_owned(),
            groups: vec!["all".to_owned()],
            rights: vec!["view".to_owned()],
            hours: 10,
            out: out.clone(),
        };
        authority(folder, what).unwrap();
        out
    }

    #[test]
    fn a_pass_counts_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        authority(folder, What::Init).unwrap();
        assert!(authority(folder, What::Init).is_err(), "a root is not overwritten");
        let ada = pass_of(folder, "Ada");
        let pass = read_pass(&ada).unwrap();
        let certificate = pass.check(now()).unwrap();
        assert_eq!((certificate.name.as_str(), certificate.rights()), ("Ada", Rights::VIEW));

        let list = std::fs::read_to_string(folder.join("issued")).unwrap();
        let serial = list.split(' ').next().unwrap().to_owned();
        authority(folder, What::Revoke { serial, hours: 24 }).unwrap();
        assert!(read_pass(&ada).is_ok(), "the old state does not say so yet");
        let fresh = What::State { hours: 24, pass: Some(ada.clone()) };
        authority(folder, fresh).unwrap();
        assert!(read_pass(&ada).is_err());
        assert!(read_pass(&pass_of(folder, "Bob")).is_ok());
    }

    #[test]
    #[cfg(unix)]
    fn secrets_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        authority(folder.path(), What::Init).unwrap();
        for file in [folder.path().join("root.key"), pass_of(folder.path(), "Ada")] {
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
    }
}
