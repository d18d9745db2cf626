//! The chart's way into JavaScript: `glue.js` beside this file, and the effects that feed it.

use super::data::{Sheet, Spec};
use js_sys::{Array, Float64Array};
use leptos::html::Div;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

#[wasm_bindgen(module = "/src/components/chart/glue.js")]
extern "C" {
    type Plot;

    #[wasm_bindgen(constructor)]
    fn new(
        element: &HtmlElement,
        spec: &str,
        on_range: &Closure<dyn FnMut(f64, f64)>,
        on_trouble: &Closure<dyn FnMut(String)>,
    ) -> Plot;

    /// `bands` are pairs, one after the other.
    #[wasm_bindgen(method)]
    fn set(this: &Plot, x: Float64Array, columns: Array, bands: Float64Array, fit: u32);

    #[wasm_bindgen(method)]
    fn whole(this: &Plot);

    #[wasm_bindgen(method)]
    fn destroy(this: &Plot);
}

/// A plot with the closures that it calls.
struct Held {
    plot: Plot,
    _on_range: Closure<dyn FnMut(f64, f64)>,
    _on_trouble: Closure<dyn FnMut(String)>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.plot.destroy();
    }
}

/// Draws into `node` for as long as the component lives.
pub fn attach(
    node: NodeRef<Div>,
    spec: &Spec,
    sheet: Signal<Arc<Sheet>>,
    ranged: Callback<Option<(f64, f64)>>,
    whole: RwSignal<u32>,
    trouble: RwSignal<String>,
) {
    let spec = serde_json::to_string(spec).expect("a spec is plain JSON");
    let held: Rc<RefCell<Option<Held>>> = Rc::default();
    Effect::new({
        let held = held.clone();
        move |_| {
            let Some(element) = node.get() else { return };
            let on_range = Closure::new(move |from: f64, to: f64| {
                ranged.run((from.is_finite() && to.is_finite()).then_some((from, to)));
            });
            let on_trouble = Closure::new(move |said: String| trouble.set(said));
            let plot = Plot::new(&element, &spec, &on_range, &on_trouble);
            *held.borrow_mut() = Some(Held { plot, _on_range: on_range, _on_trouble: on_trouble });
        }
    });
    Effect::new({
        let held = held.clone();
        move |_| {
            // Tracked, so that data which came first is given when the plot is there.
            node.track();
            let sheet = sheet.get();
            if let Some(held) = held.borrow().as_ref() {
                let columns: Array =
                    sheet.columns.iter().map(|column| Float64Array::from(column.as_slice())).collect();
                let bands: Vec<f64> = sheet.bands.iter().flat_map(|(from, to)| [*from, *to]).collect();
                held.plot.set(
                    Float64Array::from(sheet.x.as_slice()),
                    columns,
                    Float64Array::from(bands.as_slice()),
                    sheet.fit,
                );
            }
        }
    });
    Effect::new({
        let held = held.clone();
        move |_| {
            if whole.get() > 0
                && let Some(held) = held.borrow().as_ref()
            {
                held.plot.whole();
            }
        }
    });
    let held = SendWrapper::new(held);
    on_cleanup(move || drop(held.borrow_mut().take()));
}
