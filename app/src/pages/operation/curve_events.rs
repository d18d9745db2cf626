//! Events on the curves of an operation: its best epoch, its newest checkpoint, and where attempts resumed. Pure.

use crate::features::curves::group::is_validation_loss;
use charts::Event;
use display::format::figure;
use live::model::curves::Curves;
use protocol::operation::AttemptOrigin;
use protocol::{Attempt, Checkpoint};

/// Best epoch of a training: the minimum of its validation loss, in charts over the same x.
fn best_of(curves: &Curves, x: &str, x_of: impl Fn(&str) -> String) -> Option<Event> {
    let name = curves.names().find(|name| is_validation_loss(name) && x_of(name) == x)?;
    let points = curves.get(name);
    let finite = points.iter().filter(|point| point.1.is_finite());
    let best = finite.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| points.len() > 1)?;
    Some(Event { x: best.0, label: format!("best {x} {}", figure(best.0)) })
}

/// Position of a checkpoint on an axis: 12 of `12 of 50 epochs, …` on one of epochs.
fn place_of(note: &str, x: &str) -> Option<f64> {
    let counted = note.split(',').next()?;
    let (done, rest) = counted.split_once(" of ")?;
    let unit = rest.split_once(' ')?.1;
    let is_x = !x.is_empty() && (unit == x || unit.strip_suffix('s') == Some(x));
    is_x.then(|| json::float(done.trim())).flatten()
}

/// Events of an operation on charts over `x`, in order. `x_of` is the x of a series.
pub fn events_of(
    curves: &Curves,
    x: &str,
    x_of: impl Fn(&str) -> String,
    attempts: &[Attempt],
    checkpoint: Option<&Checkpoint>,
) -> Vec<Event> {
    let resumed = attempts.iter().filter(|attempt| attempt.origin == AttemptOrigin::Resume);
    let resumed = resumed.filter_map(|attempt| {
        let x = place_of(attempt.resumed_from.as_deref()?, x)?;
        Some(Event { x, label: format!("resumed, attempt {}", attempt.number) })
    });
    let saved = checkpoint.and_then(|saved| place_of(&saved.note, x));
    let saved = saved.map(|x| Event { x, label: "checkpoint".to_owned() });
    let mut events: Vec<Event> = best_of(curves, x, x_of).into_iter().chain(resumed).chain(saved).collect();
    events.sort_by(|a, b| a.x.total_cmp(&b.x));
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Point, Points, State, Time};
    use serde_json::json;

    #[test]
    fn a_checkpoint_has_a_place_on_the_axis_that_it_counts() {
        let note = "12 of 50 epochs, best validation loss 0.6100 in epoch 9";
        assert_eq!(place_of(note, "epoch"), Some(12.0));
        assert_eq!(place_of("7 of 13 segments, 11,204 rows", "epoch"), None);
        assert_eq!(place_of("half of it", "it"), None);
        assert_eq!(place_of(note, ""), None);
    }

    #[test]
    fn best_epoch_checkpoint_and_resumes_are_marked_in_order() {
        let mut curves = Curves::default();
        let points = [3.0, 1.0, 2.0].iter().enumerate().map(|(i, y)| Point(i as f64 + 1.0, *y)).collect();
        curves.add(1, &[Points { name: "validation_loss".into(), points }]);
        let attempt = |number, origin, resumed_from: Option<&str>| Attempt {
            number,
            origin,
            state: State::Failed,
            host: None,
            instance: None,
            created_at: Time::from_micros(0),
            started_at: None,
            ended_at: None,
            failure: None,
            receipt: None,
            resumed_from: resumed_from.map(str::to_owned),
            usage: None,
        };
        let attempts = [
            attempt(1, AttemptOrigin::Start, None),
            attempt(2, AttemptOrigin::Resume, Some("1 of 3 epochs")),
            // Stored by an older version.
            attempt(3, AttemptOrigin::Resume, None),
        ];
        let checkpoint: Checkpoint = serde_json::from_value(json!({
            "attempt": 2, "at": "2026-11-23T10:41:00Z", "note": "3 of 3 epochs, best 1", "state": null
        }))
        .unwrap();
        let events = events_of(&curves, "epoch", |_| "epoch".to_owned(), &attempts, Some(&checkpoint));
        let texts: Vec<_> = events.iter().map(|event| (event.x, event.label.as_str())).collect();
        assert_eq!(texts, [(1.0, "resumed, attempt 2"), (2.0, "best epoch 2"), (3.0, "checkpoint")]);
        assert!(events_of(&curves, "step", |_| "epoch".to_owned(), &attempts, Some(&checkpoint)).is_empty());
    }
}
