//! Keyboard focus when the focused element is removed: moved to its replacement. Otherwise it would be lost, and the
//! next Tab would start at the top of the page.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement};

/// Number of frames to watch: the replacement may be moved in its list shortly after.
const FRAMES: u8 = 12;

/// Call before something in `within` is removed. If the focus is in there and lost with the removal, the element found
/// by `to` gets it, without scrolling.
pub fn hand_over(within: Option<&HtmlElement>, to: impl Fn() -> Option<HtmlElement> + 'static) {
    let focused = |within: &&HtmlElement| within.contains(document().active_element().as_deref());
    if within.filter(focused).is_some() {
        look_after(Box::new(to), FRAMES);
    }
}

fn look_after(to: Box<dyn Fn() -> Option<HtmlElement>>, frames: u8) {
    request_animation_frame(move || {
        let nowhere = document().active_element().is_none_or(|at| at.tag_name() == "BODY");
        if let Some(to) = nowhere.then(&to).flatten() {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            // Fails only for elements that can't take the focus.
            let _ = to.focus_with_options(&options);
        }
        if frames > 1 {
            look_after(to, frames - 1);
        }
    });
}

/// First element in `within` that matches the selector.
pub fn find(within: &Element, selector: &str) -> Option<HtmlElement> {
    within.query_selector(selector).ok().flatten()?.dyn_into().ok()
}
