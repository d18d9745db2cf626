//! List of available kinds: requested with the page, and again when the server or a host may offer others.

use crate::retry_timer::RetryTimer;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::api;
use protocol::api::{HostLink, HostStatus, KindList};
use protocol::{HostName, InstanceId, KindName, Problem};

/// Kinds whose results have pages of their own.
pub const BACKTEST: &str = "backtest.run";
pub const TRAINING: &str = "training.run";
pub const LOAD: &str = "data.load";
pub const SWEEP: &str = "analysis.sweep";
/// Kinds that a sweep can run, with their titles.
pub const SWEPT: [(&str, &str); 2] = [(BACKTEST, "Backtests"), (TRAINING, "Training runs")];
/// Demonstration for a new installation.
pub const DEMO: &str = "demo.run";
/// Prefix of all command kinds.
pub const EXEC: &str = "exec.";

/// The list, as a resource.
pub type Kinds = live::Loaded<Result<KindList, Problem>>;

/// Waits for the first list under `Suspense`, without tracking later ones, which would rebuild the page.
pub fn wait_for(kinds: Kinds) {
    if kinds.with_untracked(Option::is_none) {
        kinds.track();
    }
}

/// Fields of a host that affect the list.
type Life = (HostName, Option<InstanceId>, HostLink, Vec<KindName>, u32);

fn lives(hosts: &[HostStatus]) -> Vec<Life> {
    let life =
        |host: &HostStatus| (host.name.clone(), host.instance, host.link, host.kinds.clone(), host.offers);
    hosts.iter().map(life).collect()
}

/// Whether a newer list replaces the known one. Not when equal: the page would be rebuilt. Not when empty either: a
/// restarted server knows no hosts for a moment, and the form in use would disappear.
fn replaces(new: &KindList, known: Option<&KindList>) -> bool {
    known.is_none_or(|known| new != known && (!new.kinds.is_empty() || known.kinds.is_empty()))
}

/// Keeps the list up to date. After a failure it keeps the old list and retries later.
pub fn keep_current(live: &OperationStore, kinds: Kinds) {
    let (seeded, epoch, hosts) = (live.seeded(), live.epoch(), live.hosts());
    let again = RetryTimer::new();
    let stamp = Memo::new(move |_| {
        seeded.get().then(|| (again.turn(), epoch.get(), hosts.with(|hosts| lives(hosts))))
    });
    let newest = StoredValue::new(0u32);
    // The list as last taken: outside of an effect, a resource is not to be read.
    let known = StoredValue::new(None::<KindList>);
    Effect::new(move |_| {
        let list = kinds.with(|list| list.as_ref().and_then(|list| list.as_ref().ok().cloned()));
        known.set_value(list);
    });
    Effect::new(move |before: Option<Option<_>>| {
        let now = stamp.get();
        // The first list came with the page.
        if before.flatten().is_some_and(|before| now.as_ref() != Some(&before)) {
            let turn = newest.get_value() + 1;
            newest.set_value(turn);
            spawn_local(async move {
                let list = match api::kinds().await {
                    Ok(list) => list,
                    Err(problem) => return again.failed(&problem),
                };
                again.succeeded();
                let differs = known.with_value(|known| replaces(&list, known.as_ref()));
                if newest.get_value() == turn && differs {
                    kinds.set(Some(Ok(list)));
                }
            });
        }
        now
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::KindOffer;
    use serde_json::{Value, json};

    fn host(change: Value) -> Vec<Life> {
        let mut host = json!({
            "name": "gpu-1", "url": "http://h:1", "link": "up", "instance": "0199c2d4-7f3a-7c11-9e1b-000000000001",
            "kinds": ["data.load"], "capacity": 2, "running": 0,
        });
        host.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        lives(&[serde_json::from_value(host).unwrap()])
    }

    #[test]
    fn only_a_new_instance_link_or_kind_of_a_host_triggers_a_request() {
        let before = host(json!({}));
        assert_eq!(
            before,
            host(json!({ "running": 2, "latency_ms": 3.5, "heard_at": "2026-11-23T10:00:00Z" }))
        );
        let others = [
            json!({ "instance": "0199c2d4-7f3a-7c11-9e1b-000000000002" }),
            json!({ "link": "away" }),
            json!({ "kinds": ["data.load", "data.check"] }),
            json!({ "offers": 1 }),
        ];
        for other in others {
            assert_ne!(before, host(other.clone()), "{other}");
        }
    }

    #[test]
    fn only_a_changed_list_is_adopted() {
        let list = |names: &[&str]| {
            KindList {
            kinds: names
                .iter()
                .map(|name| -> KindOffer {
                    let spec = json!({ "name": name, "title": name, "description": "", "summary": "", "params": {} });
                    serde_json::from_value(json!({ "spec": spec, "hosts": ["a"], "available": true })).unwrap()
                })
                .collect(),
        }
        };
        let (none, one, two) = (list(&[]), list(&["a.b"]), list(&["a.b", "c.d"]));
        assert!(replaces(&one, None) && replaces(&one, Some(&none)) && replaces(&two, Some(&one)));
        assert!(!replaces(&one, Some(&one)));
        assert!(!replaces(&none, Some(&one)), "no host has connected yet");
    }
}
