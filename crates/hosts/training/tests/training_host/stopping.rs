//! Cancelled and resumed trainings.

use crate::rig::{Heard, Served};
use protocol::OperationId;
use protocol::host::Outcome;
use serde_json::{Value, json};

/// With this many epochs a training is still running after its first reports.
fn params(epochs: u32) -> Value {
    json!({
        "symbols": "DEMO", "hidden": "24,24", "epochs": epochs, "patience": 0, "checkpoint_every": 5,
        "batch_size": 16, "learning_rate": 0.002, "seed": 5
    })
}

/// More epochs than any test waits for.
const WITHOUT_END: u32 = 10_000;

/// Follows a training until `enough` returns true, then cancels it.
async fn cancelled_after(
    host: &mut Served,
    id: OperationId,
    attempt: u32,
    enough: impl Fn(&Heard) -> bool,
) -> Heard {
    let mut heard = Heard::default();
    host.listen(id, &mut heard, enough).await;
    host.cancel(id, attempt).await;
    host.listen(id, &mut heard, |_| false).await;
    assert_eq!(heard.outcome(), Outcome::Cancelled, "{:?}", heard.end);
    heard
}

#[tokio::test]
async fn a_cancelled_training_resumes_and_draws_the_curve_of_an_uninterrupted_one() {
    let mut host = Served::new().await;
    let whole = OperationId::new();
    assert_eq!(host.start(whole, 1, &params(40), None).await.status(), 202);
    let expected = host.until_end(whole).await;
    assert_eq!(expected.outcome(), Outcome::Succeeded, "{:?}", expected.end);

    let id = OperationId::new();
    assert_eq!(host.start(id, 1, &params(40), None).await.status(), 202);
    let first = cancelled_after(&mut host, id, 1, |h| h.last_epoch() >= 1.0).await;
    let checkpoint = first.checkpoints.last().unwrap();
    // Stopped within an epoch: the state is that of the last whole epoch, whose points were reported last.
    assert_eq!(checkpoint.state["epoch"], json!(first.last_epoch() as u32));
    assert!(first.last_epoch() < 40.0);
    assert!(checkpoint.note.contains(" of 40 epochs"), "{}", checkpoint.note);

    assert_eq!(host.start(id, 2, &params(40), Some(checkpoint)).await.status(), 202);
    let second = host.until_end(id).await;
    assert_eq!(second.outcome(), Outcome::Succeeded, "{:?}", second.end);
    assert_eq!(second.points["train_loss"][0].0, first.last_epoch() + 1.0, "only new epochs are told");
    let mut curves = first.curves();
    for (series, points) in second.curves() {
        curves.get_mut(&series).unwrap().extend(points);
    }
    assert_eq!(curves, expected.curves());

    let (mut result, _) = host.result(id).await;
    let (uninterrupted, _) = host.result(whole).await;
    assert_ne!(result.model, uninterrupted.model, "each operation has a model of its own");
    result.seconds = uninterrupted.seconds;
    result.model.clone_from(&uninterrupted.model);
    result.model_sha256.clone_from(&uninterrupted.model_sha256);
    assert_eq!(result, uninterrupted);
    assert_eq!(
        host.checkpoints().read_dir().unwrap().count(),
        0,
        "what is done needs no place to go on from"
    );
}

#[tokio::test]
async fn a_training_without_its_checkpoint_file_repeats_the_curve_but_reports_nothing_twice() {
    let mut host = Served::new().await;
    let id = OperationId::new();
    let params = params(WITHOUT_END);
    assert_eq!(host.start(id, 1, &params, None).await.status(), 202);
    let told_six = |h: &Heard| h.last_epoch() >= 6.0;
    let first = cancelled_after(&mut host, id, 1, told_six).await;
    std::fs::remove_dir_all(host.checkpoints()).unwrap();
    // Its first checkpoint is at epoch 5, before the last reported point.
    assert_eq!(host.start(id, 2, &params, first.checkpoints.last()).await.status(), 202);
    let second = cancelled_after(&mut host, id, 2, |h| !h.checkpoints.is_empty()).await;
    assert!(second.warnings[0].contains("missing or corrupt"), "{:?}", second.warnings);
    assert_eq!(second.checkpoints[0].state["epoch"], 5);
    let told = first.last_epoch().max(second.last_epoch());
    assert_eq!(host.start(id, 3, &params, second.checkpoints.first()).await.status(), 202);
    let third = cancelled_after(&mut host, id, 3, |h| h.last_epoch() >= told + 2.0).await;
    assert!(third.warnings.is_empty(), "{:?}", third.warnings);

    let other = OperationId::new();
    assert_eq!(host.start(other, 1, &params, None).await.status(), 202);
    let expected = cancelled_after(&mut host, other, 1, |h| h.last_epoch() >= told + 2.0).await;
    let expected = expected.curves();
    for (series, points) in first.curves() {
        let known = first.last_epoch() as usize;
        assert_eq!(points, expected[&series][..known], "{series}");
        let next = &third.points[&series][..2];
        assert_eq!(next, &expected[&series][next[0].0 as usize - 1..][..2], "{series}");
    }
    assert_eq!(third.points["train_loss"][0].0, first.last_epoch() + 1.0);
    assert!(second.last_epoch() == 0.0 || second.points["train_loss"][0].0 == first.last_epoch() + 1.0);
}

#[tokio::test]
async fn a_training_with_changed_bars_is_not_resumed() {
    let mut host = Served::new().await;
    let id = OperationId::new();
    assert_eq!(host.start(id, 1, &params(WITHOUT_END), None).await.status(), 202);
    let first = cancelled_after(&mut host, id, 1, |h| h.last_epoch() >= 1.0).await;
    host.load(2).await;
    assert_eq!(host.start(id, 2, &params(WITHOUT_END), first.checkpoints.last()).await.status(), 202);
    let second = host.until_end(id).await;
    assert_eq!(second.outcome(), Outcome::Failed);
    assert!(second.failure().message.contains("have changed"), "{:?}", second.failure());
    assert!(second.failure().hint.starts_with("Retry"));
}
