//! The keyboard's focus when what has it goes from the page: it is given to what takes its place. Else it would be
//! nowhere, and the next key would begin at the top of the page.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement};

/// So many frames it is looked after: what takes the place may itself be moved in its list a moment later.
const FRAMES: u8 = 12;

/// Called when something in `within` is about to go: if the focus is in there now and nowhere once that is gone, what `to`
/// finds gets it. Nothing is scrolled by it.
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
            // It fails only for what can't take the focus.
            let _ = to.focus_with_options(&options);
        }
        if frames > 1 {
            look_after(to, frames - 1);
        }
    });
}

/// The first element in `within` that a selector names.
pub fn find(within: &Element, selector: &str) -> Option<HtmlElement> {
    within.query_selector(selector).ok().flatten()?.dyn_into().ok()
}
