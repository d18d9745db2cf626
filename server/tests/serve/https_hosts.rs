//! Hosts over HTTPS: real hosts behind TLS with certificates of the test's own CA, and a server that connects to them.

use crate::process::{Home, HostProcess, Server};
use protocol::State;
use protocol::api::Snapshot;
use std::net::SocketAddr;
use std::process::Stdio;
use test_pki::{Ca, Certificate, TlsFront, Validity, server_config};

/// Host behind TLS.
struct Rig {
    home: Home,
    ca: Ca,
    other: Ca,
    host: HostProcess,
}

impl Rig {
    fn new() -> Self {
        let home = Home::new();
        let (ca, other) = (Ca::new(home.path(), "ca"), Ca::new(home.path(), "other"));
        let host = HostProcess::start(&home.path().join("host"));
        Self { home, ca, other, host }
    }

    fn host_address(&self) -> SocketAddr {
        self.host.url.trim_start_matches("http://").parse().unwrap()
    }

    async fn front(&self, certificate: &Certificate, clients: Option<&Ca>) -> TlsFront {
        TlsFront::start(server_config(certificate, clients), self.host_address()).await
    }

    /// Server with this host; `more` are lines of its configuration.
    fn serve(&self, url: &str, more: &str) -> Server {
        let configuration = format!("[[host]]\nname = 'one'\nurl = '{url}'\n{more}");
        self.home.serve_by(self.home.configured(&configuration))
    }

    fn trusting(ca: &Ca) -> String {
        format!("ca = '{}'\n", ca.file.display())
    }
}

/// An operation on the host succeeds.
async fn loads(server: &Server) {
    let mut feed = server.follow(0).await;
    let load = server.load("MSFT", None).await;
    let ended = feed.until(|operation| operation.id == load.id && operation.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
}

/// Why the host is unreachable.
async fn trouble(server: &Server) -> String {
    loop {
        let snapshot: Snapshot = server.pool.get("/api/v1/snapshot").await.unwrap();
        let host = snapshot.hosts.into_iter().find(|host| host.name.as_str() == "one").unwrap();
        if !host.trouble.is_empty() {
            return host.trouble;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_run_on_a_host_over_https_with_a_private_ca() {
    let rig = Rig::new();
    let front = rig.front(&rig.ca.issue(&["localhost"], Validity::Now), None).await;
    let server = rig.serve(&front.url("localhost"), &Rig::trusting(&rig.ca));
    for _ in 0..10 {
        loads(&server).await;
    }
    let snapshot: Snapshot = server.pool.get("/api/v1/snapshot").await.unwrap();
    let host = snapshot.hosts.into_iter().find(|host| host.name.as_str() == "one").unwrap();
    assert!(host.connections.reused > host.connections.opened, "{:?}", host.connections);
    assert!(host.latency_ms.is_some() && host.health.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_not_trusted_is_unreachable_and_says_why() {
    let rig = Rig::new();
    let good = rig.ca.issue(&["localhost"], Validity::Now);
    let expired = rig.ca.issue(&["localhost"], Validity::Expired);
    let elsewhere = rig.ca.issue(&["gpu-1.example.org"], Validity::Now);
    for (certificate, clients, trusted, text) in [
        (
            &good,
            None,
            &rig.other,
            "a certificate that no trusted CA signed. If the certificate is from a private CA, set 'ca'",
        ),
        (&expired, None, &rig.ca, "a certificate that expired at 2020-01-01T00:00:00Z"),
        (&elsewhere, None, &rig.ca, "a certificate that is valid only for: gpu-1.example.org"),
        (&good, Some(&rig.ca), &rig.ca, "requires a client certificate. Set 'client_certificate'"),
    ] {
        let front = rig.front(certificate, clients).await;
        let server = rig.serve(&front.url("localhost"), &Rig::trusting(trusted));
        let trouble = trouble(&server).await;
        assert!(trouble.contains(text), "{trouble}");
    }
    // The host itself has no TLS.
    let server = rig.serve(&rig.host.url.replace("http:", "https:"), &Rig::trusting(&rig.ca));
    let trouble = trouble(&server).await;
    assert!(trouble.contains("http://"), "{trouble}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_requires_a_client_certificate_gets_it() {
    let rig = Rig::new();
    let front = rig.front(&rig.ca.issue(&["localhost"], Validity::Now), Some(&rig.ca)).await;
    let client = rig.ca.issue(&["signalbox"], Validity::Now);
    let files = format!(
        "client_certificate = '{}'\nclient_key = '{}'\n",
        client.certificate.display(),
        client.key.display()
    );
    let server = rig.serve(&front.url("localhost"), &(Rig::trusting(&rig.ca) + &files));
    loads(&server).await;
}

#[test]
fn a_configuration_whose_certificates_can_not_be_used_is_refused() {
    let home = Home::new();
    let ca = Ca::new(home.path(), "ca");
    let fails = |host: &str| {
        let mut command = home.configured(&format!("[[host]]\nname = 'one'\n{host}"));
        let output = command.stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let ca = Rig::trusting(&ca);
    let plain = fails(&format!("url = 'http://127.0.0.1:9'\n{ca}"));
    assert!(plain.contains("apply only to a URL that begins with https://"), "{plain}");
    let missing = fails("url = 'https://127.0.0.1:9'\nca = '/none.pem'");
    assert!(missing.contains("host 'one': can't read the CA '/none.pem'"), "{missing}");
    let half = fails("url = 'https://127.0.0.1:9'\nclient_key = '/none.pem'");
    assert!(half.contains("'client_key' is set, but 'client_certificate' is not"), "{half}");
}
