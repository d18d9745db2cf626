//! Sections of a page whose code is a part of the program of its own, loaded when the section is shown.
//!
//! The server renders each section. The browser loads the code of the shown ones before it takes over the document, and
//! leaves the server's HTML of the others in place until their code is loaded.

use super::deferred::{Deferred, Loading};
use crate::reactive::{part, spoken};
use futures::FutureExt;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyViewState;
use leptos::tachys::view::{Mountable, Render};
use leptos::task::spawn_local;
use leptos::wasm_split::SplitLoaderError;
use std::future::Future;
use std::rc::Rc;
use std::sync::Mutex;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Attribute of a section that is shown at first: the name of its code.
const CODE: &str = "data-code";

/// Names of the loaded parts.
static LOADED: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// The code of a section.
#[derive(Clone, Copy)]
pub struct LazySection {
    /// Name of the part. It begins with the name of its page (`scripts/site/bundle.mjs`).
    pub name: &'static str,
    /// Requests the part.
    pub load: fn() -> Loading,
}

/// Builds the content; nothing if its code is missing.
type Build = Rc<dyn Fn() -> Option<AnyView>>;

impl LazySection {
    /// Whether the code is loaded; on the server it always is.
    fn is_loaded(self) -> bool {
        cfg!(not(feature = "hydrate")) || LOADED.lock().is_ok_and(|loaded| loaded.contains(&self.name))
    }

    /// Loads the code; false if that fails.
    pub async fn load(self) -> bool {
        let is_loaded = (self.load)().await.is_ok();
        if is_loaded && let Ok(mut loaded) = LOADED.lock() {
            loaded.push(self.name);
        }
        is_loaded
    }

    /// The section with the content of `build`, which is built once `wanted` is true.
    pub fn view<F>(self, wanted: Signal<bool>, build: impl Fn() -> F + 'static) -> AnyView
    where
        F: Future<Output = Result<AnyView, SplitLoaderError>>,
    {
        // Ready at once, as the code is loaded.
        self.place(wanted, Rc::new(move || build().now_or_never()?.ok()))
    }

    fn place(self, wanted: Signal<bool>, build: Build) -> AnyView {
        let (failed, has_html) = (RwSignal::new(false), RwSignal::new(false));
        let section = if self.is_loaded() {
            let needed = wanted.get_untracked().then_some(self.name);
            #[cfg(feature = "ssr")]
            if let Some(name) = needed {
                leptos::prefetch_lazy_fn_on_server(name);
            }
            view! { <div class="lazy-section" data-code=needed>{build()}</div> }.into_any()
        } else {
            self.later(wanted, build, failed, has_html)
        };
        let trouble = part(move || {
            let again = move |_| failed.set(false);
            failed.get().then(|| {
                view! {
                    <p class="note bad" role="alert">
                        "This section could not be loaded from the server. "
                        {has_html.get().then_some("The section shows the state when the page was loaded. ")}
                        <button type="button" class="link" on:click=again>
                            "Try again"
                        </button>
                    </p>
                }
                .into_any()
            })
        });
        view! { {section} {trouble} }.into_any()
    }

    /// The place of the section. It has the server's HTML or nothing until the code is loaded.
    fn later(
        self,
        wanted: Signal<bool>,
        build: Build,
        failed: RwSignal<bool>,
        has_html: RwSignal<bool>,
    ) -> AnyView {
        let place = NodeRef::<Div>::new();
        let busy = RwSignal::new(false);
        let mounted = StoredValue::new_local(None::<AnyViewState>);
        let owner = Owner::current().unwrap_or_default();
        Effect::new(move |_| {
            if !wanted.get() || failed.get() || busy.get_untracked() || mounted.with_value(Option::is_some) {
                return;
            }
            busy.set(true);
            let (owner, build) = (owner.clone(), build.clone());
            spawn_local(async move {
                let is_loaded = self.load().await;
                // The page may be gone by now.
                let Some(place) = place.try_get_untracked().flatten() else { return };
                busy.try_set(false);
                let state = is_loaded.then(|| owner.with(|| build().map(Render::build))).flatten();
                let Some(mut state) = state else {
                    has_html.try_set(place.child_element_count() > 0);
                    failed.try_set(true);
                    return;
                };
                place.replace_children_with_node_0();
                state.mount(&place, None);
                mounted.try_set_value(Some(state));
            });
        });
        on_cleanup(move || {
            let state = mounted.try_update_value(Option::take).flatten();
            if let Some(mut state) = state {
                state.unmount();
            }
        });
        view! { <div class="lazy-section" node_ref=place aria-busy=spoken(move || busy.get())></div> }
            .into_any()
    }
}

/// Content of the frame that every page has, and whose code is loaded once the page is live. Until then, the server's
/// HTML stays as it is.
pub fn once_live<F>(code: Deferred, build: impl Fn() -> F + 'static) -> AnyView
where
    F: Future<Output = Result<AnyView, SplitLoaderError>>,
{
    let build = move || build().now_or_never()?.ok();
    if cfg!(not(feature = "hydrate")) {
        return view! { <div class="lazy-section">{build()}</div> }.into_any();
    }
    take_over(code, Rc::new(build))
}

/// Replaces the server's HTML, once the code is loaded.
fn take_over(code: Deferred, build: Build) -> AnyView {
    let place = NodeRef::<Div>::new();
    let mounted = StoredValue::new_local(None::<AnyViewState>);
    let owner = Owner::current().unwrap_or_default();
    Effect::new(move |_| {
        let Some(place) = place.get().filter(|_| code.loaded()) else { return };
        if mounted.with_value(Option::is_some) {
            return;
        }
        let state = untrack(|| owner.with(|| build().map(Render::build)));
        let Some(mut state) = state else { return };
        let details = || place.query_selector("details").ok().flatten();
        let is_open = details().is_some_and(|menu| menu.has_attribute("open"));
        place.replace_children_with_node_0();
        state.mount(&place, None);
        if let Some(menu) = details().filter(|_| is_open) {
            // Fails only for an invalid name.
            drop(menu.set_attribute("open", ""));
        }
        mounted.set_value(Some(state));
    });
    view! { <div class="lazy-section" node_ref=place></div> }.into_any()
}

/// Loads the code of the sections that the document shows. Called before hydration, which takes them over then.
pub async fn preload(known: &[LazySection]) {
    let Ok(shown) = document().query_selector_all(&format!("[{CODE}]")) else { return };
    for i in 0..shown.length() {
        let name = shown.get(i).and_then(|node| node.dyn_into::<Element>().ok()?.get_attribute(CODE));
        if let Some(section) = known.iter().find(|section| Some(section.name) == name.as_deref()) {
            // The section requests its code again, and reports a failure.
            section.load().await;
        }
    }
}
