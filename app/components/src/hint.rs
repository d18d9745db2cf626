//! Hint of a page: on the first visit it says, in place, what the page is for.

use crate::focus::{find, hand_over};
use crate::reactive::part;
use leptos::html::Div;
use leptos::prelude::*;

/// Storage key of the pages whose hint was shown: their names, separated by spaces.
const KEY: &str = "signalbox.hints";

/// The list with one more page; `None` if it is in there.
fn with(seen: &str, page: &str) -> Option<String> {
    let known = seen.split(' ').any(|known| known == page);
    (!known).then(|| format!("{seen} {page}").trim().to_owned())
}

/// Notes that the page explains itself now; false if it did before, or if the browser blocks storage: it would do so
/// at each visit.
fn is_first_visit(page: &str) -> bool {
    let Some(storage) = window().local_storage().ok().flatten() else { return false };
    let Ok(seen) = storage.get_item(KEY) else { return false };
    with(&seen.unwrap_or_default(), page).is_some_and(|seen| storage.set_item(KEY, &seen).is_ok())
}

/// The hint, until it is dismissed or the page is left. It takes no focus and is not announced.
///
/// It is part of the HTML from the server, so that the first paint is complete. A style sheet hides hints that were
/// shown before until the page is live and removes them.
#[component]
pub fn Hint(
    /// Name of the page, which the rule in `style/_base.scss` lists.
    page: &'static str,
    text: &'static str,
) -> impl IntoView {
    let shown = RwSignal::new(true);
    let node = NodeRef::<Div>::new();
    Effect::new(move |_| shown.set(is_first_visit(page)));
    let dismiss = move |_| {
        let main = || document().body().and_then(|body| find(&body, "main"));
        hand_over(node.get_untracked().as_deref(), main);
        shown.set(false);
    };
    let hint = part(move || {
        shown.get().then(|| {
            view! {
                <p class="hint" role="note" data-page=page>
                    {text}
                    " "
                    <button type="button" class="link only-script" aria-label="Got it: dismiss this hint" on:click=dismiss>
                        "Got it"
                    </button>
                </p>
            }
            .into_any()
        })
    });
    view! { <div node_ref=node>{hint}</div> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn each_page_explains_itself_once() {
        assert_eq!(with("", "new").as_deref(), Some("new"));
        assert_eq!(with("new", "hosts").as_deref(), Some("new hosts"));
        assert_eq!(with("new hosts", "hosts"), None);
        assert_eq!(with("operations", "operation").as_deref(), Some("operations operation"));
    }
}
