//! Account of the reader, in the bar at the top: name and role, the page of the account, and *Sign out*. Works without
//! JavaScript. Nothing is shown where the server needs no credential.

use super::deferred::Deferred;
use super::lazy_section::once_live;
use super::menu::Unfolds;
use crate::reactive::part;
use app_state::permissions::reader_name;
use app_state::toasts::Toasts;
use leptos::html::Details;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use live::{Identity, base};
use protocol::access::{Permission, Role, SignedInBy};

/// The menu; its code is loaded once the page is live.
#[component]
pub fn Account() -> impl IntoView {
    once_live(Deferred::new(|| Box::pin(load_menu()), || ()), menu)
}

/// Says so when the role of the reader has changed.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_menu), fallible)]
fn menu() -> Result<AnyView, SplitLoaderError> {
    let (identity, toasts) = (Identity::here(), expect_context::<Toasts>());
    Effect::new(move |before: Option<Option<Role>>| {
        let role = identity.me().map(|me| me.role);
        if let (Some(Some(before)), Some(role)) = (before, role)
            && before != role
        {
            toasts.warn(format!("Your role changed from {before} to {role}."));
        }
        role
    });
    let details = NodeRef::<Details>::new();
    let unfolds = Unfolds::new(details);
    let menu = part(move || {
        let me = identity.me()?;
        let (name, role) = (reader_name(&me), me.role.to_string());
        let kinds =
            me.kinds.as_ref().map(|kinds| view! { <span class="muted">"Kinds " {kinds.to_string()}</span> });
        let initial: String = name.chars().take(1).collect();
        let label = format!("Account: {name}, {role}");
        // Both are pages of the server, and no part of the app.
        let page = (me.via == SignedInBy::Session).then(|| {
            view! {
                <a href=base::url("/account") rel="external">
                    "Account"
                </a>
            }
        });
        let audit = identity.lacks(Permission::ReadAudit).is_none().then(|| {
            view! {
                <a href=base::url("/audit") on:click=move |_| unfolds.close()>
                    "Audit log"
                </a>
            }
        });
        Some(
            view! {
                <details
                    class="menu account"
                    node_ref=details
                    on:keydown=move |event| unfolds.pressed(&event)
                    on:focusout=move |event| unfolds.left(&event)
                >
                    <summary aria-label=label.clone() title=label>
                        // Not a text: it is no part of the name that the label contains.
                        <span class="account-mark" data-initial=initial aria-hidden="true"></span>
                        <span class="account-name wide-only" aria-hidden="true">{name.clone()}</span>
                    </summary>
                    <div class="menu-list">
                        <p class="account-reader">
                            <strong>{name}</strong>
                            <span class="muted">"Role " {role}</span>
                            {kinds}
                        </p>
                        {page}
                        {audit}
                        <form method="post" action=base::url("/sign-out")>
                            <button>"Sign out"</button>
                        </form>
                    </div>
                </details>
            }
            .into_any(),
        )
    });
    Ok(menu.into_any())
}
