//! What an engine is told when it starts: its hosts, and the rules by which operations are kept. And how one
//! configuration differs from the one before, for the audit.

use crate::feed::RingLimits;
use crate::lifecycle::RetryPolicy;
use crate::pace::StallRule;
use pool::PoolConfig;
use protocol::{Action, Actor, AuditEntry, HostName, KindName, Time};
use std::collections::HashMap;
use std::time::Duration;
use store::Keep;

/// A host service, as the configuration names it.
#[derive(Clone, Debug)]
pub struct HostConfig {
    pub name: HostName,
    /// `http://127.0.0.1:7301`
    pub url: String,
    pub pool: PoolConfig,
}

/// What an engine needs to know.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub hosts: Vec<HostConfig>,
    /// Nothing from a host for this long means that it can't be heard.
    pub silence: Duration,
    /// How often a host is asked for its health.
    pub health_every: Duration,
    /// How often what a host holds is compared with what its feed made believe.
    pub scan_every: Duration,
    pub rules: Rules,
    pub ring: RingLimits,
}

/// The rules by which operations are kept.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Past this a host stops asking a cancelled operation and aborts it.
    pub cancel_deadline: Duration,
    /// A host that is silent for this long is given up: what it had fails. `None` waits for ever.
    pub lost_after: Option<Duration>,
    pub stall: StallRule,
    /// Automatic retries, by kind.
    pub retry: HashMap<KindName, RetryPolicy>,
    /// How many of a kind may be on hosts at once; kinds that are not named may fill them.
    pub limits: HashMap<KindName, u32>,
    /// What is kept of operations that ended.
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
        }
    }
}

impl EngineConfig {
    /// The settings that decide about operations, one a line, for the audit. The address of a bundled host is
    /// another at each start, so addresses are left out; secrets are, too.
    pub(crate) fn lines(&self) -> Vec<String> {
        let rules = &self.rules;
        let mut lines: Vec<String> = self.hosts.iter().map(|host| format!("host {}", host.name)).collect();
        lines.push(format!("cancel_deadline = {:?}", rules.cancel_deadline));
        lines.push(format!("silence = {:?}", self.silence));
        lines.push(match rules.lost_after {
            Some(after) => format!("lost_after = {after:?}"),
            None => "lost_after = never".to_owned(),
        });
        lines.push(format!(
            "stall = {} times the usual, {} s at least",
            rules.stall.factor, rules.stall.least_seconds
        ));
        lines.extend(rules.retry.iter().map(|(kind, policy)| {
            format!("retry of {kind}: {} attempts, resume {}", policy.attempts, policy.resume)
        }));
        lines.extend(rules.limits.iter().map(|(kind, most)| format!("limit of {kind} = {most}")));
        if let Some(age) = rules.keep.age {
            lines.push(format!("keep = {} days", age.as_secs() / 86_400));
        }
        if let Some(most) = rules.keep.most {
            lines.push(format!("keep = {most} of each state"));
        }
        lines.sort();
        lines
    }
}

/// The entry that says how a configuration differs from the one before; `None` when it does not.
pub(crate) fn reconfigured(before: &[String], now: &[String], at: Time) -> Option<AuditEntry> {
    let gone = before.iter().filter(|line| !now.contains(line)).map(|line| format!("− {line}"));
    let come = now.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    let changed: Vec<String> = gone.chain(come).collect();
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

    #[test]
    fn the_audit_names_what_changed_and_nothing_else() {
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
}
