//! Real programs of Debian beside the server: Prometheus and Alertmanager.

use crate::process::{Home, PATIENCE, http_client};
use serde_json::Value;
use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A program with an HTTP interface, killed when it is dropped.
pub struct Program {
    child: Child,
    pub url: String,
}

/// Whether a program is installed; says so if it is not.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("SKIPPED: {program} is not installed, so this test shows nothing");
    }
    found.is_ok()
}

impl Program {
    /// Prometheus that scrapes a server twice a second, with its files in a subfolder `name`.
    pub async fn prometheus(home: &Home, name: &str, server: &str, flags: &[&str]) -> Self {
        let folder = home.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let target = server.strip_prefix("http://").unwrap();
        let configuration = format!(
            "global:\n  scrape_interval: 500ms\n  scrape_timeout: 500ms\n\
             scrape_configs:\n- job_name: signalbox\n  static_configs:\n  - targets: ['{target}']\n"
        );
        std::fs::write(folder.join("prometheus.yml"), configuration).unwrap();
        let mut command = Command::new("prometheus");
        command.arg("--config.file").arg(folder.join("prometheus.yml"));
        command.arg("--storage.tsdb.path").arg(folder.join("data")).args(flags);
        Self::start(home, name, command, "/-/ready").await
    }

    /// Alertmanager that sends nothing.
    pub async fn alertmanager(home: &Home) -> Self {
        let folder = home.path().join("alertmanager");
        std::fs::create_dir_all(&folder).unwrap();
        let configuration = "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n";
        std::fs::write(folder.join("alertmanager.yml"), configuration).unwrap();
        let mut command = Command::new("prometheus-alertmanager");
        command.arg("--config.file").arg(folder.join("alertmanager.yml"));
        command.arg("--storage.path").arg(folder.join("data")).arg("--cluster.listen-address=");
        Self::start(home, "alertmanager", command, "/-/ready").await
    }

    /// Starts it on a free port, and waits until it is ready.
    async fn start(home: &Home, name: &str, mut command: Command, ready: &str) -> Self {
        // It can't choose a port by itself and report it.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = home.path().join(name).join("log");
        command.arg(format!("--web.listen-address={address}")).current_dir(home.path());
        command.stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let child = command.spawn().unwrap();
        let mut program = Self { child, url: format!("http://{address}") };
        let is_ready = async {
            loop {
                let response = http_client().get(format!("{}{ready}", program.url)).send().await;
                if response.is_ok_and(|response| response.status().is_success()) {
                    return;
                }
                let ended = program.child.try_wait().unwrap();
                assert!(ended.is_none(), "{name} ended: {}", std::fs::read_to_string(&log).unwrap());
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, is_ready).await.expect("it did not become ready");
        program
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let address = url::Url::parse_with_params(&format!("{}{path}", self.url), query).unwrap();
        http_client().get(address).timeout(PATIENCE).send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
