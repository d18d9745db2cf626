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
    let unfolds = Unfolds::new(details);
    // A choice is made in the list alone: its head opens and closes by itself.
    let chosen = move |_: MouseEvent| unfolds.close();
    let (pressed, left) = (move |event| unfolds.pressed(&event), move |event| unfolds.left(&event));
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

/// What unfolds over the page and folds again by Escape, by a press beside it, or by leaving it.
#[derive(Clone, Copy)]
pub struct Unfolds(NodeRef<Details>);

impl Unfolds {
    pub fn new(details: NodeRef<Details>) -> Self {
        let unfolds = Self(details);
        Effect::new(move |_| {
            let handle = window_event_listener_untyped("pointerdown", move |event| {
                let at = event.target().and_then(|at| at.dyn_into::<Node>().ok());
                if details.get_untracked().is_some_and(|menu| menu.open() && !menu.contains(at.as_ref())) {
                    unfolds.close();
                }
            });
            on_cleanup(move || handle.remove());
        });
        unfolds
    }

    pub fn close(self) {
        if let Some(details) = self.0.get_untracked() {
            details.set_open(false);
        }
    }

    /// A key: Escape closes it, and gives the focus back to its head.
    pub fn pressed(self, event: &KeyboardEvent) {
        let open = self.0.get_untracked().filter(|menu| menu.open());
        // A field within may have had its own use for it.
        let meant = event.key() == "Escape" && !event.default_prevented();
        let Some(menu) = open.filter(|_| meant) else { return };
        event.prevent_default();
        self.close();
        let head = menu.query_selector("summary").ok().flatten();
        if let Some(head) = head.and_then(|head| head.dyn_into::<HtmlElement>().ok()) {
            // It fails only for what can't take the focus.
            let _ = head.focus();
        }
    }

    /// The focus goes elsewhere.
    pub fn left(self, event: &FocusEvent) {
        // Some browsers give the focus to no button that is clicked: that is no leaving.
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        if to.is_some() && self.0.get_untracked().is_some_and(|menu| !menu.contains(to.as_ref())) {
            self.close();
        }
    }
}
