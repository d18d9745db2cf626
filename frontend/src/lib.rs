//! WebAssembly entry point: hydrates the rendered page.
//!
//! Knows: how the module starts. Must not know: what pages show or where their data comes from; that is in `app`.

mod reserve;

use leptos::prelude::window;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Called by the page's script after the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    spawn_local(async {
        app::preload(&window().location().pathname().unwrap_or_default()).await;
        leptos::mount::hydrate_body(app::App);
    });
}
