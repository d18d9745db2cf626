//! Which operation the panel beside the list shows: Space opens it, arrows walk, Escape closes it. In the address.

use app_state::address::list::Asked;
use components::row_selection::with_neighbours;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use protocol::OperationId;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// The panel's operation, and the way to change it.
#[derive(Clone, Copy)]
pub struct Peek {
    pub shown: Memo<Option<OperationId>>,
    /// Operation to show or none, and whether it replaces the history entry.
    go: Callback<(Option<OperationId>, bool)>,
}

impl Peek {
    /// The panel of the list at an address.
    pub fn new(asked: Memo<Asked>) -> Self {
        let navigate = use_navigate();
        let go = Callback::new(move |(peek, replace): (Option<OperationId>, bool)| {
            let asked = asked.with_untracked(|a| a.with_peek(peek));
            navigate(&asked.address(), NavigateOptions { replace, scroll: false, ..Default::default() });
        });
        Self { shown: Memo::new(move |_| asked.with(|a| a.peek)), go }
    }

    fn is_open(self) -> bool {
        self.shown.with_untracked(Option::is_some)
    }

    /// Closes the panel.
    pub fn close(self) {
        if self.is_open() {
            self.go.run((None, false));
        }
    }

    /// The focus came to a row: an open panel follows.
    pub fn follow(self, id: OperationId) {
        if self.is_open() && self.shown.get_untracked() != Some(id) {
            self.go.run((Some(id), true));
        }
    }

    /// Keys in the table; `row` is the focused one.
    pub fn key(self, event: &KeyboardEvent, row: Option<OperationId>) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let on_title = target.filter(|at| at.matches("a.title").unwrap_or_default());
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.shift_key() {
            return;
        }
        match (event.key().as_str(), on_title, row) {
            (" ", Some(_), Some(id)) => {
                event.prevent_default();
                let other = (self.shown.get_untracked() != Some(id)).then_some(id);
                self.go.run((other, self.is_open()));
            }
            ("Escape", _, _) if self.is_open() => {
                event.prevent_default();
                self.close();
            }
            (key @ ("ArrowDown" | "ArrowUp"), Some(title), _) if self.is_open() => {
                event.prevent_default();
                walk(&title, key == "ArrowDown");
            }
            _ => {}
        }
    }
}

/// Moves the focus to the title of the next or previous row.
fn walk(title: &Element, down: bool) {
    let Some(row) = title.closest("tr").ok().flatten() else { return };
    let step = if down { Element::next_element_sibling } else { Element::previous_element_sibling };
    with_neighbours(&row.clone(), move || {
        // Headings and spaces between rows have no title.
        let mut rows = std::iter::successors(step(&row), step);
        let next = rows.find_map(|row| row.query_selector("a.title").ok().flatten());
        if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
            // Fails only for elements that can't take the focus.
            let _ = next.focus();
        }
    });
}
