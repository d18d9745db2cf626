//! State of all alerts, in memory and in its file.

use super::message::Notice;
use super::settings::Destination;
use alerts::{AlertGroups, AlertKey, Memory};
use host_kit::AtomicFile;
use protocol::Time;
use protocol::alerts::{Alert, AlertList, AlertState, AlertSubject, Delivery, DeliveryState, Silence};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// Version of the file.
const VERSION: u32 = 1;
/// Largest number of resolved alerts that are kept.
const MAX_RECENT: usize = 200;
/// Largest number of receipts that are kept.
const MAX_RECEIPTS: usize = 200;
/// Largest number of messages that wait for delivery; beyond it, the oldest one is given up.
const MAX_WAITING: usize = 1_000;

/// Content of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Stored {
    version: u32,
    memories: Vec<(AlertKey, Memory)>,
    #[serde(alias = "outages")]
    groups: AlertGroups,
    recent: Vec<Alert>,
    silences: Vec<Silence>,
    outbox: Vec<Queued>,
}

/// Message to one destination, with its receipt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queued {
    pub receipt: Delivery,
    /// Content, until it is delivered or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// State of all alerts.
#[derive(Debug, Default)]
pub(super) struct State {
    pub memories: BTreeMap<AlertKey, Memory>,
    pub groups: AlertGroups,
    /// Resolved alerts, oldest first.
    recent: Vec<Alert>,
    silences: Vec<Silence>,
    outbox: Vec<Queued>,
    /// Alerts as of the last evaluation.
    pub current: Vec<Alert>,
}

impl State {
    pub fn new(stored: Stored) -> Self {
        Self {
            memories: stored.memories.into_iter().collect(),
            groups: stored.groups,
            recent: stored.recent,
            silences: stored.silences,
            outbox: stored.outbox,
            current: Vec::new(),
        }
    }

    pub fn stored(&self) -> Stored {
        Stored {
            version: VERSION,
            memories: self.memories.iter().map(|(key, memory)| (key.clone(), memory.clone())).collect(),
            groups: self.groups.clone(),
            recent: self.recent.clone(),
            silences: self.silences.clone(),
            outbox: self.outbox.clone(),
        }
    }

    /// The list at a revision that was read before.
    pub fn list(&self, revision: u64, now: Time) -> AlertList {
        let mut alerts = self.current.clone();
        for alert in &mut alerts {
            alert.silence =
                self.silence_of(&alert.rule, &alert.subject, now).map(|silence| silence.id.clone());
        }
        AlertList {
            now,
            revision,
            rules_revision: 0,
            alerts,
            recent: self.recent.iter().rev().cloned().collect(),
            silences: self.silences.iter().filter(|silence| silence.until > now).cloned().collect(),
            deliveries: self
                .outbox
                .iter()
                .rev()
                .map(|queued| queued.receipt.clone())
                .take(MAX_RECEIPTS)
                .collect(),
        }
    }

    /// Number of alerts of a rule that fire or recover.
    pub fn firing(&self, rule: &str) -> u32 {
        let firing = |(key, memory): &(&AlertKey, &Memory)| {
            key.rule == rule && memory.is_active() && memory.state != AlertState::Unknown
        };
        self.memories.iter().filter(firing).count() as u32
    }

    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    pub fn add_silence(&mut self, silence: Silence) {
        self.silences.push(silence);
    }

    /// Whether there was one with this ID.
    pub fn remove_silence(&mut self, id: &str) -> bool {
        let before = self.silences.len();
        self.silences.retain(|silence| silence.id != id);
        self.silences.len() < before
    }

    pub fn end_expired_silences(&mut self, now: Time) {
        self.silences.retain(|silence| silence.until > now);
    }

    /// Silence that holds back the messages of an alert.
    pub fn silence_of(&self, rule: &str, subject: &AlertSubject, now: Time) -> Option<&Silence> {
        self.silences.iter().find(|silence| {
            silence.until > now
                && silence.rule.as_deref().is_none_or(|of| of == rule)
                && silence.host.as_ref().is_none_or(|of| subject.host.as_ref() == Some(of))
                && silence.kind.as_ref().is_none_or(|of| subject.kind.as_ref() == Some(of))
        })
    }

    /// Alert of a rule and subject as of the last evaluation.
    pub fn current_of(&self, key: &AlertKey) -> Option<&Alert> {
        self.current.iter().find(|alert| alert.rule == key.rule && alert.subject == key.subject)
    }

    /// Adds an alert to the resolved ones.
    pub fn resolve(&mut self, alert: Alert, fired_at: Time, now: Time) {
        tracing::info!(rule = alert.rule, alert = alert.sentence, "alert resolved");
        self.recent.push(Alert {
            state: AlertState::Inactive,
            fired_at: Some(fired_at),
            resolved_at: Some(now),
            ..alert
        });
        let surplus = self.recent.len().saturating_sub(MAX_RECENT);
        self.recent.drain(..surplus);
    }

    /// Newest resolved alert of a rule and subject.
    pub fn resolved(&self, rule: &str, subject: &AlertSubject) -> Option<&Alert> {
        self.recent.iter().rev().find(|alert| alert.rule == rule && alert.subject == *subject)
    }

    /// Queues a message.
    pub fn queue(&mut self, destination: &Destination, notice: Notice, now: Time) {
        let receipt = Delivery {
            id: uuid::Uuid::now_v7().to_string(),
            destination: destination.name.clone(),
            address: destination.transport.to_string(),
            title: notice.title.clone(),
            created_at: now,
            state: DeliveryState::Waiting,
            tries: 0,
            status: None,
            error: String::new(),
            next_try_at: None,
        };
        self.outbox.push(Queued { receipt, notice: Some(notice) });
        let waiting = self.outbox.iter().filter(|queued| queued.notice.is_some()).count();
        if waiting > MAX_WAITING
            && let Some(oldest) = self.outbox.iter_mut().find(|queued| queued.notice.is_some())
        {
            oldest.give_up("too many notifications are waiting for delivery");
        }
        let ended = self.outbox.iter().filter(|queued| queued.notice.is_none()).count();
        let mut surplus = ended.saturating_sub(MAX_RECEIPTS);
        self.outbox.retain(|queued| {
            let drop = queued.notice.is_none() && surplus > 0;
            surplus -= usize::from(drop);
            !drop
        });
    }

    /// Oldest message that waits for a destination.
    pub fn next_for(&self, destination: &str) -> Option<Queued> {
        let waiting = self.outbox.iter().find(|queued| {
            queued.receipt.destination == destination && queued.receipt.state == DeliveryState::Waiting
        });
        waiting.cloned()
    }

    /// Number of messages that wait for a destination.
    pub fn waiting_for(&self, destination: &str) -> u64 {
        let waits = |queued: &&Queued| queued.notice.is_some() && queued.receipt.destination == destination;
        self.outbox.iter().filter(waits).count() as u64
    }

    /// Replaces a message by its newer state.
    pub fn replace(&mut self, newer: &Queued) {
        replace(&mut self.outbox, newer);
    }

    /// Gives up messages to destinations that are no longer configured.
    pub fn give_up_unknown(&mut self, destinations: &[Destination]) {
        for queued in &mut self.outbox {
            let known = destinations.iter().any(|known| known.name == queued.receipt.destination);
            if !known && queued.notice.is_some() {
                queued.give_up("the destination is no longer configured");
            }
        }
    }
}

impl Stored {
    /// The same with a newer state of a message.
    #[must_use]
    pub fn with(mut self, newer: &Queued) -> Self {
        replace(&mut self.outbox, newer);
        self
    }
}

fn replace(outbox: &mut [Queued], newer: &Queued) {
    if let Some(queued) = outbox.iter_mut().find(|queued| queued.receipt.id == newer.receipt.id) {
        queued.clone_from(newer);
    }
}

impl Queued {
    pub fn give_up(&mut self, why: &str) {
        self.receipt.state = DeliveryState::GaveUp;
        self.receipt.next_try_at = None;
        self.receipt.error = why.to_owned();
        self.notice = None;
    }
}

/// File of the state.
pub(super) struct StateFile {
    path: PathBuf,
    /// One write at a time, so that an older state never replaces a newer one.
    writing: Mutex<()>,
    in_trouble: AtomicBool,
}

impl StateFile {
    /// Reads the file. A corrupt one is set aside, and a new one begun.
    pub fn open(path: &Path) -> (Self, Stored) {
        let file =
            Self { path: path.to_owned(), writing: Mutex::default(), in_trouble: AtomicBool::new(false) };
        let stored = match std::fs::read(path) {
            Ok(bytes) => match serde_json::from_slice::<Stored>(&bytes) {
                Ok(stored) if stored.version == VERSION => Some(stored),
                Ok(stored) => {
                    tracing::error!(
                        version = stored.version,
                        "a newer version of Signalbox wrote the stored alerts, so they can't be read"
                    );
                    None
                }
                Err(error) => {
                    tracing::error!(%error, "the stored alerts are corrupt");
                    None
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (file, Stored::default()),
            Err(error) => {
                tracing::error!(%error, "the stored alerts can't be read");
                None
            }
        };
        let stored = stored.unwrap_or_else(|| {
            let aside = path.with_extension("json.corrupt");
            tracing::error!(aside = %aside.display(), "renaming the file of the stored alerts, and continuing without them");
            if let Err(error) = std::fs::rename(path, &aside) {
                tracing::error!(%error, "can't rename the file of the stored alerts; the next change overwrites it");
            }
            Stored::default()
        });
        (file, stored)
    }

    /// Writes the newest state, and calls `then` before the next write. A failure is logged once.
    pub async fn save(&self, newest: impl FnOnce() -> Stored, then: impl FnOnce()) {
        let _writing = self.writing.lock().await;
        let (stored, path) = (newest(), self.path.clone());
        let written = tokio::task::spawn_blocking(move || {
            let bytes = serde_json::to_vec(&stored)?;
            // Sentences and reasons may be confidential.
            let mut file = AtomicFile::private(&path)?;
            file.write_all(&bytes)?;
            file.commit()
        });
        match written.await.map_err(std::io::Error::other).flatten() {
            Ok(()) if self.in_trouble.swap(false, Ordering::Relaxed) => {
                tracing::info!("the states of alerts are stored again");
            }
            Ok(()) => {}
            Err(error) if !self.in_trouble.swap(true, Ordering::Relaxed) => {
                tracing::error!(%error, path = %self.path.display(), "can't store the states of alerts; retrying at the next change");
            }
            Err(_) => {}
        }
        then();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_file_is_set_aside_and_a_new_one_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.json");
        std::fs::write(&path, "{damaged").unwrap();
        let (_, stored) = StateFile::open(&path);
        assert!(stored.memories.is_empty());
        assert_eq!(std::fs::read(folder.path().join("alerts.json.corrupt")).unwrap(), b"{damaged");
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_state_is_read_as_it_was_written_and_only_by_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.json");
        let (file, stored) = StateFile::open(&path);
        let mut state = State::new(stored);
        let key = AlertKey { rule: "busy".into(), subject: AlertSubject::default() };
        state.memories.insert(key.clone(), Memory::new(Time::from_micros(7)));
        file.save(|| state.stored(), || {}).await;
        let (_, stored) = StateFile::open(&path);
        assert_eq!(State::new(stored).memories, state.memories);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
