//! HTTPS: pages, streams and HTTP/2 over TLS, redirects of plain HTTP, and a certificate replaced while the server
//! runs.

use crate::process::{Home, PATIENCE, wait_until};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Certificate of `localhost` with its key, in files.
struct Certificate {
    files: [PathBuf; 2],
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Writes a new one; the key first, as a program that renews certificates may.
    fn write(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = [folder.join("cert.pem"), folder.join("key.pem")];
        std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&files[0], made.cert.pem()).unwrap();
        let der = CertificateDer::from_pem_file(&files[0]).unwrap();
        Self { files, der }
    }

    /// Connects; fails if the server has another certificate.
    async fn connect(&self, to: SocketAddr, protocol: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(to).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

struct Server {
    process: Child,
    url: String,
    address: SocketAddr,
}

impl Server {
    fn start(mut command: Command, home: &Home) -> Self {
        let ready = home.path().join("ready");
        let process = command.arg("--ready-file").arg(&ready).spawn().unwrap();
        wait_until(|| ready.exists(), "the server is not ready");
        let url = std::fs::read_to_string(&ready).unwrap().trim().to_owned();
        let address = url.trim_start_matches("https://").parse().unwrap();
        Self { process, url, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn arguments(certificate: &Certificate) -> [&str; 4] {
    let [cert, key] = certificate.files.each_ref().map(|file| file.to_str().unwrap());
    ["--tls-certificate", cert, "--tls-key", key]
}

/// Sends a GET and reads until a text arrives.
async fn read_until(stream: &mut (impl AsyncReadExt + Unpin), text: &str) -> String {
    let mut received = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&received).contains(text) {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0, "ended before {text}");
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    String::from_utf8(received).unwrap()
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n")
}

#[tokio::test]
async fn pages_streams_and_http2_are_served_over_tls() {
    let home = Home::new();
    let certificate = Certificate::write(home.path());
    let server = Server::start(home.command(&arguments(&certificate)), &home);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);

    let mut one = certificate.connect(server.address, b"http/1.1").await.unwrap();
    one.write_all(get("/healthz", "").as_bytes()).await.unwrap();
    let answer = read_until(&mut one, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    assert!(answer.contains("cross-origin-opener-policy: same-origin"), "{answer}");
    assert!(answer.contains("cross-origin-resource-policy: same-origin"), "{answer}");
    // On the same connection.
    one.write_all(get("/api/v1/events", "accept: text/event-stream\r\n").as_bytes()).await.unwrap();
    let stream = read_until(&mut one, "event: hello").await;
    assert!(stream.contains("content-type: text/event-stream"), "{stream}");

    let two = certificate.connect(server.address, b"h2").await.unwrap();
    assert_eq!(two.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(two)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request =
        http::Request::get("https://localhost/api/v1/kinds").body(Empty::<bytes::Bytes>::new()).unwrap();
    let answer = timeout(PATIENCE, client.send_request(request)).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["kinds"].is_array());
    connection.abort();
}

#[tokio::test]
async fn plain_http_is_redirected_on_the_same_port() {
    let home = Home::new();
    let certificate = Certificate::write(home.path());
    let server = Server::start(home.command(&arguments(&certificate)), &home);
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(get("/operations?q=a", "").as_bytes()).await.unwrap();
    let answer = read_until(&mut plain, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(answer.contains("location: https://localhost/operations?q=a\r\n"), "{answer}");
}

#[tokio::test]
async fn a_replaced_certificate_is_used_without_ending_connections() {
    let home = Home::new();
    let first = Certificate::write(home.path());
    let server = Server::start(home.command(&arguments(&first)), &home);
    let mut open = first.connect(server.address, b"http/1.1").await.unwrap();
    open.write_all(get("/healthz", "").as_bytes()).await.unwrap();
    read_until(&mut open, "\r\n\r\n").await;

    let second = Certificate::write(home.path());
    let renewed = async {
        while second.connect(server.address, b"http/1.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, renewed).await.unwrap();
    assert!(first.connect(server.address, b"http/1.1").await.is_err());
    open.write_all(get("/readyz", "").as_bytes()).await.unwrap();
    assert!(read_until(&mut open, "\r\n\r\n").await.starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn a_server_without_a_usable_certificate_does_not_start() {
    let home = Home::new();
    let certificate = Certificate::write(home.path());
    std::fs::write(&certificate.files[0], "nothing").unwrap();
    let error = home.fails(&arguments(&certificate));
    assert!(error.contains("cert.pem has no certificate"), "{error}");
    assert!(home.fails(&arguments(&certificate)[..2]).contains("--tls-key"));
}
