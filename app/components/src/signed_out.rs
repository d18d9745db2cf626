//! Dialog over a page whose session has ended: its data is no longer shown, and the way to sign in leads back to it.

use super::deferred::Deferred;
use super::dialog;
use crate::reactive::part;
use app_state::permissions::ended;
use leptos::html::{A, Dialog};
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use live::{Identity, base};

/// The dialog. It can't be dismissed; it goes when the user is signed in again, for instance in another tab.
#[component]
pub fn SignedOut() -> impl IntoView {
    let identity = Identity::here();
    let dialog = NodeRef::<Dialog>::new();
    // Without its code, the server leads to the page to sign in.
    let code = Deferred::new(|| Box::pin(load_content()), || drop(window().location().reload()));
    dialog::follow(dialog, move || identity.is_signed_out() && code.loaded());
    let closed = move |_| {
        if identity.is_signed_out_now()
            && let Some(dialog) = dialog.get_untracked()
        {
            // Fails only for a dialog that is already open.
            drop(dialog.show_modal());
        }
    };
    view! {
        <dialog
            node_ref=dialog
            class="dialog signed-out"
            aria-labelledby="signed-out-title"
            aria-describedby="signed-out-reason"
            on:cancel=move |event: web_sys::Event| event.prevent_default()
            on:close=closed
        >
            {part(move || identity.is_signed_out().then(|| code.view(|| content(identity))).flatten())}
        </dialog>
    }
    .into_any()
}

/// Path to sign in, which leads back to this page.
fn sign_in() -> String {
    let at = window().location();
    let here = [at.pathname(), at.search(), at.hash()].map(Result::unwrap_or_default);
    let [path, search, hash] = &here;
    let to = format!("{}{search}{hash}", base::local(path));
    base::url(&format!("/sign-in?to={}", String::from(js_sys::encode_uri_component(&to))))
}

#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_content), fallible)]
fn content(identity: Identity) -> Result<AnyView, SplitLoaderError> {
    let link = NodeRef::<A>::new();
    Effect::new(move |_| {
        if let Some(link) = link.get() {
            // Fails only for a hidden element; the dialog focuses its first one when shown.
            let _ = link.focus();
        }
    });
    let reason = ended(identity.me_now().as_ref());
    Ok(view! {
        <h2 id="signed-out-title">"You are signed out"</h2>
        <p id="signed-out-reason">{reason}</p>
        <div class="dialog-do">
            <a node_ref=link class="button primary" href=sign_in() rel="external">
                "Sign in"
            </a>
        </div>
    }
    .into_any())
}
