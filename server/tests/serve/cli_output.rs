//! Output of the command line: nothing is lost, and failed writes are reported.

use crate::line::{Line, login_page};
use crate::process::{Home, PATIENCE, Server};
use protocol::api::LogPage;
use protocol::{Event, EventBody, Operation, OperationId, State};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tokio::time::Instant;

/// The command, for the server at `url`.
fn signalbox(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(args).env("SIGNALBOX_SERVER_URL", url).env_remove("SIGNALBOX_TOKEN");
    command.env_remove("COLUMNS").stdin(Stdio::null());
    crate::process::without_home(&mut command);
    command
}

/// Server with given commands.
fn serve(home: &Home, commands: &str) -> Server {
    let command = home.configured("");
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    home.serve_by(command)
}

/// Numbered lines, every few hundredths of a second.
const TICKS: &str = r#"
[exec.ticks]
command = ["sh", "-c", "i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo tick $i; sleep 0.03; done"]
[exec.long-ticks]
command = ["sh", "-c", "i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo tick $i; sleep 0.07; done"]
[exec.wait]
command = ["sh", "-c", "echo begun; exec sleep 600"]
"#;

fn ticks(text: &str) -> Vec<u32> {
    let numbers = text.lines().filter_map(|line| line.split_once("tick ")?.1.trim().parse().ok());
    numbers.collect()
}

/// Waits until it has exited by itself.
fn ended(mut child: Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end");
        }
        std::thread::yield_now();
    }
}

/// Running operation with a line in its log.
async fn waiting(server: &Server) -> OperationId {
    server.host_up().await;
    let mut feed = server.follow(0).await;
    let id = server.start("exec.wait", json!({})).await.id;
    feed.until_log(id).await;
    id
}

#[tokio::test]
async fn follow_loses_nothing_when_its_connection_is_cut_repeatedly() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let id = server.start("exec.ticks", json!({})).await.id.to_string();
    let line = Line::cutting(&server.url, 6_000).await;
    let follow = |more: &'static [&'static str]| {
        let mut command = tokio::process::Command::from(signalbox(&line.url, &["follow", &id]));
        command.args(more).kill_on_drop(true);
        async move { command.output().await.unwrap() }
    };
    let (log, json) = tokio::join!(follow(&["--log"]), follow(&["--json"]));
    assert!(line.cuts() >= 4, "the line was cut {} times", line.cuts());
    let all: Vec<u32> = (1..=150).collect();
    let text = String::from_utf8(log.stdout).unwrap();
    assert_eq!(ticks(&text), all, "{}", String::from_utf8_lossy(&log.stderr));
    assert!(text.lines().last().unwrap().starts_with("succeeded"), "{text}");

    let text = String::from_utf8(json.stdout).unwrap();
    let mut lines = text.lines();
    let first: Operation = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(first.id.to_string(), id);
    let events: Vec<Event> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.windows(2).all(|two| two[0].seq < two[1].seq), "an event came twice");
    let mut line_numbers: Vec<u64> = Vec::new();
    for event in events {
        if let EventBody::Log { lines, .. } = event.body {
            line_numbers.extend(lines.iter().map(|line| line.n));
        }
    }
    let (first, last) = (line_numbers[0], *line_numbers.last().unwrap());
    assert_eq!(line_numbers, (first..=last).collect::<Vec<_>>());
    assert!(last >= 150, "the last line is {last}");
}

/// Follows an operation through a proxy, once with its log and once as JSON: both outputs.
async fn followed(url: &str, id: &str) -> [Output; 2] {
    let follow = |more: &'static str| {
        let mut command = tokio::process::Command::from(signalbox(url, &["follow", id, more]));
        command.kill_on_drop(true);
        async move { tokio::time::timeout(PATIENCE, command.output()).await.expect("it did not end").unwrap() }
    };
    let (log, json) = tokio::join!(follow("--log"), follow("--json"));
    [log, json]
}

/// Asserts that nothing is missing and nothing is there twice, and that it was said once how events are read.
fn assert_complete([log, json]: [Output; 2], note: &str) {
    let errors = String::from_utf8_lossy(&log.stderr).into_owned();
    let text = String::from_utf8(log.stdout).unwrap();
    assert_eq!(ticks(&text), (1..=150).collect::<Vec<_>>(), "{errors}");
    assert!(text.lines().last().unwrap().starts_with("succeeded"), "{text}");
    assert_eq!(errors.matches(note).count(), 1, "{errors}");
    assert_eq!((log.status.code(), json.status.code()), (Some(0), Some(0)));
    let text = String::from_utf8(json.stdout).unwrap();
    let events: Vec<Event> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.windows(2).all(|two| two[0].seq < two[1].seq), "an event came twice");
    let lines = events.into_iter().filter_map(|event| match event.body {
        EventBody::Log { lines, .. } => Some(lines),
        _ => None,
    });
    let line_numbers: Vec<u64> = lines.flatten().map(|line| line.n).collect();
    assert!(line_numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{line_numbers:?}");
    assert!(*line_numbers.last().unwrap() >= 150, "{line_numbers:?}");
}

#[tokio::test]
async fn follow_polls_behind_a_buffering_proxy_and_loses_nothing() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    for after_bytes in [0, 6_000] {
        let line = Line::holding(&server.url, after_bytes).await;
        let id = server.start("exec.long-ticks", json!({})).await.id.to_string();
        assert_complete(
            followed(&line.url, &id).await,
            "Live stream blocked (no data for 5 s). Polling instead.",
        );
    }
}

#[tokio::test]
async fn follow_ends_with_the_operation_even_if_the_stream_is_slow() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let line = Line::slowing(&server.url, 600).await;
    let id = server.start("exec.ticks", json!({})).await.id.to_string();
    let outputs = followed(&line.url, &id).await;
    let events: usize = String::from_utf8_lossy(&outputs[1].stdout).len();
    assert!(line.cuts() < events, "all {events} bytes arrived by the slow stream: {}", line.cuts());
    assert_complete(outputs, "exec.ticks");
}

#[tokio::test]
async fn follow_ends_with_the_operation_even_if_a_proxy_rejects_events() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let line = Line::refusing(&server.url).await;
    let id = server.start("exec.ticks", json!({})).await.id.to_string();
    let [log, json] = followed(&line.url, &id).await;
    let text = String::from_utf8(log.stdout).unwrap();
    assert_eq!(ticks(&text), (1..=150).collect::<Vec<_>>());
    assert!(text.lines().last().unwrap().starts_with("succeeded"), "{text}");
    let errors = String::from_utf8(log.stderr).unwrap();
    assert_eq!(errors.matches("Events can't be read (stream: the response was 502").count(), 1, "{errors}");
    // Its end is there, and that events are missing.
    let text = String::from_utf8(json.stdout).unwrap();
    let last: Operation = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((last.id.to_string(), last.state), (id, State::Succeeded));
    let errors = String::from_utf8(json.stderr).unwrap();
    assert!(errors.contains("Some events could not be read."), "{errors}");
}

#[tokio::test]
async fn a_damaged_event_is_read_again() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let line = Line::damaging(&server.url, "\"succeeded\"", "\"sucXeeded\"").await;
    let id = server.start("exec.ticks", json!({})).await.id.to_string();
    let outputs = followed(&line.url, &id).await;
    assert!(line.cuts() >= 2, "{}", line.cuts());
    assert_complete(outputs, "exec.ticks");
}

#[tokio::test]
async fn a_login_page_instead_of_the_api_is_quoted() {
    let (url, _network) = login_page().await;
    let Output { status, stderr, .. } =
        tokio::process::Command::from(signalbox(&url, &["list"])).kill_on_drop(true).output().await.unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(3), "{errors}");
    for part in ["text/html", "<html><body>Please log in", "Check the address", &url] {
        assert!(errors.contains(part), "{errors}");
    }
}

#[tokio::test]
async fn the_log_is_followed_from_its_first_line() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let id = waiting(&server).await.to_string();
    // While it runs: a line from before the command.
    let mut child = signalbox(&server.url, &["follow", &id, "--log"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("begun"));
    server.ask(id.parse().unwrap(), "cancel").await;
    assert!(lines.last().unwrap().unwrap().starts_with("cancelled"));
    assert_eq!(ended(child).code(), Some(2));

    // After its end: all lines, once.
    let mut feed = server.follow(0).await;
    let ticking = server.start("exec.ticks", json!({})).await.id;
    feed.until(|op| op.id == ticking && op.state == State::Succeeded).await;
    let stored: LogPage =
        server.pool.get(&format!("/api/v1/operations/{ticking}/logs?limit=10000")).await.unwrap();
    let Output { stdout, .. } =
        signalbox(&server.url, &["follow", &ticking.to_string(), "--log"]).output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    assert_eq!(ticks(&text), (1..=150).collect::<Vec<_>>());
    assert_eq!(text.lines().count(), stored.lines.len() + 1, "the log, and how it ended");
}

#[tokio::test]
async fn a_closed_output_ends_the_command_quietly() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let id = waiting(&server).await.to_string();
    // follow --json | head -1, while nothing else happens.
    let mut child = signalbox(&server.url, &["follow", "--json", &id])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((ended(child).code(), errors.as_str()), (Some(141), ""));

    // follow 2>&1 | head -1
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = signalbox(&server.url, &["follow", &id]);
    let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    // It also holds the writing ends.
    drop(command);
    let mut reader = BufReader::new(reader);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    assert!(first.starts_with("exec.wait"), "{first}");
    drop(reader);
    assert_eq!(ended(child).code(), Some(141));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_failed_write_of_output_is_an_error() {
    let home = Home::new();
    let server = serve(&home, TICKS);
    let id = waiting(&server).await.to_string();
    let full = || File::create("/dev/full").unwrap();
    let commands: [&[&str]; 5] =
        [&["list"], &["list", "--json"], &["show", &id], &["openapi"], &["follow", "--json", &id]];
    for args in commands {
        let Output { status, stderr, .. } =
            signalbox(&server.url, args).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let errors = String::from_utf8(stderr).unwrap();
        assert!(!status.success() && errors.contains("could not be written"), "{args:?}: {status} {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
    for args in [&["--help"][..], &[]] {
        let status = signalbox(&server.url, args).stdout(full()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(3), "{args:?}");
    }
    // A started operation is reported even if its ID could not be written.
    let Output { status, stderr, .. } = signalbox(&server.url, &["start", "exec.ticks"])
        .stdout(full())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert!(status.code() == Some(3) && errors.contains("Started exec.ticks"), "{errors}");
    // Notes on standard error have no alternative.
    let status =
        signalbox(&server.url, &["start", "exec.ticks"]).stdout(Stdio::null()).stderr(full()).status();
    assert_eq!(status.unwrap().code(), Some(0));
}

#[test]
fn a_command_without_arguments_says_what_to_do_next() {
    let Output { status, stdout, stderr } = signalbox("http://127.0.0.1:9", &[]).output().unwrap();
    let errors = String::from_utf8(stdout).unwrap();
    assert!(status.success() && stderr.is_empty(), "{status}");
    for wanted in ["Usage: signalbox", "signalbox serve", "signalbox start help", "signalbox follow ID"] {
        assert!(errors.contains(wanted), "{wanted}: {errors}");
    }
    assert!(!errors.contains("binary"), "what it does, and not how it is built: {errors}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_terminal_the_status_stays_in_one_row_of_any_width() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};
    let home = Home::new();
    // Each report is much wider than the terminal.
    let script = home.path().join("long.sh");
    let report = "{\"done\": $i, \"total\": 8, \"unit\": \"files\", \"message\": \
        \"copying /srv/archive/2026/some/long/folder/name/of-a-file.parquet to the other place\"}";
    let quoted = report.replace('"', "\\\"");
    std::fs::write(&script, format!("for i in 1 2 3 4 5 6 7 8; do echo \"{quoted}\"; sleep 0.1; done\n"))
        .unwrap();
    let commands = format!("[exec.long]\ncommand = ['sh', '{}']", script.display());
    let server = serve(&home, &commands);
    let id = server.start("exec.long", json!({})).await.id.to_string();

    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: 24, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = signalbox(&server.url, &["follow", &id]);
    let child = command.stdout(Stdio::null()).stderr(slave).spawn().unwrap();
    drop(command);
    let mut screen = Vec::new();
    // Reading fails when the last process has closed the other side.
    let _ = File::from(master).read_to_end(&mut screen);
    assert_eq!(ended(child).code(), Some(0));
    let screen = String::from_utf8(screen).unwrap();
    let drawn: Vec<&str> = screen.split("\r\u{1b}[K").skip(1).filter(|row| !row.is_empty()).collect();
    assert!(drawn.iter().any(|row| row.contains('…')), "{screen:?}");
    for row in drawn {
        assert!(row.chars().count() < 60 && !row.contains('\n'), "{row:?}");
    }
}
