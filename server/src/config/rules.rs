//! Rules for operations in the configuration: times, retries, limits, retention.

use anyhow::{anyhow, bail};
use engine::{EngineConfig, RetryPolicy};
use protocol::{FailureReason, KindName};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;

/// `[rules]`. Times are in seconds.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileRules {
    /// Time after which a host aborts a cancelled operation; default 5.
    cancel_deadline: Option<f64>,
    /// Time without any data after which a host counts as unreachable; default 3.
    silence: Option<f64>,
    /// Time after which an unreachable host is given up; default 600; 0 waits forever.
    lost_after: Option<f64>,
    /// Interval at which operations of hosts are compared with their feeds; default 15.
    scan_every: Option<f64>,
    /// Multiple of the usual interval without progress after which an operation is stalled; default 10.
    stall_factor: Option<f64>,
    /// Smallest time after which an operation is stalled; default 30.
    stall_least: Option<f64>,
    /// Age in days after which ended operations are deleted; kept forever by default.
    keep_days: Option<f64>,
    /// Number of ended operations kept per state; all by default.
    keep_most: Option<u64>,
}

/// `[retry."kind"]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRetry {
    /// Largest number of attempts, including the first.
    attempts: u32,
    /// Pause before the second attempt, which doubles each time; default 10.
    pause: Option<f64>,
    /// Longest pause; default 300.
    longest_pause: Option<f64>,
    /// Resume from the checkpoint if there is one; default true.
    resume: Option<bool>,
    /// Failures that are retried; by default those of hosts.
    on: Option<Vec<FailureReason>>,
}

/// Applies the file to the defaults.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn apply(
    config: &mut EngineConfig,
    rules: &FileRules,
    retry: HashMap<KindName, FileRetry>,
    limits: HashMap<KindName, u32>,
) -> anyhow::Result<()> {
    let out = &mut config.rules;
    if let Some(deadline) = seconds("rules.cancel_deadline", rules.cancel_deadline, 0.01)? {
        out.cancel_deadline = deadline;
    }
    if let Some(silence) = seconds("rules.silence", rules.silence, 0.2)? {
        config.silence = silence;
    }
    if let Some(every) = seconds("rules.scan_every", rules.scan_every, 0.1)? {
        config.scan_every = every;
    }
    match rules.lost_after {
        Some(0.0) => out.lost_after = None,
        given => {
            let after = seconds("rules.lost_after", given, 1.0)
                .map_err(|error| anyhow!("{error}, or 0 to wait forever"))?;
            if let Some(after) = after {
                out.lost_after = Some(after);
            }
        }
    }
    if let Some(factor) = number("rules.stall_factor", rules.stall_factor, 1.0, 1e6, "")? {
        out.stall.factor = factor;
    }
    if let Some(least) = number("rules.stall_least", rules.stall_least, 0.1, 1e9, " seconds")? {
        out.stall.least_seconds = least;
    }
    if let Some(days) = number("rules.keep_days", rules.keep_days, 0.01, 36_500.0, " days")? {
        out.keep.age = Some(Duration::from_secs_f64(days * 86_400.0));
    }
    out.keep.most = rules.keep_most;
    for (kind, file) in retry {
        let policy = policy(&kind, file)?;
        out.retry.insert(kind, policy);
    }
    for (kind, most) in limits {
        if most == 0 {
            bail!(
                "limits.\"{kind}\" is 0, so this kind would never run. Set at least 1, or remove the limit"
            );
        }
        out.limits.insert(kind, most);
    }
    Ok(())
}

fn policy(kind: &KindName, file: FileRetry) -> anyhow::Result<RetryPolicy> {
    let key = |name: &str| format!("retry.\"{kind}\".{name}");
    if !(1..=100).contains(&file.attempts) {
        bail!("{} is {}; use 1 to 100, including the first attempt", key("attempts"), file.attempts);
    }
    let pause = seconds(&key("pause"), file.pause, 0.0)?.unwrap_or(Duration::from_secs(10));
    let longest =
        seconds(&key("longest_pause"), file.longest_pause, 0.0)?.unwrap_or(Duration::from_secs(300));
    Ok(RetryPolicy {
        attempts: file.attempts,
        pause,
        longest_pause: longest.max(pause),
        resume: file.resume.unwrap_or(true),
        reasons: file.on.unwrap_or_else(|| RetryPolicy::OF_HOSTS.to_vec()),
    })
}

fn seconds(key: &str, given: Option<f64>, least: f64) -> anyhow::Result<Option<Duration>> {
    Ok(number(key, given, least, 1e8, " seconds")?.map(Duration::from_secs_f64))
}

fn number(key: &str, given: Option<f64>, least: f64, most: f64, unit: &str) -> anyhow::Result<Option<f64>> {
    match given {
        Some(n) if !(least..=most).contains(&n) => {
            bail!("{key} is {n}; use {least} to {most}{unit}")
        }
        given => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        rules: FileRules,
        #[serde(default)]
        retry: HashMap<KindName, FileRetry>,
        #[serde(default)]
        limits: HashMap<KindName, u32>,
    }

    fn read(text: &str) -> anyhow::Result<EngineConfig> {
        let file: File = toml::from_str(text)?;
        let mut config = EngineConfig::default();
        apply(&mut config, &file.rules, file.retry, file.limits)?;
        Ok(config)
    }

    #[test]
    fn missing_settings_keep_their_defaults() {
        let config = read("[rules]\nlost_after = 0\nkeep_most = 50").unwrap();
        assert_eq!(config.rules.lost_after, None);
        assert_eq!(config.rules.keep.most, Some(50));
        let before = EngineConfig::default().rules;
        assert_eq!(
            (config.rules.cancel_deadline, config.rules.stall),
            (before.cancel_deadline, before.stall)
        );
    }

    #[test]
    fn a_retry_policy_covers_host_failures_unless_configured() {
        let config = read("[retry.\"data.load\"]\nattempts = 3").unwrap();
        let policy = &config.rules.retry[&KindName::new("data.load").unwrap()];
        assert_eq!(policy.reasons, RetryPolicy::OF_HOSTS);
        let config = read("[retry.\"data.load\"]\nattempts = 3\non = ['work']\npause = 1.5").unwrap();
        let policy = &config.rules.retry[&KindName::new("data.load").unwrap()];
        assert_eq!(
            (policy.reasons.as_slice(), policy.pause.as_millis()),
            ([FailureReason::Work].as_slice(), 1_500)
        );
    }

    #[test]
    fn an_invalid_value_is_named() {
        let error_of = |text: &str| read(text).unwrap_err().to_string();
        assert!(error_of("[limits]\n\"data.load\" = 0").contains("limits.\"data.load\""));
        assert!(error_of("[rules]\nstall_factor = 0.5").contains("rules.stall_factor is 0.5"));
        assert!(error_of("[retry.\"data.load\"]\nattempts = 0").contains("1 to 100"));
    }
}
