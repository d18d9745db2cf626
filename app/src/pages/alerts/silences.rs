//! Silences that have not ended.

use super::current::CurrentAlerts;
use super::silence_form::Silencing;
use app_state::Zones;
use app_state::toasts::Toasts;
use components::reactive::{part, text};
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::alerts::{AlertList, NewSilence, Silence};

#[component]
pub fn Silences(current: CurrentAlerts, silencing: Silencing) -> impl IntoView {
    let list = part(move || {
        let list = current.list()?;
        if list.silences.is_empty() {
            return Some(view! { <p class="muted">"No alerts are silenced."</p> }.into_any());
        }
        let rows = list.silences.iter().map(|silence| row(silence, current)).collect_view();
        Some(view! { <ul class="silences">{rows}</ul> }.into_any())
    });
    let new = move |_| {
        let now = current.list().map(|list: std::sync::Arc<AlertList>| list.now);
        let until = now.unwrap_or_else(|| live::OperationStore::here().clock().get_untracked());
        silencing.open(NewSilence { rule: None, host: None, kind: None, reason: String::new(), until });
    };
    view! {
        <section class="list" aria-labelledby="silences-title">
            <header class="list-head">
                <h2 id="silences-title">"Silences"</h2>
                <button type="button" class="button only-script" on:click=new>
                    "New silence…"
                </button>
            </header>
            {list}
        </section>
    }
    .into_any()
}

/// What a silence applies to: `host-unreachable, host gpu-1`.
fn scope(silence: &Silence) -> String {
    let rule = silence.rule.clone();
    let host = silence.host.as_ref().map(|host| format!("host {host}"));
    let kind = silence.kind.as_ref().map(|kind| format!("kind {kind}"));
    let parts: Vec<String> = [rule, host, kind].into_iter().flatten().collect();
    if parts.is_empty() { "All alerts".to_owned() } else { parts.join(", ") }
}

fn row(silence: &Silence, current: CurrentAlerts) -> AnyView {
    let (zone, toasts) = (Zones::here(), expect_context::<Toasts>());
    let (until, id, reason) = (silence.until, silence.id.clone(), silence.reason.clone());
    let by = silence.by.name.as_ref().map(|name| format!(" by {name}"));
    let scope = scope(silence);
    let label = format!("End the silence of {scope}");
    let end = move |_| {
        let id = id.clone();
        spawn_local(async move {
            match api::end_silence(&id).await {
                Ok(()) => toasts.say("Silence ended."),
                Err(problem) => toasts.warn(problem.detail),
            }
            current.ask().run(());
        });
    };
    view! {
        <li class="silence">
            <strong>{scope}</strong>
            <span>"until " {text(move || zone.get().moment(until))}</span>
            <span class="muted">{reason} {by}</span>
            <button type="button" class="button only-script" aria-label=label on:click=end>
                "End"
            </button>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_silence_says_what_it_applies_to() {
        let silence = |of: serde_json::Value| -> Silence {
            let mut silence = json!({
                "id": "1", "reason": "x", "created_at": "2026-11-25T10:00:00Z",
                "until": "2026-11-25T11:00:00Z", "by": {"via": "page"}
            });
            for (name, value) in of.as_object().unwrap() {
                silence[name] = value.clone();
            }
            from_value(silence).unwrap()
        };
        assert_eq!(scope(&silence(json!({}))), "All alerts");
        assert_eq!(scope(&silence(json!({"rule": "busy", "host": "gpu-1"}))), "busy, host gpu-1");
    }
}
