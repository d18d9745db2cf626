//! Baselines and auto-cancel rules: an operation outside of its baseline for as long as its rule says is cancelled;
//! also across a restart, and for the next attempt.

use crate::stage::{Follower, Stage, start, up};
use protocol::api::{StartOperation, StartWithRule};
use protocol::band::Like;
use protocol::operation::AttemptOrigin;
use protocol::{Action, EventBody, Operation, OperationId, SetRule, Side, State, Via};
use serde_json::json;
use signalbox_engine::Engine;
use signalbox_engine::{Denied, EngineError};

/// Runs whose series lie from 0 to 5 above the step.
async fn six_runs(engine: &Engine, feed: &mut Follower) -> Vec<OperationId> {
    let mut ids = Vec::new();
    for lift in 0..6 {
        let id = start(engine, json!({"steps": 30, "lift": lift})).await.id;
        feed.until(|o| o.id == id && o.state == State::Succeeded).await;
        ids.push(id);
    }
    ids
}

fn above(points: u32) -> SetRule {
    SetRule { series: "steps".into(), side: Side::Above, points }
}

/// Run far above the others that waits for another's slot, so that its rule exists before its first point.
async fn high_in_line(engine: &Engine, feed: &mut Follower, hold_at: u64) -> (OperationId, OperationId) {
    let first = start(engine, json!({"steps": 1_000_000})).await.id;
    feed.until(|o| o.id == first && o.state == State::Running).await;
    let high = start(engine, json!({"steps": 1_000_000, "lift": 100, "hold_at": hold_at})).await.id;
    (first, high)
}

/// Waits until the feed reports that many consecutive points outside.
async fn until_outside(feed: &mut Follower, of: OperationId, wanted: u32) {
    loop {
        if let EventBody::Points { id, outside: Some(outside), .. } = feed.next().await.body
            && id == of
            && outside == wanted
        {
            return;
        }
    }
}

fn fired_from(operation: &Operation) -> (u32, f64) {
    let fired = operation.rule.as_ref().and_then(|rule| rule.fired).unwrap();
    (fired.attempt, fired.from_x)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_runs_make_a_band_that_names_them() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    let mut ids = six_runs(&engine, &mut feed).await;
    let band_of = |id, refresh| engine.baseline(id, "steps".into(), 500, refresh);

    let few = band_of(ids[2], false).await.unwrap();
    assert_eq!((few.band, few.runs.len()), (None, 2));
    assert_eq!(few.why, "A baseline needs 5 past successful runs; there are 2.");

    let like = start(&engine, json!({"steps": 30, "gated": true})).await.id;
    let baseline = band_of(like, false).await.unwrap();
    ids.reverse();
    assert_eq!((baseline.like, baseline.runs), (Like::SameTitle, ids.clone()));
    let band = baseline.band.unwrap();
    assert_eq!(band.x, (1..=30).map(f64::from).collect::<Vec<_>>());
    let at = band.at(7.0).unwrap();
    assert_eq!((at.p10, at.p50, at.p90, at.runs), (7.5, 9.5, 11.5, 6));

    // A run with another title has the baseline of its kind.
    let other = start(&engine, json!({"steps": 1_000_000})).await.id;
    let baseline = band_of(other, false).await.unwrap();
    assert_eq!((baseline.like, baseline.runs), (Like::SameKind, ids.clone()));
    let nothing = engine.baseline(like, "loss".into(), 500, false).await.unwrap();
    assert!(nothing.band.is_none() && nothing.why.ends_with("there are none."), "{}", nothing.why);
    let thin = engine.baseline(like, "steps".into(), 4, false).await.unwrap().band.unwrap();
    assert_eq!(thin.x.len(), 4);
    assert!(matches!(
        band_of(OperationId::new(), false).await.unwrap_err(),
        EngineError::OperationNotFound(_)
    ));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_leaves_the_band_is_cancelled_by_its_rule_after_a_restart() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    six_runs(&engine, &mut feed).await;
    let (first, high) = high_in_line(&engine, &mut feed, 12).await;
    let ruled = engine.set_rule(high, above(12)).await.unwrap();
    let rule = ruled.rule.unwrap();
    assert_eq!((rule.runs, rule.outside, rule.is_armed()), (6, 0, true));
    engine.cancel(first, String::new()).await.unwrap();
    until_outside(&mut feed, high, 11).await;
    assert_eq!(engine.rule(high).await.unwrap().outside, 11);
    assert_eq!(engine.operation(high).await.unwrap().operation.rule.unwrap().outside, 11);
    feed.assert_gapless();
    engine.close().await;
    drop(engine);

    // A restarted server counts each point once, too.
    let engine = stage.engine();
    assert_eq!(engine.rule(high).await.unwrap().outside, 11);
    let mut feed = Follower::new(&engine, engine.feed().head());
    up(&engine).await;
    stage.host.open_gate();
    let cancelled = feed.until(|o| o.id == high && o.state == State::Cancelled).await;
    assert_eq!(fired_from(&cancelled), (1, 1.0));
    let reason = "steps was above the P90 of 6 past runs for 12 points, from step 1";
    assert_eq!(cancelled.receipt.unwrap().reason, reason);
    let detail = engine.operation(high).await.unwrap();
    let last = detail.audit.last().unwrap();
    assert_eq!((last.action, last.by.via, last.detail.as_str()), (Action::Cancel, Via::Signalbox, reason));
    let set = detail.audit.iter().find(|entry| entry.action == Action::SetRule).unwrap();
    assert_eq!(
        set.detail,
        "cancel when 12 points in a row of steps are above the P90 of 6 past runs of the same kind"
    );
    // The baseline that it was cancelled by stays, whatever ran since.
    let baseline = engine.baseline(high, "steps".into(), 500, true).await.unwrap();
    assert_eq!(baseline.runs.len(), 6);
    // The rule is spent: a user may retry.
    let again = engine.again(high, AttemptOrigin::Retry).await.unwrap();
    assert_eq!(again.rule, None);
    engine.cancel(high, String::new()).await.unwrap();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_applies_to_the_next_attempt_from_its_first_point() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    six_runs(&engine, &mut feed).await;
    let (first, high) = high_in_line(&engine, &mut feed, 6).await;
    engine.set_rule(high, above(8)).await.unwrap();
    engine.cancel(first, String::new()).await.unwrap();
    until_outside(&mut feed, high, 5).await;
    engine.cancel(high, "a person".into()).await.unwrap();
    let cancelled = feed.until(|o| o.id == high && o.state == State::Cancelled).await;
    assert_eq!(cancelled.rule.unwrap().fired, None, "it was a person");
    let late = engine.set_rule(high, above(8)).await.unwrap_err();
    assert!(matches!(late, EngineError::Denied(Denied::RuleEnded(Some(State::Cancelled)))), "{late:?}");
    engine.close().await;
    drop(engine);

    let engine = stage.engine();
    let mut feed = Follower::new(&engine, engine.feed().head());
    up(&engine).await;
    let again = engine.again(high, AttemptOrigin::Retry).await.unwrap();
    assert_eq!(again.rule.unwrap().outside, 0);
    until_outside(&mut feed, high, 5).await;
    stage.host.open_gate();
    let cancelled = feed.until(|o| o.id == high && o.state == State::Cancelled).await;
    assert_eq!(fired_from(&cancelled), (2, 1.0));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_applies_from_when_it_is_set_until_it_is_removed() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    six_runs(&engine, &mut feed).await;
    let id = start(&engine, json!({"steps": 60, "lift": 100, "hold_at": 11})).await.id;
    // There are ten points, all outside.
    loop {
        if let EventBody::Points { id: of, series, .. } = feed.next().await.body
            && of == id
            && series.iter().flat_map(|s| &s.points).any(|p| p.0 == 10.0)
        {
            break;
        }
    }
    let wrong = engine.set_rule(id, above(2)).await.unwrap_err();
    let EngineError::InvalidParams(fields) = wrong else { panic!("{wrong:?}") };
    assert_eq!(fields[0].field, "points");
    // Twenty more points, 11 to 30, have a baseline; later ones are not judged.
    engine.set_rule(id, above(21)).await.unwrap();
    stage.host.open_gate();
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded);
    let rule = engine.rule(id).await.unwrap();
    assert_eq!((rule.outside, rule.fired), (20, None));

    let (first, high) = high_in_line(&engine, &mut feed, 1).await;
    engine.set_rule(high, above(3)).await.unwrap();
    assert_eq!(engine.drop_rule(high).await.unwrap().rule, None);
    assert_eq!(engine.drop_rule(high).await.unwrap().rule, None, "twice is once");
    engine.cancel(first, String::new()).await.unwrap();
    loop {
        if let EventBody::Points { id: of, series, outside, .. } = feed.next().await.body
            && of == high
        {
            assert_eq!(outside, None);
            if series.iter().flat_map(|s| &s.points).any(|p| p.0 == 10.0) {
                break;
            }
        }
    }
    assert_eq!(engine.operation(high).await.unwrap().operation.state, State::Running);
    engine.cancel(high, String::new()).await.unwrap();
    feed.until(|o| o.id == high && o.state == State::Cancelled).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_given_at_the_start_applies_from_the_first_point() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    six_runs(&engine, &mut feed).await;
    let request = |points| StartWithRule {
        start: StartOperation {
            kind: "test.count".parse().unwrap(),
            params: json!({"steps": 1_000_000, "lift": 100}),
            priority: 0,
        },
        rule: Some(above(points)),
    };
    let wrong = engine.start_with_rule(request(1), None).await.unwrap_err();
    assert!(matches!(wrong, EngineError::InvalidParams(_)), "{wrong:?}");
    let key = || Some("one".to_owned());
    let started = engine.start_with_rule(request(5), key()).await.unwrap();
    let again = engine.start_with_rule(request(5), key()).await.unwrap();
    assert_eq!((again.operation.id, again.new), (started.operation.id, false));
    assert!(matches!(engine.start_with_rule(request(6), key()).await.unwrap_err(), EngineError::KeyReused));
    let id = started.operation.id;
    let cancelled = feed.until(|o| o.id == id && o.state == State::Cancelled).await;
    assert_eq!(fired_from(&cancelled), (1, 1.0));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_without_a_band_is_reported_and_never_cancels() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    let id = start(&engine, json!({"steps": 40, "lift": 100, "hold_at": 1})).await.id;
    let rule = engine.set_rule(id, above(3)).await.unwrap().rule.unwrap();
    assert_eq!(rule.why, "A baseline needs 5 past successful runs; there are none.");
    assert!(!rule.is_armed());
    stage.host.open_gate();
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(engine.rule(id).await.unwrap().outside, 0);
    engine.close().await;
}
