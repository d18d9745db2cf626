//! An artifact that is sampled over time: asked for as a whole, and finer where a person zooms.

use crate::api;
use crate::reactive::part;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::{OperationId, Problem};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What was asked for last, and the way to ask for another range.
pub struct Sampled<T: Send + Sync + 'static> {
    /// The newest answer, and the number that rises when the whole should be shown.
    pub value: RwSignal<Option<(Arc<T>, u32)>>,
    trouble: RwSignal<Option<Problem>>,
    /// A range of seconds since 1970, or the whole.
    pub ask: Callback<Option<(f64, f64)>>,
}

impl<T: Send + Sync> Clone for Sampled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync> Copy for Sampled<T> {}

impl<T: DeserializeOwned + Send + Sync + 'static> Sampled<T> {
    /// Asks for the whole of it, once the page lives; never more than `points` at once.
    pub fn new(id: OperationId, name: &'static str, points: u32) -> Self {
        Self::once(id, name, points, || true)
    }

    /// Asks for the whole of it once `ready` says yes.
    pub fn once(
        id: OperationId,
        name: &'static str,
        points: u32,
        ready: impl Fn() -> bool + 'static,
    ) -> Self {
        let value = RwSignal::new(None::<(Arc<T>, u32)>);
        let trouble = RwSignal::new(None::<Problem>);
        // Which question is the newest: an older answer that comes late is dropped.
        let asked = StoredValue::new(0u32);
        let ask = Callback::new(move |range: Option<(f64, f64)>| {
            asked.update_value(|n| *n += 1);
            let turn = asked.get_value();
            let seconds = range.map(|(from, to)| (from.floor() as i64, to.ceil() as i64));
            spawn_local(async move {
                let answer = api::sampled::<T>(id, name, seconds, points).await;
                if asked.try_get_value() != Some(turn) {
                    return;
                }
                match answer {
                    Ok(answer) => {
                        trouble.set(None);
                        // A zoomed view stays where it is; the whole is shown whole.
                        let before = value.with_untracked(|v| v.as_ref().map_or(0, |(_, fit)| *fit));
                        let fit = if range.is_some() { before } else { turn };
                        value.set(Some((Arc::new(answer), fit)));
                    }
                    Err(problem) => trouble.set(Some(problem)),
                }
            });
        });
        Effect::new(move |asked: Option<bool>| {
            if asked == Some(true) {
                return true;
            }
            let now = ready();
            if now {
                ask.run(None);
            }
            now
        });
        Self { value, trouble, ask }
    }

    /// What went wrong, and the way to try again; nothing while nothing did.
    pub fn trouble(&self) -> impl IntoView + use<T> {
        trouble_of(self.trouble, self.ask)
    }
}

fn trouble_of(trouble: RwSignal<Option<Problem>>, ask: Callback<Option<(f64, f64)>>) -> impl IntoView {
    part(move || {
        let problem = trouble.get()?;
        Some(
            view! {
                <p class="note bad" role="alert">
                    {problem.detail}
                    " "
                    <button type="button" class="link" on:click=move |_| ask.run(None)>
                        "Try again"
                    </button>
                </p>
            }
            .into_any(),
        )
    })
}
