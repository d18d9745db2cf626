//! Fills the whole form at once: from the last operation, or from a preset. Each can be undone.

use super::past::Past;
use super::preset_bar::PresetBar;
use app_state::Zones;
use components::form::typed::{Typed, text_of};
use components::moment::Ago;
use components::reactive::part;
use leptos::prelude::*;
use protocol::KindName;
use protocol::secret::is_marker;

/// Buttons to fill the form, and what filled it last.
#[component]
pub fn Fill(kind: KindName, typed: Typed, past: Past) -> impl IntoView {
    let filled = part(move || {
        let wording = typed.filled.with(|f| f.as_ref().map(|f| f.wording.clone()))?;
        Some(
            view! {
                <p class="fill-note">
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
            <AsLast typed past/>
            <PresetBar kind typed/>
            <div role="status">{filled}</div>
        </div>
    }
    .into_any()
}

/// Fills in the parameters of the kind's newest operation. Hidden when there is none.
#[component]
fn AsLast(typed: Typed, past: Past) -> impl IntoView {
    let (zone, last) = (Zones::here(), past.last);
    part(move || {
        let (at, params) = last.get()?;
        let fill = move |_| {
            let given = |name: &str| {
                params.get(name).filter(|value| !value.is_null() && !is_marker(value)).map(text_of)
            };
            typed.fill(
                format!("Filled in with the last parameters ({}).", untrack(|| zone.get()).moment(at)),
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
