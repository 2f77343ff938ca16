//! Scripts against a driver that is played by the test.

use super::*;
use crate::driver::session_for_tests;
use crate::model::picture::PixelRect;
use crate::model::{Code, CommandQueue, EndReason, Level, Peer, Right, Rights};

struct Played {
    events: mpsc::Sender<Event>,
    commands: CommandQueue,
    lines: mpsc::Sender<String>,
    runner: tokio::task::JoinHandle<(bool, Vec<u8>)>,
    picture: crate::model::picture::SharedPicture,
}

fn play() -> Played {
    let (session, events) = session_for_tests();
    let (commands, picture) = (session.commands.clone(), session.picture.clone());
    let options = Options {
        server: "server.example".parse().unwrap(),
        name: Some("Ada".into()),
        strict: false,
        password: false,
        ask: None,
        pass: None,
    };
    let (lines, mut receiver) = mpsc::channel(64);
    let runner = tokio::spawn(async move {
        let mut runner = Runner::new(session, &options, Language::En, Vec::new());
        let all_succeeded = runner.run(&mut receiver, false).await.unwrap();
        (all_succeeded, runner.out)
    });
    Played { events, commands, lines, runner, picture }
}

impl Played {
    async fn line(&self, line: &str) {
        self.lines.send(line.into()).await.unwrap();
    }

    async fn event(&self, event: Event) {
        self.events.send(event).await.unwrap();
    }

    async fn until_code(&self) {
        self.line("open").await;
        assert!(matches!(self.commands.next().await, Command::Open { .. }));
        self.event(Event::Opened { number: "412936085".parse().unwrap() }).await;
        self.line("wait-join 5").await;
        self.event(Event::Joined).await;
        let code = Code::from_digits([4, 7, 1, 9, 0, 3]);
        self.event(Event::Code { code, who: "Kiosk".into() }).await;
    }

    async fn until_connected(&self) {
        self.until_code().await;
        self.line("confirm 471903").await;
        assert_eq!(self.commands.next().await, Command::CodesMatch);
        self.line("wait-connected 5").await;
        let rights = Rights::NONE.with(Right::View).with(Right::Control);
        let peer = Peer { name: "Kiosk".into(), rights, level: Level::CodeCompared };
        self.event(Event::Connected(peer)).await;
    }

    async fn finish(self) -> (bool, Vec<Value>) {
        drop(self.lines);
        let (all_succeeded, out) = self.runner.await.unwrap();
        let text = String::from_utf8(out).unwrap();
        (all_succeeded, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

fn answers<'a>(lines: &'a [Value], command: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["command"] == command).collect()
}

#[tokio::test(start_paused = true)]
async fn opens_and_prints_the_number() {
    let played = play();
    played.until_code().await;
    played.event(Event::Ended(EndReason::StoppedAtPanel)).await;
    let (all_succeeded, lines) = played.finish().await;
    assert!(all_succeeded, "{lines:?}");
    assert_eq!(answers(&lines, "open")[0]["number"], "412936085");
    assert_eq!(lines.last().unwrap()["reason"], "stopped-at-panel");
}

#[tokio::test(start_paused = true)]
async fn refuses_a_code_that_this_side_does_not_show() {
    let played = play();
    played.until_code().await;
    played.line("confirm 471904").await;
    played.line("code").await;
    played.line("differ").await;
    assert_eq!(played.commands.next().await, Command::CodesDiffer, "nothing was confirmed before");
    played.event(Event::Ended(EndReason::CodesDiffer)).await;
    let (all_succeeded, lines) = played.finish().await;
    assert!(!all_succeeded);
    assert_eq!(answers(&lines, "confirm")[0]["ok"], false);
    assert_eq!(answers(&lines, "code")[0]["code"], "471903");
}

#[tokio::test(start_paused = true)]
async fn steers_only_inside_the_picture() {
    let played = play();
    played.until_connected().await;
    played.picture.lock().resize(40, 30).unwrap();
    played.line("tap 40 0").await;
    played.line("tap 39 29").await;
    let at = PixelPoint { x: 39, y: 29 };
    let touch = |phase| Command::Touch { contact: 0, phase, at };
    assert_eq!(played.commands.next().await, touch(TouchPhase::Down));
    assert_eq!(played.commands.next().await, touch(TouchPhase::Up));
    played.line("type grüße").await;
    assert_eq!(played.commands.next().await, Command::Text("grüße".into()));
    played.event(Event::Ended(EndReason::PanelLeft)).await;
    let (_, lines) = played.finish().await;
    let taps: Vec<_> = answers(&lines, "tap").iter().map(|a| a["ok"].clone()).collect();
    assert_eq!(taps, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_session_or_in_time() {
    let played = play();
    played.until_connected().await;
    played.line("wait-picture 2").await;
    played.line("wait-ended 600").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    played.event(Event::Ended(EndReason::LinkLost)).await;
    played.line("wait-picture 600").await;
    let (_, lines) = played.finish().await;
    let waits: Vec<_> =
        answers(&lines, "wait-picture").iter().map(|a| a["error"].to_string()).collect();
    assert!(waits[0].contains("within 2 s"), "{waits:?}");
    assert!(waits[1].contains("ended"), "{waits:?}");
    assert_eq!(answers(&lines, "wait-ended")[0]["ok"], true);
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_still_only_after_it_was_waited_for() {
    let played = play();
    played.until_connected().await;
    {
        let mut picture = played.picture.lock();
        picture.resize(40, 30).unwrap();
        picture.finish_update(std::time::Instant::now());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = Instant::now();
    played.line("wait-still 800").await;
    played.line("press A").await;
    assert!(matches!(played.commands.next().await, Command::Key { pressed: true, .. }));
    assert!(asked.elapsed() >= Duration::from_millis(800));
    played.event(Event::Ended(EndReason::PanelLeft)).await;
    assert!(played.finish().await.0);
}

#[tokio::test(start_paused = true)]
async fn writes_picture_and_window() {
    let folder = tempfile::tempdir().unwrap();
    let played = play();
    played.until_connected().await;
    {
        let mut picture = played.picture.lock();
        picture.resize(40, 30).unwrap();
        let rect = PixelRect { x: 0, y: 0, width: 40, height: 30 };
        picture.copy_rgbx(&vec![77; 40 * 30 * 4], rect);
        picture.finish_update(std::time::Instant::now());
    }
    for (command, name) in [("shot", "a.png"), ("screenshot-ui", "b.png"), ("shot", "no/c.png")] {
        played.line(&format!("{command} {}", folder.path().join(name).display())).await;
    }
    played.line("end").await;
    assert_eq!(played.commands.next().await, Command::End);
    played.event(Event::Ended(EndReason::EndedHere)).await;
    let (all_succeeded, lines) = played.finish().await;
    assert!(!all_succeeded, "there is no folder of that name");
    assert!(folder.path().join("a.png").exists() && folder.path().join("b.png").exists());
    assert_eq!(answers(&lines, "end")[0]["ok"], true);
}
