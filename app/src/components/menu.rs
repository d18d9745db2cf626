//! A menu behind a button with three dots: opened by click or key, closed by Escape, by a choice, or by leaving it.

use super::icon::Icon;
use leptos::html::Details;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, HtmlElement, KeyboardEvent, MouseEvent, Node};

/// The menu; its children are buttons and links.
#[component]
pub fn Menu(
    /// What it is called.
    label: &'static str,
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<Details>::new();
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let Some(menu) = details.get_untracked().filter(|menu| menu.open() && event.key() == "Escape") else {
            return;
        };
        event.prevent_default();
        close();
        let head = menu.query_selector("summary").ok().flatten();
        if let Some(head) = head.and_then(|head| head.dyn_into::<HtmlElement>().ok()) {
            // It fails only for what can't take the focus.
            let _ = head.focus();
        }
    };
    let left = move |event: FocusEvent| {
        // Some browsers give the focus to no button that is clicked: that is no leaving.
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        if to.is_some() && details.get_untracked().is_some_and(|menu| !menu.contains(to.as_ref())) {
            close();
        }
    };
    Effect::new(move |_| {
        let handle = window_event_listener_untyped("pointerdown", move |event| {
            let at = event.target().and_then(|at| at.dyn_into::<Node>().ok());
            if details.get_untracked().is_some_and(|menu| menu.open() && !menu.contains(at.as_ref())) {
                close();
            }
        });
        on_cleanup(move || handle.remove());
    });
    // A choice is made in the list alone: its head opens and closes by itself.
    let chosen = move |_: MouseEvent| close();
    view! {
        <details class="menu only-script" node_ref=details on:keydown=pressed on:focusout=left>
            <summary class="button" aria-label=label title=label>
                <Icon name="more"/>
            </summary>
            <div class="menu-list" on:click=chosen>
                {children()}
            </div>
        </details>
    }
    .into_any()
}
