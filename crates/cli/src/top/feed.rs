//! Feed: a snapshot, then the events after it, over a connection of its own that is opened again when it breaks.

use backoff::Backoff;
use client::{Client, ClientError, PoolError, SseStream};
use protocol::api::Snapshot;
use protocol::event::{Beat, Hello};
use protocol::{Event, InstanceId, Time};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// Pause after a stream that ended without an error.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);

/// Message of the feed.
pub enum Message {
    Snapshot(Box<Snapshot>),
    Event(Box<Event>),
    /// Nothing new; the server's clock.
    Alive(Time),
    /// The connection has a problem; a sentence.
    Trouble(String),
}

/// The view was closed.
struct Closed;

/// Sends messages until the view is closed.
pub async fn follow(client: Client, to: Sender<Message>) {
    let mut backoff = Backoff::default();
    loop {
        let error = match client.snapshot().await {
            Ok(snapshot) => {
                let (server, seq) = (snapshot.server, snapshot.seq);
                if to.send(Message::Snapshot(Box::new(snapshot))).await.is_err() {
                    return;
                }
                match events(&client, &to, server, seq, &mut backoff).await {
                    Ok(()) => continue,
                    Err(Closed) => return,
                }
            }
            Err(error) => sentence_of(&error),
        };
        if to.send(Message::Trouble(error)).await.is_err() {
            return;
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Sends events until another snapshot is needed.
async fn events(
    client: &Client,
    to: &Sender<Message>,
    server: InstanceId,
    mut after: u64,
    backoff: &mut Backoff,
) -> Result<(), Closed> {
    loop {
        let broken = match client.all_events(after).await {
            Ok(stream) => match read(stream, to, server, &mut after, backoff).await? {
                Read::Reset => return Ok(()),
                Read::Broken(error) => error,
            },
            Err(error) => Some(error),
        };
        let pause = match broken {
            None => REOPEN_PAUSE,
            Some(error) => {
                to.send(Message::Trouble(error.to_string())).await.map_err(|_| Closed)?;
                backoff.next()
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Why a stream ended.
enum Read {
    /// The events after it are lost.
    Reset,
    Broken(Option<PoolError>),
}

async fn read(
    mut stream: SseStream,
    to: &Sender<Message>,
    server: InstanceId,
    after: &mut u64,
    backoff: &mut Backoff,
) -> Result<Read, Closed> {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Ok(Read::Broken(Some(error))),
            None => return Ok(Read::Broken(None)),
        };
        *backoff = Backoff::default();
        let next = match message.event.as_str() {
            "message" | "" => match serde_json::from_str::<Event>(&message.data) {
                Ok(event) => {
                    *after = event.seq;
                    Message::Event(Box::new(event))
                }
                // An unknown event of a newer server.
                Err(_) => continue,
            },
            "hello" => match serde_json::from_str::<Hello>(&message.data) {
                // Another start of the server may have other hosts.
                Ok(hello) if hello.server != server => return Ok(Read::Reset),
                Ok(hello) => Message::Alive(hello.now),
                Err(_) => continue,
            },
            "reset" => return Ok(Read::Reset),
            _ => match serde_json::from_str::<Beat>(&message.data) {
                Ok(beat) => Message::Alive(beat.now),
                Err(_) => continue,
            },
        };
        to.send(next).await.map_err(|_| Closed)?;
    }
}

fn sentence_of(error: &ClientError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
