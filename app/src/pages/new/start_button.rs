//! Button that submits the form: always in sight, also by Ctrl Enter.

use components::permission::needs;
use components::reactive::{text, yes};
use leptos::ev::keydown;
use leptos::html::Button;
use leptos::prelude::*;
use protocol::access::Permission;

/// The button; it can't be pressed while a start is pending.
#[component]
pub fn StartButton(words: String, pending: RwSignal<bool>) -> impl IntoView {
    let button = NodeRef::<Button>::new();
    start_by_key(button);
    view! {
        <button {..needs(Permission::Start)}
            node_ref=button
            type="submit"
            class="button primary"
            aria-keyshortcuts="Control+Enter"
            disabled=yes(move || pending.get())
        >
            {text(move || if pending.get() { "Starting…".to_owned() } else { words.clone() })}
            <kbd aria-hidden="true">"Ctrl ⏎"</kbd>
        </button>
    }
    .into_any()
}

/// Starts by Ctrl Enter (⌘ Enter), wherever the focus is.
fn start_by_key(button: NodeRef<Button>) {
    Effect::new(move |_| {
        let handle = window_event_listener(keydown, move |event| {
            let meant = event.key() == "Enter" && (event.ctrl_key() || event.meta_key());
            let dialog = document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some());
            if meant
                && !dialog
                && !event.default_prevented()
                && let Some(button) = button.get_untracked()
            {
                event.prevent_default();
                button.click();
            }
        });
        on_cleanup(move || handle.remove());
    });
}
