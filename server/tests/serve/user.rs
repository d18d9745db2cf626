//! User of the command line with folders of their own: contexts, session state, and the sockets of agents.

use crate::process::{Home, Server, wait_until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// User with a folder for sockets of their own.
pub struct User {
    pub home: Home,
}

impl User {
    pub fn new() -> Self {
        let home = Home::new();
        let run = home.path().join("run");
        std::fs::create_dir(&run).unwrap();
        std::fs::set_permissions(&run, PermissionsExt::from_mode(0o700)).unwrap();
        Self { home }
    }

    /// Server with a kind of command that prints some lines.
    pub fn serve(&self) -> Server {
        self.serve_at("http://127.0.0.1:0")
    }

    /// Same, at this address.
    pub fn serve_at(&self, url: &str) -> Server {
        let mut command = self.with_commands();
        command.env("SIGNALBOX_LISTEN", url.trim_start_matches("http://"));
        self.home.serve_by(command)
    }

    /// Server with these kinds, not started.
    pub fn with_commands(&self) -> Command {
        // The name is for tests with a proxy.
        let command = self.home.configured("allowed_names = ['box.example.org']");
        let commands = "[exec.count]\ncommand = ['sh', '-c', 'for i in 1 2 3; do echo line $i; done']\n\
            [exec.wait]\ncommand = ['sh', '-c', 'echo begun; exec sleep 600']";
        std::fs::write(self.home.path().join("data/exec.toml"), commands).unwrap();
        command
    }

    pub fn command(&self, url: &str, args: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_signalbox"), url, args)
    }

    /// Command of another program.
    pub fn command_of(&self, program: &str, url: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("SIGNALBOX_SERVER_URL", url).stdin(Stdio::null());
        for name in ["CI", "SIGNALBOX_AGENT", "SIGNALBOX_TOKEN", "SIGNALBOX_CONTEXT", "SIGNALBOX_CA"] {
            command.env_remove(name);
        }
        let folder = |name| self.home.path().join(name);
        command.env("XDG_CONFIG_HOME", folder("config")).env("XDG_STATE_HOME", folder("state"));
        command.env("XDG_RUNTIME_DIR", folder("run"));
        command
    }

    /// Exit code, standard output and standard error.
    pub fn run(&self, url: &str, args: &[&str]) -> (i32, String, String) {
        text_of(self.command(url, args).output().unwrap())
    }

    pub fn ok(&self, url: &str, args: &[&str]) -> (String, String) {
        let (code, out, err) = self.run(url, args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        (out, err)
    }

    /// What the agents report.
    pub fn agents(&self) -> Vec<Value> {
        serde_json::from_str(&self.ok("http://127.0.0.1:9", &["agent", "status", "-o", "json"]).0).unwrap()
    }

    /// Starts an agent with a command, and waits until it follows the feed.
    pub fn with_agent(&self, url: &str) {
        // Its output is read to the end, so the agent has not kept it.
        self.ok(url, &["list"]);
        wait_until(
            || self.agents().first().is_some_and(|agent| agent["connected"] == true),
            "no agent follows the feed",
        );
    }

    pub fn sockets(&self) -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(self.home.path().join("run/signalbox")).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "sock"))
            .collect()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.command("http://127.0.0.1:9", &["agent", "stop"]).output();
    }
}

pub fn text_of(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
