//! Menu behind a button with three dots: opens by click or key, closes by Escape, a choice or leaving it.

use super::icon::Icon;
use leptos::html::Details;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, HtmlDetailsElement, HtmlElement, KeyboardEvent, MouseEvent, Node};

/// The menu; its children are buttons and links.
#[component]
pub fn Menu(
    /// Accessible name.
    #[prop(into)]
    label: String,
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<Details>::new();
    let unfolds = Unfolds::new(details);
    // Only clicks in the list close it; the summary toggles by itself. Before the choice acts, so that a dialog which
    // it opens returns the focus to the summary.
    let chosen = move |_: MouseEvent| unfolds.chosen();
    let (pressed, left) = (move |event| unfolds.pressed(&event), move |event| unfolds.left(&event));
    view! {
        <details class="menu only-script" node_ref=details on:keydown=pressed on:focusout=left>
            <summary class="button" aria-label=label.clone() title=label>
                <Icon name="more"/>
            </summary>
            <div class="menu-list" on:click:capture=chosen>
                {children()}
            </div>
        </details>
    }
    .into_any()
}

/// Popup that closes by Escape, a press outside, or leaving it.
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

    /// Closes on Escape, and returns the focus to the summary.
    pub fn pressed(self, event: &KeyboardEvent) {
        let open = self.0.get_untracked().filter(|menu| menu.open());
        // A field within may have handled the key.
        let meant = event.key() == "Escape" && !event.default_prevented();
        let Some(menu) = open.filter(|_| meant) else { return };
        event.prevent_default();
        self.close();
        focus_summary(&menu);
    }

    /// Closes at a choice. The focus moves to the summary: a hidden button would lose it.
    fn chosen(self) {
        let Some(menu) = self.0.get_untracked() else { return };
        let is_within = menu.contains(document().active_element().as_deref());
        self.close();
        if is_within {
            focus_summary(&menu);
        }
    }

    /// Closes when the focus leaves.
    pub fn left(self, event: &FocusEvent) {
        // Some browsers don't focus a clicked button; that is no leaving.
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        if to.is_some() && self.0.get_untracked().is_some_and(|menu| !menu.contains(to.as_ref())) {
            self.close();
        }
    }
}

fn focus_summary(menu: &HtmlDetailsElement) {
    let summary = menu.query_selector("summary").ok().flatten();
    if let Some(summary) = summary.and_then(|summary| summary.dyn_into::<HtmlElement>().ok()) {
        // Fails only for elements that can't take the focus.
        let _ = summary.focus();
    }
}
