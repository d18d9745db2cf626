//! Asks before a cancel that loses work: the only thing on the page that can't be undone.

use crate::actions::Actions;
use crate::live::Live;
use crate::reactive::text;
use leptos::html::Dialog;
use leptos::prelude::*;

/// The question, shown when [`Actions::to_confirm`] names an operation.
#[component]
pub fn ConfirmCancel() -> impl IntoView {
    let actions = Actions::here();
    let live = Live::here();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        if actions.to_confirm.get().is_some()
            && let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            // It fails only for a dialog that is already open.
            let _ = dialog.show_modal();
        }
    });
    let about = text(move || {
        let cell = actions.to_confirm.get().and_then(|id| live.operation(id));
        cell.map(|cell| cell.view().fixed()).map(|f| format!("{} {}", f.kind, f.title)).unwrap_or_default()
    });
    let confirmed = move |_| {
        if let Some(id) = actions.to_confirm.get_untracked() {
            actions.cancel_now(id);
        }
    };
    view! {
        <dialog
            node_ref=dialog
            class="dialog"
            aria-labelledby="confirm-title"
            on:close=move |_| actions.to_confirm.set(None)
        >
            <h2 id="confirm-title">"Cancel this operation?"</h2>
            <p>
                <strong>{about}</strong>
                " has no checkpoint and can't be resumed: the work it has done so far is lost."
            </p>
            <form method="dialog" class="dialog-do">
                <button class="button">"Keep it running"</button>
                <button class="button danger" on:click=confirmed>
                    "Cancel operation"
                </button>
            </form>
        </dialog>
    }
    .into_any()
}
