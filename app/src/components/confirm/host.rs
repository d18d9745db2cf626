//! Confirmation before draining a host.

use super::ways_out;
use crate::actions::Actions;
use crate::live::Live;
use crate::reactive::part;
use display::hosts;
use leptos::prelude::*;
use protocol::HostName;

/// States what happens to running and queued operations.
pub fn drain(name: HostName) -> AnyView {
    let (actions, all) = (Actions::here(), Live::here().hosts());
    // Operations and hosts change while the dialog is open.
    let now = Memo::new({
        let name = name.clone();
        move |_| all.with(|all| hosts::before_drain(all, &name))
    });
    let lines = part(move || {
        let lines = now.get().into_iter().map(|line| view! { <li>{line}</li> });
        Some(view! { <ul class="asked-list">{lines.collect_view()}</ul> }.into_any())
    });
    let title = format!("Drain {name}?");
    let act = view! {
        <button class="button danger" on:click=move |_| actions.drain_now(name.clone(), true)>
            "Drain host"
        </button>
    };
    view! {
        <h2 id="confirm-title">{title}</h2>
        <div aria-live="polite">{lines}</div>
        {ways_out("Back", act.into_any())}
    }
    .into_any()
}
