//! The address says what the form says: a link fills it again, and so does going back.

use crate::components::form::typed::Typed;
use crate::query;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use protocol::KindName;
use std::time::Duration;

/// How long after the last key: browsers let a page change its address a hundred times in half a minute.
const PAUSE: Duration = Duration::from_millis(350);

/// The query's word for the priority, where no param is called so.
pub const PRIORITY: &str = "priority";

/// A priority from an address; none when it can't be meant.
pub fn priority_of(text: Option<String>) -> i8 {
    text.and_then(|text| text.parse().ok()).filter(|n| (-100..=100).contains(n)).unwrap_or(0)
}

/// Keeps form and address alike.
pub fn follow(kind: KindName, typed: Typed, priority: RwSignal<i8>) {
    let query = use_query_map();
    let navigate = use_navigate();
    let at = use_location().pathname;
    let with_priority = !typed.has(PRIORITY);
    let pairs = move |texts: &[String], priority: i8| {
        let mut pairs = typed.pairs_of(texts);
        if priority != 0 && with_priority {
            pairs.push((PRIORITY.to_owned(), priority.to_string()));
        }
        pairs
    };
    let now = move || pairs(&typed.texts(), priority.get());
    // What the address says as far as the form is concerned.
    let written = StoredValue::new(untrack(now));

    let write = {
        let kind = kind.clone();
        move || {
            // Another page is on its way.
            if at.with_untracked(|at| at != "/new") {
                return;
            }
            let Some(wanted) = written.try_update_value(|written| {
                let now = untrack(now);
                (now != *written).then(|| {
                    written.clone_from(&now);
                    now
                })
            }) else {
                return;
            };
            let Some(wanted) = wanted else { return };
            let words = wanted.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            let to = query::url("/new", [("kind", kind.as_str())].into_iter().chain(words));
            navigate(&to, NavigateOptions { replace: true, scroll: false, ..Default::default() });
        }
    };
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(Some(timer)) = timer.try_update_value(Option::take) {
            timer.clear();
        }
    };
    Effect::new(move |earlier: Option<()>| {
        typed.texts();
        priority.track();
        if earlier.is_some() {
            stop();
            timer.set_value(set_timeout_with_handle(write.clone(), PAUSE).ok());
        }
    });
    // Who has left is not brought back.
    on_cleanup(stop);

    // The address may change by other ways than typing: back, a link.
    Effect::new(move |earlier: Option<()>| {
        let given = |name: &str| query.with(|q| q.get(name));
        if query.with(|q| q.get_str("kind").is_some_and(|of| of != kind.as_str())) {
            return;
        }
        let texts = typed.with(&given);
        let urgent = priority_of(given(PRIORITY));
        let said = pairs(&texts, urgent);
        if earlier.is_some() && written.with_value(|written| *written != said) {
            written.set_value(said);
            typed.refill(&given);
            priority.set(urgent);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::priority_of;

    #[test]
    fn a_priority_that_can_not_be_meant_is_none() {
        let of = |text: &str| priority_of(Some(text.to_owned()));
        assert_eq!((of("-7"), of("100"), priority_of(None)), (-7, 100, 0));
        assert_eq!([of("101"), of("x"), of("")], [0; 3]);
    }
}
