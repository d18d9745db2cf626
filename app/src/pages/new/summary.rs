//! Summary beside the form: what would be started, how long that usually takes, and what differs from the last time.

use super::past::Past;
use crate::features::params::changes;
use app_state::clipboard::copy_and_say;
use app_state::toasts::Toasts;
use components::form::typed::{Typed, text_of};
use components::reactive::part;
use display::format;
use display::shell_command::Start;
use leptos::prelude::*;
use live::base;
use protocol::KindSpec;
use serde_json::Value;

/// Differences from the last time that are written out.
const MAX_CHANGES: usize = 4;

/// What would be started.
#[component]
pub fn Summary(spec: KindSpec, typed: Typed, past: Past) -> impl IntoView {
    let params = Memo::new(move |_| typed.checked());
    let template = spec.summary;
    let what = part(move || {
        let said = match params.get() {
            Some(params) => {
                let title = template.fill(&params);
                let title = if title.is_empty() { spec.title.clone() } else { title };
                view! { <p class="summary-title">{title}</p> }.into_any()
            }
            None => view! { <p class="muted">{missing(&typed.missing())}</p> }.into_any(),
        };
        Some(said)
    });
    let usual = part(move || {
        let (seconds, count) = params.with(|params| past.usual(params.as_ref()?))?;
        let of = format::counted(count as u64, "past run like this", "past runs like this");
        Some(
            view! {
                <p>
                    "Usually takes " <strong class="num">{format::span(seconds)}</strong>
                    <span class="muted">" · " {of}</span>
                </p>
            }
            .into_any(),
        )
    });
    let different = part(move || {
        let (_, last) = past.last.get()?;
        let now = params.get()?;
        Some(view! { <Differences typed last now/> }.into_any())
    });
    view! {
        {what}
        {usual}
        {different}
    }
    .into_any()
}

/// What is to be filled in before a start.
fn missing(titles: &[String]) -> String {
    match titles {
        [] => "Correct the marked fields to see what will be started.".to_owned(),
        _ => format!(
            "Fill in {} to start.",
            format::listed(&titles.iter().map(String::as_str).collect::<Vec<_>>())
        ),
    }
}

/// What differs from the last time.
#[component]
fn Differences(typed: Typed, last: Value, now: Value) -> impl IntoView {
    let changed = changes(&last, &now);
    if changed.is_empty() {
        return view! { <p class="muted">"Last parameters, unchanged"</p> }.into_any();
    }
    let label = |name: &str, value: Option<&Value>| {
        value.map_or_else(|| "not set".to_owned(), |value| typed.label_of(name, &text_of(value)))
    };
    let more = changed.len().saturating_sub(MAX_CHANGES);
    let items = changed.into_iter().take(MAX_CHANGES).map(|(name, before, now)| {
        let (title, before, now) = (typed.title_of(name), label(name, before), label(name, now));
        view! {
            <li>
                {title} " " <span class="muted">{before}</span> " → " <strong>{now}</strong>
            </li>
        }
        .into_any()
    });
    let items = items.collect_view();
    let more = (more > 0).then(|| view! { <li class="muted">{format!("and {more} more")}</li> });
    view! {
        <div class="summary-changes">
            <p class="muted">"Last parameters, except"</p>
            <ul>{items} {more}</ul>
        </div>
    }
    .into_any()
}

/// Buttons that copy the start as a command.
#[component]
pub fn Copies(
    kind: String,
    /// Valid parameters; otherwise it says what is wrong.
    params: Callback<(), Option<Value>>,
    priority: RwSignal<i8>,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let kind = StoredValue::new(kind);
    let copy = move |curl: bool| {
        let Some(params) = params.run(()) else { return };
        let (kind, origin) = (kind.get_value(), base::origin());
        let start =
            Start { origin: &origin, kind: &kind, params: &params, priority: priority.get_untracked() };
        if curl {
            copy_and_say(toasts, start.curl(), "curl command");
        } else {
            copy_and_say(toasts, start.command_line(), "Command line");
        }
    };
    view! {
        <p class="summary-copies only-script">
            <button type="button" class="link" on:click=move |_| copy(false)>
                "Copy as command"
            </button>
            <button type="button" class="link" on:click=move |_| copy(true)>
                "Copy as curl"
            </button>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_are_named() {
        assert_eq!(missing(&["Symbol".to_owned(), "Model".to_owned()]), "Fill in Symbol and Model to start.");
        assert!(missing(&[]).starts_with("Correct"));
    }
}
