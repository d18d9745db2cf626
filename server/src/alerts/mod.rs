//! Alerts of the server: evaluates the rules, keeps the states through restarts, and delivers messages.
//!
//! Shares nothing with operations but what it reads of them. Its state is a file of its own: if that is corrupt or can't
//! be written, operations don't notice, and messages are delivered all the same.

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
use protocol::{Actor, Time};
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

impl Shared {
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

    /// Adds a silence.
    ///
    /// # Errors
    /// A sentence if it has no reason or no valid end, or names an unknown rule.
    pub async fn silence(&self, new: NewSilence, by: Actor) -> Result<Silence, String> {
        let now = Time::now();
        let reason = new.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
            return Err(format!("`reason` must have 1 to {MAX_REASON_CHARS} characters."));
        }
        if new.until <= now || new.until > now.plus_micros(MAX_SILENCE_MICROS) {
            return Err("`until` must be in the future, and within a year.".into());
        }
        if let Some(rule) = &new.rule
            && !self.shared.rules().iter().any(|known| known.rule.name == *rule)
        {
            return Err(format!("There is no rule named '{rule}'. See /api/v1/alerts/rules."));
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
        {
            let mut state = self.shared.state.lock();
            state.end_expired_silences(now);
            if state.silences().len() >= MAX_SILENCES {
                return Err(format!(
                    "There are already {MAX_SILENCES} silences, so no other silence can be created. End a silence first."
                ));
            }
            state.add_silence(silence.clone());
        }
        tracing::info!(
            silence = silence.id, rule = silence.rule, host = ?silence.host, kind = ?silence.kind,
            until = %silence.until, reason = silence.reason, by = ?silence.by, "silence created"
        );
        self.shared.save().await;
        self.shared.changed.notify_one();
        Ok(silence)
    }

    /// Ends a silence; false if there is none with this ID.
    pub async fn end_silence(&self, id: &str, by: &Actor) -> bool {
        if !self.shared.state.lock().remove_silence(id) {
            return false;
        }
        tracing::info!(silence = id, by = ?by, "silence ended");
        self.shared.save().await;
        self.shared.changed.notify_one();
        true
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
