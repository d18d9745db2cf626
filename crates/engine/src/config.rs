//! Configuration of an engine: hosts and rules. Also describes for the audit log how two configurations differ.

use crate::feed::RingLimits;
use crate::lifecycle::RetryPolicy;
use crate::pace::StallRule;
use pool::PoolConfig;
use protocol::{Action, Actor, AuditEntry, HostName, KindName, Time};
use secrets::SecretKeys;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::Keep;

/// Configured host.
#[derive(Clone, Debug)]
pub struct HostConfig {
    pub name: HostName,
    /// `http://127.0.0.1:7301`
    pub url: String,
    pub pool: PoolConfig,
    /// URL from the configuration, for the audit log; `None` for hosts that the server starts itself, at a new port
    /// each time.
    pub configured_at: Option<String>,
    /// Its work runs entirely in the host's own process, so nothing of it is left after a restart of the host.
    pub in_process: bool,
}

/// Configuration of an engine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub hosts: Vec<HostConfig>,
    /// Time without any data after which a host counts as unreachable.
    pub silence: Duration,
    /// Interval of health checks.
    pub health_every: Duration,
    /// Interval at which the operations of a host are compared with what its feed reported.
    pub scan_every: Duration,
    pub rules: Rules,
    pub ring: RingLimits,
    /// Rewrites parameters for the title of an operation, where a template of its kind does not suffice.
    pub in_words: fn(&KindName, &mut Value),
    /// Keys of secret parameters; without them, no operation with a secret parameter starts.
    pub secret_keys: Option<Arc<SecretKeys>>,
    /// Kind and parameters that the parameters of another kind (a sweep) set. They are stored in clear there, so none
    /// of them may be secret.
    pub sets: fn(&KindName, &Value) -> Option<SetParams>,
}

/// Parameters that an operation sets for operations of another kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetParams {
    pub kind: KindName,
    /// Names of the parameters, each with the parameter that sets it.
    pub params: Vec<(String, &'static str)>,
}

/// Rules for operations.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Time after which a host aborts a cancelled operation that has not stopped.
    pub cancel_deadline: Duration,
    /// Time after which an unreachable host is given up and its operations fail. `None` waits forever.
    pub lost_after: Option<Duration>,
    pub stall: StallRule,
    /// Retry policy by kind.
    pub retry: HashMap<KindName, RetryPolicy>,
    /// Largest number of operations on hosts at once, by kind; unlisted kinds have no limit.
    pub limits: HashMap<KindName, u32>,
    /// Retention of ended operations.
    pub keep: Keep,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            cancel_deadline: Duration::from_secs(5),
            lost_after: Some(Duration::from_secs(600)),
            stall: StallRule::default(),
            retry: HashMap::new(),
            limits: HashMap::new(),
            keep: Keep { age: None, most: None },
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            silence: Duration::from_secs(3),
            health_every: Duration::from_secs(2),
            scan_every: Duration::from_secs(15),
            rules: Rules::default(),
            ring: RingLimits::default(),
            in_words: |_, _| (),
            secret_keys: None,
            sets: |_, _| None,
        }
    }
}

impl EngineConfig {
    /// Settings that affect operations, one per line, without secrets, for the audit log.
    pub(crate) fn lines(&self) -> Vec<String> {
        let rules = &self.rules;
        let mut lines: Vec<String> = self.hosts.iter().map(HostConfig::line).collect();
        lines.push(format!("cancel_deadline = {:?}", rules.cancel_deadline));
        lines.push(format!("silence = {:?}", self.silence));
        lines.push(format!("scan_every = {:?}", self.scan_every));
        lines.push(format!("health_every = {:?}", self.health_every));
        lines.push(match rules.lost_after {
            Some(after) => format!("lost_after = {after:?}"),
            None => "lost_after = never".to_owned(),
        });
        lines.push(format!(
            "stall = {} times the usual interval, at least {} s",
            rules.stall.factor, rules.stall.least_seconds
        ));
        lines.extend(rules.retry.iter().map(|(kind, policy)| format!("retry of {kind}: {}", words(policy))));
        lines.extend(rules.limits.iter().map(|(kind, most)| format!("limit of {kind} = {most}")));
        if let Some(keys) = &self.secret_keys {
            lines.extend(keys.ids().take(1).map(|key| format!("secrets are encrypted with key {key}")));
            lines.extend(keys.ids().skip(1).map(|key| format!("older key of secrets {key}")));
        }
        if let Some(age) = rules.keep.age {
            lines.push(format!("keep = {} days", age.as_secs_f64() / 86_400.0));
        }
        if let Some(most) = rules.keep.most {
            lines.push(format!("keep = {most} of each state"));
        }
        lines.sort();
        lines
    }
}

impl HostConfig {
    /// Line for the audit log: `host gpu-1 at http://10.0.0.5:7301: 10 connections, …`.
    fn line(&self) -> String {
        let at = match self.configured_at.as_deref() {
            None => String::new(),
            // Valid URLs never contain these characters; what is around them may be a secret.
            Some(url) if url.contains(['@', '?', '#']) => " at an invalid URL".to_owned(),
            Some(url) => format!(" at {url}"),
        };
        let pool = &self.pool;
        format!(
            "host {}{at}: {} connections, connect timeout {:?}, keep-alive {:?}, {} retries, {} token",
            self.name,
            pool.max_connections,
            pool.connect_timeout,
            pool.keep_alive,
            pool.retries,
            if pool.token.is_some() { "with a" } else { "no" },
        )
    }
}

/// Policy for the audit log: `3 attempts, backoff from 10s to 300s, from the checkpoint, after host_lost, work`.
fn words(policy: &RetryPolicy) -> String {
    let word = |reason| serde_json::to_value(reason).ok().and_then(|v| v.as_str().map(str::to_owned));
    let mut reasons: Vec<String> = policy.reasons.iter().filter_map(word).collect();
    reasons.sort();
    format!(
        "{} attempts, backoff from {:?} to {:?}, {}, after {}",
        policy.attempts,
        policy.pause,
        policy.longest_pause,
        if policy.resume { "from the checkpoint" } else { "from the start" },
        if reasons.is_empty() { "nothing".to_owned() } else { reasons.join(", ") },
    )
}

/// Audit entry for the difference between two configurations; `None` if they are equal.
pub(crate) fn reconfigured(before: &[String], now: &[String], at: Time) -> Option<AuditEntry> {
    let removed = before.iter().filter(|line| !now.contains(line)).map(|line| format!("− {line}"));
    let come = now.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    let changed: Vec<String> = removed.chain(come).collect();
    if changed.is_empty() {
        return None;
    }
    let detail =
        if before.is_empty() { "First start of this server.".to_owned() } else { changed.join("\n") };
    Some(AuditEntry { detail, ..AuditEntry::new(at, Action::Configure, Actor::signalbox()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::FailureReason;

    #[test]
    fn the_audit_entry_lists_only_the_changes() {
        let mut config = EngineConfig::default();
        let before = config.lines();
        let at = Time::from_micros(0);
        assert_eq!(reconfigured(&[], &before, at).unwrap().detail, "First start of this server.");
        assert_eq!(reconfigured(&before, &config.lines(), at), None);
        config.rules.lost_after = None;
        config.rules.limits.insert(KindName::new("data.load").unwrap(), 3);
        let entry = reconfigured(&before, &config.lines(), at).unwrap();
        assert_eq!(entry.detail, "− lost_after = 600s\n+ limit of data.load = 3\n+ lost_after = never");
    }

    #[test]
    fn the_audit_has_every_setting_of_operations_and_no_secret() {
        let host = HostConfig {
            name: "gpu-1".parse().unwrap(),
            url: "http://127.0.0.1:40001".into(),
            pool: PoolConfig { token: Some("open-sesame".into()), ..PoolConfig::default() },
            configured_at: Some("http://10.0.0.5:7301".into()),
            in_process: false,
        };
        let mut config = EngineConfig { hosts: vec![host], ..EngineConfig::default() };
        let kind = KindName::new("data.load").unwrap();
        let policy = RetryPolicy {
            attempts: 3,
            pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(300),
            resume: true,
            reasons: RetryPolicy::OF_HOSTS.to_vec(),
        };
        config.rules.retry.insert(kind.clone(), policy);
        let mut before = config.lines();
        let at = Time::from_micros(0);
        assert!(
            before.iter().any(|line| line.starts_with("host gpu-1 at http://10.0.0.5:7301: ")),
            "{before:?}"
        );
        type Edit = fn(&mut EngineConfig, &KindName);
        let edits: [(&str, Edit); 14] = [
            ("10.0.0.6", |c, _| c.hosts[0].configured_at = Some("http://10.0.0.6:7301".into())),
            ("7 connections", |c, _| c.hosts[0].pool.max_connections = 7),
            ("connect timeout 4s", |c, _| c.hosts[0].pool.connect_timeout = Duration::from_secs(4)),
            ("keep-alive 5s", |c, _| c.hosts[0].pool.keep_alive = Duration::from_secs(5)),
            ("6 retries", |c, _| c.hosts[0].pool.retries = 6),
            ("no token", |c, _| c.hosts[0].pool.token = None),
            ("scan_every = 7s", |c, _| c.scan_every = Duration::from_secs(7)),
            ("health_every = 8s", |c, _| c.health_every = Duration::from_secs(8)),
            ("from 9s", |c, k| c.rules.retry.get_mut(k).unwrap().pause = Duration::from_secs(9)),
            ("to 99s", |c, k| c.rules.retry.get_mut(k).unwrap().longest_pause = Duration::from_secs(99)),
            ("from the start", |c, k| c.rules.retry.get_mut(k).unwrap().resume = false),
            ("after work", |c, k| c.rules.retry.get_mut(k).unwrap().reasons = vec![FailureReason::Work]),
            ("0.5 days", |c, _| c.rules.keep.age = Some(Duration::from_secs(43_200))),
            ("invalid URL", |c, _| c.hosts[0].configured_at = Some("http://me:open-sesame@h".into())),
        ];
        for (setting, edit) in edits {
            edit(&mut config, &kind);
            let now = config.lines();
            let entry = reconfigured(&before, &now, at).unwrap();
            assert!(entry.detail.contains(setting), "{setting}: {}", entry.detail);
            assert!(!entry.detail.contains("sesame"), "{}", entry.detail);
            before = now;
        }
        // The port of a host that the server starts itself is no difference.
        config.hosts[0].url = "http://127.0.0.1:40002".into();
        assert_eq!(reconfigured(&before, &config.lines(), at), None);
    }
}
