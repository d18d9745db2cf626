//! Past operations of a kind: the last parameters, and how long operations with similar ones took.

use crate::features::params::changes;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::api;
use protocol::{KindName, Operation, State, Time};
use serde_json::Value;

/// An operation that ended with success, or the last one.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub at: Time,
    pub params: Value,
    /// Duration in seconds; `None` unless it succeeded.
    pub seconds: Option<f64>,
    /// Whether another operation started it.
    pub child: bool,
}

/// Past operations of one kind.
#[derive(Clone, Copy)]
pub struct Past {
    /// Time and parameters of the newest one that was started on its own.
    pub last: Memo<Option<(Time, Value)>>,
    runs: RwSignal<Vec<Run>>,
}

impl Past {
    /// Requests the newest operations of the kind, once. Without an answer there are none.
    pub fn of(kind: KindName) -> Self {
        let live = OperationStore::here();
        let runs = RwSignal::new(Vec::new());
        let known = {
            let kind = kind.clone();
            Memo::new(move |_| live.newest_of(&kind))
        };
        Effect::new(move |_| {
            let kind = kind.clone();
            spawn_local(async move {
                if let Ok(page) = api::newest_of(&kind).await {
                    runs.try_set(page.operations.into_iter().map(run).collect());
                }
            });
        });
        let last = Memo::new(move |_| {
            let stored = || {
                runs.with(|runs| runs.iter().find(|run| !run.child).map(|run| (run.at, run.params.clone())))
            };
            known.get().or_else(stored)
        });
        Self { last, runs }
    }

    /// Usual duration with these parameters, in seconds, and how many runs it is taken from. Tracked.
    pub fn usual(self, params: &Value) -> Option<(f64, usize)> {
        self.runs.with(|runs| usual(runs, params))
    }
}

fn run(op: Operation) -> Run {
    let took = op.started_at.zip(op.ended_at).filter(|_| op.state == State::Succeeded);
    Run {
        at: op.created_at,
        seconds: took.map(|(from, to)| to.seconds_since(from).max(0.0)),
        child: op.parent.is_some(),
        params: op.params,
    }
}

/// Median duration of the succeeded runs whose parameters differ least from these, and their number.
fn usual(runs: &[Run], params: &Value) -> Option<(f64, usize)> {
    let timed = || runs.iter().filter_map(|run| Some((changes(&run.params, params).len(), run.seconds?)));
    let least = timed().map(|(different, _)| different).min()?;
    let mut seconds: Vec<f64> =
        timed().filter(|(different, _)| *different == least).map(|(_, seconds)| seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let (half, even) = (seconds.len() / 2, seconds.len().is_multiple_of(2));
    let median = if even { (seconds[half - 1] + seconds[half]) / 2.0 } else { seconds[half] };
    Some((median, seconds.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ran(params: Value, seconds: Option<f64>) -> Run {
        Run { at: Time::from_micros(0), params, seconds, child: false }
    }

    #[test]
    fn the_usual_duration_is_the_median_of_the_most_similar_runs() {
        let runs = [
            ran(json!({"epochs": 50, "seed": 1}), Some(40.0)),
            ran(json!({"epochs": 50, "seed": 2}), Some(50.0)),
            ran(json!({"epochs": 5, "seed": 3}), Some(4.0)),
            ran(json!({"epochs": 50, "seed": 3}), None),
        ];
        assert_eq!(usual(&runs, &json!({"epochs": 50, "seed": 9})), Some((45.0, 2)));
        assert_eq!(usual(&runs, &json!({"epochs": 5, "seed": 3})), Some((4.0, 1)));
        assert_eq!(usual(&runs[3..], &json!({"epochs": 50})), None);
    }
}
