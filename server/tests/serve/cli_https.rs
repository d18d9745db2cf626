//! Command line with a server over HTTPS: certificates of the test's own CA, with the agent and without.

use crate::process::{Home, Server, wait_until};
use crate::user::{User, text_of};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use test_pki::{Ca, Certificate, Validity};

struct Rig {
    user: User,
    ca: Ca,
    certificate: Certificate,
}

impl Rig {
    fn new() -> Self {
        let user = User::new();
        let ca = Ca::new(user.home.path(), "ca");
        let certificate = ca.issue(&["localhost", "127.0.0.1", "box.example.org"], Validity::Now);
        Self { user, ca, certificate }
    }

    fn serve(&self) -> Server {
        let Certificate { certificate, key } = &self.certificate;
        let mut command = self.user.with_commands();
        command.arg("--tls-certificate").arg(certificate).arg("--tls-key").arg(key);
        self.user.home.serve_trusting(command, &self.ca)
    }

    fn command(&self, url: &str, args: &[&str]) -> Command {
        let mut command = self.user.command(url, args);
        command.env("SIGNALBOX_CA", &self.ca.file);
        command
    }

    fn run(&self, url: &str, args: &[&str]) -> (i32, String, String) {
        text_of(self.command(url, args).output().unwrap())
    }

    fn ok(&self, url: &str, args: &[&str]) -> String {
        let (code, out, err) = self.run(url, args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }
}

#[tokio::test]
async fn commands_reach_a_server_over_https_directly() {
    let rig = Rig::new();
    let server = rig.serve();
    server.host_up().await;
    let url = &server.url;
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let ok = |args: &[&str]| rig.ok(url, &[args, &["--no-agent"]].concat());
    let id = ok(&["start", "exec.count"]).lines().next().unwrap().to_owned();
    assert!(ok(&["follow", &id, "--log"]).contains("line 3"));
    assert!(ok(&["logs", &id]).contains("line 2"));
    assert!(ok(&["list", "-o", "name"]).contains(&id));
    let waiting = ok(&["start", "exec.wait"]).lines().next().unwrap().to_owned();
    let (code, _, err) = rig.run(url, &["cancel", &waiting, "--follow", "--no-agent"]);
    assert_eq!(code, 2, "cancelled: {err}");
    assert!(ok(&["show", &waiting, "-o", "csv"]).contains(",cancelled,"));
    assert!(ok(&["hosts", "-o", "name"]).contains("local"));
}

#[tokio::test]
async fn the_agent_keeps_one_connection_with_tls() {
    let rig = Rig::new();
    let server = rig.serve();
    server.host_up().await;
    let url = &server.url;
    rig.ok(url, &["list"]);
    let is_connected = || rig.user.agents().first().is_some_and(|agent| agent["connected"] == true);
    wait_until(is_connected, "no agent follows the feed");
    for _ in 0..10 {
        rig.ok(url, &["list", "--fresh"]);
    }
    let agents = rig.user.agents();
    assert_eq!(agents.len(), 1, "{agents:?}");
    assert_eq!(agents[0]["server"], **url);
    let count = |name: &str| agents[0][name].as_u64().unwrap();
    // A second connection is opened if a request comes before the first one is free again.
    assert!(count("opened") <= 2 && count("reused") >= 8, "{agents:?}");
}

#[tokio::test]
async fn a_context_has_the_ca_of_its_server() {
    let rig = Rig::new();
    let server = rig.serve();
    let context = |args: &[&str]| {
        let mut command = rig.user.command("", args);
        text_of(
            command.env_remove("SIGNALBOX_SERVER_URL").current_dir(rig.user.home.path()).output().unwrap(),
        )
    };
    let added = context(&["context", "add", "box", "--server", &server.url, "--ca", "ca.pem"]);
    assert_eq!(added.0, 0, "{added:?}");
    let (code, out, err) = context(&["list", "--no-agent"]);
    assert_eq!((code, out.as_str()), (0, "No operations match.\n"), "{err}");
    let listed = context(&["context", "list", "-o", "csv"]).1;
    assert!(listed.contains(rig.ca.file.to_str().unwrap()), "{listed}");
    let (code, _, err) = context(&["context", "add", "other", "--server", "https://a", "--ca", "none.pem"]);
    assert!(code != 0 && err.contains("can't read the CA"), "{err}");
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_refused_with_what_to_do() {
    let rig = Rig::new();
    let server = rig.serve();
    let other = Ca::new(rig.user.home.path(), "other");
    let with = |url: &str, ca: &Ca| {
        let ca = ca.file.to_str().unwrap();
        rig.user.run(url, &["list", "--no-agent", "--ca", ca])
    };
    let (code, out, err) = with(&server.url, &other);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(
        err.contains("has a certificate that no trusted CA signed. If the certificate is from a private CA, use --ca FILE"),
        "{err}"
    );

    // The redirect to HTTPS is not followed, because the token would go along.
    let (code, _, err) = with(&server.url.replace("https:", "http:"), &rig.ca);
    assert!(code == 3 && err.contains("redirects to https://127.0.0.1:"), "{err}");
    let home = Home::new();
    let plain = home.serve(&[]);
    let (code, _, err) = with(&plain.url.replace("http:", "https:"), &rig.ca);
    assert!(code == 3 && err.contains("http://"), "{err}");
}

#[tokio::test]
async fn the_agent_reports_an_untrusted_server_like_a_direct_command() {
    let rig = Rig::new();
    let server = rig.serve();
    let other = Ca::new(rig.user.home.path(), "other");
    let run = || {
        let mut command = rig.user.command(&server.url, &["hosts", "--fresh"]);
        text_of(command.env("SIGNALBOX_CA", &other.file).output().unwrap())
    };
    run();
    wait_until(|| !rig.user.sockets().is_empty(), "no agent was started");
    let (code, _, err) = run();
    assert!(
        code == 3
            && err.contains("no trusted CA signed. If the certificate is from a private CA, use --ca FILE"),
        "{err}"
    );
}

#[tokio::test]
async fn a_proxy_of_the_environment_tunnels_to_the_server() {
    let rig = Rig::new();
    let server = rig.serve();
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let (proxy, heads) = proxy(port);
    let url = format!("https://box.example.org:{port}");
    let mut command = rig.command(&url, &["list", "--no-agent"]);
    let output = command.env("HTTPS_PROXY", &proxy).env_remove("NO_PROXY").env_remove("no_proxy").output();
    let (code, out, err) = text_of(output.unwrap());
    assert_eq!((code, out.as_str()), (0, "No operations match.\n"), "{err}");
    assert_eq!(heads.recv().unwrap(), format!("CONNECT box.example.org:{port} HTTP/1.1"));

    // Never for this machine.
    let mut command = rig.command(&server.url, &["list", "--no-agent"]);
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env_remove("NO_PROXY").env_remove("no_proxy");
    assert!(command.output().unwrap().status.success());

    let mut command = rig.command(&url, &["list", "--no-agent"]);
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env_remove("NO_PROXY").env_remove("no_proxy");
    let (code, _, err) = text_of(command.output().unwrap());
    assert!(code == 3 && err.contains("the proxy http://127.0.0.1:9/ failed: "), "{err}");
}

/// Proxy that connects its tunnels to a port of this machine, and the first lines of requests.
fn proxy(to: u16) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send_head, heads) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let line = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
            let _ = send_head.send(line);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let target = TcpStream::connect(("127.0.0.1", to)).unwrap();
            for (mut from, mut into) in
                [(stream.try_clone().unwrap(), target.try_clone().unwrap()), (target, stream)]
            {
                std::thread::spawn(move || std::io::copy(&mut from, &mut into));
            }
        }
    });
    (url, heads)
}
