//! Fills the whole form at once: from the last operation, or from a preset. Each can be undone.

use super::preset_bar::PresetBar;
use app_state::Zones;
use components::form::typed::{Typed, text_of};
use components::moment::Ago;
use components::reactive::part;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::api;
use protocol::{KindName, Time};
use serde_json::Value;

/// Buttons to fill the form, and what filled it last.
#[component]
pub fn Fill(kind: KindName, typed: Typed) -> impl IntoView {
    let filled = part(move || {
        let wording = typed.filled.with(|f| f.as_ref().map(|f| f.wording.clone()))?;
        Some(
            view! {
                <p class="fill-said">
                    {wording} " "
                    <button type="button" class="link" on:click=move |_| typed.undo()>
                        "Undo"
                    </button>
                </p>
            }
            .into_any(),
        )
    });
    view! {
        <div class="fill">
            <AsLast kind=kind.clone() typed/>
            <PresetBar kind typed/>
            <div role="status">{filled}</div>
        </div>
    }
    .into_any()
}

/// Fills in the parameters of the kind's newest operation. Hidden when there is none.
#[component]
fn AsLast(kind: KindName, typed: Typed) -> impl IntoView {
    let (live, zone) = (OperationStore::here(), Zones::here());
    let known = {
        let kind = kind.clone();
        Memo::new(move |_| live.newest_of(&kind))
    };
    // Requested only when the page knows of none.
    let stored = RwSignal::new(None::<(Time, Value)>);
    Effect::new(move |asked: Option<bool>| {
        if asked == Some(true) || known.read().is_some() {
            return asked.unwrap_or(false);
        }
        let kind = kind.clone();
        spawn_local(async move {
            // Without an answer the button is hidden.
            if let Ok(page) = api::newest_of(&kind).await
                && let Some(last) = page.operations.into_iter().find(|op| op.parent.is_none())
            {
                stored.try_set(Some((last.created_at, last.params)));
            }
        });
        true
    });
    let last = Memo::new(move |_| known.get().or_else(|| stored.get()));
    part(move || {
        let (at, params) = last.get()?;
        let fill = move |_| {
            let given = |name: &str| params.get(name).filter(|value| !value.is_null()).map(text_of);
            typed.fill(
                format!("Filled in with the last parameters, {}.", untrack(|| zone.get()).moment(at)),
                &given,
            );
        };
        Some(
            view! {
                <button type="button" class="button only-script" on:click=fill>
                    "Use last parameters" <span class="muted"><Ago at/></span>
                </button>
            }
            .into_any(),
        )
    })
}
