//! Sessions without a window: commands on stdin, one JSON object per line on stdout.

mod files;
mod line;
mod members;
mod report;
mod restart;
mod runner;

use std::process::ExitCode;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use crate::args::Session as Options;
use crate::driver;

/// What `session --help` teaches.
pub const HELP: &str = "\
Commands, one a line (# begins a comment):
  open                      ask the server for a session; the answer has the number
  wait-join [SECONDS]       until somebody has typed the number and there is a code (300)
  code                      the six digits of this side
  confirm 123456            say that the panel shows this code; refused if this side has another
  confirm --codes-match     say that both people compared the codes and they are the same
  differ                    say that the codes differ: the session ends
  wait-connected [SECONDS]  until the person at the panel has accepted (120)
  wait-picture [SECONDS]    until there is a picture (30)
  wait-still MS [SECONDS]   until the picture has not changed for MS milliseconds from now on (30)
  wait-ended [SECONDS]      until the session is over (120)
  shot FILE.png             write the panel's picture, pixel by pixel
  screenshot-ui FILE.png    write what the window would show
  move X Y                  move the pointer to a pixel of the panel's picture
  click X Y [BUTTON]        move there and click: left (if not given), middle or right
  tap X Y                   touch there with a finger
  finger N X Y              put finger N (0 to 9) down there, or move it there
  lift N                    lift finger N
  pinch X Y FROM TO         two fingers around X Y, from a distance of FROM pixels to one of TO
  show SCREEN               look at another screen of the panel; status names them
  shell open [COLUMNS ROWS] open a terminal at the panel, if that is allowed (see --ask)
  shell type \"TEXT\"         type this there, a JSON string: \"ls\\n\"
  shell resize COLUMNS ROWS it has another size
  shell close               close it; whatever runs there ends
  list [FOLDER]             what is in a folder of the panel, if that is allowed (see --ask); without
                            one: which folders there are
  get REMOTE LOCAL          fetch a file, FOLDER/NAME at the panel, and wait until it is here. What an
                            earlier time has left in LOCAL.part goes on. More words: replace, to
                            replace LOCAL, and SECONDS, to give up then and go on another time, or later,
                            to do something else meanwhile
  put LOCAL REMOTE          send a file, with the same words. Names with spaces are JSON strings
  wait-file [SECONDS]       until the file is there, or is not to be
  cancel-file               no more of it; what has arrived is kept
  point X Y, point off      point at a pixel with an arrow that is seen there, or no longer
  restart application       restart what runs on the panel, if that is allowed (see --ask)
  restart machine           restart the panel, which comes back into the session
  wait-restarted [SECONDS]  until it is done, or the panel is back (300)
  wheel NOTCHES             turn the wheel; positive is away from the user
  key NAME                  press and release a key: A, Enter, Super, F13, #125 (its number)
  combo Ctrl+Alt+Del        press keys together, release them in the opposite order
  press NAME, release NAME  hold a key down, let go of it
  type TEXT                 type the rest of the line in the panel's keyboard layout
  type-json \"TEXT\"          the same for any text, as a JSON string
  sleep MS                  wait
  status                    where the session is

Others may come in: more panels, and technicians who look on with `watch`. MEMBER is a number, as
`members` says, or a name.
  watch NUMBER [PASSWORD]   join somebody else's session; then code, confirm, wait-connected
  wait-knock [SECONDS]      until somebody waits to be let in (120); the answer says who
  admit [MEMBER [123456]]   let in who waits (longest); with a code, the one that they see
  admit MEMBER --codes-match  the same, after people compared
  send-away [MEMBER]        send away who waits, or whose code is shown
  differ MEMBER             the codes of one who waits differ
  members                   who is in the session
  kick MEMBER               send a member away
  wait-removed MEMBER [S]   until that one can read nothing any more (30)
  lock, unlock              let nobody else in, or people again
  give-control MEMBER       let a member control the panel that is seen
  take-control              control it from here
  ask-control               ask the moderator for control
  wait-control [SECONDS]    until the panel may be controlled from here (120)
  present MEMBER            have everybody see another panel
  deputy MEMBER             who takes over when this program is lost (or: deputy nobody)
  hand-over MEMBER          that one moderates from now on, and this program looks on
  wait-moderator [SECONDS]  until this program moderates (120)

  end                       end the session
  quit                      end the session and this program; so does the end of stdin

Each command is answered by one line, after the events that came meanwhile:
  {\"command\":\"open\",\"number\":\"412936085\",\"ok\":true}   (and password and link, with --password)
  {\"command\":\"confirm\",\"error\":\"this side shows another code\",\"ok\":false}
Events are lines such as
  {\"event\":\"connected\",\"level\":\"code-compared\",\"rights\":[\"view\",\"control\"],\"who\":\"Kiosk 7\"}
and are called opened, joined, join-failed, checked, knocking, left, wrong-password, number-burned, code,
connected, rights-changed, paused, input-dropped, arrows,
terminal (opened, output, ended), file (how far one is), screen, outputs, covered, notice, interrupted, resumed,
ask-password, presents, role, members, entered, gone, removed, asks-control, locked, lists-differ, ended.

Exit code: 0 if every command succeeded, 1 if one failed or the program could not start, 2 if the
command line is wrong.

An example, for a shell:
  ( echo open; echo wait-join; echo code; read digits < /dev/tty; echo confirm $digits
    echo wait-connected; echo wait-still 500; echo shot before.png
    echo tap 512 300; echo wait-still 500; echo shot after.png; echo end
  ) | lotse-console session --server lotse.example.com";

/// Longest line, in bytes; longer ones are cut into several.
const MAX_LINE: u64 = 64 * 1024;

/// Lines read ahead.
const MAX_LINES: usize = 16;

/// Runs a session by the commands on stdin.
///
/// # Errors
/// When stdin or stdout fail.
pub async fn run(options: Options, language: crate::words::Language) -> anyhow::Result<ExitCode> {
    let pass = options.pass.as_deref().map(crate::authority::read_pass).transpose()?;
    let (session, driver) = driver::session(std::sync::Arc::new(|| {}));
    let driver = driver.with_pass(pass);
    let driving = tokio::spawn(driver.run());
    let (sender, mut lines) = mpsc::channel(MAX_LINES);
    // Ends with the program: reading stdin cannot be interrupted.
    let reading = tokio::spawn(read_lines(sender));
    let mut runner = runner::Runner::new(session, &options, language, std::io::stdout());
    let outcome = runner.run(&mut lines, options.strict).await;
    reading.abort();
    drop(runner);
    // The driver notices that nobody listens any more and says goodbye to the server.
    tokio::time::timeout(std::time::Duration::from_secs(3), driving).await.ok();
    let all_succeeded = outcome.context("could not write to stdout")?;
    Ok(if all_succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn read_lines(lines: mpsc::Sender<String>) {
    let mut input = BufReader::new(tokio::io::stdin());
    loop {
        let mut line = Vec::new();
        match (&mut input).take(MAX_LINE).read_until(b'\n', &mut line).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::error!("stdin cannot be read: {error}");
                return;
            }
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        if lines.send(line).await.is_err() {
            return;
        }
    }
}
