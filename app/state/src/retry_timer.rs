//! Retry timer for failed requests.

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
    /// Consecutive failures, and whether a retry is scheduled.
    failures: StoredValue<(u32, bool)>,
}

impl RetryTimer {
    pub fn new() -> Self {
        Self { turn: RwSignal::new(0), failures: StoredValue::new((0, false)) }
    }

    /// Number of the attempt. Tracked.
    pub fn turn(self) -> u32 {
        self.turn.get()
    }

    /// Reports a success.
    pub fn succeeded(self) {
        self.failures.try_update_value(|(times, _)| *times = 0);
    }

    /// Reports a failure: schedules a retry if it may be temporary. At most one is scheduled, however many requests
    /// failed.
    pub fn failed(self, problem: &Problem) {
        if !is_temporary(problem) {
            return;
        }
        // The caller may be gone by now.
        let pause = self.failures.try_update_value(|(times, under_way)| {
            let pause = pause(*times);
            *times += 1;
            (!std::mem::replace(under_way, true)).then_some(pause)
        });
        if let Some(pause) = pause.flatten() {
            set_timeout(move || self.next(), pause);
        }
    }

    fn next(self) {
        self.failures.try_update_value(|(_, under_way)| *under_way = false);
        self.turn.try_update(|turn| *turn += 1);
    }
}

fn pause(times: u32) -> Duration {
    FIRST_DELAY.saturating_mul(1 << times.min(8)).min(MAX_DELAY)
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
        let seconds: Vec<u64> = (0..6).map(|times| pause(times).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
        assert_eq!(pause(u32::MAX), MAX_DELAY);
    }

    #[test]
    fn what_does_not_pass_is_not_asked_again() {
        let problem = |kind| Problem::new(kind, "");
        assert!(
            is_temporary(&problem(ProblemType::Unavailable)) && is_temporary(&problem(ProblemType::Timeout))
        );
        for kind in [ProblemType::Unauthorized, ProblemType::NotFound, ProblemType::Internal] {
            assert!(!is_temporary(&problem(kind)), "{kind:?}");
        }
    }
}
