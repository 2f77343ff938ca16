//! The Debian that the lab's machines boot: made once by the recipe in `images/lab/`, kept in the user's cache.
//!
//! A made image is never changed. Its name carries a hash of the recipe, so a changed recipe makes a new one, and every
//! checkout on this computer with the same recipe uses the same image.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::{debian, paths, say};

/// Debian release of the guest. Programs are built on the host, so the host's C library must not be newer than this one's.
const SUITE: &str = "bookworm";

/// Size of the root file system. The image file is sparse: what is not used takes no space.
const DISK: &str = "2500M";

/// Label of the root file system, by which the kernel finds it.
pub(crate) const ROOT_LABEL: &str = "lotse-lab";

/// Part of an image's name. Raise it when the steps below change in a way that the recipe's files don't show.
const STEPS_VERSION: &str = "1";

/// An image that no run has used for this long is removed when a new one is made.
const KEEP_UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);

/// Debian packages whose programs carry the steps out.
const PACKAGES: [&str; 4] = ["mmdebstrap", "e2fsprogs", "zstd", "ca-certificates"];

/// Parts of packages that no scenario needs, as dpkg patterns: half of the kernel's modules among them.
const LEAVE_OUT: [&str; 9] = [
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/lib/modules/*/kernel/sound/*",
    "/lib/modules/*/kernel/drivers/media/*",
    "/lib/modules/*/kernel/drivers/infiniband/*",
    "/lib/modules/*/kernel/drivers/net/wireless/*",
    "/lib/modules/*/kernel/drivers/net/ethernet/*",
    "/lib/modules/*/kernel/drivers/gpu/drm/{amd,i915,nouveau,radeon}/*",
];

/// A guest that is ready to boot.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Folder of the image; states saved from it are kept below.
    pub(crate) folder: PathBuf,
}

impl Image {
    /// The root file system, a raw ext4 image.
    pub(crate) fn disk(&self) -> PathBuf {
        self.folder.join("root.img")
    }

    /// The kernel, as QEMU's `-kernel` takes it.
    pub(crate) fn kernel(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// The kernel's first file system.
    pub(crate) fn initrd(&self) -> PathBuf {
        self.folder.join("initrd")
    }
}

/// Finds the image of the present recipe, or makes it: two minutes on an idle computer with two cores.
///
/// # Errors
/// When a package is missing and can't be installed, or a step of the recipe fails.
pub(crate) fn ensure() -> Result<Image> {
    let recipe = paths::workspace().join("images/lab");
    let cache = paths::cache()?.join("lab");
    fs::create_dir_all(&cache).with_context(|| format!("{} can't be made", cache.display()))?;
    let folder = cache.join(format!("image-{}", recipe_hash(&recipe)?));
    // One run builds, others wait for it.
    let lock = File::create(cache.join("lock"))?;
    lock.lock().context("the cache can't be locked")?;
    if !folder.exists() {
        debian::ensure_installed(&PACKAGES)?;
        if !debian::is_root() {
            debian::ensure_installed(&["uidmap"])?;
        }
        remove_unused(&cache)?;
        let unfinished = cache.join("unfinished");
        remove_tree(&unfinished)?;
        fs::create_dir_all(&unfinished)?;
        make(&recipe, &cache, &unfinished)?;
        fs::rename(&unfinished, &folder)?;
    }
    File::create(folder.join("used"))?.set_modified(SystemTime::now())?;
    Ok(Image { folder })
}

fn make(recipe: &Path, cache: &Path, into: &Path) -> Result<()> {
    let start = Instant::now();
    say::step("making the lab's Debian guest; this happens once and takes some minutes");
    let log_path = cache.join("image.log");
    let log = File::create(&log_path)?;
    let steps = bootstrap(recipe, cache, into, &log).and_then(|()| pack(into, &log));
    steps.with_context(|| {
        let log = fs::read_to_string(&log_path).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(15).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        format!("making the guest failed; the end of {}:\n{tail}", log_path.display())
    })?;
    say::step(&format!("the guest is made, in {} s", start.elapsed().as_secs()));
    Ok(())
}

/// mmdebstrap makes the tree of files, as a tar archive.
fn bootstrap(recipe: &Path, cache: &Path, into: &Path, log: &File) -> Result<()> {
    let debs = cache.join("debs");
    fs::create_dir_all(&debs)?;
    let debs = quoted(&debs)?;
    let overlay = quoted(&recipe.join("overlay"))?;
    let packages = entries(&fs::read_to_string(recipe.join("packages"))?).join(",");
    let mode = if debian::is_root() { "root" } else { "unshare" };
    let mut command = Command::new("mmdebstrap");
    command.args(["--variant=minbase", &format!("--mode={mode}")]);
    command.arg(format!("--include={packages}"));
    command.args(["--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=force-unsafe-io"]);
    command.args(LEAVE_OUT.map(|pattern| format!("--dpkgopt=path-exclude={pattern}")));
    // Packages once fetched are kept on the host.
    command.args(["--skip=download/empty", "--skip=essential/unlink"]);
    command.arg("--setup-hook=mkdir -p \"$1/var/cache/apt/archives/\"");
    command.arg(format!("--setup-hook=sync-in {debs} /var/cache/apt/archives/"));
    // Before the kernel is installed, since the overlay says how its initrd is made.
    command.arg(format!("--essential-hook=sync-in {overlay} /"));
    for unit in entries(&fs::read_to_string(recipe.join("units"))?) {
        command.arg(format!("--customize-hook=systemctl --root=\"$1\" {unit}"));
    }
    command.arg(format!("--customize-hook=sync-out /var/cache/apt/archives {debs}"));
    command.arg("--customize-hook=rm -f \"$1\"/var/cache/apt/archives/*.deb");
    command.arg(SUITE).arg(into.join("root.tar"));
    if let Some(mirror) = std::env::var_os("LOTSE_DEBIAN_MIRROR") {
        command.arg(mirror);
    }
    finish(&mut command, log)
}

/// From the archive to a file system image, as root or as root of a user namespace.
fn pack(into: &Path, log: &File) -> Result<()> {
    let script = format!(
        "set -e; umask 022; mkdir tree; tar --extract --file=root.tar --directory=tree --exclude='./dev/*'\n\
         cp tree/boot/vmlinuz-* vmlinuz; cp tree/boot/initrd.img-* initrd; chmod a+r vmlinuz initrd\n\
         mke2fs -q -t ext4 -L {ROOT_LABEL} -d tree root.img {DISK}\n\
         rm -rf tree root.tar"
    );
    let mut command = if debian::is_root() {
        Command::new("sh")
    } else {
        let mut helper = Command::new("mmdebstrap");
        helper.args(["--unshare-helper", "sh"]);
        helper
    };
    finish(command.args(["-c", &script]).current_dir(into), log)
}

fn finish(command: &mut Command, log: &File) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .status()
        .with_context(|| format!("{program} can't be started"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

/// Lines of a list that are neither empty nor a comment.
fn entries(list: &str) -> Vec<&str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// A path that stands for itself in a hook's command line.
fn quoted(path: &Path) -> Result<String> {
    let text = path.to_str().context("a path is not valid UTF-8")?;
    if text.contains(['\'', '"', '\\', '$', '`', ' ']) {
        bail!(
            "{text} has characters that mmdebstrap's hooks can't take; set XDG_CACHE_HOME or move the checkout"
        );
    }
    Ok(text.to_owned())
}

/// Hash of every file of the recipe: its name, whether it can be executed, and its content.
fn recipe_hash(recipe: &Path) -> Result<String> {
    let mut files = Vec::new();
    collect(recipe, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    hash.write_all(format!("{STEPS_VERSION} {SUITE} {DISK} {LEAVE_OUT:?}").as_bytes())?;
    for path in files {
        let content = fs::read(&path)?;
        let executable = fs::metadata(&path)?.permissions().mode() & 0o100 != 0;
        let name = path.strip_prefix(recipe).unwrap_or(&path).display();
        hash.write_all(format!("\0{name}\0{executable}\0{}\0", content.len()).as_bytes())?;
        hash.write_all(&content)?;
    }
    let digest = hash.finalize();
    Ok(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn remove_unused(cache: &Path) -> Result<()> {
    for entry in fs::read_dir(cache)? {
        let path = entry?.path();
        let Ok(used) = fs::metadata(path.join("used")).and_then(|used| used.modified()) else {
            continue;
        };
        if used.elapsed().is_ok_and(|age| age > KEEP_UNUSED) {
            remove_tree(&path)?;
        }
    }
    Ok(())
}

fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", path.display()))
        }
        _ => Ok(()),
    }
}
