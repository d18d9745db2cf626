//! Preview of where and when an operation would start. Pure.
//!
//! The server decides: it gives the first operation in a kind's queue to the least loaded host with a free slot. This
//! predicts that decision from the same facts.

use crate::format::{self, listed, ordinal};
use protocol::api::{HostLink, HostStatus};
use protocol::{HostName, KindName, Time};

/// Operation that uses a slot or waits for one.
#[derive(Clone, PartialEq, Debug)]
pub struct Work {
    pub kind: KindName,
    /// Its host; `None` while queued.
    pub on: Option<HostName>,
    pub priority: i8,
    /// Latest forecast of its end.
    pub ends_at: Option<Time>,
}

/// Prediction for a start now.
#[derive(Clone, PartialEq, Debug)]
pub enum Start {
    Now {
        on: HostName,
        free: u32,
        places: u32,
    },
    Wait {
        /// Queue position, from 1.
        place: u32,
        why: Why,
        /// Earliest forecast end among the operations ahead.
        free_at: Option<Time>,
    },
    /// All hosts for the kind are drained; their names.
    Drained(String),
    /// No host for the kind is connected.
    Unheard,
}

/// Reason for waiting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// All slots of these hosts are in use.
    Full(String),
    /// The kind's limit of parallel operations is reached.
    Limit(u32),
    /// Other operations are ahead.
    Line,
    /// An operation uses what this one needs for itself.
    InUse(InUse),
}

/// Exclusive use of something by an active operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InUse {
    /// Title of the operation.
    pub by: String,
    /// What it uses: the names of the parameters.
    pub what: String,
    /// Latest forecast of its end.
    pub ends_at: Option<Time>,
}

/// Operation to predict.
#[derive(Clone, Debug)]
pub struct NewOperation<'a> {
    pub kind: &'a KindName,
    pub priority: i8,
    /// Maximum number of parallel operations of the kind.
    pub limit: Option<u32>,
    /// Active operation that uses what this one needs for itself.
    pub in_use: Option<InUse>,
}

/// Predicts a start. `hosts` are sorted by name.
pub fn start(hosts: &[HostStatus], work: &[Work], request: &NewOperation) -> Start {
    let up: Vec<_> =
        hosts.iter().filter(|h| h.link == HostLink::Up && h.kinds.contains(request.kind)).collect();
    if up.is_empty() {
        return Start::Unheard;
    }
    let open: Vec<_> = up.iter().filter(|h| !h.draining).collect();
    if open.is_empty() {
        let names: Vec<_> = up.iter().map(|h| h.name.as_str()).collect();
        return Start::Drained(listed(&names));
    }
    let of_kind = |w: &&Work| w.kind == *request.kind;
    let ahead =
        work.iter().filter(of_kind).filter(|w| w.on.is_none() && w.priority >= request.priority).count();
    let at_work = work.iter().filter(of_kind).filter(|w| w.on.is_some()).count();
    let busy = |host: &HostStatus| work.iter().filter(|w| w.on.as_ref() == Some(&host.name)).count();
    let limited = request.limit.filter(|most| at_work >= *most as usize);
    if let Some(in_use) = &request.in_use {
        let free_at = in_use.ends_at;
        return Start::Wait { place: ahead as u32 + 1, why: Why::InUse(in_use.clone()), free_at };
    }
    let free = |host: &HostStatus| (host.capacity as usize).saturating_sub(busy(host));
    // Least loaded host; on ties the first by name, as on the server.
    let load = |host: &&&&HostStatus| ((busy(host) as u64) << 32) / u64::from(host.capacity.max(1));
    let chosen = open.iter().filter(|host| free(host) > 0).min_by_key(load);
    if let (Some(host), None, 0) = (chosen, limited, ahead) {
        return Start::Now { on: host.name.clone(), free: free(host) as u32, places: host.capacity };
    }
    let why = match (limited, chosen) {
        (Some(most), _) => Why::Limit(most),
        (None, Some(_)) => Why::Line,
        (None, None) => {
            let names: Vec<_> = open.iter().map(|h| h.name.as_str()).collect();
            Why::Full(listed(&names))
        }
    };
    let in_its_way = |w: &&Work| match why {
        Why::Limit(_) => w.kind == *request.kind && w.on.is_some(),
        _ => open.iter().any(|host| w.on.as_ref() == Some(&host.name)),
    };
    let free_at = work.iter().filter(in_its_way).filter_map(|w| w.ends_at).min();
    Start::Wait { place: ahead as u32 + 1, why, free_at }
}

/// Prediction as a sentence.
pub fn before_start(start: &Start, now: Time) -> String {
    match start {
        Start::Now { on, free, places } => {
            let slots = if *places == 1 { "slot" } else { "slots" };
            format!("Starts immediately on {on} ({free} of {places} {slots} free).")
        }
        Start::Wait { why: Why::InUse(InUse { by, what, .. }), free_at, .. } => {
            let when = match free_at.map(|at| at.seconds_since(now)) {
                Some(left) if left > 0.0 => format!(", in {}", format::about(left)),
                _ => String::new(),
            };
            format!("Will wait until {by} has ended{when}: both operations use the same {what}.")
        }
        Start::Wait { place, why, free_at } => {
            let line = match place {
                1 => "Will wait, first in the queue".to_owned(),
                n => format!("Will wait as {} in the queue", ordinal(*n)),
            };
            let why = match why {
                Why::Full(names) => format!("all slots on {names} are in use"),
                Why::Limit(most) => format!("at most {most} of this kind may run in parallel"),
                Why::Line | Why::InUse(_) => "other operations are ahead".to_owned(),
            };
            let when = match free_at.map(|at| at.seconds_since(now)) {
                Some(left) if left > 0.0 => format!("; a slot may be free in {}", format::about(left)),
                Some(_) => "; a slot may be free at any moment".to_owned(),
                None => String::new(),
            };
            format!("{line}: {why}{when}.")
        }
        Start::Drained(names) if names.contains(' ') => format!(
            "Will wait in the queue: the connected hosts for this kind, {names}, are drained and accept no new \
             operations."
        ),
        Start::Drained(name) => format!(
            "Will wait in the queue: {name}, the only connected host for this kind, is drained and accepts no new operations."
        ),
        Start::Unheard => {
            "No host for this kind is connected. You can start the operation anyway: it waits in the queue until a host \
                           connects."
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::made;
    use proptest::prelude::*;

    fn kind() -> KindName {
        KindName::new("data.load").unwrap()
    }

    fn name(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    fn host(of: &str, capacity: u32) -> HostStatus {
        HostStatus { capacity, ..made::host(of, &[kind().as_str()], 0) }
    }

    fn on(host: &str, ends: Option<i64>) -> Work {
        Work { kind: kind(), on: Some(name(host)), priority: 0, ends_at: ends.map(second) }
    }

    fn waits(priority: i8) -> Work {
        Work { kind: kind(), on: None, priority, ends_at: None }
    }

    fn second(n: i64) -> Time {
        Time::from_micros(n * 1_000_000)
    }

    fn wording(hosts: &[HostStatus], work: &[Work], priority: i8, limit: Option<u32>) -> String {
        let kind = kind();
        before_start(
            &start(hosts, work, &NewOperation { kind: &kind, priority, limit, in_use: None }),
            second(0),
        )
    }

    #[test]
    fn a_start_with_a_free_slot_goes_to_the_least_loaded_host() {
        let hosts = [host("one", 2), host("two", 8)];
        let work = [on("one", None), on("two", None)];
        assert_eq!(wording(&hosts, &work, 0, None), "Starts immediately on two (7 of 8 slots free).");
        assert_eq!(wording(&hosts, &[], 0, None), "Starts immediately on one (2 of 2 slots free).");
        let only = [host("one", 1)];
        assert_eq!(wording(&only, &[], 0, None), "Starts immediately on one (1 of 1 slot free).");
    }

    #[test]
    fn a_start_without_a_free_slot_waits_behind_earlier_ones() {
        let hosts = [host("one", 1), host("two", 1)];
        let mut work = vec![on("one", Some(128)), on("two", None)];
        assert_eq!(
            wording(&hosts, &work, 0, None),
            "Will wait, first in the queue: all slots on one and two are in use; a slot may be free in about 2 m 10 s."
        );
        work.extend([waits(0), waits(0), waits(5), waits(-1)]);
        assert!(wording(&hosts, &work, 0, None).starts_with("Will wait as 4th in the queue: all slots"));
        assert!(wording(&hosts, &work, 3, None).starts_with("Will wait as 2nd in the queue"));
        work[0].ends_at = Some(second(-3));
        assert!(wording(&hosts, &work, 9, None).ends_with("a slot may be free at any moment."));
        work[0].ends_at = None;
        assert!(wording(&hosts, &work, 9, None).ends_with("are in use."), "nobody knows when");
    }

    #[test]
    fn the_limit_of_a_kind_is_named() {
        let hosts = [host("one", 8)];
        let work = [on("one", Some(10)), on("one", None)];
        assert!(wording(&hosts, &work, 0, Some(3)).starts_with("Starts immediately"));
        assert_eq!(
            wording(&hosts, &work, 0, Some(2)),
            "Will wait, first in the queue: at most 2 of this kind may run in parallel; a slot may be free in about 10 s."
        );
    }

    #[test]
    fn a_start_waits_for_the_operation_that_uses_the_same_thing_even_with_a_free_slot() {
        let (kind, hosts) = (kind(), [host("one", 8)]);
        let wording = |ends_at: Option<i64>| {
            let in_use = InUse {
                by: "Load MSFT".into(),
                what: "symbol and timeframe".into(),
                ends_at: ends_at.map(second),
            };
            let request = NewOperation { kind: &kind, priority: 0, limit: None, in_use: Some(in_use) };
            before_start(&start(&hosts, &[on("one", None)], &request), second(0))
        };
        assert_eq!(
            wording(None),
            "Will wait until Load MSFT has ended: both operations use the same symbol and timeframe."
        );
        assert_eq!(
            wording(Some(10)),
            "Will wait until Load MSFT has ended, in about 10 s: both operations use the same symbol and timeframe."
        );
    }

    #[test]
    fn drained_and_silent_hosts_offer_no_slots() {
        let mut hosts = [host("one", 2), host("two", 2)];
        hosts[0].draining = true;
        assert!(wording(&hosts, &[], 0, None).contains("on two"));
        hosts[1].draining = true;
        assert!(wording(&hosts, &[], 0, None).contains("one and two, are drained"));
        hosts[1].link = HostLink::Away;
        assert!(wording(&hosts, &[], 0, None).contains("one, the only connected host"));
        hosts[0].link = HostLink::Away;
        assert!(wording(&hosts, &[], 0, None).starts_with("No host for this kind is connected"));
    }

    proptest! {
        #[test]
        fn a_taken_slot_is_never_promised(
            capacity in 0u32..4, at_work in 0usize..6, waiting in 0usize..3, limit in proptest::option::of(1u32..4)
        ) {
            let hosts = [host("one", capacity)];
            let mut work = vec![on("one", None); at_work];
            work.extend(vec![waits(0); waiting]);
            let kind = kind();
            let predicted = start(&hosts, &work, &NewOperation { kind: &kind, priority: 0, limit, in_use: None });
            let may = at_work < capacity as usize
                && waiting == 0
                && limit.is_none_or(|most| at_work < most as usize);
            let promised = matches!(predicted, Start::Now { .. });
            prop_assert_eq!(promised, may);
        }
    }
}
