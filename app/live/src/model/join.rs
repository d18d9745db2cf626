//! Joins an answer of the server with the feed. Pure.
//!
//! Each answer states the feed position at which it is valid. Events are held from before the request until its answer
//! arrives; later ones are then applied to it. So the state is what the feed alone would give, however late the answer
//! is. If events may be missing in between, the request is repeated.

use std::collections::VecDeque;

/// Events held while a request is open. Beyond that the oldest are dropped, and an answer from before them is refused.
pub const MAX_HELD_EVENTS: usize = 10_000;

/// A request whose answer is joined with the feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "events are held until the question is answered or has failed"]
pub struct Question {
    instance: u32,
}

/// Result of joining an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Joined<E> {
    /// Take the answer, then apply these events in order.
    Take(Vec<E>),
    /// A newer answer was taken before: ignore this one.
    Superseded,
    /// Events between the answer and the held ones are missing: request again.
    AskAgain,
}

/// State of one join; the data itself is the caller's.
#[derive(Clone, Debug)]
pub struct Join<E> {
    /// All events after this one are held or applied; earlier ones may be missing.
    complete_after: u64,
    /// Position of the newest answer taken; `None` before the first.
    base: Option<u64>,
    /// Events in feed order, while a request is open or the base is missing.
    held: VecDeque<(u64, E)>,
    open_questions: u32,
    /// Server instance: positions of different instances can't be compared.
    instance: u32,
}

impl<E: Clone> Join<E> {
    /// Starts at the page's feed position; later events are held.
    pub fn new(reached: u64) -> Self {
        Self { complete_after: reached, base: None, held: VecDeque::new(), open_questions: 0, instance: 0 }
    }

    /// Passes an event. True when the caller must apply it now: without a base it is only held, and events covered by
    /// the base are ignored.
    #[must_use]
    pub fn pass(&mut self, seq: u64, event: &E) -> bool {
        if self.base.is_some_and(|base| seq <= base) {
            return false;
        }
        if self.base.is_none() || self.open_questions > 0 {
            if self.held.len() >= MAX_HELD_EVENTS
                && let Some((dropped, _)) = self.held.pop_front()
            {
                self.complete_after = dropped;
            }
            self.held.push_back((seq, event.clone()));
        }
        self.base.is_some()
    }

    /// Opens a request; `reached` is the page's feed position.
    pub fn ask(&mut self, reached: u64) -> Question {
        if self.base.is_some() && self.open_questions == 0 {
            self.held.clear();
            self.complete_after = reached;
        }
        self.open_questions += 1;
        Question { instance: self.instance }
    }

    /// Joins an answer that is valid at `seq`.
    pub fn answer(&mut self, question: Question, seq: u64) -> Joined<E> {
        self.open_questions = self.open_questions.saturating_sub(1);
        let joined = if question.instance != self.instance || seq < self.complete_after {
            Joined::AskAgain
        } else if self.base.is_some_and(|base| seq < base) {
            Joined::Superseded
        } else {
            self.base = Some(seq);
            let later = self.held.iter().filter(|(held, _)| *held > seq);
            Joined::Take(later.map(|(_, event)| event.clone()).collect())
        };
        self.release_held();
        joined
    }

    /// Ends a request without an answer.
    pub fn failed(&mut self, _question: Question) {
        self.open_questions = self.open_questions.saturating_sub(1);
        self.release_held();
    }

    /// The feed continues from a new snapshot: events before it may be missing.
    pub fn reset(&mut self, reached: u64, other_instance: bool) {
        self.instance += u32::from(other_instance);
        self.base = None;
        self.held.clear();
        self.complete_after = reached;
    }

    fn release_held(&mut self) {
        if self.base.is_some() && self.open_questions == 0 {
            self.held = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_between_an_answer_and_its_arrival_are_applied_after_it() {
        let mut join = Join::new(5);
        let question = join.ask(5);
        assert!(!join.pass(6, &'a') && !join.pass(7, &'b') && !join.pass(8, &'c'));
        assert_eq!(join.answer(question, 6), Joined::Take(vec!['b', 'c']));
        assert!(join.pass(9, &'d'));
        // Requested again meanwhile: applied at once, and again after the answer that replaces it.
        let question = join.ask(9);
        assert!(join.pass(10, &'e') && join.pass(11, &'f'));
        assert_eq!(join.answer(question, 9), Joined::Take(vec!['e', 'f']));
        assert!(join.held.is_empty());
    }

    #[test]
    fn a_response_older_than_the_held_events_is_requested_again() {
        let mut join = Join::<char>::new(5);
        let question = join.ask(5);
        assert_eq!(join.answer(question, 4), Joined::AskAgain);
        let question = join.ask(5);
        assert_eq!(join.answer(question, 5), Joined::Take(vec![]));
    }

    #[test]
    fn a_superseded_response_changes_nothing() {
        let mut join = Join::<char>::new(5);
        let (first, second) = (join.ask(5), join.ask(5));
        assert_eq!(join.answer(second, 8), Joined::Take(vec![]));
        assert_eq!(join.answer(first, 7), Joined::Superseded);
    }

    #[test]
    fn after_a_gap_nothing_is_applied_until_a_response_from_after_it() {
        let mut join = Join::new(5);
        let first = join.ask(5);
        assert_eq!(join.answer(first, 5), Joined::Take(vec![]));
        let before = join.ask(6);
        join.reset(20, false);
        assert!(!join.pass(21, &'a'));
        assert_eq!(join.answer(before, 19), Joined::AskAgain);
        let question = join.ask(21);
        assert_eq!(join.answer(question, 20), Joined::Take(vec!['a']));
        // Positions of another server instance mean nothing here.
        let before = join.ask(21);
        join.reset(3, true);
        assert_eq!(join.answer(before, 25), Joined::AskAgain);
    }

    #[test]
    fn held_events_are_bounded_and_responses_older_than_dropped_ones_are_refused() {
        let mut join = Join::new(0);
        let (late, later) = (join.ask(0), join.ask(0));
        for seq in 1..=MAX_HELD_EVENTS as u64 + 10 {
            assert!(!join.pass(seq, &seq));
        }
        assert_eq!(join.held.len(), MAX_HELD_EVENTS);
        assert_eq!(join.answer(late, 9), Joined::AskAgain);
        assert!(matches!(join.answer(later, 10), Joined::Take(events) if events.len() == MAX_HELD_EVENTS));
    }

    /// A random event in the instance of a page.
    #[derive(Clone, Debug)]
    enum Step {
        /// The server records this many events.
        Record(u8),
        /// The page takes the next events of the feed.
        Feed(u8),
        Ask,
        /// The server reads the data of an open request.
        Read(prop::sample::Index),
        /// An answer arrives, or is lost.
        Arrive(prop::sample::Index, bool),
        /// The page takes a snapshot after a gap.
        Gap,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (1u8..5).prop_map(Step::Record),
            (1u8..5).prop_map(Step::Feed),
            Just(Step::Ask),
            any::<prop::sample::Index>().prop_map(Step::Read),
            (any::<prop::sample::Index>(), prop::bool::weighted(0.9))
                .prop_map(|(at, ok)| Step::Arrive(at, ok)),
            prop::bool::weighted(0.2).prop_map(|gap| if gap { Step::Gap } else { Step::Record(1) }),
        ];
        prop::collection::vec(step, 1..120)
    }

    proptest! {
        /// However requests, answers, events and gaps interleave: a state with a base equals what the feed alone gives
        /// at the page's position.
        #[test]
        fn any_interleaving_of_answers_and_events_gives_the_state_of_the_feed_alone(steps in steps(), lazy: bool) {
            let mut head = 0u64;
            let mut reached = 0u64;
            let mut join = Join::new(0);
            // The state is the list of all events, to detect lost, doubled and reordered ones.
            let mut state: Option<Vec<u64>> = None;
            // Position at which the server read, once it has.
            let mut open: Vec<(Question, Option<u64>)> = vec![(join.ask(0), None)];
            for step in steps {
                match step {
                    Step::Record(n) => head += u64::from(n),
                    Step::Feed(n) => {
                        for _ in 0..n {
                            if reached == head {
                                break;
                            }
                            reached += 1;
                            if join.pass(reached, &reached) {
                                state.as_mut().expect("it is applied only to a base").push(reached);
                            }
                        }
                    }
                    Step::Ask => open.push((join.ask(reached), None)),
                    Step::Read(at) => {
                        if !open.is_empty() {
                            let at = at.index(open.len());
                            open[at].1.get_or_insert(head);
                        }
                    }
                    Step::Arrive(at, ok) => {
                        if open.is_empty() {
                            continue;
                        }
                        let (question, read) = open.swap_remove(at.index(open.len()));
                        if !ok {
                            join.failed(question);
                            continue;
                        }
                        let read = read.unwrap_or(head);
                        match join.answer(question, read) {
                            Joined::Take(later) => {
                                // The position is read before the data, which may be newer.
                                let data = if lazy { head } else { read };
                                let mut joined: Vec<u64> = (1..=data).collect();
                                joined.extend(later);
                                state = Some(joined);
                            }
                            Joined::Superseded => prop_assert!(state.is_some()),
                            Joined::AskAgain => open.push((join.ask(reached), None)),
                        }
                    }
                    Step::Gap => {
                        reached = head;
                        join.reset(reached, false);
                        state = None;
                        open.push((join.ask(reached), None));
                    }
                }
                if let Some(state) = &state {
                    // An answer may be ahead of the feed. Events that its data includes are applied again: points have
                    // an x, lines a number.
                    let last = state.iter().copied().max().unwrap_or(0);
                    prop_assert!(last >= reached);
                    let seen: std::collections::BTreeSet<u64> = state.iter().copied().collect();
                    prop_assert!(seen.iter().copied().eq(1..=last), "{state:?}");
                    prop_assert!(lazy || seen.len() == state.len(), "{state:?}");
                }
            }
        }
    }
}
