//! A question that is asked again when its answer did not come.

use leptos::prelude::*;
use protocol::{Problem, ProblemType};
use std::time::Duration;

/// After so long it is asked again at first; each time in a row that it is in vain doubles that, up to the longest.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);

/// Whoever asks follows it, and tells it what became of the question: it wakes them when it is time to ask again.
#[derive(Clone, Copy)]
pub struct Again {
    turn: RwSignal<u32>,
    /// How often in a row it was in vain, and whether a next time is under way.
    vain: StoredValue<(u32, bool)>,
}

impl Again {
    pub fn new() -> Self {
        Self { turn: RwSignal::new(0), vain: StoredValue::new((0, false)) }
    }

    /// Which time it is. Tracked.
    pub fn turn(self) -> u32 {
        self.turn.get()
    }

    /// The answer came.
    pub fn answered(self) {
        self.vain.try_update_value(|(times, _)| *times = 0);
    }

    /// It did not: if that may pass, there is another turn in a while; one, however many questions were in vain.
    pub fn in_vain(self, problem: &Problem) {
        if !passes(problem) {
            return;
        }
        // Whoever asked may have left.
        let pause = self.vain.try_update_value(|(times, under_way)| {
            let pause = pause(*times);
            *times += 1;
            (!std::mem::replace(under_way, true)).then_some(pause)
        });
        if let Some(pause) = pause.flatten() {
            set_timeout(move || self.next(), pause);
        }
    }

    fn next(self) {
        self.vain.try_update_value(|(_, under_way)| *under_way = false);
        self.turn.try_update(|turn| *turn += 1);
    }
}

fn pause(times: u32) -> Duration {
    FIRST.saturating_mul(1 << times.min(8)).min(LONGEST)
}

/// Whether another time may bring another answer: a server that is away, or that says that it can't just now. A refusal
/// stays one, and so does an answer that this page can't read.
fn passes(problem: &Problem) -> bool {
    problem.status >= 500 && problem.kind != ProblemType::Internal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds: Vec<u64> = (0..6).map(|times| pause(times).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
        assert_eq!(pause(u32::MAX), LONGEST);
    }

    #[test]
    fn what_does_not_pass_is_not_asked_again() {
        let problem = |kind| Problem::new(kind, "");
        assert!(passes(&problem(ProblemType::Unavailable)) && passes(&problem(ProblemType::Timeout)));
        for kind in [ProblemType::Unauthorized, ProblemType::NotFound, ProblemType::Internal] {
            assert!(!passes(&problem(kind)), "{kind:?}");
        }
    }
}
