//! State of an operation: word, shape and colour, never colour alone.

use crate::reactive::word;
use leptos::prelude::*;
use protocol::State;

fn shape(state: State) -> &'static str {
    match state {
        State::Queued => r#"<circle cx="6" cy="6" r="4.25" stroke-dasharray="2 1.6"/>"#,
        State::Starting => {
            r#"<circle cx="6" cy="6" r="4.25"/><path d="M6 1.75a4.25 4.25 0 0 1 0 8.5z" fill="currentColor"/>"#
        }
        State::Running => r#"<circle cx="6" cy="6" r="4.25" fill="currentColor"/>"#,
        State::Cancelling => {
            r#"<circle cx="6" cy="6" r="4.25"/><path d="M4.25 4.25h3.5v3.5h-3.5z" fill="currentColor" stroke="none"/>"#
        }
        State::Succeeded => r#"<path d="M1.75 6.5l3 3 5.5-6.5" stroke-width="2"/>"#,
        State::Failed => r#"<path d="M6 1.2L11 10.4H1z" fill="currentColor" stroke-linejoin="round"/>"#,
        State::Cancelled => r#"<path d="M2 2h8v8H2z"/><path d="M2 10l8-8"/>"#,
    }
}

/// The state, updated live.
#[component]
pub fn StateMark(#[prop(into)] state: Signal<State>) -> impl IntoView {
    view! {
        <span class="state" data-state=word(move || state.get().as_str())>
            <svg viewBox="0 0 12 12" aria-hidden="true" inner_html=word(move || shape(state.get()))></svg>
            <span class="state-word">{word(move || state.get().as_str())}</span>
        </span>
    }
}
