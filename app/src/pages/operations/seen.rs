//! A list of failed operations counts as a look at them.

use app_state::Failures;
use app_state::address::list::Asked;
use app_state::failures::failed;
use leptos::prelude::*;
use live::OperationStore;
use protocol::{Filter, State};

/// What a filter shows of failures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shows {
    /// They are not what it is about.
    Nothing,
    /// Some of them.
    Matching,
    /// All of them.
    All,
}

fn shows(filter: &Filter) -> Shows {
    let others = Filter { states: Vec::new(), ..filter.clone() };
    match (filter.states.contains(&State::Failed), others.words().is_empty()) {
        (false, _) => Shows::Nothing,
        (true, false) => Shows::Matching,
        (true, true) => Shows::All,
    }
}

/// Marks listed failures as seen while the list is filtered for failed operations.
pub fn mark_listed(asked: Memo<Asked>) {
    let (live, failures) = (OperationStore::here(), Failures::here());
    let shows = Memo::new(move |_| asked.with(|a| shows(&a.filter)));
    Effect::new(move |_| match shows.get() {
        Shows::Nothing => {}
        Shows::All => failures.open_all(),
        Shows::Matching => {
            let found = asked.with(|a| live.find(&a.filter)).1;
            failures.open(failed(&live, found.into_iter()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_of_failed_operations_is_a_look_at_failures() {
        let of = |search| shows(&Asked::read(search).filter);
        assert_eq!(
            (of(""), of("kind=data.load"), of("state=running")),
            (Shows::Nothing, Shows::Nothing, Shows::Nothing)
        );
        assert_eq!((of("state=failed"), of("state=failed,cancelled&sort=oldest")), (Shows::All, Shows::All));
        assert_eq!(
            (of("state=failed&kind=data.load"), of("state=failed&q=x")),
            (Shows::Matching, Shows::Matching)
        );
    }
}
