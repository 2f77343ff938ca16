//! The server as a process: what it prints, how it stops, what an idle client costs.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use lotse_protocol::ServerAddress;
use lotse_protocol::link::End;
use lotse_protocol::tunnel::Bye;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{PATIENCE, client, end_of, moderator, notice, participant};

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lotse-server"));
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(data).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

async fn start(mut command: Command) -> (Child, ServerAddress) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address: ServerAddress = json["address"].as_str().unwrap().parse().unwrap();
    let listening = json["listening"].as_str().unwrap();
    assert_eq!(listening, format!("127.0.0.1:{}", address.port()));
    assert!(address.fingerprint().is_some());
    (child, address)
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    let status = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn stops_in_order_when_told_to() {
    for name in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let (mut child, address) = start(command(data.path())).await;
        let (mut moderator, number) = moderator(&address).await;
        let (mut kiosk, _) = participant(&address, number).await;
        notice(&mut moderator).await;
        let start = Instant::now();
        signal(&child, name);
        // The session has not ended: its members may come back to the next run.
        assert_eq!(end_of(&mut kiosk).await, End::Bye(Bye::Stopping));
        let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn keeps_its_address_over_a_restart_and_prints_it() {
    let data = tempfile::tempdir().unwrap();
    let (child, first) = start(command(data.path())).await;
    drop(child);
    let refused = command(data.path()).arg("--print-address").output().await.unwrap();
    assert!(!refused.status.success(), "the port is not known before the start");
    let mut printing = Command::new(env!("CARGO_BIN_EXE_lotse-server"));
    printing.args(["--listen", "127.0.0.1:4433", "--print-address", "--data"]).arg(data.path());
    let printed = printing.output().await.unwrap();
    let printed: ServerAddress = String::from_utf8(printed.stdout).unwrap().trim().parse().unwrap();
    assert_eq!((printed.port(), printed.fingerprint()), (4433, first.fingerprint()));
    let (_child, second) = start(command(data.path())).await;
    assert_eq!(second.fingerprint(), first.fingerprint());
}

#[tokio::test]
async fn prints_a_configuration_that_it_reads_back() {
    let data = tempfile::tempdir().unwrap();
    let printed = command(data.path()).arg("--print-config").output().await.unwrap();
    let file = data.path().join("server.toml");
    std::fs::write(&file, &printed.stdout).unwrap();
    let again =
        command(data.path()).arg("--config").arg(&file).arg("--print-config").output().await;
    assert_eq!(again.unwrap().stdout, printed.stdout);
    std::fs::write(&file, "nonsense = 1").unwrap();
    let refused = command(data.path()).arg("--config").arg(&file).output().await.unwrap();
    assert!(!refused.status.success());
}

/// Resident memory of a process, in KiB.
fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_idle_client_costs_little_memory() {
    const FIRST: usize = 200;
    const MORE: usize = 1000;
    lotse_server::raise_file_limit();
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("server.toml");
    std::fs::write(&file, "[limits]\nconnections_per_source = 10000\nhandshake = '60s'").unwrap();
    let mut server = command(data.path());
    server.arg("--config").arg(&file);
    let (child, address) = start(server).await;
    let mut clients = Vec::new();
    for _ in 0..FIRST {
        clients.push(client(&address).await);
    }
    let before = resident(&child);
    for _ in 0..MORE {
        clients.push(client(&address).await);
    }
    let each = (resident(&child) - before) as f64 / MORE as f64;
    println!("{MORE} idle clients cost the server {each:.1} KiB each");
    assert!(each < 16.0, "{each:.1} KiB for each idle client");
}
