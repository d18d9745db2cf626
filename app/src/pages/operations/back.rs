//! Scroll position and loaded pages of the list, restored when the user comes back with the browser's Back.

use super::stored::{PageStore, Stored};
use app_state::address::list::Asked;
use leptos::ev::{popstate, scroll};
use leptos::prelude::*;
use std::cell::{Cell, RefCell};

/// A page opened within this time after a history step was opened by it, milliseconds.
const SOON: f64 = 2_000.0;

/// Maximum number of frames to wait for restored rows.
const FRAMES: u32 = 30;

/// Saved state of the list.
struct Left {
    address: String,
    y: f64,
    page_store: PageStore,
}

thread_local! {
    static LEFT: RefCell<Option<Left>> = const { RefCell::new(None) };
    /// Time of the last history step; `None` before the listener is registered.
    static STEPPED: Cell<Option<f64>> = const { Cell::new(None) };
}

/// Saves the list's state on scroll, and restores it after a history step.
pub fn come_back(asked: Memo<Asked>, stored: Stored) {
    let here = app_state::address::use_path();
    Effect::new(move |_| {
        if STEPPED.get().is_none() {
            STEPPED.set(Some(f64::NEG_INFINITY));
            // The listener lives as long as the app: history steps happen on other pages, too.
            let _ = window_event_listener(popstate, |_| STEPPED.set(Some(js_sys::Date::now())));
        }
        // Read before this list scrolls, evaluated in the next frame: the router handles `popstate` before our listener
        // does.
        if let Some(left) = LEFT.take() {
            request_animation_frame(move || {
                let stepped = STEPPED.get().is_some_and(|at| js_sys::Date::now() - at < SOON);
                let same = asked
                    .try_with_untracked(|a| a.with_peek(None).address())
                    .is_some_and(|here| here == left.address);
                if stepped && same {
                    stored.take_up(left.page_store);
                    scroll_to(left.y, FRAMES);
                }
            });
        }
        let leave = window_event_listener(scroll, move |_| {
            // While the page is left, the URL is already that of the next page.
            if here.try_get_untracked().is_some_and(|here| here == "/operations") {
                let y = window().scroll_y().unwrap_or_default();
                let address = asked.with_untracked(|a| a.with_peek(None).address());
                LEFT.set(Some(Left { address, y, page_store: stored.as_it_is() }));
            }
        });
        on_cleanup(move || leave.remove());
    });
}

/// Scrolls to `y` as soon as the document is long enough.
fn scroll_to(y: f64, frames: u32) {
    request_animation_frame(move || {
        window().scroll_to_with_x_and_y(0.0, y);
        // Too short a document stops the scroll early.
        if frames > 0 && window().scroll_y().is_ok_and(|now| now < y - 1.0) {
            scroll_to(y, frames - 1);
        }
    });
}
