//! Link to one host: connects, follows its feed, detects silence, reconnects.
//!
//! Talks to the host and to the coordinator, and decides nothing; the coordinator knows what a report means for an
//! operation.

use crate::clock::Exchange;
use crate::command::{Command, CoordinatorSender};
use crate::host_registry::LastWord;
use pool::{Backoff, Pool, PoolError, Sse};
use protocol::host::{About, Health, HostBeat, HostEvent, HostEventBody, HostOperations, Outcome};
use protocol::{HostName, InstanceId, OperationId, Time};
use std::time::Duration;
use store::Room;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Timeout of requests about the host itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Number of consecutive feeds shorter than [`MIN_FEED_DURATION`] after which the feed counts as unusable, although the
/// host answers.
const MAX_SHORT_FEEDS: u32 = 5;
const MIN_FEED_DURATION: Duration = Duration::from_secs(1);
/// Shortest time between two requests for the kinds of a host.
const OFFERS_INTERVAL: Duration = Duration::from_secs(1);
/// Largest number of events per command to the coordinator.
const MAX_BATCH_EVENTS: usize = 512;

/// Everything a link needs.
pub(crate) struct HostConnection {
    pub(crate) host: HostName,
    pub(crate) pool: Pool,
    pub(crate) coordinator: CoordinatorSender,
    pub(crate) last_word: LastWord,
    /// While the store can't take more, the host keeps its reports.
    pub(crate) room: Room,
    /// Time without any data after which the host counts as unreachable.
    pub(crate) silence: Duration,
    pub(crate) health_every: Duration,
    /// Interval at which the host's operations are compared with what its feed reported.
    pub(crate) scan_every: Duration,
    pub(crate) stop: CancellationToken,
    /// Signals that the host has just connected: its health is needed before anything is placed on it.
    pub(crate) met: Notify,
    /// An operation succeeded: what it stored may be offered as a value of params now.
    pub(crate) succeeded: Notify,
}

/// Reason why a feed ended.
enum Parted {
    /// The stream broke or ended; the host may still be reachable.
    Broken(String),
    /// The host no longer has the position in the feed.
    Reset,
    /// The coordinator is gone.
    Over,
}

impl HostConnection {
    /// Runs until it is stopped.
    pub(crate) async fn run(self) {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = async { tokio::join!(self.follow_for_ever(), self.watch_health(), self.watch_offers(), self.scan()); } => {}
        }
    }

    async fn follow_for_ever(&self) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(3));
        let mut reset = false;
        let mut short = 0;
        loop {
            let why = match self.meet(reset).await {
                Ok((instance, after)) => {
                    let begun = Instant::now();
                    let parted = self.follow(instance, after).await;
                    if begun.elapsed() >= MIN_FEED_DURATION {
                        short = 0;
                        backoff.reset();
                    } else {
                        short += 1;
                    }
                    match parted {
                        Parted::Over => return,
                        Parted::Reset => {
                            reset = true;
                            continue;
                        }
                        Parted::Broken(why) => {
                            reset = false;
                            // A stream may break although the host is reachable; reconnect before reporting it.
                            tracing::info!(host = %self.host, why, "host feed interrupted");
                            if !self.quiet() && short < MAX_SHORT_FEEDS {
                                tokio::time::sleep(Duration::from_millis(20)).await;
                                continue;
                            }
                            why
                        }
                    }
                }
                Err(None) => return,
                Err(Some(error)) => error.to_string(),
            };
            let command = Command::HostDown { host: self.host.clone(), why };
            if self.coordinator.send(command).await.is_err() {
                return;
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Whether there was no data for the time of silence.
    fn quiet(&self) -> bool {
        self.last_word.silent_for(Instant::now()).is_none_or(|silent| silent >= self.silence)
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<(T, Exchange), PoolError> {
        let (asked, begun) = (Time::now(), Instant::now());
        let answer =
            tokio::time::timeout(ANSWER_TIMEOUT, self.pool.get::<T>(path)).await.map_err(|_| {
                PoolError::Timeout {
                    url: format!("{}{path}", self.pool.base_url()),
                    after: ANSWER_TIMEOUT,
                    what: "answer",
                }
            })??;
        let took = begun.elapsed();
        self.last_word.note();
        Ok((answer, Exchange { asked, answered: Time::now(), took }))
    }

    /// Requests the host's identity and operations; the coordinator returns the position from which to follow.
    async fn meet(&self, reset: bool) -> Result<(InstanceId, u64), Option<PoolError>> {
        let (about, clock) = self.ask::<About>("/host/v1/about").await.map_err(Some)?;
        let (list, _) = self.ask::<HostOperations>("/host/v1/operations").await.map_err(Some)?;
        let instance = about.instance;
        let (reply, after) = oneshot::channel();
        let host = self.host.clone();
        let met = Command::HostUp { host, about: Box::new(about), list, clock, reset, reply };
        self.coordinator.send(met).await.map_err(|_| None)?;
        let after = after.await.map_err(|_| None)?;
        self.met.notify_one();
        Ok((instance, after))
    }

    async fn follow(&self, instance: InstanceId, after: u64) -> Parted {
        let path = format!("/host/v1/events?after={after}&instance={instance}");
        let mut stream = match self.pool.stream(&path, None, ANSWER_TIMEOUT, self.silence).await {
            Ok(stream) => stream,
            Err(error) => return Parted::Broken(error.to_string()),
        };
        let mut events: Vec<HostEvent> = Vec::new();
        loop {
            // Available events go in one batch; only an empty batch waits.
            let next = if events.is_empty() {
                stream.next().await
            } else {
                match tokio::time::timeout(Duration::ZERO, stream.next()).await {
                    Ok(next) if events.len() < MAX_BATCH_EVENTS => next,
                    Ok(next) => {
                        if self.deliver(instance, &mut events).await.is_err() {
                            return Parted::Over;
                        }
                        next
                    }
                    Err(_) => {
                        if self.deliver(instance, &mut events).await.is_err() {
                            return Parted::Over;
                        }
                        continue;
                    }
                }
            };
            let message = match next {
                Some(Ok(message)) => message,
                other => {
                    if self.deliver(instance, &mut events).await.is_err() {
                        return Parted::Over;
                    }
                    return match other {
                        Some(Err(error)) => Parted::Broken(error.to_string()),
                        _ => Parted::Broken(format!("{} closed its feed.", self.pool.base_url())),
                    };
                }
            };
            self.last_word.note();
            match read(&self.host, instance, &message) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => {}
                Err(parted) => {
                    // The events before it are valid.
                    if self.deliver(instance, &mut events).await.is_err() {
                        return Parted::Over;
                    }
                    return parted;
                }
            }
        }
    }

    async fn deliver(&self, instance: InstanceId, events: &mut Vec<HostEvent>) -> Result<(), ()> {
        if events.is_empty() {
            return Ok(());
        }
        self.room.clone().wait().await;
        let events = std::mem::take(events);
        if events.iter().any(|event| succeeded(&event.body)) {
            self.succeeded.notify_one();
        }
        let command = Command::HostEvents { host: self.host.clone(), instance, events };
        self.coordinator.send(command).await.map_err(|_| ())
    }

    /// Regularly compares the host's operations with what its feed reported.
    async fn scan(&self) {
        let mut every = tokio::time::interval(self.scan_every);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The connection has just compared them.
        every.tick().await;
        loop {
            every.tick().await;
            let Ok((list, _)) = self.ask::<HostOperations>("/host/v1/operations").await else { continue };
            if !self.room.is_there() {
                continue;
            }
            let (host, instance) = (self.host.clone(), list.instance);
            if self.coordinator.send(Command::HostHolds { host, instance, list }).await.is_err() {
                return;
            }
        }
    }

    /// Asks again what the host offers after each success: a loaded symbol or a trained model is one more value to
    /// choose.
    async fn watch_offers(&self) {
        loop {
            self.succeeded.notified().await;
            if let Ok((about, _)) = self.ask::<About>("/host/v1/about").await {
                let command = Command::HostOffers { host: self.host.clone(), about: Box::new(about) };
                if self.coordinator.send(command).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(OFFERS_INTERVAL).await;
        }
    }

    async fn watch_health(&self) {
        let mut every = tokio::time::interval(self.health_every);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = self.met.notified() => {}
            }
            // Silence is detected by its feed.
            let host = self.host.clone();
            let command = match self.ask::<Health>("/host/v1/health").await {
                Ok((health, clock)) => Command::HostHealth { host, health: Box::new(health), clock },
                Err(_) => Command::HostHealthUnknown { host },
            };
            if !self.room.is_there() {
                continue;
            }
            if self.coordinator.send(command).await.is_err() {
                return;
            }
        }
    }
}

fn succeeded(body: &HostEventBody) -> bool {
    matches!(body, HostEventBody::Ended { outcome: Outcome::Succeeded, .. })
}

fn read(host: &HostName, instance: InstanceId, message: &Sse) -> Result<Option<HostEvent>, Parted> {
    match message.event.as_str() {
        "message" | "" => event(host, &message.data).map(Some),
        "hello" | "beat" => match serde_json::from_str::<HostBeat>(&message.data) {
            Ok(beat) if beat.instance != instance => Err(Parted::Reset),
            _ => Ok(None),
        },
        "reset" => Err(Parted::Reset),
        _ => Ok(None),
    }
}

/// Parses an event. If only its position is readable, returns an empty event: the host may be newer than this server,
/// and later events still matter. The next comparison finds what it would have said.
fn event(host: &HostName, text: &str) -> Result<HostEvent, Parted> {
    #[derive(serde::Deserialize)]
    struct Place {
        seq: u64,
        at: Time,
        id: OperationId,
        attempt: u32,
    }
    let error = match serde_json::from_str(text) {
        Ok(event) => return Ok(event),
        Err(error) => error,
    };
    tracing::warn!(%host, %error, "skipping an unreadable event of a host");
    match serde_json::from_str::<Place>(text) {
        Ok(Place { seq, at, id, attempt }) => {
            Ok(HostEvent { seq, at, id, attempt, body: HostEventBody::Unknown })
        }
        Err(_) => Err(Parted::Broken(format!("{host} sent an unreadable event: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(data: &str) -> Result<Option<HostEvent>, Parted> {
        let message = Sse { event: String::new(), id: None, data: data.to_owned() };
        read(&"data-1".parse().unwrap(), InstanceId::new(), &message)
    }

    #[test]
    fn an_unknown_record_of_a_newer_host_advances_the_cursor_only() {
        let place =
            format!(r#""seq":7,"at":"2026-11-25T10:00:00Z","id":"{}","attempt":1"#, OperationId::new());
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for said in [
            r#""type":"novel","what":[1,2]"#.to_owned(),
            r#""type":"ended","outcome":"vanished""#.to_owned(),
            format!(r#""type":"ended","outcome":"succeeded","result":{{"document":{deep}}}"#),
        ] {
            let Ok(Some(event)) = read_of(&format!("{{{place},{said}}}")) else { panic!("{said}") };
            assert_eq!((event.seq, event.body), (7, HostEventBody::Unknown));
        }
        let Ok(Some(event)) = read_of(&format!(r#"{{{place},"type":"running"}}"#)) else { panic!() };
        assert_eq!(event.body, HostEventBody::Running);
    }

    #[test]
    fn a_record_without_a_position_ends_the_stream() {
        assert!(matches!(read_of("{"), Err(Parted::Broken(_))));
    }
}
