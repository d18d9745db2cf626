//! The address says what the form says: a link fills it again, and so does going back.

use super::beside::Beside;
use crate::components::form::typed::Typed;
use crate::query;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::KindName;
use std::time::Duration;

/// How long after the last key: browsers let a page change its address a hundred times in half a minute.
const PAUSE: Duration = Duration::from_millis(350);

/// Keeps form and address alike.
pub fn follow(kind: KindName, typed: Typed, beside: Beside) {
    let query = use_query_map();
    let navigate = use_navigate();
    let at = crate::base::use_path();
    let now = move || {
        let mut pairs = typed.pairs_of(&typed.texts());
        pairs.extend(beside.words());
        pairs
    };
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
        beside.words();
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
        let mut said = typed.pairs_of(&typed.with(&given));
        said.extend(beside.words_of(&given));
        if earlier.is_some() && written.with_value(|written| *written != said) {
            written.set_value(said);
            typed.refill(&given);
            beside.fill(&given);
        }
    });
}
