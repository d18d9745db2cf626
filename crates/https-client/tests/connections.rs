//! Connections with TLS and by proxies, tested on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use signalbox_https_client::{
    Proxies, ProxyFailed, Tls, TlsFileError, TlsFiles, TlsProblem, builder, builder_for, connect_problem,
    find, problem_of, root_cause,
};
use std::net::SocketAddr;
use std::time::Duration;
use test_pki::{Ca, Certificate, TlsFront, Validity, server_config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// Service without TLS that answers each request.
async fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    head.push(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        head.clear();
                        let _ = stream.write_all(ANSWER).await;
                    }
                }
            });
        }
    });
    address
}

fn trusting(ca: &Ca) -> Tls {
    Tls::open(TlsFiles { ca: Some(ca.file.clone()), ..TlsFiles::default() }).unwrap()
}

fn with_client(ca: &Ca, client: &Certificate) -> TlsFiles {
    TlsFiles {
        ca: Some(ca.file.clone()),
        client_certificate: Some(client.certificate.clone()),
        client_key: Some(client.key.clone()),
    }
}

/// Body of a GET, or why there is none.
async fn get(tls: &Tls, url: &str) -> Result<String, String> {
    match builder(tls).build().unwrap().get(url).send().await {
        Ok(response) => Ok(response.text().await.unwrap()),
        Err(error) => Err(match (connect_problem(&error), problem_of(&error)) {
            (Some(problem), _) => format!("it {problem}"),
            (None, Some(problem)) => format!("later: {problem}"),
            (None, None) => root_cause(&error),
        }),
    }
}

struct Rig {
    _folder: tempfile::TempDir,
    ca: Ca,
    other: Ca,
    service: SocketAddr,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ca, other) = (Ca::new(folder.path(), "ca"), Ca::new(folder.path(), "other"));
        Self { ca, other, service: service().await, _folder: folder }
    }

    async fn front(&self, names: &[&str], validity: Validity) -> TlsFront {
        TlsFront::start(server_config(&self.ca.issue(names, validity), None), self.service).await
    }
}

#[tokio::test]
async fn only_certificates_of_the_given_ca_are_trusted() {
    let rig = Rig::new().await;
    let front = rig.front(&["localhost", "127.0.0.1"], Validity::Now).await;
    for name in ["localhost", "127.0.0.1"] {
        assert_eq!(get(&trusting(&rig.ca), &front.url(name)).await.unwrap(), "hi");
    }
    let unknown =
        "it has a certificate that no trusted CA signed. If the certificate is from a private CA, set 'ca'";
    let error = get(&trusting(&rig.other), &front.url("localhost")).await.unwrap_err();
    assert!(error.starts_with(unknown), "{error}");
    assert_eq!(front.handshakes(), 2);
}

#[tokio::test]
async fn an_unusable_certificate_is_named_with_what_to_do() {
    let rig = Rig::new().await;
    let tls = trusting(&rig.ca);
    let of = async |validity, names: &[&str]| {
        get(&tls, &rig.front(names, validity).await.url("localhost")).await.unwrap_err()
    };
    let expired = of(Validity::Expired, &["localhost"]).await;
    assert!(expired.contains("expired at 2020-01-01T00:00:00Z. Renew the certificate"), "{expired}");
    let early = of(Validity::Future, &["localhost"]).await;
    assert!(early.contains("not valid before 4000-01-01T00:00:00Z. Check the clocks"), "{early}");
    let wrong = of(Validity::Now, &["box.example.org", "10.1.2.3"]).await;
    assert!(
        wrong.contains(
            "that is valid only for: box.example.org, 10.1.2.3. Use a URL with a name from the certificate"
        ),
        "{wrong}"
    );
}

#[tokio::test]
async fn a_service_that_requires_a_client_certificate_gets_it() {
    let rig = Rig::new().await;
    let certificate = rig.ca.issue(&["localhost"], Validity::Now);
    let front = TlsFront::start(server_config(&certificate, Some(&rig.ca)), rig.service).await;
    let client = rig.ca.issue(&["server"], Validity::Now);
    let with = Tls::open(with_client(&rig.ca, &client)).unwrap();
    assert_eq!(get(&with, &front.url("localhost")).await.unwrap(), "hi");

    let without = get(&trusting(&rig.ca), &front.url("localhost")).await.unwrap_err();
    assert!(without.contains("requires a client certificate. Set 'client_certificate'"), "{without}");
    let unknown = rig.other.issue(&["server"], Validity::Now);
    let rejected = Tls::open(with_client(&rig.ca, &unknown)).unwrap();
    let rejected = get(&rejected, &front.url("localhost")).await.unwrap_err();
    assert!(rejected.contains("rejected the client certificate (UnknownCA)"), "{rejected}");
}

#[tokio::test]
async fn a_service_without_tls_is_told_from_one_that_is_not_trusted() {
    let rig = Rig::new().await;
    let talks_http = async |answer: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 1];
            stream.read_exact(&mut hello).await.unwrap();
            stream.write_all(answer).await.unwrap();
            stream.flush().await.unwrap();
            // Reads the rest, so that closing is no reset.
            let mut rest = [0; 4096];
            let _ = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut rest)).await;
        });
        get(&trusting(&rig.ca), &url).await.unwrap_err()
    };
    let plain = talks_http(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert!(plain.contains("does not answer with TLS. If the service uses plain HTTP"), "{plain}");
    let closed = talks_http(b"").await;
    assert!(closed.contains("closed the connection during the TLS handshake"), "{closed}");
}

#[tokio::test]
async fn replaced_files_are_used_and_broken_ones_are_not() {
    let rig = Rig::new().await;
    let front = rig.front(&["localhost"], Validity::Now).await;
    let file = rig.ca.file.with_file_name("trusted.pem");
    std::fs::copy(&rig.other.file, &file).unwrap();
    let tls = Tls::open(TlsFiles { ca: Some(file.clone()), ..TlsFiles::default() }).unwrap();
    assert!(get(&tls, &front.url("localhost")).await.unwrap_err().contains("no trusted CA"));
    let mut both = std::fs::read_to_string(&rig.other.file).unwrap();
    both.push_str(&std::fs::read_to_string(&rig.ca.file).unwrap());
    std::fs::write(&file, both).unwrap();
    assert_eq!(get(&tls, &front.url("localhost")).await.unwrap(), "hi");
    std::fs::write(&file, "broken").unwrap();
    assert_eq!(get(&tls, &front.url("localhost")).await.unwrap(), "hi");
}

#[test]
fn unusable_files_are_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::new(folder.path(), "ca");
    let certificate = ca.issue(&["a"], Validity::Now);
    let open = |files: TlsFiles| Tls::open(files).err().unwrap();
    let missing = open(TlsFiles { ca: Some(folder.path().join("none.pem")), ..TlsFiles::default() });
    assert!(missing.to_string().contains("can't read the CA '") && missing.to_string().contains("none.pem"));
    let no_certificate = open(TlsFiles { ca: Some(certificate.key.clone()), ..TlsFiles::default() });
    assert!(matches!(no_certificate, TlsFileError::NoCertificate { .. }), "{no_certificate}");
    let half = TlsFiles { client_key: Some(certificate.key.clone()), ..TlsFiles::default() };
    assert_eq!(
        open(half).to_string(),
        "'client_key' is set, but 'client_certificate' is not. Mutual TLS needs both files"
    );
    let other = Certificate { key: ca.issue(&["b"], Validity::Now).key, ..certificate };
    let swapped = open(with_client(&ca, &other)).to_string();
    assert!(swapped.contains("it does not belong to the certificate"), "{swapped}");
}

#[tokio::test]
async fn an_address_without_a_service_is_no_problem_of_tls() {
    let rig = Rig::new().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = get(&trusting(&rig.ca), &format!("https://{free}")).await.unwrap_err();
    assert!(error.contains("refused"), "{error}");
    let problem = TlsProblem::Expired { at: None };
    let json = |problem: &TlsProblem| serde_json::to_string(problem).unwrap();
    assert_eq!(serde_json::from_str::<TlsProblem>(&json(&problem)).unwrap(), problem);
}

#[tokio::test]
async fn a_proxy_tunnels_https_and_forwards_http() {
    if let Some(tls) = tls_of_child() {
        for (url, body) in [("https://box.example.org/x", "hi"), ("http://box.example.org/x", "hi")] {
            assert_eq!(get_by_proxy(&tls, url).await.unwrap(), body, "{url}");
        }
        let error = get_by_proxy(&tls, "https://forbidden.example.org/x").await.unwrap_err();
        let failed = find::<ProxyFailed>(&error).unwrap();
        assert_eq!(
            Some(&failed.proxy),
            Proxies::Environment.url_for("https://forbidden.example.org").as_ref()
        );
        return;
    }
    let rig = Rig::new().await;
    let front = rig.front(&["box.example.org"], Validity::Now).await;
    let (proxy, mut heads) = proxy(front.address).await;
    let variables = [("HTTPS_PROXY", proxy.clone()), ("HTTP_PROXY", proxy)];
    repeat("a_proxy_tunnels_https_and_forwards_http", &rig.ca, &variables).await;
    let tunnelled = heads.recv().await.unwrap();
    assert!(tunnelled.starts_with("CONNECT box.example.org:443 HTTP/1.1\r\n"), "{tunnelled}");
    let forwarded = heads.recv().await.unwrap();
    assert!(forwarded.starts_with("GET http://box.example.org/x HTTP/1.1\r\n"), "{forwarded}");
}

#[tokio::test]
async fn a_socks_proxy_connects_to_the_named_service() {
    if let Some(tls) = tls_of_child() {
        assert_eq!(get_by_proxy(&tls, "https://box.example.org/x").await.unwrap(), "hi");
        return;
    }
    let rig = Rig::new().await;
    let front = rig.front(&["box.example.org"], Validity::Now).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("socks5h://{}", listener.local_addr().unwrap());
    let target = front.address;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Version, and one method: no authentication.
        assert_eq!(read(&mut stream, 3).await, [5, 1, 0]);
        stream.write_all(&[5, 0]).await.unwrap();
        // Connect to a name of 15 bytes, and a port.
        assert_eq!(read(&mut stream, 5).await, [5, 1, 0, 3, 15]);
        assert_eq!(read(&mut stream, 17).await, b"box.example.org\x01\xbb");
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut target = tokio::net::TcpStream::connect(target).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
    });
    repeat("a_socks_proxy_connects_to_the_named_service", &rig.ca, &[("ALL_PROXY", proxy)]).await;
    served.await.unwrap();
}

async fn read(stream: &mut tokio::net::TcpStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).await.unwrap();
    read
}

/// File of the CA for a test that [`repeat`] runs.
const CA: &str = "HTTPS_CLIENT_TEST_CA";

/// Runs a test in another process, with these variables.
async fn repeat(test: &'static str, ca: &Ca, variables: &[(&'static str, String)]) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).env(CA, &ca.file);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child.env_remove("REQUEST_METHOD").envs(variables.iter().cloned());
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn tls_of_child() -> Option<Tls> {
    let ca = std::env::var_os(CA)?.into();
    Some(Tls::open(TlsFiles { ca: Some(ca), ..TlsFiles::default() }).unwrap())
}

async fn get_by_proxy(tls: &Tls, url: &str) -> Result<String, reqwest::Error> {
    builder_for(url, tls, Proxies::Environment).build().unwrap().get(url).send().await?.text().await
}

/// Proxy that connects tunnels to one address, and answers forwarded requests itself; with the heads of requests.
async fn proxy(to: SocketAddr) -> (String, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send_head, heads) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let (tunnels, forbids) = (head.starts_with("CONNECT "), head.contains("forbidden"));
            send_head.send(head).await.unwrap();
            if forbids {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
                continue;
            }
            if !tunnels {
                stream.write_all(ANSWER).await.unwrap();
                continue;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            tokio::spawn(async move {
                let mut target = tokio::net::TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
            });
        }
    });
    (url, heads)
}
