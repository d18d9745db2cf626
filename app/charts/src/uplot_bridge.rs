//! Bindings to `uplot_bridge.js` and its modules, and the effects that feed them.

use super::Drawn;
use super::data::{Sheet, Spec};
use super::figures::{Figures, numbers};
use super::group::Show;
use super::sessions::Sessions;
use super::smooth::smoothed;
use js_sys::{Array, Object, Reflect};
use leptos::html::Div;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

#[wasm_bindgen(module = "/src/paint.js")]
extern "C" {
    /// Draws candles, baselines and gaps.
    fn painter() -> JsValue;
}

#[wasm_bindgen(module = "/src/marks.js")]
extern "C" {
    /// Draws the marks of trades, and finds them.
    fn marks() -> JsValue;
}

#[wasm_bindgen(module = "/src/picture.js")]
extern "C" {
    /// Saves a chart as PNG.
    fn picture() -> JsValue;
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

#[wasm_bindgen(module = "/src/ends.js")]
extern "C" {
    /// Draws the values at the ends of the lines, and events.
    fn ends() -> JsValue;
}

#[wasm_bindgen(module = "/src/kin.js")]
extern "C" {
    /// Shares cursor and zoom between charts with the same x.
    fn kin() -> JsValue;
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
        on_mark: &Closure<dyn FnMut(u32)>,
    ) -> Plot;

    /// Takes the data as an object, see `feed`.
    #[wasm_bindgen(method)]
    fn set(this: &Plot, data: &Object);

    /// Bit i of `hidden` hides column i. `highlighted` is a style, or negative.
    #[wasm_bindgen(method)]
    fn look(this: &Plot, hidden: u32, logarithmic: bool, highlighted: i32);

    /// Shows the previous zoom of the related charts. Several plots pass on the same `request`.
    #[wasm_bindgen(method)]
    fn back(this: &Plot, request: u32);

    #[wasm_bindgen(method)]
    fn whole(this: &Plot);

    /// Zooms the related charts to a range of x, once for each `number`.
    #[wasm_bindgen(method)]
    fn show(this: &Plot, number: u32, from: f64, to: f64, around: bool);

    #[wasm_bindgen(method)]
    fn picture(this: &Plot, file: &str);

    #[wasm_bindgen(method)]
    fn destroy(this: &Plot);
}

/// A plain object with these properties.
fn object<const N: usize>(properties: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        Reflect::set(&object, &name.into(), &value).expect("a plain object takes any property");
    }
    object
}

/// Modules of a chart, passed in because local modules can't import each other.
fn parts() -> Object {
    object([
        ("paint", painter()),
        ("marks", marks()),
        ("savePicture", picture()),
        ("hands", hands()),
        ("axesOf", axes()),
        ("lineEnds", ends()),
        ("kin", kin()),
        ("reader", reader()),
        ("library", library()),
    ])
}

/// A plot and the closures it calls.
struct Held {
    plot: Plot,
    figures: Figures,
    _on_range: Closure<dyn FnMut(f64, f64)>,
    _on_trouble: Closure<dyn FnMut(String)>,
    _on_mark: Closure<dyn FnMut(u32)>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.plot.destroy();
    }
}

/// Passes data to a plot. `at` holds the positions of x on the axis, `times` and `places` the line of trading time,
/// empty without it. `bands` holds pairs, `marks` x, y, kind and trade of each, flattened. `raw` is empty without
/// smoothing. `behind` holds columns with a baseline, each followed by its x, p10, p50 and p90, flattened.
fn feed(held: &Held, sheet: &Sheet, weight: f64) {
    let raw: Array = sheet.columns.iter().map(|column| numbers(column)).collect();
    let (columns, raw) = if weight > 0.0 {
        (sheet.columns.iter().map(|column| numbers(&smoothed(column, weight))).collect(), raw)
    } else {
        (raw, Array::new())
    };
    let bands: Vec<f64> = sheet.bands.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let marks: Vec<f64> =
        sheet.marks.iter().flat_map(|m| [m.x, m.y, f64::from(m.kind as u8), m.of as f64]).collect();
    let events: Vec<f64> = sheet.events.iter().map(|event| event.x).collect();
    let labels: Array = sheet.events.iter().map(|event| JsValue::from(event.label.as_str())).collect();
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
    let band_texts: Array = sheet.band_texts.iter().map(|text| JsValue::from(text.as_str())).collect();
    let line = |of: fn(&Sessions) -> &[f64]| numbers(sheet.sessions.as_deref().map_or(&[][..], of));
    let (low, high) = sheet.sessions.as_ref().map_or((0.0, 0.0), |sessions| sessions.ends());
    held.figures.set(sheet);
    held.plot.set(&object([
        ("x", numbers(&sheet.x).into()),
        ("at", numbers(&sheet.positions()).into()),
        ("times", line(Sessions::times).into()),
        ("places", line(Sessions::places).into()),
        ("whole", numbers(&[low, high]).into()),
        ("bandTexts", band_texts.into()),
        ("chosen", sheet.chosen.map_or(-1.0, |n| n as f64).into()),
        ("columns", columns.into()),
        ("raw", raw.into()),
        ("bands", numbers(&bands).into()),
        ("marks", numbers(&marks).into()),
        ("events", numbers(&events).into()),
        ("labels", labels.into()),
        ("flat", behind.into()),
        ("fit", sheet.fit.into()),
    ]));
}

/// Draws into `node` as long as the component lives.
pub fn attach(node: NodeRef<Div>, spec: &Spec, drawn: Drawn, trouble: RwSignal<String>) {
    let Drawn { sheet, group, hidden, log, ranged, on_mark, pictures } = drawn;
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
            let on_mark = Closure::new(move |trade: u32| {
                if let Some(callback) = on_mark {
                    callback.run(trade as usize);
                }
            });
            let figures = Figures::new(spec.clone());
            let object = figures.object();
            let plot = Plot::new(&element, &json, &parts(), object, &on_range, &on_trouble, &on_mark);
            *held.borrow_mut() =
                Some(Held { plot, figures, _on_range: on_range, _on_trouble: on_trouble, _on_mark: on_mark });
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
        let (sheet, weight) = (sheet.get(), group.weight.get());
        with_plot(&of, &mut |held| feed(held, &sheet, weight));
    });
    let of = held.clone();
    Effect::new(move |_| {
        let (hidden, log) = (hidden.get(), log.get());
        let highlighted = group.highlighted.get().map_or(-1, |style| style as i32);
        with_plot(&of, &mut |held| held.plot.look(hidden, log, highlighted));
    });
    on_request(&held, group.resets, |held, _| held.plot.whole());
    on_request(&held, group.backs, |held, request| held.plot.back(request));
    on_request(&held, group.shows, |held, show| {
        if let Some(Show { number, from, to, around }) = show {
            held.plot.show(number, from, to, around);
        }
    });
    on_request(&held, pictures, move |held, _| held.plot.picture(&file));
    let held = SendWrapper::new(held);
    on_cleanup(move || drop(held.borrow_mut().take()));
}

/// Acts on the plot at each request that comes after it was drawn.
fn on_request<T: Copy + PartialEq + Send + Sync + 'static>(
    held: &Rc<RefCell<Option<Held>>>,
    requests: RwSignal<T>,
    act: impl Fn(&Held, T) + 'static,
) {
    let of = held.clone();
    Effect::new(move |before: Option<T>| {
        let now = requests.get();
        if let Some(held) = of.borrow().as_ref().filter(|_| before.is_some_and(|before| before != now)) {
            act(held, now);
        }
        now
    });
}
