//! Focus on arrival: a form opened by a link inside the app begins at its first field.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement};

/// First fields that can take the focus; of a radio group the checked one.
const FIELDS: &str = ".fields input:not([type='radio']), .fields input[type='radio']:checked, .fields select, \
     .fields textarea";

/// How the user came to the form that is rendered next; from the context.
#[derive(Clone, Copy)]
pub struct Arrival {
    by_link: StoredValue<bool>,
}

/// Provides it. A page that comes with the document leaves the focus where the browser has it.
pub fn provide() {
    let loading = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    provide_context(Arrival { by_link: StoredValue::new(!loading) });
}

impl Arrival {
    /// The page's own, provided by [`provide`].
    pub fn here() -> Self {
        expect_context::<Self>()
    }

    /// Focuses the first field once it is rendered, unless the user is in a field or has no keyboard. Another kind is
    /// chosen by a link, so its form does so in any case.
    pub fn focus_first_field(self) {
        let by_link = self.by_link.get_value();
        self.by_link.set_value(true);
        Effect::new(move |_| {
            if by_link {
                request_animation_frame(focus);
            }
        });
    }
}

fn focus() {
    let touch = window().match_media("(pointer: coarse)").ok().flatten().is_some_and(|found| found.matches());
    let writes = |at: Element| matches!(at.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
    let first = document().query_selector(FIELDS).ok().flatten();
    if !touch
        && !document().active_element().is_some_and(writes)
        && let Some(first) = first.and_then(|first| first.dyn_into::<HtmlElement>().ok())
    {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        // Fails only for elements that can't take the focus.
        let _ = first.focus_with_options(&options);
    }
}
