//! A machine to try things by hand: each line is run in the guest, or is one of a few words that start with a colon.

use std::fs;
use std::io::{self, BufRead};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::guest::Guest;
use crate::say;

const HELP: &str = "A line is run in the guest as root (at most 10 minutes). Or:
  :put FILE PATH   copy a file of this computer into the guest, executable
  :get PATH FILE   copy a file of the guest to this computer
  :dump NAME       keep what the screen shows as NAME.png
  :tap X Y         touch the screen as the person in front of it
  :press KEY...    press keys together (QEMU's names: a, ret, shift, f1)
  :spawn COMMAND   start a command and leave it running; its output goes to /tmp/spawned.log
  :cable on|off    put in or pull out the network cable
  :quit            end the machine";

/// Reads lines from standard input until it ends.
///
/// # Errors
/// When standard input can't be read. A line that fails only says so.
pub(crate) fn run(guest: &mut Guest, artefacts: &Path) -> Result<()> {
    say::step(HELP);
    say::step(&format!("ready; pictures and logs go to {}", artefacts.display()));
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim() == ":quit" {
            break;
        }
        match carry_out(guest, line.trim()) {
            Ok(answer) => say::result(answer.trim_end()),
            Err(error) => say::result(&format!("{error:#}")),
        }
    }
    Ok(())
}

fn carry_out(guest: &mut Guest, line: &str) -> Result<String> {
    let Some(special) = line.strip_prefix(':') else {
        let ended = guest.run(line, Duration::from_secs(600))?;
        let status =
            if ended.status == 0 { String::new() } else { format!("status {}", ended.status) };
        return Ok(format!("{}{}{status}", ended.stdout, ended.stderr));
    };
    let words: Vec<&str> = special.split_whitespace().collect();
    match words.as_slice() {
        ["put", file, path] => {
            let content = fs::read(file).with_context(|| (*file).to_owned())?;
            guest.put(path, content)?;
            guest.sh(&format!("chmod 755 '{path}'"))?;
        }
        ["get", path, file] => fs::write(file, guest.get(path)?)?,
        ["dump", name] => drop(guest.keep_screendump(name)?),
        ["tap", x, y] => guest.tap(x.parse()?, y.parse()?)?,
        ["press", keys @ ..] => guest.press(keys)?,
        ["spawn", ..] => {
            let command = special.trim_start_matches("spawn");
            return Ok(format!("process {}", guest.spawn(command, "spawned")?.pid()));
        }
        ["cable", "on"] => guest.set_cable(true)?,
        ["cable", "off"] => guest.set_cable(false)?,
        _ => bail!("{HELP}"),
    }
    Ok("done".to_owned())
}
