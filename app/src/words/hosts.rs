//! What is said of hosts: what a drain does, what a drained host still has. Pure.

use crate::format;
use protocol::api::{HostLink, HostStatus};
use protocol::{HostName, KindName};

/// What will happen when the host is drained, line by line; nothing of a host that is not known.
pub fn before_drain(hosts: &[HostStatus], name: &HostName) -> Vec<String> {
    let Some(host) = hosts.iter().find(|h| h.name == *name) else {
        return vec![format!("The page does not know {name} any more.")];
    };
    let mut lines = vec![match host.running {
        0 => "It takes no new work. Nothing runs on it now.".to_owned(),
        1 => "It takes no new work. The one that runs on it goes on to its end.".to_owned(),
        n => {
            format!(
                "It takes no new work. The {} that run on it go on to their end.",
                format::count(u64::from(n))
            )
        }
    }];
    // What nobody else could take just now.
    let alone: Vec<&str> = host
        .kinds
        .iter()
        .filter(|kind| !hosts.iter().any(|h| h.name != *name && takes(h, kind)))
        .map(KindName::as_str)
        .collect();
    lines.push(if alone.is_empty() {
        "What is started from now on goes to other hosts.".to_owned()
    } else {
        format!("No other host could do {} now: what is started or queued of that waits.", listed(&alone))
    });
    lines.push("It stays drained until somebody undoes it here, over restarts too.".to_owned());
    lines
}

/// What is said on the card of a drained host.
pub fn drained(running: u32) -> String {
    match running {
        0 => "Drained: it takes no new work, and nothing runs on it. It can be stopped.".to_owned(),
        1 => "Drained: it takes no new work; the one that runs on it goes on.".to_owned(),
        n => {
            format!(
                "Drained: it takes no new work; the {} that run on it go on.",
                format::count(u64::from(n))
            )
        }
    }
}

/// `0.7 ms`, `31 ms`, `1.2 s`
pub fn latency(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1} ms") } else { format::span(ms / 1e3) }
}

/// It is heard, has the kind and takes new work, be it in turn.
fn takes(host: &HostStatus, kind: &KindName) -> bool {
    host.link == HostLink::Up && !host.draining && host.kinds.contains(kind)
}

/// `a`, `a and b`, `a, b and c`
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
pub mod made {
    //! A host for tests.

    use protocol::api::{Connections, HostLink, HostStatus};
    use protocol::{HostName, KindName};

    /// One that is heard, has two places and nothing to say.
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

    #[test]
    fn before_a_drain_it_is_said_what_goes_on_and_what_will_wait() {
        let mut hosts = [host("one", &["data.load", "training.run"], 2), host("two", &["data.load"], 0)];
        let name = hosts[0].name.clone();
        let said = before_drain(&hosts, &name);
        assert_eq!(said[0], "It takes no new work. The 2 that run on it go on to their end.");
        assert_eq!(
            said[1],
            "No other host could do training.run now: what is started or queued of that waits."
        );
        hosts[0].kinds.pop();
        assert_eq!(before_drain(&hosts, &name)[1], "What is started from now on goes to other hosts.");
        // One that is drained itself, or is not heard, is no help.
        hosts[1].draining = true;
        assert!(before_drain(&hosts, &name)[1].starts_with("No other host could do data.load"));
        hosts[1].draining = false;
        hosts[1].link = HostLink::Away;
        assert!(before_drain(&hosts, &name)[1].starts_with("No other host could do data.load"));
    }

    #[test]
    fn a_latency_is_told_as_exactly_as_matters() {
        assert_eq!([0.71, 31.4, 1_234.0].map(latency), ["0.7 ms", "31 ms", "1.2 s"]);
    }

    #[test]
    fn a_drained_host_says_what_it_still_has() {
        assert!(drained(2).contains("the 2 that run on it go on"));
        assert!(drained(0).contains("It can be stopped"));
    }
}
