//! Alerts in the configuration: rules that change the built-in ones or are added, and destinations of messages.

mod email;

use crate::alerts::{AlertsConfig, ConfiguredRule, Destination, MessageFormat, SecretUrl, Transport};
use alerts::{Rule, defaults};
use anyhow::{Context, bail};
use protocol::alerts::{AlertRule, Comparison, RuleOrigin, Severity};
use protocol::{HostName, KindName};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// `[alerts]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileAlerts {
    /// False switches alerts off.
    enabled: Option<bool>,
    /// Interval of evaluations in seconds; default 10.
    interval: Option<f64>,
    /// Seconds to wait for more alerts before the first notification of a group; default 10.
    group_wait: Option<f64>,
    #[serde(rename = "rule")]
    rules: Vec<FileRule>,
    #[serde(rename = "webhook")]
    webhooks: Vec<FileWebhook>,
    #[serde(rename = "email")]
    emails: Vec<email::FileEmail>,
    /// URL of the dashboard, for links in e-mails.
    external_url: Option<String>,
}

/// `[[alerts.rule]]`: with the name of a built-in rule, the given keys change it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    name: String,
    enabled: Option<bool>,
    metric: Option<String>,
    comparison: Option<Comparison>,
    threshold: Option<f64>,
    recovery: Option<f64>,
    #[serde(rename = "for")]
    hold: Option<f64>,
    recover_for: Option<f64>,
    no_data_for: Option<f64>,
    severity: Option<Severity>,
    hosts: Option<Vec<HostName>>,
    kinds: Option<Vec<KindName>>,
    action: Option<String>,
}

/// `[[alerts.webhook]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWebhook {
    name: String,
    url: Option<String>,
    /// File that contains the URL.
    url_file: Option<PathBuf>,
    #[serde(default)]
    format: MessageFormat,
    #[serde(default = "least_severity")]
    severity: Severity,
    timeout: Option<f64>,
    tries: Option<u32>,
    pause: Option<f64>,
}

fn least_severity() -> Severity {
    Severity::Info
}

/// Settings by the file.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn settings(file: FileAlerts, path: Option<PathBuf>) -> anyhow::Result<AlertsConfig> {
    let builtin = |rule| ConfiguredRule { rule, enabled: true, origin: RuleOrigin::Default };
    let mut rules: Vec<ConfiguredRule> = defaults::rules().into_iter().map(builtin).collect();
    let mut names = HashSet::new();
    for given in file.rules {
        if !names.insert(given.name.clone()) {
            bail!("two [[alerts.rule]] tables have the name '{}'; give each a unique name", given.name);
        }
        let known = rules.iter().position(|configured| configured.rule.name == given.name);
        let configured = merged(known.map(|at| &rules[at].rule), given)?;
        match known {
            Some(at) => rules[at] = configured,
            None => rules.push(configured),
        }
    }
    let mut destinations: Vec<Destination> = Vec::new();
    let webhooks = file.webhooks.into_iter().map(destination);
    for destination in webhooks.chain(file.emails.into_iter().map(email::destination)) {
        let destination = destination?;
        if destinations.iter().any(|known| known.name == destination.name) {
            bail!(
                "two [[alerts.webhook]] or [[alerts.email]] tables have the name '{}'; give each a unique name",
                destination.name
            );
        }
        destinations.push(destination);
    }
    let external_url = file.external_url.map(|url| email::external_url(&url)).transpose()?;
    Ok(AlertsConfig {
        enabled: file.enabled.unwrap_or(true),
        interval: seconds("alerts.interval", file.interval, 10.0, 0.1, 600.0)?,
        group_wait: seconds("alerts.group_wait", file.group_wait, 10.0, 0.0, 3_600.0)?,
        rules,
        file: path,
        destinations,
        external_url,
    })
}

fn merged(known: Option<&Rule>, given: FileRule) -> anyhow::Result<ConfiguredRule> {
    let name = given.name;
    let origin = if known.is_some() { RuleOrigin::Changed } else { RuleOrigin::Configuration };
    let mut spec = match known {
        Some(rule) => rule.spec().clone(),
        None => {
            let (Some(metric), Some(threshold)) = (given.metric.clone(), given.threshold) else {
                bail!(
                    "'{name}' is not a built-in rule, so it needs 'metric' and 'threshold'. Built-in rules: {}",
                    defaults::rules().iter().map(|rule| rule.name.clone()).collect::<Vec<_>>().join(", ")
                );
            };
            let new = AlertRule::new(&name, &metric, Comparison::default(), threshold);
            AlertRule { for_seconds: 60.0, ..new }
        }
    };
    // A recovery value belongs to the threshold that it was made for.
    if given.threshold.is_some() || given.metric.is_some() || given.comparison.is_some() {
        spec.recovery = None;
    }
    spec.metric = given.metric.unwrap_or(spec.metric);
    spec.comparison = given.comparison.unwrap_or(spec.comparison);
    spec.threshold = given.threshold.unwrap_or(spec.threshold);
    spec.recovery = given.recovery.or(spec.recovery);
    spec.for_seconds = given.hold.unwrap_or(spec.for_seconds);
    spec.recover_for_seconds = given.recover_for.unwrap_or(spec.recover_for_seconds);
    spec.no_data_for_seconds = given.no_data_for.unwrap_or(spec.no_data_for_seconds);
    spec.severity = given.severity.unwrap_or(spec.severity);
    spec.hosts = given.hosts.unwrap_or(spec.hosts);
    spec.kinds = given.kinds.unwrap_or(spec.kinds);
    spec.action = given.action.unwrap_or(spec.action);
    let rule = Rule::new(spec).with_context(|| format!("[[alerts.rule]] '{name}' is invalid"))?;
    Ok(ConfiguredRule { rule, enabled: given.enabled.unwrap_or(true), origin })
}

fn destination(webhook: FileWebhook) -> anyhow::Result<Destination> {
    let name = webhook.name;
    let text = match (webhook.url, webhook.url_file) {
        (Some(url), None) => url,
        (None, Some(path)) => std::fs::read_to_string(&path).with_context(|| {
            format!("can't read {} (the url_file of the webhook '{name}')", path.display())
        })?,
        _ => bail!("the webhook '{name}' needs either 'url' or 'url_file', not both"),
    };
    let url =
        SecretUrl::parse(&text).with_context(|| format!("the URL of the webhook '{name}' is invalid"))?;
    let of = format!("the webhook '{name}'");
    let transport = Transport::Webhook { url, format: webhook.format };
    let tries = Tries { timeout: webhook.timeout, tries: webhook.tries, pause: webhook.pause };
    tries.destination(name, &of, transport, webhook.severity, 10.0)
}

/// How often and how long a delivery is tried, in seconds.
struct Tries {
    timeout: Option<f64>,
    tries: Option<u32>,
    pause: Option<f64>,
}

impl Tries {
    fn destination(
        self,
        name: String,
        of: &str,
        transport: Transport,
        severity: Severity,
        default_timeout: f64,
    ) -> anyhow::Result<Destination> {
        let key = |key: &str| format!("'{key}' of {of}");
        let tries = self.tries.unwrap_or(10);
        if !(1..=100).contains(&tries) {
            bail!("{} is {tries}; use 1 to 100", key("tries"));
        }
        Ok(Destination {
            transport,
            severity,
            timeout: seconds(&key("timeout"), self.timeout, default_timeout, 0.1, 60.0)?,
            tries,
            pause: seconds(&key("pause"), self.pause, 5.0, 0.01, 600.0)?,
            name,
        })
    }
}

pub(super) fn seconds(
    key: &str,
    given: Option<f64>,
    default: f64,
    least: f64,
    most: f64,
) -> anyhow::Result<Duration> {
    let seconds = given.unwrap_or(default);
    if !(least..=most).contains(&seconds) {
        bail!("{key} is {seconds} seconds; use {least} to {most} seconds");
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<AlertsConfig> {
        settings(toml::from_str(text)?, None)
    }

    #[test]
    fn the_built_in_rules_apply_without_configuration() {
        let config = read("").unwrap();
        assert!(config.enabled && config.destinations.is_empty());
        assert_eq!(config.rules.len(), defaults::rules().len());
        assert!(config.rules.iter().all(|rule| rule.enabled && rule.origin == RuleOrigin::Default));
    }

    #[test]
    fn a_built_in_rule_can_be_changed_or_switched_off_and_others_added() {
        let config = read(
            "[[rule]]\nname = 'host-unreachable'\nfor = 5\nseverity = 'warning'\n\
             [[rule]]\nname = 'queue-wait'\nenabled = false\n\
             [[rule]]\nname = 'gpu-busy'\nmetric = 'cpu.busy_ratio'\nthreshold = 0.9\nhosts = ['gpu-1']",
        )
        .unwrap();
        let of = |name: &str| config.rules.iter().find(|configured| configured.rule.name == name).unwrap();
        let changed = of("host-unreachable");
        assert_eq!((changed.rule.for_seconds, changed.origin), (5.0, RuleOrigin::Changed));
        assert!(!changed.rule.action.is_empty(), "other keys stay");
        assert!(!of("queue-wait").enabled);
        assert_eq!(of("gpu-busy").origin, RuleOrigin::Configuration);
    }

    #[test]
    fn an_invalid_setting_is_named_and_a_secret_is_not() {
        let error = |text: &str| format!("{:#}", read(text).unwrap_err());
        assert!(error("[[rule]]\nname = 'busy'").contains("needs 'metric' and 'threshold'"));
        assert!(error("[[rule]]\nname = 'queue-wait'\nfor = -1").contains("for_seconds"));
        assert!(error("[[webhook]]\nname = 'ops'").contains("'url' or 'url_file'"));
        let hidden = error("[[webhook]]\nname = 'ops'\nurl = 'ftp://example.org/s3cret'");
        assert!(hidden.contains("'ops'") && !hidden.contains("s3cret"), "{hidden}");
        assert!(error("interval = 0").contains("alerts.interval"));
    }

    #[test]
    fn the_url_of_a_webhook_can_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "https://hooks.example.org/s3cret\n").unwrap();
        let config = read(&format!("[[webhook]]\nname = 'ops'\nurl_file = '{}'", path.display())).unwrap();
        let Transport::Webhook { url, .. } = &config.destinations[0].transport else { panic!("a webhook") };
        assert_eq!(url.expose().as_str(), "https://hooks.example.org/s3cret");
    }
}
