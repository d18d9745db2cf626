//! What senders with a scope see of operations, hosts and kinds. Pure.

use crate::coordinator::{PARENT_ENDED, PARENT_ENDED_BEFORE};
use protocol::access::KindScope;
use protocol::api::{Connections, HostStatus, KindList};
use protocol::{HostName, Operation};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Reason of a cancel for a reason that is not visible.
const HIDDEN_REASON: &str = "cancelled by Signalbox";

/// A visible operation, with its position in the feed of the scope. Parents are in no scope, so it has none.
pub(crate) fn operation(operation: &mut Operation, seq: u64) {
    operation.parent = None;
    operation.seq = seq;
    if let Some(receipt) = &mut operation.receipt {
        reason(&mut receipt.reason);
    }
}

/// Reason of a cancel, without the parent.
pub(crate) fn reason(text: &mut String) {
    if text.starts_with(PARENT_ENDED) || text.starts_with(PARENT_ENDED_BEFORE) {
        HIDDEN_REASON.clone_into(text);
    }
}

/// Status of a host, with what its operations outside of the scope have no influence on: neither its load, nor its
/// latency, nor the number of requests.
pub(crate) fn host(host: HostStatus, scope: &KindScope, running: u32, offers: u32) -> HostStatus {
    let kinds = host.kinds.into_iter().filter(|kind| scope.covers(kind)).collect();
    HostStatus {
        kinds,
        running,
        offers,
        latency_ms: None,
        health: None,
        connections: Connections::default(),
        ..host
    }
}

/// Visible kinds.
pub(crate) fn kinds(mut list: KindList, scope: &KindScope) -> KindList {
    list.kinds.retain(|offer| scope.covers(&offer.spec.name));
    list
}

/// Changes when a visible kind of a host changes, and with no other kind.
pub(crate) fn fingerprint(list: &KindList, scope: &KindScope, host: &HostName) -> u32 {
    let mut hasher = DefaultHasher::new();
    for offer in &list.kinds {
        if scope.covers(&offer.spec.name) && offer.hosts.contains(host) {
            serde_json::to_string(&offer.spec).unwrap_or_default().hash(&mut hasher);
        }
    }
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::HostLink;

    #[test]
    fn an_operation_does_not_name_its_parent() {
        let parent = protocol::OperationId::new();
        for begin in [PARENT_ENDED, PARENT_ENDED_BEFORE] {
            let mut text = format!("{begin}{} ended or was cancelled", parent.short());
            reason(&mut text);
            assert_eq!(text, HIDDEN_REASON);
        }
        let mut own = "wrong data".to_owned();
        reason(&mut own);
        assert_eq!(own, "wrong data");
    }

    #[test]
    fn a_host_tells_nothing_of_kinds_outside_of_the_scope() {
        let kinds = ["data.load", "training.run"].map(|kind| kind.parse().unwrap()).to_vec();
        let whole = HostStatus {
            name: "gpu-1".parse().unwrap(),
            url: "http://127.0.0.1:7301".into(),
            link: HostLink::Up,
            draining: false,
            heard_at: None,
            latency_ms: Some(2.0),
            trouble: String::new(),
            instance: None,
            version: "1".into(),
            kinds,
            offers: 7,
            capacity: 8,
            running: 5,
            health: None,
            connections: Connections { requests: 99, ..Connections::default() },
        };
        let seen = host(whole.clone(), &"training.*".parse().unwrap(), 2, 1);
        assert_eq!(seen.kinds, ["training.run".parse().unwrap()]);
        assert_eq!((seen.running, seen.offers, seen.latency_ms, seen.connections.requests), (2, 1, None, 0));
        assert!(host(whole, &"exec.*".parse().unwrap(), 0, 0).kinds.is_empty());
    }
}
