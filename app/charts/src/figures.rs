//! Callbacks from JavaScript while a chart draws: number formats, axis ranges and ticks.

use super::data::{Shape, Sheet, Spec};
use super::session_axis::{self, Tick};
use super::sessions::Sessions;
use super::writing::Writing;
use super::{axis, range, time_axis};
use js_sys::{Array, Float64Array, Object, Reflect};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::*;

type TextOf = Closure<dyn Fn(f64) -> String>;
type FigureOf = Closure<dyn Fn(u32, f64) -> String>;
type RangeOf = Closure<dyn Fn(f64, f64, bool) -> Float64Array>;
type TicksOf = Closure<dyn Fn(f64, f64, u32, bool) -> Float64Array>;
type LabelsOf = Closure<dyn Fn(Float64Array, bool) -> Array>;

/// The callbacks as an object. Must outlive the chart that uses it.
pub struct Figures {
    spec: Spec,
    writing: Rc<Cell<Writing>>,
    /// Every x is an integer, so ticks are integers, too.
    counts: Rc<Cell<bool>>,
    sessions: Rc<RefCell<Option<Arc<Sessions>>>>,
    object: Object,
    _asked: (TextOf, FigureOf, [RangeOf; 2], [TicksOf; 2], [LabelsOf; 2]),
}

impl Figures {
    pub fn new(spec: Spec) -> Self {
        let writing = Rc::new(Cell::new(Writing::default()));
        let (of_x, of_y) = (writing.clone(), writing.clone());
        let counts = Rc::new(Cell::new(false));
        let whole = counts.clone();
        let sessions: Rc<RefCell<Option<Arc<Sessions>>>> = Rc::default();
        let axis_of = sessions.clone();
        // The newest ticks in trading time, which their labels need.
        let placed: Rc<RefCell<Vec<Tick>>> = Rc::default();
        let newest = placed.clone();
        let (time, share, zero) = (spec.time, spec.unit == "share", spec.zero);
        let candles = spec.shape == Shape::Candles;

        let x: TextOf = Closure::new(move |n: f64| {
            let text = of_x.get().x(n);
            // A date has no zone.
            if time && text.contains(':') { format!("{text} UTC") } else { text }
        });
        let y: FigureOf = Closure::new(move |column: u32, n: f64| of_y.get().y(column as usize, n));
        let x_range: RangeOf = Closure::new(move |min: f64, max: f64, _| pair(range::fit_x((min, max))));
        let y_range: RangeOf = Closure::new(move |low: f64, high: f64, log: bool| {
            let ends = range::ends([low, high].into_iter());
            pair(match (candles, log) {
                (true, _) => axis::fit_prices(ends),
                (_, true) => axis::fit_log(ends),
                _ => range::fit(ends, zero),
            })
        });
        let x_ticks: TicksOf = Closure::new(move |min: f64, max: f64, most: u32, _| {
            let most = most as usize;
            if let Some(sessions) = &*axis_of.borrow() {
                let ticks = session_axis::ticks(sessions, (min, max), most);
                let places: Vec<f64> = ticks.iter().map(|(place, _)| *place).collect();
                placed.replace(ticks);
                return numbers(&places);
            }
            placed.take();
            numbers(&if time {
                time_axis::ticks((min, max), most)
            } else {
                axis::ticks((min, max), most, whole.get())
            })
        });
        let y_ticks: TicksOf = Closure::new(move |min: f64, max: f64, most: u32, log: bool| {
            let most = most as usize;
            numbers(&if log {
                axis::log_ticks((min, max), most)
            } else {
                axis::ticks((min, max), most, false)
            })
        });
        let x_labels: LabelsOf = Closure::new(move |ticks: Float64Array, _| {
            let ticks = ticks.to_vec();
            let placed = newest.borrow();
            texts(match time {
                true if placed.len() == ticks.len() && !ticks.is_empty() => session_axis::labels(&placed),
                true => time_axis::labels(&ticks),
                false => axis::labels(&ticks, false),
            })
        });
        let y_labels: LabelsOf = Closure::new(move |ticks: Float64Array, log: bool| {
            let ticks = ticks.to_vec();
            texts(if log { axis::log_labels(&ticks, share) } else { axis::labels(&ticks, share) })
        });

        let object = Object::new();
        let functions = [
            ("x", x.as_ref()),
            ("y", y.as_ref()),
            ("xRange", x_range.as_ref()),
            ("yRange", y_range.as_ref()),
            ("xTicks", x_ticks.as_ref()),
            ("yTicks", y_ticks.as_ref()),
            ("xLabels", x_labels.as_ref()),
            ("yLabels", y_labels.as_ref()),
        ];
        for (name, function) in functions {
            let function: &JsValue = function;
            Reflect::set(&object, &name.into(), function).expect("a plain object takes any property");
        }
        let asked = (x, y, [x_range, y_range], [x_ticks, y_ticks], [x_labels, y_labels]);
        Self { spec, writing, counts, sessions, object, _asked: asked }
    }

    /// Sets the data that is drawn next.
    pub fn set(&self, sheet: &Sheet) {
        self.writing.set(Writing::of(&self.spec, sheet));
        self.counts.set(sheet.x.iter().all(|x| x.fract() == 0.0));
        self.sessions.replace(sheet.sessions.clone());
    }

    pub fn object(&self) -> &Object {
        &self.object
    }
}

pub fn numbers(of: &[f64]) -> Float64Array {
    Float64Array::from(of)
}

fn pair((from, to): range::Range) -> Float64Array {
    numbers(&[from, to])
}

fn texts(of: Vec<String>) -> Array {
    of.into_iter().map(JsValue::from).collect()
}
