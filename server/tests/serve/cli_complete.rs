//! Completion in real shells, man pages and help.

use crate::process::{Home, Server, without_home};
use crate::terminal::Terminal;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Folder of the program.
fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_signalbox")).parent().unwrap()
}

fn path() -> String {
    format!("{}:{}", programs().display(), std::env::var("PATH").unwrap_or_default())
}

/// Whether a shell is installed; says if not.
fn is_installed(shell: &str) -> bool {
    let found = Command::new(shell)
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: {shell} is not installed");
    }
    found
}

fn shell(server: &str, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env("SIGNALBOX_SERVER_URL", server).env_remove("SIGNALBOX_TOKEN").env("PATH", path());
    without_home(&mut command);
    command
}

/// Lines that a shell's completion prints for a command line, each without its description.
fn completed(server: &str, args: &[&str], words: &[&str]) -> Vec<String> {
    let mut command = shell(server, env!("CARGO_BIN_EXE_signalbox"), &["--"]);
    command.args(args).args(words).env("SIGNALBOX_COMPLETE", "fish");
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    let text = String::from_utf8(stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

async fn serve(home: &Home) -> Server {
    let command = home.configured("");
    let commands = "[exec.wait]\ncommand = ['sh', '-c', 'echo begun; exec sleep 600']\n\
        [exec.done]\ncommand = ['true']\n\
        [exec.count]\ncommand = ['echo', '{mode}']\n\
        params.mode = { type = 'choice', choices = ['fast', 'thorough'] }";
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    let server = home.serve_by(command);
    server.host_up().await;
    server
}

#[tokio::test]
async fn completion_knows_kinds_parameters_operations_and_hosts() {
    let home = Home::new();
    let server = serve(&home).await;
    let mut feed = server.follow(0).await;
    let running = server.start("exec.wait", json!({})).await.id;
    let done = server.start("exec.done", json!({})).await.id;
    feed.until(|op| op.id == done && op.state.ended()).await;
    let of = |words: &[&str]| completed(&server.url, &["signalbox"], words);
    assert_eq!(of(&["start", "exec.c"]), ["exec.count"]);
    assert_eq!(of(&["start", "exec.count", "mo"]), ["mode="]);
    assert_eq!(of(&["start", "exec.count", "mode=th"]), ["mode=thorough"]);
    assert_eq!(of(&["list", "--state", "failed,run"]), ["failed,running"]);
    assert_eq!(of(&["drain", "loc"]), ["local"]);
    let (running, done) = (running.to_string(), done.to_string());
    let offered = |verb: &str| {
        let offered = of(&[verb, ""]);
        (offered.contains(&running), offered.contains(&done))
    };
    assert_eq!(offered("cancel"), (true, false), "only operations that can be cancelled");
    assert_eq!(offered("delete"), (false, true));
    assert_eq!(offered("show"), (true, true));
    assert_eq!(of(&["show", &done[..20]]), [done.as_str()]);
    assert!(of(&["li"]).contains(&"list".to_owned()));
    // An absent server and an invalid context complete nothing, without a word.
    assert_eq!(completed("http://127.0.0.1:9", &["signalbox"], &["start", "exec"]), Vec::<String>::new());
    assert_eq!(of(&["show", "--context", "none", "0"]), Vec::<String>::new());
}

/// Completes in an interactive shell: types a beginning and Tab, and waits for the rest.
fn complete_in(terminal: &mut Terminal, beginning: &str, whole: &str) {
    terminal.type_keys(&format!("{beginning}\t"));
    terminal.wait_for(&format!("'{whole}' after {beginning} Tab"), |text| text.contains(whole));
    // Removes the line.
    terminal.type_keys("\x15");
}

#[tokio::test]
async fn real_shells_complete() {
    let home = Home::new();
    let server = serve(&home).await;
    let id = server.start("exec.wait", json!({})).await.id.to_string();
    let folder = home.path().join("shell");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("bashrc"), "PS1='ready$ '; source <(signalbox completion bash)").unwrap();
    let zsh = "PS1='ready$ '; autoload -Uz compinit; compinit -u -D; source <(signalbox completion zsh)";
    std::fs::write(folder.join(".zshrc"), zsh).unwrap();
    let bashrc = folder.join("bashrc").display().to_string();
    let fish = "function fish_prompt; echo 'ready$ '; end; signalbox completion fish | source";
    let shells: [(&str, &[&str]); 3] = [
        ("bash", &["--rcfile", &bashrc, "-i"]),
        ("zsh", &["-i"]),
        ("fish", &["--no-config", "-i", "-C", fish]),
    ];
    for (name, args) in shells {
        if !is_installed(name) {
            continue;
        }
        let mut command = shell(&server.url, name, args);
        command.env("ZDOTDIR", &folder).env("HOME", &folder).env("INPUTRC", "/dev/null");
        // fish keeps files of its own there.
        command.env("TMPDIR", &folder).env_remove("XDG_RUNTIME_DIR");
        let mut terminal = Terminal::run(&command, 24, 120);
        terminal.wait_for_text("ready$");
        complete_in(&mut terminal, "signalbox lis", "signalbox list");
        complete_in(&mut terminal, "signalbox start exec.co", "signalbox start exec.count");
        complete_in(&mut terminal, "signalbox start exec.count mo", "signalbox start exec.count mode=");
        complete_in(
            &mut terminal,
            "signalbox start exec.count mode=th",
            "signalbox start exec.count mode=thorough",
        );
        complete_in(
            &mut terminal,
            &format!("signalbox cancel {}", &id[..20]),
            &format!("signalbox cancel {id}"),
        );
        let text = terminal.text();
        assert!(!text.contains("rror"), "{name}: {text}");
    }
}

#[test]
fn every_command_has_a_man_page_with_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/man1");
    let status = Command::new(env!("CARGO_BIN_EXE_signalbox")).arg("man").arg(&pages).status().unwrap();
    assert!(status.success());
    let page = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    assert!(page("signalbox.1").contains("signalbox\\-list(1)"), "{}", page("signalbox.1"));
    assert!(page("signalbox-list.1").contains("signalbox list \\-\\-state running,queued"));
    assert!(pages.join("signalbox-agent-status.1").exists());
    let Output { stdout, .. } =
        Command::new(env!("CARGO_BIN_EXE_signalbox")).args(["start", "--help"]).output().unwrap();
    let help = String::from_utf8(stdout).unwrap();
    assert!(help.contains("Examples:\n  signalbox start data.load"), "{help}");
}
