//! Mirrors the form in the URL: a link and Back restore it.

use super::options::StartOptions;
use components::form::typed::Typed;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use live::query;
use protocol::KindName;
use std::time::Duration;

/// Debounce after the last key: browsers allow about a hundred URL changes in 30 s.
const PAUSE: Duration = Duration::from_millis(350);

/// Keeps form and URL in sync.
pub fn follow(kind: KindName, typed: Typed, options: StartOptions) {
    let query = use_query_map();
    let navigate = use_navigate();
    let at = app_state::address::use_path();
    let now = move || {
        let mut pairs = typed.pairs_of(&typed.texts());
        pairs.extend(options.words());
        pairs
    };
    // The part of the URL that belongs to the form, as last written.
    let written = StoredValue::new(untrack(now));

    let write = {
        let kind = kind.clone();
        move || {
            // Another page is being opened.
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
        options.words();
        if earlier.is_some() {
            stop();
            timer.set_value(set_timeout_with_handle(write.clone(), PAUSE).ok());
        }
    });
    // A pending write must not navigate back here.
    on_cleanup(stop);

    // The URL also changes by Back and by links.
    Effect::new(move |earlier: Option<()>| {
        let given = |name: &str| query.with(|q| q.get(name));
        if query.with(|q| q.get_str("kind").is_some_and(|of| of != kind.as_str())) {
            return;
        }
        let mut wording = typed.pairs_of(&typed.with(&given));
        wording.extend(options.words_of(&given));
        if earlier.is_some() && written.with_value(|written| *written != wording) {
            written.set_value(wording);
            typed.refill(&given);
            options.fill(&given);
        }
    });
}
