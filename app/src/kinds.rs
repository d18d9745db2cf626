//! What can be started, kept true: asked for with the page, and again when another life of the server or of a host may
//! offer something else.

use crate::again::Again;
use crate::api;
use crate::live::Live;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::api::{HostLink, HostStatus, KindList};
use protocol::{HostName, InstanceId, KindName, Problem};

/// The answer, as the page holds it.
pub type Kinds = Resource<Result<KindList, Problem>>;

/// For a part of a page, under the `Suspense` that waits: it is made anew when the first answer is there, and not at later
/// ones, when a host comes or goes.
pub fn wait_for(kinds: Kinds) {
    if kinds.with_untracked(Option::is_none) {
        kinds.track();
    }
}

/// By what of a host the answer would be another one.
type Life = (HostName, Option<InstanceId>, HostLink, Vec<KindName>, u32);

fn lives(hosts: &[HostStatus]) -> Vec<Life> {
    let life =
        |host: &HostStatus| (host.name.clone(), host.instance, host.link, host.kinds.clone(), host.offers);
    hosts.iter().map(life).collect()
}

/// Whether a newer list takes the place of what is known. The same one does not: whatever shows it would be made anew.
/// Nor does an empty one: a server that has just begun has heard no host yet, and what is offered again a moment later
/// would be gone from under the hand.
fn replaces(new: &KindList, known: Option<&KindList>) -> bool {
    known.is_none_or(|known| new != known && (!new.kinds.is_empty() || known.kinds.is_empty()))
}

/// For the app: keeps `kinds` true as long as the page lives. Without an answer it stays as it was, and is asked for again
/// in a while.
pub fn keep_true(live: &Live, kinds: Kinds) {
    let (seeded, epoch, hosts) = (live.seeded(), live.epoch(), live.hosts());
    let again = Again::new();
    let stamp = Memo::new(move |_| {
        seeded.get().then(|| (again.turn(), epoch.get(), hosts.with(|hosts| lives(hosts))))
    });
    let newest = StoredValue::new(0u32);
    Effect::new(move |before: Option<Option<_>>| {
        let now = stamp.get();
        // What the page began with was answered with it.
        if before.flatten().is_some_and(|before| now.as_ref() != Some(&before)) {
            let turn = newest.get_value() + 1;
            newest.set_value(turn);
            spawn_local(async move {
                let list = match api::kinds().await {
                    Ok(list) => list,
                    Err(problem) => return again.in_vain(&problem),
                };
                again.answered();
                let known = |known: &Option<Result<KindList, Problem>>| {
                    replaces(&list, known.as_ref().and_then(|known| known.as_ref().ok()))
                };
                if newest.get_value() == turn && kinds.with_untracked(known) {
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
    fn another_life_link_or_kind_of_a_host_asks_again_and_nothing_else_of_it_does() {
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
    fn only_a_list_that_says_something_else_is_taken() {
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
        assert!(!replaces(&none, Some(&one)), "no host has been heard yet");
    }
}
