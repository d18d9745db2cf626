//! Demonstration for a new installation: one button that starts `demo.run` and shows its steps.

use components::icon::Icon;
use components::permission::needs;
use components::reactive::{text, yes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use live::OperationStore;
use live::api;
use live::http::new_key;
use live::query;
use protocol::KindName;
use protocol::access::Permission;
use protocol::api::{StartOperation, StartWithRule};

/// Button that starts the demonstration, then shows the list of its steps.
#[component]
pub fn Demonstration(kind: KindName) -> impl IntoView {
    let pending = RwSignal::new(false);
    let trouble = RwSignal::new(None::<String>);
    let (store, navigate) = (OperationStore::here(), use_navigate());
    // One key for the life of the page, so that a lost response starts nothing twice.
    let key = StoredValue::new(None::<String>);
    let start = move |_| {
        if pending.get_untracked() {
            return;
        }
        pending.set(true);
        trouble.set(None);
        let key = key.get_value().unwrap_or_else(|| {
            let new = new_key();
            key.set_value(Some(new.clone()));
            new
        });
        let start = StartWithRule {
            start: StartOperation { kind: kind.clone(), params: serde_json::json!({}), priority: 0 },
            rule: None,
        };
        let (store, navigate) = (store.clone(), navigate.clone());
        spawn_local(async move {
            match api::start(&start, &key).await {
                Ok(operation) => {
                    store.adopt(&operation, 0);
                    let steps = query::url("/operations", [("parent", operation.id.to_string().as_str())]);
                    navigate(&steps, Default::default());
                }
                Err(problem) => {
                    trouble.set(Some(problem.detail));
                    pending.set(false);
                }
            }
        });
    };
    view! {
        <div class="first-demo">
            <button {..needs(Permission::Start)}
                type="button"
                class="button primary"
                on:click=start
                disabled=yes(move || pending.get())
            >
                <Icon name="play"/>
                {text(move || if pending.get() { "Starting…".to_owned() } else { "Run the demonstration".to_owned() })}
            </button>
            <p class="muted">
                "Loads synthetic bars, trains a model on them, and backtests it. Takes about ten seconds and needs no files."
            </p>
            <p class="first-trouble" role="alert">{text(move || trouble.get().unwrap_or_default())}</p>
        </div>
    }
    .into_any()
}
