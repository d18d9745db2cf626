//! Rule: what a signal does. Pure.

use super::{OnInterrupt, Signal};
use std::time::Duration;

/// Time after the question in which another Ctrl+C detaches.
const DETACH_WINDOW: Duration = Duration::from_secs(2);

/// What a signal does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Ask,
    Cancel,
    Detach,
}

/// Rule of a command.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Given by the user.
    pub chosen: Option<OnInterrupt>,
    /// There is a terminal for the question.
    pub can_ask: bool,
}

impl Rule {
    /// What a signal does, some time after the question was last asked.
    pub fn step(self, signal: Signal, since_asked: Option<Duration>, is_cancelled: bool) -> Step {
        match self.chosen {
            // Another interrupt means that the user does not want to wait for the host.
            _ if is_cancelled => Step::Detach,
            Some(OnInterrupt::Cancel) => Step::Cancel,
            None if signal == Signal::Interrupt && self.can_ask => match since_asked {
                Some(time) if time < DETACH_WINDOW => Step::Detach,
                _ => Step::Ask,
            },
            Some(OnInterrupt::Detach) | None => Step::Detach,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Signal; 3] = [Signal::Interrupt, Signal::Terminate, Signal::HangUp];

    #[test]
    fn only_ctrl_c_on_a_terminal_asks_and_twice_within_two_seconds_detaches() {
        let rule = Rule { chosen: None, can_ask: true };
        assert_eq!(rule.step(Signal::Interrupt, None, false), Step::Ask);
        assert_eq!(rule.step(Signal::Interrupt, Some(Duration::from_millis(1_999)), false), Step::Detach);
        assert_eq!(rule.step(Signal::Interrupt, Some(DETACH_WINDOW), false), Step::Ask);
        assert_eq!(ALL.map(|signal| rule.step(signal, None, false))[1..], [Step::Detach; 2]);
        let elsewhere = Rule { chosen: None, can_ask: false };
        assert_eq!(ALL.map(|signal| elsewhere.step(signal, None, false)), [Step::Detach; 3]);
    }

    #[test]
    fn a_chosen_action_holds_for_all_signals_and_after_a_cancel_they_detach() {
        for can_ask in [true, false] {
            let detach = Rule { chosen: Some(OnInterrupt::Detach), can_ask };
            assert_eq!(ALL.map(|signal| detach.step(signal, None, false)), [Step::Detach; 3]);
            let cancel = Rule { chosen: Some(OnInterrupt::Cancel), can_ask };
            assert_eq!(ALL.map(|signal| cancel.step(signal, None, false)), [Step::Cancel; 3]);
            assert_eq!(ALL.map(|signal| cancel.step(signal, None, true)), [Step::Detach; 3]);
        }
    }
}
