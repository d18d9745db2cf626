//! Bindings to `uplot_bridge.js` and its modules, and the effects that feed them.

use super::Asks;
use super::controls::ChartControls;
use super::data::{Sheet, Spec};
use super::figures::{Figures, numbers};
use super::smooth::smoothed;
use js_sys::{Array, Float64Array, Object, Reflect};
use leptos::html::Div;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

#[wasm_bindgen(module = "/src/paint.js")]
extern "C" {
    /// Draws candles, baselines, gaps and marks.
    fn painter() -> JsValue;
}

#[wasm_bindgen(module = "/src/gestures.js")]
extern "C" {
    /// Handles wheel and touch gestures.
    fn hands() -> JsValue;
}

#[wasm_bindgen(module = "/src/axes.js")]
extern "C" {
    /// Creates the axes of a chart.
    fn axes() -> JsValue;
}

#[wasm_bindgen(module = "/src/reading.js")]
extern "C" {
    /// Shows the values of a chart.
    fn reader() -> JsValue;
}

#[wasm_bindgen(module = "/src/library.js")]
extern "C" {
    /// Loads uPlot.
    fn library() -> JsValue;

    /// Saves a text as a file.
    #[wasm_bindgen(js_name = saveText)]
    pub fn save_text(file: &str, media_type: &str, text: &str);
}

#[wasm_bindgen(module = "/src/uplot_bridge.js")]
extern "C" {
    type Plot;

    #[wasm_bindgen(constructor)]
    fn new(
        element: &HtmlElement,
        spec: &str,
        parts: &Object,
        figures: &Object,
        on_range: &Closure<dyn FnMut(f64, f64)>,
        on_trouble: &Closure<dyn FnMut(String)>,
    ) -> Plot;

    /// `bands` holds pairs, `marks` triples of x, y and kind, flattened. `raw` is empty without smoothing. `behind`
    /// holds columns with a baseline, each followed by its x, p10, p50 and p90, flattened.
    #[wasm_bindgen(method)]
    fn set(
        this: &Plot,
        x: Float64Array,
        columns: Array,
        raw: Array,
        bands: Float64Array,
        marks: Float64Array,
        behind: Array,
        fit: u32,
    );

    /// Bit i of `hidden` hides column i.
    #[wasm_bindgen(method)]
    fn look(this: &Plot, hidden: u32, logarithmic: bool);

    #[wasm_bindgen(method)]
    fn whole(this: &Plot);

    #[wasm_bindgen(method)]
    fn picture(this: &Plot, file: &str);

    #[wasm_bindgen(method)]
    fn destroy(this: &Plot);
}

/// Modules of a chart, passed in because local modules can't import each other.
fn parts() -> Object {
    let parts = Object::new();
    let named = [
        ("paint", painter()),
        ("hands", hands()),
        ("axesOf", axes()),
        ("reader", reader()),
        ("library", library()),
    ];
    for (name, part) in named {
        Reflect::set(&parts, &name.into(), &part).expect("a plain object takes any property");
    }
    parts
}

/// A plot and the closures it calls.
struct Held {
    plot: Plot,
    figures: Figures,
    _on_range: Closure<dyn FnMut(f64, f64)>,
    _on_trouble: Closure<dyn FnMut(String)>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.plot.destroy();
    }
}

/// Passes data to a plot.
fn feed(held: &Held, sheet: &Sheet, weight: f64) {
    let raw: Array = sheet.columns.iter().map(|column| numbers(column)).collect();
    let (columns, raw) = if weight > 0.0 {
        (sheet.columns.iter().map(|column| numbers(&smoothed(column, weight))).collect(), raw)
    } else {
        (raw, Array::new())
    };
    let bands: Vec<f64> = sheet.bands.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let marks: Vec<f64> = sheet.marks.iter().flat_map(|m| [m.x, m.y, f64::from(m.kind as u8)]).collect();
    let behind = Array::new();
    for (column, band) in sheet.bands_behind() {
        let there = |figures: &[Option<f64>]| {
            numbers(&figures.iter().map(|y| y.unwrap_or(f64::NAN)).collect::<Vec<f64>>())
        };
        behind.push(&(column as u32).into());
        for figures in [numbers(&band.x), there(&band.p10), there(&band.p50), there(&band.p90)] {
            behind.push(&figures);
        }
    }
    held.figures.set(sheet);
    held.plot.set(numbers(&sheet.x), columns, raw, numbers(&bands), numbers(&marks), behind, sheet.fit);
}

/// Draws into `node` as long as the component lives.
pub fn attach(
    node: NodeRef<Div>,
    spec: &Spec,
    sheet: Signal<Arc<Sheet>>,
    controls: ChartControls,
    ranged: Callback<Option<(f64, f64)>>,
    asks: Asks,
    trouble: RwSignal<String>,
) {
    let file = spec.file_name("png");
    let (json, spec) = (serde_json::to_string(spec).expect("a spec is plain JSON"), spec.clone());
    let held: Rc<RefCell<Option<Held>>> = Rc::default();
    Effect::new({
        let held = held.clone();
        move |_| {
            let Some(element) = node.get() else { return };
            let on_range = Closure::new(move |from: f64, to: f64| {
                ranged.run((from.is_finite() && to.is_finite()).then_some((from, to)));
            });
            let on_trouble = Closure::new(move |wording: String| trouble.set(wording));
            let figures = Figures::new(spec.clone());
            let plot = Plot::new(&element, &json, &parts(), figures.object(), &on_range, &on_trouble);
            *held.borrow_mut() = Some(Held { plot, figures, _on_range: on_range, _on_trouble: on_trouble });
        }
    });
    // Each effect tracks the node, so that earlier values reach the plot once it exists.
    let with_plot = move |held: &Rc<RefCell<Option<Held>>>, act: &mut dyn FnMut(&Held)| {
        node.track();
        if let Some(held) = held.borrow().as_ref() {
            act(held);
        }
    };
    let of = held.clone();
    Effect::new(move |_| {
        let (sheet, weight) = (sheet.get(), controls.weight.get());
        with_plot(&of, &mut |held| feed(held, &sheet, weight));
    });
    let of = held.clone();
    Effect::new(move |_| {
        let (hidden, log) = (controls.hidden.get(), controls.log.get());
        with_plot(&of, &mut |held| held.plot.look(hidden, log));
    });
    let of = held.clone();
    Effect::new(move |_| {
        if asks.whole.get() > 0 {
            with_plot(&of, &mut |held| held.plot.whole());
        }
    });
    let of = held.clone();
    Effect::new(move |_| {
        if asks.picture.get() > 0 {
            with_plot(&of, &mut |held| held.plot.picture(&file));
        }
    });
    let held = SendWrapper::new(held);
    on_cleanup(move || drop(held.borrow_mut().take()));
}
