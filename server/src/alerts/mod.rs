//! Alerts of the server: evaluates the rules, keeps the states through restarts, and delivers messages.
//!
//! Shares nothing with operations but what it reads of them. Its state is a file of its own: if that is corrupt or
//! can't be written, operations don't notice, and messages are delivered all the same.

mod delivery;
mod dry_run;
mod editing;
mod email;
mod evaluator;
mod failed;
mod figures;
mod mail;
mod message;
mod publisher;
mod readings;
mod rules;
mod settings;
mod state;
mod webhook;

pub use dry_run::DryRunError;
pub use editing::RuleChangeError;
pub use figures::{AlertFigures, MessageFigures};
pub use settings::{
    AlertsConfig, ConfiguredRule, Destination, EmailSettings, Encryption, Login, MessageFormat, SecretUrl,
    Transport,
};

use crate::background::Background;
use crate::monitor::Monitor;
use engine::Engine;
use parking_lot::{Mutex, RwLock};
use protocol::alerts::{AlertList, DryRun, DryRunRequest, NewSilence, RuleList, RuleStatus, Silence};
use protocol::{Action, Actor, AuditEntry, Time};
use rules::{RuleInEffect, merge, warn_of_unused};
use state::{State, StateFile};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{AlertRuleStore, StoreError, StoredRule};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Name of the file with the states.
const FILE: &str = "alerts.json";
/// Longest silence in microseconds: 366 days.
const MAX_SILENCE_MICROS: i64 = 366 * 86_400 * 1_000_000;
/// Largest number of silences.
const MAX_SILENCES: usize = 200;
/// Longest reason of a silence, in characters.
const MAX_REASON_CHARS: usize = 500;

/// Alerts of a server; clones share everything.
#[derive(Clone)]
pub struct Alerts {
    shared: Arc<Shared>,
}

struct Shared {
    config: AlertsConfig,
    state: Mutex<State>,
    file: StateFile,
    rule_store: Arc<dyn AlertRuleStore>,
    /// Rules of users, by name, as they are stored.
    stored_rules: Mutex<Vec<StoredRule>>,
    in_effect: RwLock<Arc<[RuleInEffect]>>,
    /// Number of changes of rules.
    rules_revision: AtomicU64,
    /// Held while a rule is changed: it is checked and stored as one.
    changing: tokio::sync::Mutex<()>,
    /// Wakes the evaluator when a rule was changed.
    edited: Notify,
    /// Wakes the deliveries.
    queued: Notify,
    /// Wakes the publisher.
    changed: Notify,
    /// Newest published revision.
    revision: AtomicU64,
    /// Messages that ended since the server started, by destination.
    ended: Mutex<BTreeMap<String, MessageFigures>>,
}

/// Why a silence was neither created nor ended.
#[derive(thiserror::Error, Debug)]
pub enum SilenceError {
    /// A sentence that names the field.
    #[error("{0}")]
    Invalid(String),
    #[error("The audit log can't be written: {0}")]
    Store(#[from] StoreError),
}

/// What a silence mutes, for the audit log: `rule disk-full, host gpu-1, until 2026-12-01T10:00:00Z: new disk`.
fn detail_of(silence: &Silence) -> String {
    let mut parts = Vec::new();
    parts.extend(silence.rule.as_ref().map(|rule| format!("rule {rule}")));
    parts.extend(silence.host.as_ref().map(|host| format!("host {host}")));
    parts.extend(silence.kind.as_ref().map(|kind| format!("kind {kind}")));
    if parts.is_empty() {
        parts.push("all alerts".to_owned());
    }
    parts.push(format!("until {}", silence.until));
    format!("{}: {}", parts.join(", "), silence.reason)
}

impl Shared {
    /// Adds an entry to the audit log.
    async fn note(&self, action: Action, detail: String, by: &Actor) -> Result<(), StoreError> {
        let entry = AuditEntry { detail, ..AuditEntry::new(Time::now(), action, by.clone()) };
        self.in_store(move |store| store.add_audit_entry(&entry)).await
    }

    /// Alerts, resolved ones, silences and receipts.
    fn list(&self) -> AlertList {
        // Read before the data: a later change has a later revision.
        let revision = self.revision.load(Ordering::SeqCst);
        let rules_revision = self.rules_revision.load(Ordering::SeqCst);
        AlertList { rules_revision, ..self.state.lock().list(revision, Time::now()) }
    }

    /// Rules in effect.
    fn rules(&self) -> Arc<[RuleInEffect]> {
        self.in_effect.read().clone()
    }

    /// A rule as on the wire.
    fn status(&self, rule: &RuleInEffect) -> RuleStatus {
        let RuleInEffect { rule, enabled, origin, revision, built_in, changed } = rule;
        RuleStatus {
            rule: rule.spec().clone(),
            sentence: alerts::sentence::of_rule(rule),
            enabled: *enabled && self.config.enabled,
            origin: *origin,
            revision: *revision,
            defined_in: if origin.is_configured() { self.config.file_name() } else { String::new() },
            built_in: built_in.clone(),
            changed: changed.clone(),
            has_history: matches!(rule.metric, alerts::Metric::History(_)),
            firing: self.state.lock().firing(&rule.name),
        }
    }

    /// Makes the state durable. A failure is logged; everything continues from memory.
    async fn save(&self) {
        self.file.save(|| self.state.lock().stored(), || {}).await;
    }
}

impl Alerts {
    /// Reads the states of the last run, and the rules of users.
    ///
    /// # Errors
    /// If the rules can't be read.
    pub fn open(
        folder: &Path,
        config: AlertsConfig,
        rule_store: Arc<dyn AlertRuleStore>,
    ) -> Result<Self, StoreError> {
        let stored_rules = rule_store.alert_rules()?;
        let in_effect = merge(&config.rules, &stored_rules);
        warn_of_unused(&in_effect, &stored_rules);
        let (file, stored) = StateFile::open(&folder.join(FILE));
        let mut state = State::new(stored);
        state.give_up_unknown(&config.destinations);
        let shared = Shared {
            config,
            state: Mutex::new(state),
            file,
            rule_store,
            stored_rules: Mutex::new(stored_rules),
            in_effect: RwLock::new(in_effect.into()),
            rules_revision: AtomicU64::new(0),
            changing: tokio::sync::Mutex::default(),
            edited: Notify::new(),
            queued: Notify::new(),
            changed: Notify::new(),
            revision: AtomicU64::new(0),
            ended: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Evaluates and delivers until `stop` is cancelled.
    pub fn run(&self, engine: &Engine, monitor: &Monitor, stop: &CancellationToken) -> Background {
        let mut tasks = Background::until(stop);
        if !self.shared.config.enabled {
            return tasks;
        }
        tasks.spawn(evaluator::evaluate(self.shared.clone(), engine.clone(), monitor.clone()));
        tasks.spawn(publisher::publish(self.shared.clone(), engine.clone()));
        for destination in self.shared.config.destinations.clone() {
            tasks.spawn(delivery::deliver(self.shared.clone(), destination));
        }
        tasks
    }

    /// Alerts, resolved ones, silences and receipts.
    pub fn list(&self) -> AlertList {
        self.shared.list()
    }

    /// Alerts and messages in figures.
    pub fn figures(&self) -> AlertFigures {
        AlertFigures::read(&self.shared)
    }

    /// All rules, including rules that are switched off.
    pub fn rules(&self) -> RuleList {
        let rules = self.shared.rules();
        RuleList { rules: rules.iter().map(|rule| self.shared.status(rule)).collect() }
    }

    /// Mutes notifications of alerts until a time.
    ///
    /// # Errors
    /// [`SilenceError`]; then nothing is changed.
    pub async fn silence(&self, new: NewSilence, by: Actor) -> Result<Silence, SilenceError> {
        let _changing = self.shared.changing.lock().await;
        let now = Time::now();
        let reason = new.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
            return Err(SilenceError::Invalid(format!(
                "`reason` must have 1 to {MAX_REASON_CHARS} characters."
            )));
        }
        if new.until <= now || new.until > now.plus_micros(MAX_SILENCE_MICROS) {
            return Err(SilenceError::Invalid("`until` must be in the future, and within a year.".into()));
        }
        if let Some(rule) = &new.rule
            && !self.shared.rules().iter().any(|known| known.rule.name == *rule)
        {
            let why = format!("There is no rule named '{rule}'. See /api/v1/alerts/rules.");
            return Err(SilenceError::Invalid(why));
        }
        let silence = Silence {
            id: uuid::Uuid::now_v7().to_string(),
            rule: new.rule,
            host: new.host,
            kind: new.kind,
            reason,
            created_at: now,
            until: new.until,
            by,
        };
        let silences = {
            let mut state = self.shared.state.lock();
            state.end_expired_silences(now);
            state.silences().len()
        };
        if silences >= MAX_SILENCES {
            return Err(SilenceError::Invalid(format!(
                "There are already {MAX_SILENCES} silences, so no other silence can be created. End a silence first."
            )));
        }
        self.shared.note(Action::SilenceAlerts, detail_of(&silence), &silence.by).await?;
        self.shared.state.lock().add_silence(silence.clone());
        tracing::info!(
            silence = silence.id, rule = silence.rule, host = ?silence.host, kind = ?silence.kind,
            until = %silence.until, reason = silence.reason, by = ?silence.by, "silence created"
        );
        self.shared.save().await;
        self.shared.changed.notify_one();
        Ok(silence)
    }

    /// Ends a silence; false if there is none with this ID.
    ///
    /// # Errors
    /// If its audit entry can't be stored; then nothing is changed.
    pub async fn end_silence(&self, id: &str, by: &Actor) -> Result<bool, SilenceError> {
        let _changing = self.shared.changing.lock().await;
        let found = self.shared.state.lock().silences().iter().find(|silence| silence.id == id).cloned();
        let Some(silence) = found else { return Ok(false) };
        self.shared.note(Action::EndSilence, detail_of(&silence), by).await?;
        // It may have expired in the meantime.
        self.shared.state.lock().remove_silence(id);
        tracing::info!(silence = id, by = ?by, "silence ended");
        self.shared.save().await;
        self.shared.changed.notify_one();
        Ok(true)
    }

    /// When a rule would have fired.
    ///
    /// # Errors
    /// If the rule is invalid or has no history, or the history can't be read.
    pub async fn dry_run(
        &self,
        asked: DryRunRequest,
        engine: &Engine,
        monitor: &Monitor,
    ) -> Result<DryRun, DryRunError> {
        let hosts = engine.hosts().hosts.into_iter().map(|host| host.name).collect();
        dry_run::dry_run(asked, hosts, monitor, Time::now()).await
    }
}
