//! Which files a process may touch (landlock(7)).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::config::{FilesConfig, FolderConfig};

/// The newest interface whose rights are asked for; an older kernel limits what it knows of them.
const INTERFACE: ABI = ABI::V5;

/// What certificates and name resolution read: their settings, their programs' libraries, what services keep for them.
const NETWORK_READS: [&str; 7] =
    ["/etc", "/lib", "/lib64", "/proc", "/run", "/usr", "/sys/devices/system/cpu"];

/// Devices that everybody uses.
const HARMLESS_DEVICES: [&str; 3] = ["/dev/null", "/dev/random", "/dev/urandom"];

/// What the machine process reads: which devices there are, which terminal is shown, which display servers there are
/// and what they want to see, the C library's settings.
const MACHINE_READS: [&str; 8] =
    ["/etc", "/lib", "/lib64", "/proc", "/run", "/sys", "/tmp/.X11-unix", "/usr"];

/// Files and folders, with everything in them.
#[derive(Debug, Default)]
pub(super) struct Files {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    /// Read, written and controlled, but neither made nor removed.
    devices: Vec<PathBuf>,
}

impl Files {
    /// Those of the network process.
    pub(super) fn network() -> Self {
        let mut read = NETWORK_READS.map(PathBuf::from).to_vec();
        // Roots that the operator put elsewhere (see the crate rustls-native-certs).
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(value) = std::env::var_os(variable) {
                read.extend(std::env::split_paths(&value));
            }
        }
        Self { read, write: Vec::new(), devices: HARMLESS_DEVICES.map(PathBuf::from).to_vec() }
    }

    /// Those of the machine process.
    pub(super) fn machine(folders: &[&Path], screen: Option<&Path>) -> Self {
        let mut read = MACHINE_READS.map(PathBuf::from).to_vec();
        read.extend(screen.map(Path::to_path_buf));
        read.extend(std::env::var_os("XAUTHORITY").map(PathBuf::from));
        let write = folders.iter().filter(|folder| !folder.as_os_str().is_empty());
        let write = write.map(|folder| folder.to_path_buf()).collect();
        Self { read, write, devices: vec![PathBuf::from("/dev")] }
    }

    /// Those that are set up for technicians.
    pub(super) fn folders(config: &FilesConfig) -> Self {
        let of = |is_wanted: fn(&FolderConfig) -> bool| {
            let folders = config.folders.values().filter(|folder| is_wanted(folder));
            folders.map(|folder| folder.path.clone()).collect()
        };
        Self {
            read: of(|folder| folder.read),
            write: of(|folder| folder.write),
            devices: Vec::new(),
        }
    }

    /// Limits this process to them, as far as this kernel can. One that cannot at all (before Linux 5.13, or with
    /// Landlock switched off) is no reason not to help anybody: the other limits stand, and the log says so.
    pub(super) fn apply(&self) {
        match self.restrict() {
            Ok(RulesetStatus::FullyEnforced) => {}
            Ok(RulesetStatus::PartiallyEnforced) => {
                log::debug!("this kernel knows a part of the limits on files");
            }
            Ok(RulesetStatus::NotEnforced) => {
                log::info!("this kernel cannot limit which files a process may touch (Landlock)");
            }
            Err(error) => log::warn!("files are not limited: {error}"),
        }
    }

    fn restrict(&self) -> Result<RulesetStatus, RulesetError> {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let all = AccessFs::from_all(INTERFACE);
        let write = all & !BitFlags::from(AccessFs::Execute);
        let device = read | AccessFs::WriteFile | AccessFs::IoctlDev;
        let status = Ruleset::default()
            .handle_access(all)?
            .create()?
            .add_rules(path_beneath_rules(&self.read, read))?
            .add_rules(path_beneath_rules(&self.write, write))?
            .add_rules(path_beneath_rules(&self.devices, device))?
            .restrict_self()?;
        Ok(status.ruleset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does something on a thread of its own that is limited; `None` if this kernel has no limits on files.
    fn limited<T: Send + 'static>(
        files: Files,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let limited = move || {
            let status = files.restrict().unwrap();
            (status != RulesetStatus::NotEnforced).then(what)
        };
        std::thread::spawn(limited).join().unwrap()
    }

    #[test]
    fn the_network_process_reads_settings_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "of somebody else").unwrap();
        let outcome = limited(Files::network(), move || {
            let settings = std::fs::read("/etc/passwd").is_ok();
            (settings, std::fs::read(&secret).is_ok(), std::fs::write(&secret, "x").is_ok())
        });
        assert!(matches!(outcome, None | Some((true, false, false))), "{outcome:?}");
    }

    #[test]
    fn the_machine_process_writes_its_own_folder_and_devices_alone() {
        let [state, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let screen = other.path().join("screen");
        std::fs::write(&screen, "pixels").unwrap();
        let files = Files::machine(&[state.path()], Some(&screen));
        let outcome = limited(files, move || {
            (
                std::fs::write(state.path().join("record"), "x").is_ok(),
                std::fs::write("/dev/null", "x").is_ok(),
                std::fs::read(&screen).is_ok(),
                std::fs::write(&screen, "x").is_ok(),
                std::fs::write(other.path().join("new"), "x").is_ok(),
            )
        });
        assert!(matches!(outcome, None | Some((true, true, true, false, false))), "{outcome:?}");
    }
}
