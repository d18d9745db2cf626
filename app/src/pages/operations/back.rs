//! How the list was left, for whoever comes back to it by the browser's Back: how far it was scrolled, and what of the
//! stored operations it had asked for.

use super::stored::{Shelf, Stored};
use crate::filter::Asked;
use leptos::ev::{popstate, scroll};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use std::cell::{Cell, RefCell};

/// A page that opens so soon after a step in the browser's history was opened by it, milliseconds.
const SOON: f64 = 2_000.0;

/// The list as it was left.
struct Left {
    address: String,
    y: f64,
    shelf: Shelf,
}

thread_local! {
    static LEFT: RefCell<Option<Left>> = const { RefCell::new(None) };
    /// When the browser last went through its history; none before it is listened to.
    static STEPPED: Cell<Option<f64>> = const { Cell::new(None) };
}

/// Keeps how the list is left, and takes it up again where a person comes back.
pub fn come_back(asked: Memo<Asked>, stored: Stored) {
    let here = use_location().pathname;
    Effect::new(move |_| {
        match STEPPED.get() {
            None => {
                STEPPED.set(Some(f64::NEG_INFINITY));
                // It listens as long as the page lives: it is on other pages that one steps back.
                let _ = window_event_listener(popstate, |_| STEPPED.set(Some(js_sys::Date::now())));
            }
            Some(at) if js_sys::Date::now() - at < SOON => {
                let address = asked.with_untracked(Asked::address);
                let left = LEFT.take().filter(|left| left.address == address);
                if let Some(Left { y, shelf, .. }) = left {
                    stored.take_up(shelf);
                    // Rows have to be there before one can scroll to them.
                    request_animation_frame(move || {
                        request_animation_frame(move || window().scroll_to_with_x_and_y(0.0, y));
                    });
                }
            }
            Some(_) => {}
        }
        let leave = window_event_listener(scroll, move |_| {
            // The address is another page's already while this one goes.
            if here.try_get_untracked().is_some_and(|here| here == "/operations") {
                let y = window().scroll_y().unwrap_or_default();
                let address = asked.with_untracked(Asked::address);
                LEFT.set(Some(Left { address, y, shelf: stored.as_it_is() }));
            }
        });
        on_cleanup(move || leave.remove());
    });
}
