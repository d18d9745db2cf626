//! Sections of the page that are parts of the program of their own.

use super::peek::Peek;
use super::peek_panel::PeekPanel;
use app_state::Selection;
use components::lazy_section::LazySection;
use components::row_selection::{Picks, SelectBar};
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use protocol::OperationId;

const PEEK: LazySection = LazySection { name: "operations_peek", load: || Box::pin(load_peek()) };
const SELECTED: LazySection = LazySection { name: "operations_selected", load: || Box::pin(load_selected()) };

/// Sections whose code is loaded when they are shown.
pub const SECTIONS: [LazySection; 2] = [PEEK, SELECTED];

/// Panel beside the list, once it is opened.
pub fn peek_section(peek: Peek) -> AnyView {
    let is_open = Memo::new(move |_| peek.shown.get().is_some());
    PEEK.view(is_open.into(), move || panel(peek))
}

#[wasm_split(operations_peek, wasm_split_path = leptos::wasm_split, preload(load_peek), fallible)]
fn panel(peek: Peek) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <PeekPanel peek/> }.into_any())
}

/// Bar with the actions for selected operations, once there are some.
pub fn selected_section(picks: Picks, matching: Signal<Vec<OperationId>>) -> AnyView {
    let selection = Selection::here();
    let any = Memo::new(move |_| !selection.is_empty());
    SELECTED.view(any.into(), move || selected(picks, matching))
}

#[wasm_split(operations_selected, wasm_split_path = leptos::wasm_split, preload(load_selected), fallible)]
fn selected(picks: Picks, matching: Signal<Vec<OperationId>>) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <SelectBar picks matching/> }.into_any())
}
