//! How the list was left, for whoever comes back to it by the browser's Back: how far it was scrolled, and what of the
//! stored operations it had asked for.

use super::stored::{Shelf, Stored};
use crate::filter::Asked;
use leptos::ev::{popstate, scroll};
use leptos::prelude::*;
use std::cell::{Cell, RefCell};

/// A page that opens so soon after a step in the browser's history was opened by it, milliseconds.
const SOON: f64 = 2_000.0;

/// Rows that are taken up again are there within so many frames.
const FRAMES: u32 = 30;

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
    let here = crate::base::use_path();
    Effect::new(move |_| {
        if STEPPED.get().is_none() {
            STEPPED.set(Some(f64::NEG_INFINITY));
            // It listens as long as the page lives: it is on other pages that one steps back.
            let _ = window_event_listener(popstate, |_| STEPPED.set(Some(js_sys::Date::now())));
        }
        // Taken before this list is scrolled, and looked at when all have heard of a step: the router hears it first, and
        // the list is there before the word has reached the one above.
        if let Some(left) = LEFT.take() {
            request_animation_frame(move || {
                let stepped = STEPPED.get().is_some_and(|at| js_sys::Date::now() - at < SOON);
                let same = asked.try_with_untracked(Asked::address).is_some_and(|here| here == left.address);
                if stepped && same {
                    stored.take_up(left.shelf);
                    scroll_to(left.y, FRAMES);
                }
            });
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

/// Scrolls there, as soon as there are rows enough.
fn scroll_to(y: f64, frames: u32) {
    request_animation_frame(move || {
        window().scroll_to_with_x_and_y(0.0, y);
        // Where there is no room for it yet, the browser stops short of it.
        if frames > 0 && window().scroll_y().is_ok_and(|now| now < y - 1.0) {
            scroll_to(y, frames - 1);
        }
    });
}
