//! Answers that the copy can give completely. Any other question goes to the server. Pure.

use crate::replica::{Content, Replica, Row};
use protocol::filter::{Filter, Order, Seen};
use protocol::{Operation, OperationId, Time, paths};
use serde_json::value::RawValue;

/// Answer of the copy to a GET; `None` if it is not complete.
pub fn answer(copy: &Replica, path: &str, now: Time) -> Option<Vec<u8>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match path {
        paths::OPERATIONS => page(copy, query, now),
        paths::HOSTS => {
            let hosts: Vec<String> =
                copy.hosts.iter().map(serde_json::to_string).collect::<Result<_, _>>().ok()?;
            Some(format!("{{\"hosts\":[{}]}}", hosts.join(",")).into_bytes())
        }
        paths::KINDS => copy.kinds.as_ref().map(|kinds| kinds.get().as_bytes().to_vec()),
        _ => serde_json::to_vec(&copy.detail(operation_of(path)?)?).ok(),
    }
}

/// Keeps what a server answered to a GET.
pub fn keep(copy: &mut Replica, path: &str, asked_at: u64, body: &[u8]) {
    if path == paths::KINDS {
        // A host may have changed meanwhile. Other events don't matter: on a slow line, there are always some.
        if copy.offered_at <= asked_at
            && let Ok(kinds) = serde_json::from_slice::<Box<RawValue>>(body)
        {
            copy.kinds = Some(kinds);
        }
    } else if let Some(id) = operation_of(path)
        && let Ok(detail) = serde_json::from_slice(body)
    {
        copy.keep_detail(id, detail);
    }
}

/// Operation whose details a path means.
fn operation_of(path: &str) -> Option<OperationId> {
    path.strip_prefix(paths::OPERATIONS)?.strip_prefix('/')?.parse().ok()
}

fn page(copy: &Replica, query: &str, now: Time) -> Option<Vec<u8>> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    // The server says what is wrong with a filter.
    let filter = Filter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).ok()?;
    if filter.order == Order::Oldest {
        return None;
    }
    let only_active = !filter.states.is_empty() && filter.states.iter().all(|state| !state.ended());
    let complete_from = if only_active { None } else { copy.ended_from };
    let limit = filter.limit as usize;
    let mut found: Vec<(OperationId, &Row)> = Vec::new();
    let newest_first = copy.rows.iter().rev();
    for (id, row) in newest_first.skip_while(|(id, _)| filter.after.is_some_and(|after| **id >= after)) {
        if complete_from.is_some_and(|from| *id < from) || found.len() > limit {
            break;
        }
        if takes(&filter, *id, row, now) {
            found.push((*id, row));
        }
    }
    let (first, _) = filter.ids(now);
    let is_complete = found.len() > limit
        || complete_from.is_none()
        || first.is_some_and(|first| complete_from.is_some_and(|from| from <= first));
    if !is_complete {
        return None;
    }
    let next = (found.len() > limit).then(|| found[limit - 1].0);
    let rows: Vec<String> = found.iter().take(limit).map(|(_, row)| row.json()).collect();
    let next = next.map(|id| format!(",\"next\":\"{id}\"")).unwrap_or_default();
    Some(format!("{{\"operations\":[{}]{next}}}", rows.join(",")).into_bytes())
}

fn takes(filter: &Filter, id: OperationId, row: &Row, now: Time) -> bool {
    let seen = |operation: Option<&Operation>| {
        let words = || operation.map(Operation::words).unwrap_or_default();
        let params = operation.map_or(&serde_json::Value::Null, |operation| &operation.params);
        let (kind, host) = (&row.kind, row.host.as_ref());
        let (state, parent) = (row.state, row.parent);
        let ended_at = operation.and_then(|operation| operation.ended_at);
        let seen = Seen { id, state, kind, host, parent, ended_at, params, words: &words };
        filter.takes(&seen, now)
    };
    if filter.text.trim().is_empty() && filter.params.is_empty() && !filter.asks_for_ends() {
        return seen(None);
    }
    match &row.content {
        Content::Active(operation) => seen(Some(operation)),
        Content::Ended(json) => {
            serde_json::from_str::<Operation>(json).is_ok_and(|operation| seen(Some(&operation)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::alerts::AlertSummary;
    use protocol::api::{OperationDetail, OperationPage, Snapshot};
    use protocol::event::EventBody;
    use protocol::{Event, InstanceId, KindName, Progress, State};
    use serde_json::json;

    fn op(n: u8, state: State, seq: u64) -> Operation {
        let id = format!("0199c2d4-7f3a-7c11-9e1b-0000000000{n:02x}").parse().unwrap();
        let (kind, now) = (KindName::new("data.load").unwrap(), Time::from_micros(0));
        // A letter that is in no ID.
        let title = format!("load {}", char::from(b'x' + n % 3));
        let mut op = Operation::queued(id, kind, title, json!({"symbol": "MSFT"}), now);
        (op.state, op.seq) = (state, seq);
        op
    }

    /// Newest first, as the server sends them.
    fn copy(operations: &[Operation], ended_from: Option<OperationId>) -> Replica {
        let snapshot = Snapshot {
            seq: 10,
            now: Time::from_micros(0),
            server: InstanceId::new(),
            version: String::new(),
            operations: operations.to_vec(),
            ended_from,
            counts: vec![],
            hosts: vec![],
            alerts: AlertSummary::default(),
        };
        Replica::of(snapshot)
    }

    fn asked(copy: &Replica, query: &str) -> Option<OperationPage> {
        let body = answer(copy, &format!("/api/v1/operations?{query}"), Time::now())?;
        Some(serde_json::from_slice(&body).unwrap())
    }

    fn event(seq: u64, body: EventBody) -> Event {
        Event { seq, at: Time::from_micros(0), body }
    }

    #[test]
    fn a_page_is_answered_only_if_it_is_complete() {
        let all = [5, 4, 3, 2].map(|n| op(n, State::Succeeded, 1));
        let whole = copy(&all, None);
        let page = asked(&whole, "limit=3").unwrap();
        assert_eq!((page.operations, page.next), (all[..3].to_vec(), Some(all[2].id.to_string())));
        let page = asked(&whole, &format!("limit=3&after={}", all[2].id)).unwrap();
        assert_eq!((page.operations, page.next), (all[3..].to_vec(), None));
        assert_eq!(asked(&whole, "limit=4").unwrap().next, None);
        assert!(asked(&whole, "order=oldest").is_none() && asked(&whole, "state=none").is_none());

        // Older ones are missing.
        let part = copy(&all, Some(all[2].id));
        assert_eq!(asked(&part, "limit=2").unwrap().operations, all[..2]);
        assert!(asked(&part, "limit=3").is_none(), "whether there is a next page is unknown");
        assert!(asked(&part, "state=failed").is_none() && asked(&part, "q=load").is_none());
        // All active ones are there.
        assert!(asked(&part, "state=running,queued").unwrap().operations.is_empty());
    }

    #[test]
    fn filters_take_the_same_operations_as_the_server() {
        let all = [op(3, State::Failed, 1), op(2, State::Running, 1), op(1, State::Succeeded, 1)];
        let copy = copy(&all, None);
        let found = |query: &str| asked(&copy, query).unwrap().operations;
        assert_eq!(found("state=failed"), all[..1]);
        assert_eq!(found("q=load+z"), all[1..2]);
        assert_eq!(found("q=fail"), all[..1]);
        assert_eq!(found("param.symbol=msft").len(), 3);
        assert!(found("kind=exec.wait").is_empty() && found("host=a").is_empty());
    }

    #[test]
    fn events_keep_the_copy_current_and_apply_once() {
        let (running, done) = (op(2, State::Running, 5), op(1, State::Succeeded, 4));
        let mut copy = copy(&[running.clone(), done.clone()], None);
        let progress = Progress { done: 7, ..Progress::start(Time::from_micros(0)) };
        let (id, attempt) = (running.id, 1);
        copy.apply(event(
            11,
            EventBody::Progress { id, attempt, progress: progress.clone(), forecast: None },
        ));
        assert_eq!(asked(&copy, "q=load").unwrap().operations[0].progress, Some(progress));
        let ended = op(2, State::Failed, 12);
        copy.apply(event(12, EventBody::Operation { operation: Box::new(ended.clone()) }));
        copy.apply(event(11, EventBody::Operation { operation: Box::new(running) }));
        assert_eq!(asked(&copy, "state=failed").unwrap().operations, [ended]);
        copy.apply(event(13, EventBody::Deleted { id: done.id, state: State::Succeeded }));
        assert_eq!(asked(&copy, "").unwrap().operations.len(), 1);
        // A page that was read before the deletion does not revive it.
        copy.add_older(vec![done], true);
        assert_eq!(asked(&copy, "").unwrap().operations.len(), 1);
    }

    #[test]
    fn kinds_are_kept_while_other_events_come_and_until_a_host_offers_others() {
        let host = |offers: u32| {
            let host = json!({"name": "a", "url": "http://a", "link": "up", "kinds": ["data.load"], "capacity": 2,
                "running": 1, "offers": offers});
            EventBody::Host { host: serde_json::from_value(host).unwrap() }
        };
        let mut copy = copy(&[op(2, State::Running, 5)], None);
        copy.apply(event(11, host(1)));
        let body = br#"{"kinds":[]}"#;
        let kept = |copy: &Replica| answer(copy, paths::KINDS, Time::now()).is_some();
        // Its status changes while the request is under way, and an operation does.
        copy.apply(event(12, host(1)));
        copy.apply(event(13, EventBody::Operation { operation: Box::new(op(2, State::Failed, 13)) }));
        keep(&mut copy, paths::KINDS, 11, body);
        assert!(kept(&copy));
        copy.apply(event(14, host(2)));
        assert!(!kept(&copy));
        keep(&mut copy, paths::KINDS, 13, body);
        assert!(!kept(&copy), "it was asked before the change");
        keep(&mut copy, paths::KINDS, 14, body);
        assert!(kept(&copy));
    }

    #[test]
    fn details_are_kept_until_an_event_changes_them() {
        let running = op(2, State::Running, 5);
        let mut copy = copy(std::slice::from_ref(&running), None);
        let path = format!("/api/v1/operations/{}", running.id);
        assert!(answer(&copy, &path, Time::now()).is_none());
        let detail = |seq| OperationDetail {
            operation: running.clone(),
            attempts: vec![],
            result: None,
            series: vec!["loss".into()],
            audit: vec![],
            seq,
        };
        let body = |seq| serde_json::to_vec(&detail(seq)).unwrap();
        keep(&mut copy, &path, 10, &body(4));
        assert!(answer(&copy, &path, Time::now()).is_none(), "older than the operation");
        keep(&mut copy, &path, 10, &body(10));
        let progress = Progress { done: 7, ..Progress::start(Time::from_micros(0)) };
        let (id, attempt) = (running.id, 1);
        copy.apply(event(
            11,
            EventBody::Progress { id, attempt, progress: progress.clone(), forecast: None },
        ));
        let kept: OperationDetail =
            serde_json::from_slice(&answer(&copy, &path, Time::now()).unwrap()).unwrap();
        assert_eq!(
            (kept.operation.progress, kept.seq, kept.series),
            (Some(progress), 11, vec!["loss".into()])
        );
        copy.apply(event(12, EventBody::Late { id, attempt, what: String::new() }));
        assert!(answer(&copy, &path, Time::now()).is_none());
    }

    #[test]
    fn the_copy_has_a_limit_and_knows_what_it_left_out() {
        let mut copy = copy(&[op(2, State::Running, 1)], None);
        let first = OperationId::earliest(Time::parse("2026-11-23T10:00:00Z").unwrap());
        let mut id = first;
        for n in 0..10_005 {
            id = id.next();
            let mut operation = op(1, State::Succeeded, 20 + n);
            operation.id = id;
            copy.apply(event(20 + n, EventBody::Operation { operation: Box::new(operation) }));
        }
        assert_eq!(copy.rows.len(), 10_001, "the active one stays");
        assert_eq!(asked(&copy, "limit=5").unwrap().operations.len(), 5);
        assert!(asked(&copy, "q=load&state=failed").is_none());
    }
}
