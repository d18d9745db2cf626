//! Effect of an event on an operation. Pure: decides, and the store applies it.

use protocol::{Event, EventBody, Forecast, Operation, Progress, State, Time};

/// What the decision needs to know of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Event up to which it is known.
    pub as_of: u64,
    pub attempt: u32,
    pub state: State,
}

/// Effect of an event.
#[derive(Debug, PartialEq)]
pub enum Change<'a> {
    /// Outdated, or about an earlier attempt.
    Nothing,
    /// A new version of the operation.
    Replace(&'a Operation),
    Progress {
        progress: &'a Progress,
        /// A new forecast, if the event has one.
        forecast: Option<Forecast>,
        at: Time,
    },
    /// Its host reported; nothing else changed.
    Reported { at: Time },
}

/// Decides the effect of `event` on an operation.
pub fn judge<'a>(known: Known, event: &'a Event) -> Change<'a> {
    if event.seq <= known.as_of {
        return Change::Nothing;
    }
    let current = |attempt: u32| attempt == known.attempt && !known.state.ended();
    match &event.body {
        EventBody::Operation { operation } if operation.attempt >= known.attempt => {
            Change::Replace(operation)
        }
        EventBody::Progress { attempt, progress, forecast, .. } if current(*attempt) => {
            Change::Progress { progress, forecast: *forecast, at: event.at }
        }
        EventBody::Points { attempt, .. } | EventBody::Log { attempt, .. } if current(*attempt) => {
            Change::Reported { at: event.at }
        }
        _ => Change::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{event, operation, progress};
    use proptest::prelude::*;

    fn progress_event(seq: u64, attempt: u32, done: u64) -> Event {
        let id = operation(State::Running, 1).id;
        event(seq, EventBody::Progress { id, attempt, progress: progress(done), forecast: None })
    }

    /// Applies a decision to a plain operation, as the store does to signals.
    fn apply(operation: &mut Operation, as_of: &mut u64, event: &Event) {
        let known = Known { as_of: *as_of, attempt: operation.attempt, state: operation.state };
        match judge(known, event) {
            Change::Nothing => return,
            Change::Replace(new) => *operation = new.clone(),
            Change::Progress { progress, at, .. } => {
                operation.progress = Some(progress.clone());
                operation.heard_at = Some(at);
            }
            Change::Reported { at } => operation.heard_at = Some(at),
        }
        *as_of = event.seq;
    }

    #[test]
    fn events_of_an_older_attempt_are_ignored() {
        let known = Known { as_of: 5, attempt: 2, state: State::Running };
        assert_eq!(judge(known, &progress_event(6, 1, 10)), Change::Nothing);
        assert!(matches!(judge(known, &progress_event(6, 2, 10)), Change::Progress { .. }));
    }

    #[test]
    fn an_ended_operation_ignores_late_progress() {
        let known = Known { as_of: 5, attempt: 1, state: State::Cancelled };
        assert_eq!(judge(known, &progress_event(6, 1, 10)), Change::Nothing);
        let id = operation(State::Cancelled, 1).id;
        let late = event(7, EventBody::Late { id, attempt: 1, what: "succeeded".into() });
        assert_eq!(judge(known, &late), Change::Nothing);
    }

    #[test]
    fn a_retry_brings_an_ended_operation_back() {
        let known = Known { as_of: 5, attempt: 1, state: State::Failed };
        let again = event(6, EventBody::Operation { operation: Box::new(operation(State::Queued, 2)) });
        assert!(matches!(judge(known, &again), Change::Replace(new) if new.attempt == 2));
    }

    #[test]
    fn events_included_in_a_snapshot_change_nothing() {
        let known = Known { as_of: 9, attempt: 1, state: State::Running };
        assert_eq!(judge(known, &progress_event(9, 1, 10)), Change::Nothing);
    }

    proptest! {
        /// A snapshot at any position plus later events, repeated ones included, equals all events in order.
        #[test]
        fn a_snapshot_at_any_position_leads_to_the_same_state(
            steps in proptest::collection::vec((0u8..4, 1u32..4, 0u64..100), 1..40),
            cut in any::<proptest::sample::Index>(),
            back in 0usize..10,
        ) {
            let states = [State::Queued, State::Running, State::Cancelled, State::Failed];
            let mut attempt = 1;
            let events: Vec<Event> = steps.iter().enumerate().map(|(i, (what, wording, n))| {
                let seq = i as u64 + 1;
                if *what == 0 {
                    attempt = attempt.max(*wording);
                    let state = states[*n as usize % states.len()];
                    event(seq, EventBody::Operation { operation: Box::new(operation(state, attempt)) })
                } else {
                    progress_event(seq, *wording, *n)
                }
            }).collect();

            let (mut whole, mut whole_at) = (operation(State::Queued, 1), 0);
            let cut = cut.index(events.len());
            let mut snapshot = whole.clone();
            for (i, event) in events.iter().enumerate() {
                if i == cut { snapshot = whole.clone(); }
                apply(&mut whole, &mut whole_at, event);
            }
            let mut as_of = cut as u64;
            for event in &events[cut.saturating_sub(back)..] {
                apply(&mut snapshot, &mut as_of, event);
            }
            prop_assert_eq!(snapshot, whole);
        }
    }
}
