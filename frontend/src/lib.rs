//! The WebAssembly entry: hydrates the page that the server rendered.
//!
//! Knows: how the browser's module begins. May not know: what any page shows, or how it gets its data; `app` does.

use leptos::prelude::window;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Called by the page's script when the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    spawn_local(async {
        app::preload(&window().location().pathname().unwrap_or_default()).await;
        leptos::mount::hydrate_body(app::App);
    });
}
