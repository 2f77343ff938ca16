//! What is in a folder, page by page: however much it is, no more than a page is kept.

use std::collections::BTreeSet;

use lotse_protocol::message::{
    FileEntry, FileName, FromFiles, List, MAX_FILE_ENTRIES, MAX_FILE_NAME,
};
use nix::dir::{Dir, Type};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, SFlag};

use super::folder::{Use, is_part, kind, open_folder};
use super::{Channel, Over};
use crate::config::FilesConfig;

/// Names after one, as many as a page has, and one more if there are more.
struct Page<'a> {
    after: &'a str,
    names: BTreeSet<String>,
}

impl Page<'_> {
    /// Whether there is room for a name on this page.
    fn has_room_for(&self, name: &str) -> bool {
        name > self.after
            && (self.names.len() <= MAX_FILE_ENTRIES
                || self.names.last().is_some_and(|last| name < last.as_str()))
    }

    fn take(&mut self, name: &str) {
        self.names.insert(name.to_owned());
        if self.names.len() > MAX_FILE_ENTRIES + 1 {
            self.names.pop_last();
        }
    }
}

/// Tells what is in a folder; with an empty path, which folders are set up.
pub(super) fn list(
    config: &FilesConfig,
    channel: &mut Channel,
    path: &str,
    after: &str,
) -> Result<(), Over> {
    let mut page = Page { after, names: BTreeSet::new() };
    let entry = |name: &str, is_folder, size| {
        let name = FileName::try_from(name).unwrap_or_default();
        FileEntry { name, is_folder, size }
    };
    let entries: Vec<FileEntry> = if path.is_empty() {
        let names = config.folders.keys().filter(|name| page.has_room_for(name));
        names.map(String::as_str).collect::<Vec<_>>().into_iter().for_each(|name| page.take(name));
        page.names.iter().map(|name| entry(name, true, 0)).collect()
    } else {
        let folder = open_folder(config, path, Use::Read)?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut found = Dir::from_fd(openat(&folder, ".", flags, Mode::empty())?)?;
        for item in found.iter() {
            let item = item?;
            let Ok(name) = item.file_name().to_str() else { continue };
            let is_shown = !matches!(name, "." | "..") && !is_part(name);
            if !is_shown || name.len() > MAX_FILE_NAME || !page.has_room_for(name) {
                continue;
            }
            let is_file_or_folder = match item.file_type() {
                Some(Type::File | Type::Directory) => true,
                Some(_) => false,
                None => kind(&folder, name)
                    .is_ok_and(|(kind, _)| matches!(kind, SFlag::S_IFREG | SFlag::S_IFDIR)),
            };
            if is_file_or_folder {
                page.take(name);
            }
        }
        let look = |name: &String| {
            // It may be gone by now.
            let (kind, size) = kind(&folder, name).unwrap_or((SFlag::S_IFREG, 0));
            let is_folder = kind == SFlag::S_IFDIR;
            entry(name, is_folder, if is_folder { 0 } else { size })
        };
        page.names.iter().map(look).collect()
    };
    let has_more = entries.len() > MAX_FILE_ENTRIES;
    channel.say(&FromFiles::Entries { entries: List::of(entries), has_more })
}
