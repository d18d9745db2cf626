//! Alerts by e-mail, against mail servers that speak SMTP with and without TLS and login, refuse, hang or are away.

use crate::process::{Home, PATIENCE};
use protocol::alerts::{AlertList, Delivery, DeliveryState};
use protocol::paths;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Password of the mail servers that ask for one.
const PASSWORD: &str = "s3cret-7f3a";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    None,
    Starttls,
    Implicit,
}

/// How a mail server treats its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Accepts,
    /// Accepts after a login only.
    AsksForLogin,
    /// Refuses the recipient for good.
    Refuses,
    /// Refuses the first message for now.
    Greylists,
    /// Accepts connections and says nothing.
    Hangs,
    /// Says nothing after it accepted a message.
    HangsAtTheEnd,
}

/// Received mail.
#[derive(Debug)]
struct Mail {
    from: String,
    to: Vec<String>,
    /// Headers and text.
    content: String,
    encrypted: bool,
    user: Option<String>,
}

impl Mail {
    /// Text, decoded if it is quoted-printable.
    fn text(&self) -> String {
        let (_, body) = self.content.split_once("\r\n\r\n").unwrap();
        let quoted = self.content.contains("quoted-printable");
        let mut text = Vec::new();
        let mut bytes = body.replace(if quoted { "=\r\n" } else { "\0" }, "").into_bytes().into_iter();
        while let Some(byte) = bytes.next() {
            if quoted && byte == b'=' {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                text.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                text.push(byte);
            }
        }
        String::from_utf8(text).unwrap().replace("\r\n", "\n")
    }

    fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.content.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }
}

/// Mail server.
struct MailServer {
    port: u16,
    mails: mpsc::Receiver<Mail>,
    connections: Arc<AtomicU32>,
}

impl MailServer {
    async fn start(encryption: Encryption, manner: Manner, certificate: Option<&Certificate>) -> Self {
        let (sender, mails) = mpsc::channel(100);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicU32::new(0));
        let tls = certificate.map(|certificate| certificate.acceptor.clone());
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let nth = count.fetch_add(1, Ordering::SeqCst);
                let session = Session { encryption, manner, nth, tls: tls.clone(), mails: sender.clone() };
                // A client that goes away ends its session only.
                tokio::spawn(async move { session.serve(stream).await });
            }
        });
        Self { port, mails, connections }
    }

    async fn next(&mut self) -> Mail {
        tokio::time::timeout(PATIENCE, self.mails.recv()).await.expect("no mail came").unwrap()
    }
}

struct Session {
    encryption: Encryption,
    manner: Manner,
    /// Number of earlier connections.
    nth: u32,
    tls: Option<TlsAcceptor>,
    mails: mpsc::Sender<Mail>,
}

impl Session {
    async fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        match (self.encryption, self.tls.clone()) {
            (Encryption::Implicit, Some(tls)) => {
                let stream = tls.accept(stream).await?;
                self.talk(&mut BufReader::new(stream), true, true).await?;
            }
            (Encryption::Starttls, Some(tls)) => {
                let mut stream = BufReader::new(stream);
                if self.talk(&mut stream, false, true).await? {
                    let stream = tls.accept(stream.into_inner()).await?;
                    self.talk(&mut BufReader::new(stream), true, false).await?;
                }
            }
            _ => {
                self.talk(&mut BufReader::new(stream), false, true).await?;
            }
        }
        Ok(())
    }

    /// Serves commands; true if the client wants to begin TLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
        encrypted: bool,
        greet: bool,
    ) -> std::io::Result<bool> {
        if self.manner == Manner::Hangs {
            std::future::pending::<()>().await;
        }
        if greet {
            respond(stream, "220 mail.example.org ESMTP").await?;
        }
        let (mut from, mut to, mut user) = (String::new(), Vec::new(), None);
        let starttls = self.encryption == Encryption::Starttls;
        loop {
            let Some(line) = read(stream).await? else { return Ok(false) };
            let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            let needs_login = self.manner == Manner::AsksForLogin && user.is_none();
            match verb.as_str() {
                "EHLO" if starttls && !encrypted => {
                    respond(stream, "250-mail.example.org\r\n250 STARTTLS").await?
                }
                "EHLO" => {
                    respond(stream, "250-mail.example.org\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN").await?
                }
                "STARTTLS" => {
                    respond(stream, "220 go ahead").await?;
                    return Ok(true);
                }
                "AUTH" => match login(&line) {
                    Some(name) => {
                        user = Some(name);
                        respond(stream, "235 welcome").await?;
                    }
                    None => respond(stream, "535 5.7.8 wrong user or password").await?,
                },
                "MAIL" if needs_login => respond(stream, "530 5.7.0 authentication required").await?,
                "MAIL" if self.manner == Manner::Greylists && self.nth == 0 => {
                    respond(stream, "451 4.7.1 come back later").await?;
                }
                "MAIL" => {
                    from = address(&line);
                    respond(stream, "250 ok").await?;
                }
                "RCPT" if self.manner == Manner::Refuses => {
                    respond(stream, "550 5.1.1 no such mailbox").await?
                }
                "RCPT" => {
                    to.push(address(&line));
                    respond(stream, "250 ok").await?;
                }
                "DATA" => {
                    respond(stream, "354 send it").await?;
                    let mut content = String::new();
                    loop {
                        let Some(line) = read(stream).await? else { return Ok(false) };
                        if line == "." {
                            break;
                        }
                        content.push_str(line.strip_prefix('.').unwrap_or(&line));
                        content.push_str("\r\n");
                    }
                    let (from, to) = (std::mem::take(&mut from), std::mem::take(&mut to));
                    // The test may have ended.
                    let _ = self.mails.send(Mail { from, to, content, encrypted, user: user.clone() }).await;
                    respond(stream, "250 2.0.0 queued").await?;
                    if self.manner == Manner::HangsAtTheEnd {
                        std::future::pending::<()>().await;
                    }
                }
                "QUIT" => {
                    respond(stream, "221 bye").await?;
                    return Ok(false);
                }
                _ => respond(stream, "502 not implemented").await?,
            }
        }
    }
}

async fn respond<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    text: &str,
) -> std::io::Result<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.get_mut().flush().await
}

async fn read<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap().to_owned()
}

/// User of a correct `AUTH PLAIN`, which is `\0user\0password` in Base64.
fn login(line: &str) -> Option<String> {
    let given = line.split_whitespace().nth(2)?;
    let expected = "AHNpZ25hbGJveABzM2NyZXQtN2YzYQ==";
    (given == expected).then(|| "signalbox".to_owned())
}

/// Certificate of `localhost`.
struct Certificate {
    file: PathBuf,
    acceptor: TlsAcceptor,
}

impl Certificate {
    fn new(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = folder.join("mail.pem");
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        Self { file, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// Configuration with an unreachable host, and these destinations.
fn configuration(destinations: &str) -> String {
    format!(
        "[[host]]\nname = 'gpu-1'\nurl = 'http://127.0.0.1:9'\n\
         [alerts]\ninterval = 0.1\ngroup_wait = 0.1\nexternal_url = 'https://signalbox.example.org'\n\
         [[alerts.rule]]\nname = 'host-unreachable'\nfor = 0.1\n{destinations}"
    )
}

/// Destination that sends to a mail server.
fn destination(name: &str, port: u16, more: &str) -> String {
    format!(
        "[[alerts.email]]\nname = '{name}'\nserver = 'localhost'\nport = {port}\npause = 0.01\n\
         from = 'Signalbox <signalbox@example.org>'\nto = ['ops@example.org', 'Night <night@example.org>']\n{more}\n"
    )
}

/// Receipts of all destinations, once each message has ended.
async fn receipts(server: &crate::process::Server, count: usize) -> Vec<Delivery> {
    let ended = async {
        loop {
            let list: AlertList = server.pool.get(paths::ALERTS).await.unwrap();
            let ended = list.deliveries.iter().filter(|of| of.state != DeliveryState::Waiting).count();
            if ended == count {
                return list.deliveries;
            }
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("the messages never ended")
}

fn outcome(receipts: &[Delivery], name: &str) -> (DeliveryState, u32, Option<u16>) {
    let receipt = receipts.iter().find(|receipt| receipt.destination == name).unwrap();
    (receipt.state, receipt.tries, receipt.status)
}

#[tokio::test]
async fn an_alert_is_mailed_with_and_without_tls_and_after_a_login() {
    let home = Home::new();
    let certificate = Certificate::new(home.path());
    let password = home.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let mut plain = MailServer::start(Encryption::None, Manner::Accepts, None).await;
    let mut starttls =
        MailServer::start(Encryption::Starttls, Manner::AsksForLogin, Some(&certificate)).await;
    let mut implicit =
        MailServer::start(Encryption::Implicit, Manner::AsksForLogin, Some(&certificate)).await;
    let login = format!("user = 'signalbox'\npassword_file = '{}'", password.display());
    let destinations = [
        destination("plain", plain.port, "encryption = 'none'"),
        destination("starttls", starttls.port, &login),
        destination("implicit", implicit.port, &format!("encryption = 'tls'\n{login}")),
        // The server of this one asks for a login that it does not have.
        destination("stranger", implicit.port, "encryption = 'tls'"),
    ];
    let mut command = home.configured(&configuration(&destinations.concat()));
    let log = home.path().join("log");
    command.env("SSL_CERT_FILE", &certificate.file).env("SIGNALBOX_LOG", "trace");
    command.stderr(std::fs::File::create(&log).unwrap());
    let server = home.serve_by(command);
    for (mail_server, encrypted) in [(&mut plain, false), (&mut starttls, true), (&mut implicit, true)] {
        let mail = mail_server.next().await;
        assert_eq!((mail.encrypted, mail.user.is_some()), (encrypted, encrypted), "{mail:?}");
        assert_eq!(mail.from, "signalbox@example.org");
        assert_eq!(mail.to, ["ops@example.org", "night@example.org"]);
        assert_eq!(mail.header("Subject"), "[Signalbox] Firing: gpu-1 is unreachable");
        let text = mail.text();
        for part in [
            "gpu-1 is unreachable.",
            "critical",
            "host-unreachable",
            "https://signalbox.example.org/hosts/gpu-1?",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    let receipts = receipts(&server, 4).await;
    for name in ["plain", "starttls", "implicit"] {
        assert_eq!(outcome(&receipts, name), (DeliveryState::Delivered, 1, Some(250)), "{receipts:?}");
    }
    assert_eq!(outcome(&receipts, "stranger"), (DeliveryState::GaveUp, 1, Some(530)), "{receipts:?}");
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains(PASSWORD) && !log.contains("AHNpZ25hbGJveA"), "the password is in the log");
}

#[tokio::test]
async fn a_mail_server_that_refuses_hangs_or_is_away_is_tried_as_often_as_that_may_help() {
    let home = Home::new();
    let certificate = Certificate::new(home.path());
    let refusing = MailServer::start(Encryption::None, Manner::Refuses, None).await;
    let hanging = MailServer::start(Encryption::None, Manner::Hangs, None).await;
    let mut greylisting = MailServer::start(Encryption::None, Manner::Greylists, None).await;
    let mut rude = MailServer::start(Encryption::None, Manner::HangsAtTheEnd, None).await;
    let unencrypted = MailServer::start(Encryption::None, Manner::Accepts, None).await;
    let mut untrusted = MailServer::start(Encryption::Implicit, Manner::Accepts, Some(&certificate)).await;
    let destinations = [
        destination("refused", refusing.port, "encryption = 'none'"),
        destination("hanging", hanging.port, "encryption = 'none'\ntimeout = 0.2\ntries = 2"),
        destination("greylisted", greylisting.port, "encryption = 'none'"),
        destination("rude", rude.port, "encryption = 'none'\ntimeout = 30"),
        destination("away", 9, "encryption = 'none'\ntries = 3"),
        destination("clear-text", unencrypted.port, "tries = 2"),
        destination("untrusted", untrusted.port, "encryption = 'tls'\ntries = 2"),
    ];
    let server = home.serve_by(home.configured(&configuration(&destinations.concat())));
    let receipts = receipts(&server, destinations.len()).await;
    for (name, expected) in [
        ("refused", (DeliveryState::GaveUp, 1, Some(550))),
        ("hanging", (DeliveryState::GaveUp, 2, None)),
        ("greylisted", (DeliveryState::Delivered, 2, Some(250))),
        ("rude", (DeliveryState::Delivered, 1, Some(250))),
        ("away", (DeliveryState::GaveUp, 3, None)),
        ("clear-text", (DeliveryState::GaveUp, 2, None)),
        ("untrusted", (DeliveryState::GaveUp, 2, None)),
    ] {
        assert_eq!(outcome(&receipts, name), expected, "{receipts:?}");
    }
    let refused = receipts.iter().find(|receipt| receipt.destination == "refused").unwrap();
    assert_eq!(refused.error, "the mail server responded with 550 5.1.1 no such mailbox");
    assert!(
        refused.address.contains("ops@example.org") && refused.address.contains("localhost"),
        "{refused:?}"
    );
    let id = |mail: &Mail| mail.header("Message-ID").to_owned();
    assert!(id(&greylisting.next().await).starts_with('<'));
    rude.next().await;
    assert!(rude.mails.try_recv().is_err(), "one mail for one outage");
    assert!(untrusted.mails.try_recv().is_err() && hanging.connections.load(Ordering::SeqCst) == 2);
}
