//! Texts about hosts and draining. Pure.

use crate::format::{self, listed};
use protocol::api::{HostLink, HostStatus};
use protocol::host::{Check, Health};
use protocol::{HostName, KindName};

/// Consequences of draining a host, one line each.
pub fn before_drain(hosts: &[HostStatus], name: &HostName) -> Vec<String> {
    let Some(host) = hosts.iter().find(|h| h.name == *name) else {
        return vec![format!("Host {name} was removed. Reload the page.")];
    };
    let mut lines = vec![match host.running {
        0 => "The host accepts no new operations. None is running on it.".to_owned(),
        1 => "The host accepts no new operations. The running operation continues to its end.".to_owned(),
        n => {
            format!(
                "The host accepts no new operations. The {} running operations continue to their end.",
                format::count(u64::from(n))
            )
        }
    }];
    // Kinds that no other host can run now.
    let alone: Vec<&str> = host
        .kinds
        .iter()
        .filter(|kind| !hosts.iter().any(|h| h.name != *name && takes(h, kind)))
        .map(KindName::as_str)
        .collect();
    lines.push(if alone.is_empty() {
        "New operations start on other hosts.".to_owned()
    } else {
        let these = if alone.len() == 1 { "this kind" } else { "these kinds" };
        format!("No other host can run {} now: operations of {these} wait in the queue.", listed(&alone))
    });
    lines.push("The host stays drained until you undrain it, also after restarts.".to_owned());
    lines
}

/// Note on the card of a drained host.
pub fn drained(running: u32) -> String {
    match running {
        0 => "Drained: the host accepts no new operations, and none is running. The host can be stopped."
            .to_owned(),
        1 => "Draining: the host accepts no new operations; 1 still running.".to_owned(),
        n => {
            format!(
                "Draining: the host accepts no new operations; {} still running.",
                format::count(u64::from(n))
            )
        }
    }
}

/// Latency in its shortest precise form: `0.7 ms`, `31 ms`, `1.2 s`.
pub fn latency(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1} ms") } else { format::span(ms / 1e3) }
}

/// Name of a connection state for CSS, and its label.
pub fn link_words(link: HostLink) -> (&'static str, &'static str) {
    match link {
        HostLink::Up => ("up", "Connected"),
        HostLink::Connecting => ("connecting", "Connecting"),
        HostLink::Away => ("away", "Unreachable"),
    }
}

/// Connection of a host as [`link_words`] has it, or that the connected host is not healthy.
pub fn standing(host: &HostStatus) -> (&'static str, &'static str) {
    match host.link {
        HostLink::Up if trouble_of(host).is_some() => ("unhealthy", "Not healthy"),
        link => link_words(link),
    }
}

/// Whether the host reports that it is ready and all of its checks passed.
pub fn is_healthy(health: &Health) -> bool {
    health.ready && health.checks.iter().all(|check| check.ok)
}

/// What is wrong with a host, in a line; `None` when nothing is.
pub fn trouble_of(host: &HostStatus) -> Option<String> {
    if !host.trouble.is_empty() {
        return Some(host.trouble.clone());
    }
    if host.link == HostLink::Away {
        return Some(link_words(host.link).1.to_owned());
    }
    let health = host.health.as_ref().filter(|health| !is_healthy(health))?;
    let failed: Vec<String> = health
        .checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| match check.message.as_str() {
            "" => format!("{}: not ready", check.name),
            message => format!("{}: {message}", check.name),
        })
        .collect();
    Some(if failed.is_empty() { "Not ready".to_owned() } else { failed.join("; ") })
}

/// Whether a host is connected, not drained, and has the kind. Its slots may all be in use.
fn takes(host: &HostStatus, kind: &KindName) -> bool {
    host.link == HostLink::Up && !host.draining && host.kinds.contains(kind)
}

/// Failed checks of connected hosts because of which they can't run a kind, one line each: `exec: … is not executable.`
pub fn not_ready(hosts: &[HostStatus], kind: &KindName) -> Vec<String> {
    let unable = hosts.iter().filter(|host| takes(host, kind)).filter_map(|host| {
        let health = host.health.as_ref()?;
        (!health.ready && (health.unready_kinds.is_empty() || health.unready_kinds.contains(kind)))
            .then_some((host, health))
    });
    let lines = unable.flat_map(|(host, health)| {
        // A check may be named after its kind; others are about all kinds.
        let of_other_kind =
            |check: &Check| host.kinds.iter().any(|other| other != kind && other.as_str() == check.name);
        let failed =
            health.checks.iter().filter(move |check| !check.ok && !of_other_kind(check)).map(|check| {
                match check.message.is_empty() {
                    true => format!("{}: the check \"{}\" failed.", host.name, check.name),
                    false => format!("{}: {}", host.name, check.message),
                }
            });
        failed.collect::<Vec<_>>()
    });
    lines.collect()
}

#[cfg(test)]
pub mod made {
    //! Hosts for tests.

    use protocol::api::{Connections, HostLink, HostStatus};
    use protocol::{HostName, KindName};

    /// Connected host with two slots.
    pub fn host(name: &str, kinds: &[&str], running: u32) -> HostStatus {
        HostStatus {
            name: HostName::new(name).unwrap(),
            url: String::new(),
            link: HostLink::Up,
            draining: false,
            heard_at: None,
            latency_ms: None,
            trouble: String::new(),
            instance: None,
            version: String::new(),
            kinds: kinds.iter().map(|k| KindName::new(*k).unwrap()).collect(),
            offers: 0,
            capacity: 2,
            running,
            health: None,
            connections: Connections::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::made::host;
    use super::*;
    use protocol::host::Health;

    #[test]
    fn a_drain_names_what_continues_and_what_will_wait() {
        let mut hosts = [host("one", &["data.load", "training.run"], 2), host("two", &["data.load"], 0)];
        let name = hosts[0].name.clone();
        let wording = before_drain(&hosts, &name);
        assert_eq!(
            wording[0],
            "The host accepts no new operations. The 2 running operations continue to their end."
        );
        assert_eq!(
            wording[1],
            "No other host can run training.run now: operations of this kind wait in the queue."
        );
        hosts[0].kinds.pop();
        assert_eq!(before_drain(&hosts, &name)[1], "New operations start on other hosts.");
        // Drained or unreachable hosts do not count.
        hosts[1].draining = true;
        assert!(before_drain(&hosts, &name)[1].starts_with("No other host can run data.load"));
        hosts[1].draining = false;
        hosts[1].link = HostLink::Away;
        assert!(before_drain(&hosts, &name)[1].starts_with("No other host can run data.load"));
    }

    #[test]
    fn a_kind_that_cannot_start_shows_the_reason_of_its_host() {
        let check = |name: &str, message: &str| Check {
            name: name.into(),
            ok: message.is_empty(),
            message: message.into(),
        };
        let (report, backup) = ("exec.report", "exec.backup");
        let mut hosts = [host("exec", &[report, backup], 0), host("data-1", &["data.load"], 0)];
        hosts[0].health = Some(Health {
            ready: false,
            unready_kinds: vec![KindName::new(report).unwrap()],
            checks: vec![
                check(report, "/opt/report.sh is not executable."),
                check(backup, "rsync was not found."),
            ],
            cpu: None,
            memory_bytes: None,
            network_in: None,
            network_out: None,
            running: 0,
            free: 2,
            now: protocol::Time::from_micros(0),
        });
        let wording = |hosts: &[HostStatus], kind| not_ready(hosts, &KindName::new(kind).unwrap());
        assert_eq!(wording(&hosts, report), ["exec: /opt/report.sh is not executable."]);
        assert!(wording(&hosts, backup).is_empty() && wording(&hosts, "data.load").is_empty());
        hosts[0].link = HostLink::Away;
        assert!(wording(&hosts, report).is_empty(), "an old check proves nothing");
    }

    #[test]
    fn a_latency_has_sensible_precision() {
        assert_eq!([0.71, 31.4, 1_234.0].map(latency), ["0.7 ms", "31 ms", "1.2 s"]);
    }

    #[test]
    fn a_drained_host_lists_its_remaining_work() {
        assert!(drained(2).contains("2 still running"));
        assert!(drained(0).contains("The host can be stopped"));
    }
}
