//! Secret parameters through the whole program: the command gets the value in its environment, and the value is in no
//! log, file, event, response, page, metric or argument.

use crate::process::{Home, Server, http_client, signal, without_home};
use protocol::operation::AttemptOrigin;
use protocol::{FailureReason, Operation, OperationId, Problem, State, secret};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Marked value of the secret, and of an open parameter, which is found wherever parameters are.
const MARKED: &str = "marked-9f27c1d4";
const OPEN: &str = "open-5c1e77a0";

/// Compares its secret with a file, says whether both are the same, and goes on as asked.
const COMMANDS: &str = r#"
[exec.push]
command = ["sh", "-c", '''
  if [ "$TOKEN" = "$(cat "$0")" ]; then echo same; else echo other; fi
  case "$MODE" in wait) exec sleep 600;; fail) exit 3;; esac
''', "expected"]
folder = ".."
set_env = { TOKEN = "{token}", MODE = "{mode}", NOTE = "{note}" }
params.note = { type = "text" }
params.mode = { type = "choice", choices = ["end", "wait", "fail"], default = "end" }
params.token = { type = "text", secret = true, required = true, min_length = 8, max_length = 40 }
"#;

fn contains(bytes: impl AsRef<[u8]>, text: &str) -> bool {
    bytes.as_ref().windows(text.len()).any(|part| part == text.as_bytes())
}

/// Server with the command, and with a key if there is a configuration for one. Its log goes to a file.
fn serve(home: &Home, configuration: &str) -> Server {
    let mut command = home.configured(configuration);
    std::fs::write(home.path().join("data/exec.toml"), COMMANDS).unwrap();
    std::fs::write(home.path().join("expected"), MARKED).unwrap();
    let log = File::options().create(true).append(true).open(home.path().join("log")).unwrap();
    command.arg("--access-log").env("SIGNALBOX_LOG", "debug").stderr(log);
    home.serve_by(command)
}

fn new_key(home: &Home) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_signalbox")).args(["secrets", "new-key"]).output().unwrap();
    assert!(output.status.success());
    let file = home.path().join(format!("{}.key", home.path().read_dir().unwrap().count()));
    std::fs::write(&file, output.stdout).unwrap();
    format!("[secrets]\nkey_file = '{}'\n", file.display())
}

fn params(mode: &str) -> Value {
    json!({"note": OPEN, "mode": mode, "token": MARKED})
}

async fn post(server: &Server, path: &str, body: &Value, key: &str) -> (u16, String) {
    let request =
        http_client().post(format!("{}{path}", server.url)).header("idempotency-key", key).json(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn get(server: &Server, path: &str) -> String {
    let response = http_client().get(format!("{}{path}", server.url)).send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.text().await.unwrap()
}

/// Everything that the stream of the feed sends until the server stops.
async fn record(server: &Server) -> tokio::task::JoinHandle<Vec<u8>> {
    let request = http_client().get(format!("{}/api/v1/events", server.url)).header("last-event-id", "0");
    let mut response = request.header("accept", "text/event-stream").send().await.unwrap();
    assert!(response.status().is_success());
    tokio::spawn(async move {
        let mut all = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            all.extend_from_slice(&chunk);
        }
        all
    })
}

fn client(server: &Server, args: &[&str], input: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    without_home(&mut command);
    command.args(args).env("SIGNALBOX_SERVER_URL", &server.url).env_remove("SIGNALBOX_TOKEN");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Arguments and environment of the processes that work in a folder.
fn programs(folder: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let folder = folder.canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let works_there = |process: &std::fs::DirEntry| {
        std::fs::read_link(process.path().join("cwd")).is_ok_and(|at| at == folder)
    };
    let read = |process: std::fs::DirEntry| {
        let file = |name| std::fs::read(process.path().join(name)).unwrap_or_default();
        (file("cmdline"), file("environ"))
    };
    processes.filter(works_there).map(read).collect()
}

/// Files below a folder, with their contents.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() {
            // Some are deleted meanwhile.
            all.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
        }
    }
    all
}

fn assert_hidden_in_files(home: &Home) {
    let all = files(&home.path().join("data"));
    for (name, bytes) in &all {
        assert!(!contains(bytes, MARKED), "{name} contains the secret");
    }
    // Otherwise the search would find nothing at all.
    let of_database = |name: &str| name.contains("signalbox.db");
    assert!(all.iter().any(|(name, bytes)| of_database(name) && contains(bytes, OPEN)));
}

async fn lines(server: &Server, id: OperationId) -> Vec<String> {
    let page: Value =
        serde_json::from_str(&get(server, &format!("/api/v1/operations/{id}/logs")).await).unwrap();
    page["lines"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_reaches_its_command_and_is_found_nowhere() {
    let home = Home::new();
    let configuration = new_key(&home);
    let server = serve(&home, &configuration);
    let recording = record(&server).await;
    let mut feed = server.follow(0).await;

    // Succeeds, fails and is retried: each attempt gets the value.
    let done = server.start("exec.push", params("end")).await;
    assert_eq!(done.params["token"], secret::marker());
    feed.until(|o| o.id == done.id && o.state == State::Succeeded).await;
    assert_eq!(lines(&server, done.id).await, ["same"]);
    let failing = server.start("exec.push", params("fail")).await;
    feed.until(|o| o.id == failing.id && o.state == State::Failed).await;
    server.ask(failing.id, "retry").await;
    feed.until(|o| o.id == failing.id && o.attempt == 2 && o.state == State::Failed).await;
    assert_eq!(lines(&server, failing.id).await, ["same"]);

    // While it runs, and after its host was killed.
    let waiting = server.start("exec.push", params("wait")).await;
    feed.until_log(waiting.id).await;
    let running = programs(home.path());
    assert!(running.iter().any(|(_, environment)| contains(environment, &format!("TOKEN={MARKED}"))));
    assert!(!running.iter().any(|(arguments, _)| contains(arguments, MARKED)));
    assert_hidden_in_files(&home);
    signal("-KILL", home.hosts());
    let lost = feed.until(|o| o.id == waiting.id && o.state.ended()).await;
    assert_eq!(lost.failure.unwrap().reason, FailureReason::HostRestarted);
    server.host_up().await;
    server.ask(waiting.id, "retry").await;
    feed.until_log(waiting.id).await;
    assert_eq!(lines(&server, waiting.id).await, ["same"]);
    server.ask(waiting.id, "cancel").await;
    feed.until(|o| o.id == waiting.id && o.state == State::Cancelled).await;

    // A repeated request is recognized, and errors don't quote the value.
    let body = json!({"kind": "exec.push", "params": params("end")});
    let mut keyed = Vec::new();
    for _ in 0..2 {
        let (status, text) = post(&server, "/api/v1/operations", &body, "key-1").await;
        assert!(matches!(status, 200..=202) && !contains(&text, MARKED), "{status} {text}");
        keyed.push(serde_json::from_str::<Operation>(&text).unwrap().id);
    }
    assert_eq!(keyed[0], keyed[1]);
    feed.until(|o| o.id == keyed[0] && o.state == State::Succeeded).await;
    let with = |token: Value| json!({"kind": "exec.push", "params": {"token": token}});
    let sweep = json!({"kind": "analysis.sweep", "params": {
        "run": "exec.push", "fixed": format!("token={MARKED}"), "vary": "note=a,b"
    }});
    let refused = [
        (with(format!("{MARKED}-other").into()), "already used for another request"),
        (with(MARKED.repeat(4).into()), "Token must have 8 to 40 characters."),
        (with(json!([MARKED])), "The value of Token is not text."),
        (with(secret::marker()), "Stored secrets are not copied."),
        (json!({"kind": "exec.push", "params": {"token": MARKED, "tokn": MARKED}}), "Did you mean 'token'?"),
        (sweep, "'exec.push' is not one of"),
    ];
    for (n, (body, why)) in refused.into_iter().enumerate() {
        let key = if n == 0 { "key-1".to_owned() } else { format!("refused-{n}") };
        let (status, text) = post(&server, "/api/v1/operations", &body, &key).await;
        assert_eq!(status, 422, "{text}");
        assert!(text.contains(why) && !contains(&text, MARKED), "{text}");
    }

    // The command line reads it from standard input, and refuses it as an argument.
    let note = format!("note={OPEN}");
    let args = ["start", "exec.push", "--follow", "-o", "json", &note, "--param-file", "token=-"];
    let output = client(&server, &args, Some(&format!("{MARKED}\n")));
    assert!(output.status.success() && !contains(&output.stdout, MARKED), "{output:?}");
    let output = client(&server, &["start", "exec.push", &format!("token={MARKED}")], None);
    assert!(!output.status.success() && contains(&output.stderr, "--param-file token=FILE"));
    assert!(!contains(&output.stderr, MARKED));
    let (one, other) = (done.id.to_string(), failing.id.to_string());
    for args in [
        &["show", &one][..],
        &["show", &one, "-o", "json"],
        &["list", "-o", "json"],
        &["compare", &one, &other, "--all"],
    ] {
        let output = client(&server, args, None);
        let both = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && contains(&both, OPEN), "{args:?}");
        assert!(!contains(&both, MARKED), "{args:?}");
    }

    // Responses and pages.
    let with_params = [
        "/api/v1/snapshot".to_owned(),
        "/api/v1/operations".to_owned(),
        format!("/api/v1/operations/{}", done.id),
        format!("/operations/{}", done.id),
    ];
    for path in &with_params {
        let text = get(&server, path).await;
        assert!(contains(&text, OPEN) && !contains(&text, MARKED), "{path}");
    }
    let others = ["/api/v1/audit", "/api/v1/audit/export", "/api/v1/hosts", "/api/v1/activity", "/metrics"];
    for path in others.into_iter().chain(["/", "/operations", "/api/v1/kinds", "/audit"]) {
        assert!(!contains(get(&server, path).await, MARKED), "{path}");
    }
    let form = get(&server, &format!("/new?kind=exec.push&note={OPEN}&token={MARKED}-in-url")).await;
    assert!(form.contains("type=\"password\"") && !form.contains("name=\"token\""), "{form}");
    let field = form.split("id=\"param-token\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(!contains(field, MARKED), "{field}");

    assert!(server.stop().success());
    let recorded = recording.await.unwrap();
    assert!(contains(&recorded, OPEN) && !contains(&recorded, MARKED));
    assert_hidden_in_files(&home);
    // The URL above is logged only without its query.
    let log = std::fs::read(home.path().join("log")).unwrap();
    assert!(contains(&log, "attempt accepted") && !contains(&log, MARKED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_needed_to_start_and_the_same_key_to_retry() {
    let home = Home::new();
    let server = serve(&home, "");
    server.host_up().await;
    let body = json!({"kind": "exec.push", "params": params("fail")});
    let (status, text) = post(&server, "/api/v1/operations", &body, "key-1").await;
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!((status, problem.fields[0].field.as_str()), (409, "token"), "{text}");
    assert!(problem.detail.contains("signalbox secrets new-key") && problem.detail.contains("[secrets]"));
    assert!(!contains(&text, MARKED));
    assert!(server.stop().success());

    let (first, second) = (new_key(&home), new_key(&home));
    let server = serve(&home, &first);
    let mut feed = server.follow(0).await;
    let id = server.start("exec.push", params("fail")).await.id;
    feed.until(|o| o.id == id && o.state == State::Failed).await;
    assert!(server.stop().success());

    let server = serve(&home, &second);
    server.host_up().await;
    let (status, text) =
        post(&server, &format!("/api/v1/operations/{id}/retry"), &json!({}), "retry-1").await;
    assert!(
        status == 409 && text.contains("is missing") && text.contains("secrets.key_file"),
        "{status} {text}"
    );
    // The server says so when it starts, and other operations run.
    let log = std::fs::read(home.path().join("log")).unwrap();
    assert!(contains(&log, "a key of secret parameters is missing"));
    let mut feed = server.follow(0).await;
    let other = server.start("exec.push", params("end")).await.id;
    feed.until(|o| o.id == other && o.state == State::Succeeded).await;
    assert!(server.stop().success());

    let server = serve(&home, &first);
    let mut feed = server.follow(0).await;
    server.host_up().await;
    let retried = server.ask(id, "retry").await;
    assert_eq!(retried.attempt, 2);
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Failed).await;
    let detail = server.detail(id).await;
    let origins: Vec<_> = detail.attempts.iter().map(|attempt| attempt.origin).collect();
    assert_eq!(origins, [AttemptOrigin::Start, AttemptOrigin::Retry]);
    assert_eq!(lines(&server, id).await, ["same"]);
    assert!(server.stop().success());
    assert_hidden_in_files(&home);
}

#[test]
fn an_unusable_key_file_stops_the_start_with_its_name() {
    let home = Home::new();
    let key = home.path().join("bad.key");
    std::fs::write(&key, MARKED).unwrap();
    let configuration = format!("[secrets]\nkey_file = '{}'", key.display());
    let output = home.configured(&configuration).output().unwrap();
    assert!(!output.status.success() && contains(&output.stderr, "bad.key (secrets.key_file)"));
    assert!(!contains(&output.stderr, MARKED));
}
