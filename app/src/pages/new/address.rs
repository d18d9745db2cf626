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

/// Query parameters: names and values.
pub type Pairs = Vec<(String, String)>;
/// Looks up a query parameter.
pub type Given<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A form as query parameters, and back.
pub struct Mirror {
    /// Query parameters of the form now. Tracked.
    pub now: Box<dyn Fn() -> Pairs + Send + Sync>,
    /// Those that the form would have after it was filled from these.
    pub wording: Box<dyn Fn(&Given) -> Pairs + Send + Sync>,
    /// Fills the form.
    pub fill: Box<dyn Fn(&Given) + Send + Sync>,
}

impl Mirror {
    /// That of a kind's own form.
    pub fn of(typed: Typed, options: StartOptions) -> Self {
        let now = move || {
            let mut pairs = typed.pairs_of(&typed.texts());
            pairs.extend(options.words());
            pairs
        };
        let wording = move |given: &Given| {
            let mut pairs = typed.pairs_of(&typed.with(given));
            pairs.extend(options.words_of(given));
            pairs
        };
        let fill = move |given: &Given| {
            typed.refill(given);
            options.fill(given);
        };
        Self { now: Box::new(now), wording: Box::new(wording), fill: Box::new(fill) }
    }
}

/// Keeps form and URL in sync.
pub fn follow(kind: KindName, mirror: Mirror) {
    let query = use_query_map();
    let navigate = use_navigate();
    let at = app_state::address::use_path();
    let mirror = StoredValue::new(mirror);
    let now = move || mirror.with_value(|mirror| (mirror.now)());
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
        now();
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
        let wording = mirror.with_value(|mirror| (mirror.wording)(&given));
        if earlier.is_some() && written.with_value(|written| *written != wording) {
            written.set_value(wording);
            mirror.with_value(|mirror| (mirror.fill)(&given));
        }
    });
}
