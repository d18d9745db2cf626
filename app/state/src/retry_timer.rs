//! Retry timer for failed requests.

use backoff::Backoff;
use leptos::prelude::*;
use protocol::{Problem, ProblemType};
use std::time::Duration;

/// Initial and maximum delay; it doubles with each consecutive failure.
const FIRST_DELAY: Duration = Duration::from_secs(5);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The caller tracks [`RetryTimer::turn`], reports results, and is notified when it should retry.
#[derive(Clone, Copy)]
pub struct RetryTimer {
    turn: RwSignal<u32>,
    /// Pauses, and whether a retry is scheduled.
    pauses: StoredValue<(Backoff, bool)>,
}

impl RetryTimer {
    pub fn new() -> Self {
        Self { turn: RwSignal::new(0), pauses: StoredValue::new((backoff(), false)) }
    }

    /// Number of the attempt. Tracked.
    pub fn turn(self) -> u32 {
        self.turn.get()
    }

    /// Reports a success.
    pub fn succeeded(self) {
        self.pauses.try_update_value(|(backoff, _)| backoff.reset());
    }

    /// Reports a failure: schedules a retry if it may be temporary. At most one is scheduled, however many requests
    /// failed.
    pub fn failed(self, problem: &Problem) {
        if !is_temporary(problem) {
            return;
        }
        // The caller may be gone by now.
        let pause = self.pauses.try_update_value(|(backoff, under_way)| {
            let pause = backoff.next_ceiling();
            (!std::mem::replace(under_way, true)).then_some(pause)
        });
        if let Some(pause) = pause.flatten() {
            set_timeout(move || self.next(), pause);
        }
    }

    fn next(self) {
        self.pauses.try_update_value(|(_, under_way)| *under_way = false);
        self.turn.try_update(|turn| *turn += 1);
    }
}

fn backoff() -> Backoff {
    Backoff::new(FIRST_DELAY, MAX_DELAY)
}

/// Whether a retry may succeed: the server is unreachable or temporarily unavailable. Rejections and unreadable answers
/// are permanent.
fn is_temporary(problem: &Problem) -> bool {
    problem.status >= 500 && !matches!(problem.kind, ProblemType::Internal | ProblemType::HostFault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = backoff();
        let seconds: Vec<u64> = (0..6).map(|_| backoff.next_ceiling().as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn permanent_failures_are_not_requested_again() {
        let problem = |kind| Problem::new(kind, "");
        assert!(
            is_temporary(&problem(ProblemType::Unavailable)) && is_temporary(&problem(ProblemType::Timeout))
        );
        for kind in [ProblemType::Unauthorized, ProblemType::NotFound, ProblemType::Internal] {
            assert!(!is_temporary(&problem(kind)), "{kind:?}");
        }
    }
}
