//! The table twin of a chart: the same figures for those who read rather than look. Made when it is opened.

use super::data::{Sheet, Spec};
use crate::format;
use crate::reactive::part;
use leptos::ev::Event;
use leptos::prelude::*;
use protocol::Time;
use std::sync::Arc;

/// Rows shown; the newest.
const MOST_ROWS: usize = 200;

/// `Show as table`.
#[component]
pub fn TableTwin(spec: Spec, sheet: Signal<Arc<Sheet>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let toggled = move |event: Event| {
        open.set(event_target::<web_sys::HtmlDetailsElement>(&event).open());
    };
    let table = part(move || {
        open.get().then(|| {
            let sheet = sheet.get();
            let from = sheet.x.len().saturating_sub(MOST_ROWS);
            let x_text = |x: f64| {
                if spec.time { format::bar_time(Time::from_millis(x * 1_000.0)) } else { format::figure(x) }
            };
            let rows = (from..sheet.x.len()).rev().map(|i| {
                let cells = sheet.columns.iter().map(|column| {
                    let figure = column.get(i).copied().unwrap_or(f64::NAN);
                    view! { <td class="num">{format::figure(figure)}</td> }
                });
                view! {
                    <tr>
                        <th scope="row" class="num">{x_text(sheet.x[i])}</th>
                        {cells.collect_view()}
                    </tr>
                }
            });
            let x_name = if spec.time { "time, UTC".to_owned() } else { spec.x.clone() };
            let left_out = (from > 0).then(|| {
                view! { <p class="muted">{format!("The newest {MOST_ROWS} of {} rows.", format::count(sheet.x.len() as u64))}</p> }
            });
            view! {
                <div class="scroll">
                    <table class="plain">
                        <thead>
                            <tr>
                                <th scope="col" class="num">{x_name}</th>
                                {spec
                                    .names
                                    .iter()
                                    .map(|name| view! { <th scope="col" class="num">{name.clone()}</th> })
                                    .collect_view()}
                            </tr>
                        </thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </div>
                {left_out}
            }
            .into_any()
        })
    });
    view! {
        <details class="twin" on:toggle=toggled>
            <summary>"Show as table"</summary>
            {table}
        </details>
    }
    .into_any()
}
