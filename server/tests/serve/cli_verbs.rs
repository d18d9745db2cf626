//! Commands of the command line for everything that the page can do, against a real server.

use crate::process::{Home, Server, wait_until};
use protocol::api::OperationPage;
use protocol::{Operation, State};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const COMMANDS: &str = r#"
[exec.wait]
command = ["sh", "-c", "echo begun; exec sleep 600"]
[exec.fail]
command = ["sh", "-c", "echo fine; echo broken >&2; exit 3"]
[exec.count]
command = ["sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done"]
"#;

/// User with a home folder of their own, and a server.
struct User {
    home: Home,
    server: Server,
}

impl User {
    async fn new() -> Self {
        let home = Home::new();
        let command = home.configured("");
        std::fs::write(home.path().join("data/exec.toml"), COMMANDS).unwrap();
        let server = home.serve_by(command);
        server.host_up().await;
        Self { home, server }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.args(args).env("SIGNALBOX_SERVER_URL", &self.server.url).env_remove("SIGNALBOX_TOKEN");
        command.env("SIGNALBOX_AGENT", "off").env_remove("SIGNALBOX_CONTEXT").stdin(Stdio::null());
        let folder = |name| self.home.path().join(name);
        command.env("XDG_CONFIG_HOME", folder("config")).env("XDG_STATE_HOME", folder("state"));
        command.current_dir(self.home.path());
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        text_of(self.command(args).output().unwrap())
    }

    /// Standard output of a command that succeeds.
    fn ok(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }

    /// Starts an operation, which ends before this returns.
    fn ended(&self, kind: &str) -> String {
        let (_, out, err) = self.run(&["start", kind, "--follow"]);
        assert!(!out.is_empty(), "{err}");
        out.trim().to_owned()
    }

    async fn running(&self) -> String {
        let mut feed = self.server.follow(0).await;
        let id = self.server.start("exec.wait", json!({})).await.id;
        feed.until_log(id).await;
        id.to_string()
    }
}

fn text_of(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn lists_have_a_stable_form_for_programs() {
    let user = User::new().await;
    let id = user.ended("exec.count");
    let failed = user.ended("exec.fail");

    assert_eq!(user.ok(&["list", "-o", "name"]), format!("{failed}\n{id}\n"));
    assert_eq!(user.ok(&["list", "-o", "name", "--oldest"]), format!("{id}\n{failed}\n"));
    assert_eq!(user.ok(&["list", "-o", "name", "--state", "failed", "--since", "1h"]), format!("{failed}\n"));
    let page: OperationPage = serde_json::from_str(&user.ok(&["list", "-o", "json"])).unwrap();
    let lines = user.ok(&["list", "-o", "jsonl"]);
    let lines: Vec<Operation> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, page.operations);
    let csv = user.ok(&["list", "-o", "csv"]);
    let mut csv = csv.lines();
    let head = "id,state,kind,title,host,attempt,fraction,created_at,started_at,ended_at,failure";
    assert_eq!(csv.next(), Some(head));
    assert!(csv.next().unwrap().starts_with(&format!("{failed},failed,exec.fail,")));
    assert!(user.ok(&["list", "--count"]).contains("succeeded  1"));
    assert_eq!(user.run(&["follow", &id, "-o", "csv"]).0, 64);
    assert_eq!(user.run(&["list", "-o", "csv", "--json"]).0, 64);

    let kinds: Value = serde_json::from_str(&user.ok(&["kinds", "-o", "json"])).unwrap();
    assert!(user.ok(&["kinds", "-o", "name"]).lines().any(|kind| kind == "data.load"), "{kinds}");
    assert!(user.ok(&["kinds", "data.load"]).contains("symbol"));
    let hosts = user.ok(&["hosts", "-o", "name"]);
    assert_eq!(
        hosts.lines().count(),
        serde_json::from_str::<Value>(&user.ok(&["hosts", "--json"])).unwrap()["hosts"]
            .as_array()
            .unwrap()
            .len()
    );
}

#[tokio::test]
async fn logs_are_filtered_cut_and_followed() {
    let user = User::new().await;
    let id = user.ended("exec.count");
    let lines = user.ok(&["logs", &id, "--grep", "LINE"]);
    assert_eq!(lines.lines().filter(|line| line.contains("line ")).count(), 5, "{lines}");
    let last = user.ok(&["logs", &id, "--grep", "line", "-n", "2"]);
    assert!(last.lines().count() == 2 && last.trim_end().ends_with("line 5"), "{last}");
    let json: Vec<Value> = serde_json::from_str(&user.ok(&["logs", &id, "-o", "json"])).unwrap();
    assert!(json.iter().any(|line| line["text"] == "line 3"), "{json:?}");
    let followed = user.ok(&["logs", "-f", &id]);
    assert_eq!(followed, user.ok(&["logs", &id]));

    // While it runs: each line once, until it has ended.
    let id = user.running().await;
    let child = user.command(&["logs", "-f", &id, "--grep", "begun"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut feed = user.server.follow(0).await;
    user.server.ask(id.parse().unwrap(), "cancel").await;
    feed.until(|op| op.id.to_string() == id && op.state == State::Cancelled).await;
    let (code, out, _) = text_of(child.wait_with_output().unwrap());
    assert_eq!((code, out.matches("begun").count()), (0, 1), "{out}");
}

#[tokio::test]
async fn matching_operations_are_cancelled_after_a_confirmation() {
    let user = User::new().await;
    for _ in 0..2 {
        user.ok(&["start", "exec.wait"]);
    }
    let (code, out, err) = user.run(&["cancel", "--kind", "exec.wait"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.contains("This cancels 2 active operations.") && err.contains("--yes"), "{err}");
    let (code, out, err) = user.run(&["cancel", "--kind", "exec.wait", "--yes", "--follow"]);
    assert!(code == 2 && out.contains("Cancel requested for 2 operations."), "{out}{err}");
    let (code, _, err) = user.run(&["cancel", "--kind", "exec.wait", "--yes"]);
    assert!(code == 3 && err.contains("no active operation matches"), "{err}");
    for wrong in [&["cancel"][..], &["cancel", "@1", "--kind", "exec.wait"]] {
        assert_eq!(user.run(wrong).0, 64, "{wrong:?}");
    }
}

#[tokio::test]
async fn rejected_arguments_exit_with_64_and_start_nothing() {
    let user = User::new().await;
    for wrong in [
        &["show", "@first"][..],
        &["show", "no-id"],
        &["start", "Exec Wait"],
        &["start", "exec.wait", "seconds"],
        &["start", "exec.wait", "--param-file", "=file"],
        &["start", "exec.wait", "no_such_parameter=1"],
        &["drain", "No Host"],
        &["alerts", "silence", "--for", "1h", "--reason", "test", "--kind", "No Kind"],
        &["context", "add", "", "--server", "http://127.0.0.1:1"],
    ] {
        let (code, out, err) = user.run(wrong);
        assert_eq!((code, out.as_str()), (64, ""), "{wrong:?}: {err}");
    }
    assert_eq!(user.ok(&["list", "-o", "name"]), "");
}

#[tokio::test]
async fn several_operations_are_waited_for_and_cancelled_at_once() {
    let user = User::new().await;
    let (fine, failed) = (user.ended("exec.count"), user.ended("exec.fail"));
    assert_eq!(user.run(&["wait", &fine]).0, 0);
    let (code, out, _) = user.run(&["wait", &fine, &failed, "-o", "name"]);
    assert_eq!((code, out.lines().count()), (1, 2), "{out}");
    let (code, out, _) = user.run(&["wait", &failed]);
    let lines: Vec<&str> = out.lines().collect();
    assert!(code == 1 && lines[0].starts_with(&format!("{failed}  failed after ")), "{out}");
    // The whole reason, with the last output of the command.
    assert!(lines[1..].iter().all(|line| line.starts_with("    ")), "{out}");
    assert!(lines[1..].iter().any(|line| line.trim() == "broken"), "{out}");
    let (one, other) = (user.running().await, user.running().await);
    let (code, _, err) = user.run(&["wait", &one, &other, "--timeout", "1s"]);
    assert!(code == 3 && err.contains("timed out after 1"), "{err}");
    assert_eq!(user.run(&["wait", &one, &fine, "--any"]).0, 0);
    let (code, out, err) = user.run(&["cancel", &one, &other, &fine, "--follow"]);
    assert!(code == 2 && out.contains("Cancel requested for 2 operations. 1 skipped"), "{out}{err}");
}

#[tokio::test]
async fn an_operation_is_retried_deleted_and_its_host_drained() {
    let user = User::new().await;
    let id = user.ended("exec.fail");
    let (code, out, _) = user.run(&["retry", &id, "--follow"]);
    assert!(code == 1 && out.starts_with("failed"), "{out}");
    let detail = user.ok(&["show", &id]);
    assert!(detail.contains("attempt    2"), "{detail}");
    assert_eq!(user.run(&["resume", &id]).0, 3);
    assert_eq!(user.run(&["abandon", &id]).0, 3);

    // Without a terminal, there is no confirmation.
    let (code, _, err) = user.run(&["delete", &id]);
    assert!(code == 64 && err.contains("--yes"), "{err}");
    assert!(user.ok(&["delete", &id, "--dry-run"]).starts_with("Permanently deletes"));
    assert!(user.ok(&["list", "-o", "name"]).contains(&id));
    user.ok(&["delete", &id, "--yes"]);
    assert_eq!(user.ok(&["list"]), "No operations match.\n");
    let missing = format!("Operation {id} does not exist. It may have been deleted.");
    let (code, _, err) = user.run(&["delete", &id, "--yes"]);
    assert!(code == 3 && err.contains(&missing) && !err.contains("not ended"), "{err}");
    let running = user.running().await;
    let (code, out, _) = user.run(&["delete", &id, &running, "--dry-run"]);
    assert!(code == 0 && out.starts_with("1 has not ended") && out.contains(&missing), "{out}");
    user.ok(&["cancel", &running]);

    let host = user.ok(&["hosts", "-o", "name"]).lines().next().unwrap().to_owned();
    user.ok(&["drain", &host]);
    assert!(user.ok(&["hosts"]).contains("draining"));
    user.ok(&["undrain", &host]);
    assert!(!user.ok(&["hosts"]).contains("draining"));
    assert_eq!(user.run(&["drain", "nowhere"]).0, 3);
}

#[tokio::test]
async fn results_series_and_artifacts_are_exported() {
    let user = User::new().await;
    let load = ["start", "data.load", "symbol=ACME", "timeframe=1h", "source=synthetic", "--follow"];
    let id = user.ok(&load).trim().to_owned();
    let document: Value = serde_json::from_str(&user.ok(&["result", &id, "-o", "json"])).unwrap();
    assert!(document.is_object(), "{document}");
    let names = user.ok(&["artifacts", &id, "-o", "name"]);
    let name = names.lines().next().unwrap();
    let size = |file: &Path| std::fs::metadata(file).unwrap().len();
    let (whole, again) = (user.home.path().join("whole"), user.home.path().join("again"));
    user.ok(&["artifacts", &id, name, "--to-file", whole.to_str().unwrap()]);
    assert!(size(&whole) > 1_000);

    // A part of an earlier download is continued, as its tag says.
    let url = format!("/api/v1/operations/{id}/artifacts/{name}");
    let download = user.server.pool.download(&url, 0, None, crate::process::PATIENCE).await.unwrap();
    let tag = download.etag.clone().unwrap();
    let bytes = std::fs::read(&whole).unwrap();
    // Marked, so that it shows whether these bytes were kept.
    let mut part = bytes[..1_000].to_vec();
    part[0] ^= 1;
    std::fs::write(user.home.path().join(format!("again.{}.part", tag.trim_matches('"'))), &part).unwrap();
    user.ok(&["artifacts", &id, name, "--to-file", "again"]);
    let continued = std::fs::read(&again).unwrap();
    assert_eq!((continued[0], &continued[1..]), (bytes[0] ^ 1, &bytes[1..]));
    // One of another content is not.
    std::fs::write(user.home.path().join("again.0123.part"), "old").unwrap();
    user.ok(&["artifacts", &id, name, "--to-file", "again"]);
    assert_eq!(std::fs::read(&again).unwrap(), bytes);
    // A link stays, and so does what is no regular file.
    let (link, pipe, piped) =
        (user.home.path().join("link"), user.home.path().join("pipe"), user.home.path().join("piped"));
    std::fs::write(&again, "old").unwrap();
    std::os::unix::fs::symlink(&again, &link).unwrap();
    user.ok(&["artifacts", &id, name, "--to-file", "link"]);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&again).unwrap(), bytes);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let file = std::fs::File::create(&piped).unwrap();
    let mut reader = Command::new("cat").arg(&pipe).stdout(file).spawn().unwrap();
    user.ok(&["artifacts", &id, name, "--to-file", "pipe"]);
    assert!(reader.wait().unwrap().success());
    assert_eq!(std::fs::read(&piped).unwrap(), bytes);
    let (code, _, err) = user.run(&["artifacts", &id, name, "--to-file", "."]);
    assert!(code == 3 && err.contains(". is a folder"), "{err}");
    let left: Vec<_> = std::fs::read_dir(user.home.path()).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().ends_with(".part")), "{left:?}");

    let other =
        user.ok(&["start", "data.load", "symbol=ACME", "timeframe=1d", "source=synthetic", "--follow"]);
    let compared = user.ok(&["compare", &id, other.trim()]);
    assert!(compared.contains("timeframe") && !compared.contains("symbol"), "{compared}");
    assert!(user.ok(&["open", &id, "--print"]).ends_with(&format!("/operations/{id}\n")));
    let series = user.ok(&["series", &id, "-o", "csv"]);
    assert!(series.starts_with("series,x,y\n"), "{series}");
    let names = user.ok(&["series", &id, "-o", "name"]);
    let first = names.lines().next().unwrap();
    assert_eq!(user.ok(&["series", &id, "--name", first, "-o", "name"]), format!("{first}\n"));
    for format in ["text", "csv", "json"] {
        let (code, out, err) = user.run(&["series", &id, "--name", &format!("{first},nope"), "-o", format]);
        assert!(code == 3 && out.is_empty(), "{out}{err}");
        assert!(err.contains("has no series 'nope'. Its series: ") && err.contains(first), "{err}");
    }
}

#[tokio::test]
async fn changes_are_watched_as_they_happen() {
    let user = User::new().await;
    let out = user.home.path().join("watched");
    let file = std::fs::File::create(&out).unwrap();
    let mut child: Child =
        user.command(&["watch", "--kind", "exec.count", "-o", "name"]).stdout(file).spawn().unwrap();
    let seen = || std::fs::read_to_string(&out).unwrap();
    // It watches from some moment on.
    let mut ids = Vec::new();
    while seen().is_empty() {
        ids.push(user.ended("exec.count"));
        assert!(ids.len() < 200, "nothing was watched");
    }
    let last = user.ended("exec.count");
    wait_until(|| seen().contains(&last), "the end was not watched");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen().lines().all(|line| ids.iter().any(|id| id == line) || line == last), "{}", seen());
}

#[tokio::test]
async fn a_session_persists_across_commands() {
    let user = User::new().await;
    let (first, second) = (user.ended("exec.count"), user.ended("exec.count"));
    assert_eq!(user.ok(&["show", "@last", "-o", "name"]).trim(), second);
    let listed = user.ok(&["list", "-o", "name"]);
    assert_eq!(listed.lines().nth(1), Some(first.as_str()));
    assert_eq!(user.ok(&["show", "@2", "-o", "name"]).trim(), first);
    assert_eq!(user.ok(&["show", "@last", "-o", "name"]).trim(), first);
    for (unknown, expected) in [("@3", 3), ("@0", 3), ("@previous", 64)] {
        assert_eq!(user.run(&["show", unknown]).0, expected, "{unknown}");
    }

    // A context has server, token, output and default parameters.
    let token = user.home.path().join("token");
    std::fs::write(&token, "s3cret\n").unwrap();
    let url = user.server.url.clone();
    user.ok(&[
        "context",
        "add",
        "here",
        "--server",
        &url,
        "--token-file",
        token.to_str().unwrap(),
        "-o",
        "name",
    ]);
    let in_context =
        |args: &[&str]| text_of(user.command(args).env_remove("SIGNALBOX_SERVER_URL").output().unwrap());
    let contexts = user.ok(&["context", "list", "-o", "json"]);
    assert!(contexts.contains("\"current\":true") && !contexts.contains("s3cret"), "{contexts}");
    assert_eq!(in_context(&["list"]).1, format!("{second}\n{first}\n"));
    in_context(&["context", "params", "data.load", "source=synthetic", "timeframe=1d"]);
    let (code, out, err) = in_context(&["start", "data.load", "symbol=ACME", "-o", "json"]);
    let started: Operation = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{code} {out}{err}"));
    assert_eq!(
        (&started.params["source"], &started.params["timeframe"]),
        (&json!("synthetic"), &json!("1d"))
    );
    assert_eq!(in_context(&["list", "--context", "other"]).0, 3);
    // A flag overrides the variable of the other.
    let mut command = user.command(&["list", "--server", "http://127.0.0.1:9"]);
    command.env_remove("SIGNALBOX_SERVER_URL").env("SIGNALBOX_CONTEXT", "here");
    let (code, _, err) = text_of(command.output().unwrap());
    assert!(code == 3 && err.contains("127.0.0.1:9"), "{err}");
    let (code, _, err) = in_context(&["list", "--server", &url, "--context", "here"]);
    assert!(code == 64 && err.contains("--server and --context can't be used together"), "{err}");
    user.ok(&["context", "remove", "here"]);
    assert!(user.ok(&["context", "list"]).starts_with("No contexts"));
}

#[tokio::test]
async fn wrong_defaults_of_a_context_are_reported_with_the_way_to_remove_them() {
    let user = User::new().await;
    let url = user.server.url.clone();
    user.ok(&["context", "add", "prod", "--server", &url]);
    let run =
        |args: &[&str]| text_of(user.command(args).env_remove("SIGNALBOX_SERVER_URL").output().unwrap());
    let (code, _, err) = run(&["context", "params", "data.load", "source=synthetic"]);
    assert!(code == 0 && err.is_empty(), "{err}");
    let (code, _, err) = run(&["context", "params", "exec.slep", "secs=1"]);
    assert!(code == 0 && err.contains("the server lists no kind 'exec.slep' for you"), "{err}");
    let (code, _, err) = run(&["context", "params", "data.load", "bogus=1"]);
    assert!(code == 0 && err.contains("data.load has no parameter 'bogus'"), "{err}");
    assert!(err.contains("`signalbox context params data.load bogus=`"), "{err}");

    let start = ["start", "data.load", "symbol=ACME", "timeframe=1d"];
    let (code, out, err) = run(&start);
    let comes =
        "'bogus' comes from the context prod; remove it with `signalbox context params data.load bogus=`";
    assert!(code == 64 && out.is_empty(), "{out}{err}");
    assert!(err.contains("has no parameter 'bogus'") && err.contains(comes), "{err}");
    // What was typed does not come from the context.
    let (_, _, err) = run(&["start", "data.load", "bogus=2"]);
    assert!(err.contains("has no parameter 'bogus'") && !err.contains("context"), "{err}");
    run(&["context", "params", "data.load", "bogus=", "timeframe=9y"]);
    let (code, _, err) = run(&["start", "data.load", "symbol=ACME"]);
    assert!(code == 3 && err.contains("'timeframe' comes from the context prod"), "{err}");
    let (code, _, err) = run(&start);
    assert_eq!(code, 0, "{err}");
}

#[tokio::test]
async fn a_start_that_waited_in_vain_says_how_long() {
    let user = User::new().await;
    let away = ["start", "exec.count", "--server", "http://127.0.0.1:9"];
    let (code, _, err) = user.run(&away);
    assert!(code == 3 && err.contains("or wait for the server with --wait-server"), "{err}");
    let (code, out, err) = user.run(&[&away[..], &["--wait-server=1s"]].concat());
    assert!(code == 3 && out.is_empty(), "{out}{err}");
    assert!(err.contains("although the command waited 1.0 s for it. Nothing was started."), "{err}");
    assert!(!err.contains("or wait for the server with --wait-server"), "{err}");
}

#[tokio::test]
async fn commands_work_without_a_place_for_session_state() {
    let user = User::new().await;
    let blocked = user.home.path().join("blocked");
    std::fs::write(&blocked, "a file").unwrap();
    let mut command = user.command(&["start", "exec.count", "-o", "json"]);
    command.env("XDG_STATE_HOME", &blocked).env("XDG_CONFIG_HOME", blocked.join("config"));
    let (code, out, err) = text_of(command.output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(serde_json::from_str::<Operation>(&out).is_ok(), "{out}");
    assert!(err.contains("@last, @1, ... are not updated"), "{err}");
}
