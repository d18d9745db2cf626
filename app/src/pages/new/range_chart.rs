//! Prices of the chosen symbol: a drag along them sets start and end. The bars are those of its newest load. The date
//! fields remain, for the keyboard and for exact times.

use app_state::kinds::LOAD;
use components::form::typed::Typed;
use components::reactive::{maybe, part, text, yes};
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::results::Bars;
use protocol::{KindName, Operation, OperationId, State, Time};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

/// Prices per request.
const POINTS: u32 = 300;
/// Size of the drawing, in its own units: it is stretched to its place.
const SIZE: f64 = 1_000.0;
/// Shorter drags are clicks, which clear the range. A share of the width.
const CLICK: f64 = 0.01;

/// Text of a field; `None` if the form has no such field.
fn text_of(typed: Typed, name: &str) -> Option<RwSignal<String>> {
    typed.fields().into_iter().find(|(field, _)| field.name == name).map(|(_, text)| text)
}

/// Time of a date or a time; the end of a day if it is `last`.
fn time_of(text: &str, last: bool) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    let text = text.trim();
    if Time::is_day(text) {
        let start = Time::parse(&format!("{text}T00:00:00Z")).ok()?.millis() / 1_000.0;
        return Some(if last { start + DAY } else { start });
    }
    Time::parse(text).ok().map(|time| time.millis() / 1_000.0)
}

/// The day of a time in seconds.
fn day_of(seconds: f64) -> String {
    format::day(Time::from_millis(seconds * 1_000.0))
}

/// The newest load of such bars, preferably from this source.
fn load_of(loads: &[Operation], symbol: &str, timeframe: &str, source: &str) -> Option<OperationId> {
    let is = |load: &Operation, name: &str, wanted: &str| {
        load.params
            .get(name)
            .and_then(|value| value.as_str())
            .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    };
    let fits = |load: &&Operation| {
        load.state == State::Succeeded && is(load, "symbol", symbol) && is(load, "timeframe", timeframe)
    };
    let exact = loads.iter().filter(fits).find(|load| is(load, "source", source));
    exact.or_else(|| loads.iter().find(fits)).map(|load| load.id)
}

/// Closing prices over time, each as a share of its range: 0 is the first time, and the lowest price.
#[derive(Clone, PartialEq, Debug)]
struct Prices {
    from: f64,
    to: f64,
    points: Vec<(f64, f64)>,
}

impl Prices {
    /// `None` unless there are two different times.
    fn of(bars: &Bars) -> Option<Self> {
        let (from, to) = (*bars.t.first()? as f64, *bars.t.last()? as f64);
        let low = bars.c.iter().copied().reduce(f64::min)?;
        let high = bars.c.iter().copied().reduce(f64::max)?;
        let height = |price: f64| if high > low { (price - low) / (high - low) } else { 0.5 };
        let point = |(t, price): (&i64, &f64)| ((*t as f64 - from) / (to - from), height(*price));
        (to > from).then(|| Self { from, to, points: bars.t.iter().zip(&bars.c).map(point).collect() })
    }

    /// Share of the width of a time.
    fn across(&self, time: f64) -> f64 {
        ((time - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// Part of the width between start and end; `None` if both are open.
    fn range(&self, start: &str, end: &str) -> Option<(f64, f64)> {
        let (from, to) = (time_of(start, false), time_of(end, true));
        (from.is_some() || to.is_some()).then(|| {
            let from = from.map_or(0.0, |time| self.across(time));
            (from, to.map_or(1.0, |time| self.across(time)).max(from))
        })
    }

    /// The days of a part of the width.
    fn days(&self, (from, to): (f64, f64)) -> (String, String) {
        let at = |share: f64| day_of(self.from + share * (self.to - self.from));
        (at(from), at(to))
    }

    fn area(&self) -> String {
        let line = self.points.iter().map(|(x, y)| format!("{:.1},{:.1}", x * SIZE, (1.0 - y) * SIZE));
        std::iter::once(format!("0,{SIZE}"))
            .chain(line)
            .chain([format!("{SIZE},{SIZE}")])
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Share of the width at the pointer.
fn across(event: &PointerEvent) -> Option<f64> {
    let plot = event.current_target()?.dyn_into::<Element>().ok()?.get_bounding_client_rect();
    let share = (f64::from(event.client_x()) - plot.left()) / plot.width();
    share.is_finite().then(|| share.clamp(0.0, 1.0))
}

/// The chart; nothing unless the form asks for a symbol and a range of it, and its bars were loaded.
#[component]
pub fn RangeChart(typed: Typed) -> impl IntoView {
    let [symbol, timeframe, start, end] =
        ["symbol", "timeframe", "start", "end"].map(|name| text_of(typed, name));
    let (Some(symbol), Some(timeframe), Some(start), Some(end)) = (symbol, timeframe, start, end) else {
        return ().into_any();
    };
    let source = text_of(typed, "source");
    let loads = RwSignal::new(Vec::<Operation>::new());
    Effect::new(move |_| {
        let Ok(kind) = KindName::new(LOAD) else { return };
        spawn_local(async move {
            if let Ok(page) = api::newest_of(&kind).await {
                loads.try_set(page.operations);
            }
        });
    });
    let load = Memo::new(move |_| {
        let source = source.map(|source| source.get()).unwrap_or_default();
        loads.with(|loads| load_of(loads, symbol.get().trim(), &timeframe.get(), source.trim()))
    });
    let prices = RwSignal::new(None::<Arc<Prices>>);
    Effect::new(move |_| {
        let wanted = load.get();
        prices.set(None);
        let Some(id) = wanted else { return };
        spawn_local(async move {
            let Ok(bars) = api::sampled::<Bars>(id, "bars", None, POINTS).await else { return };
            // Another symbol may be chosen by now.
            if load.try_get_untracked() == Some(wanted) {
                prices.try_set(Prices::of(&bars).map(Arc::new));
            }
        });
    });
    let there = Memo::new(move |_| prices.with(Option::is_some));
    let range = Memo::new(move |_| prices.with(|prices| prices.as_ref()?.range(&start.read(), &end.read())));
    let set = move |(from, to): (String, String)| {
        for (text, new, name) in [(start, from, "start"), (end, to, "end")] {
            if text.with_untracked(|text| *text != new) {
                text.set(new);
                typed.forgive(name);
            }
        }
    };
    let dragged = StoredValue::new(None::<f64>);
    let choose = move |event: &PointerEvent| {
        let Some((from, at)) = dragged.get_value().zip(across(event)) else { return };
        let days = prices.with_untracked(|prices| Some(prices.as_ref()?.days((from.min(at), from.max(at)))));
        match days {
            Some(days) if (at - from).abs() > CLICK => set(days),
            _ => {}
        }
    };
    let pressed = move |event: PointerEvent| {
        if event.button() != 0 {
            return;
        }
        event.prevent_default();
        let plot = event.current_target().and_then(|plot| plot.dyn_into::<Element>().ok());
        // Fails only if the pointer is gone.
        let _ = plot.map(|plot| plot.set_pointer_capture(event.pointer_id()));
        dragged.set_value(across(&event));
    };
    let released = move |event: PointerEvent| {
        choose(&event);
        let Some((from, at)) = dragged.try_update_value(Option::take).flatten().zip(across(&event)) else {
            return;
        };
        if (at - from).abs() <= CLICK {
            set((String::new(), String::new()));
        }
    };
    let words = move || {
        prices.with(|prices| {
            let Some(prices) = prices else { return String::new() };
            let (first, last) = prices.days((0.0, 1.0));
            format!("{} {} · stored {first} to {last}", symbol.get().trim().to_uppercase(), timeframe.get())
        })
    };
    let left = move || range.get().map(|(from, _)| format!("{:.1}", from * SIZE));
    let wide = move || range.get().map(|(from, to)| format!("{:.1}", (to - from) * SIZE));
    let drawing = part(move || {
        let points = prices.get()?.area();
        Some(view! { <polygon class="range-area" points=points></polygon> }.into_any())
    });
    view! {
        <figure class="range-chart only-script" hidden=yes(move || !there.get())>
            <figcaption>
                <span class="num">{text(words)}</span>
                <span class="muted">"Drag to set start and end; click to clear them."</span>
            </figcaption>
            <div
                class="range-plot"
                on:pointerdown=pressed
                on:pointermove=move |event| choose(&event)
                on:pointerup=released
                on:pointercancel=move |_| dragged.set_value(None)
            >
                <svg
                    viewBox=format!("0 0 {SIZE} {SIZE}")
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=text(move || format!("Prices of {}. Start and end are fields of the form.", words()))
                >
                    {drawing}
                    <rect class="range-chosen" x=maybe(left) width=maybe(wide) y="0" height=SIZE.to_string()></rect>
                </svg>
            </div>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bars(t: Vec<i64>, c: Vec<f64>) -> Bars {
        let of = || c.clone();
        Bars {
            o: of(),
            h: of(),
            l: of(),
            v: vec![None; c.len()],
            bars_per_candle: 1,
            bars: c.len() as u64,
            t,
            c,
        }
    }

    const DAY: i64 = 86_400;

    #[test]
    fn prices_fill_the_chart_and_its_parts_are_days() {
        let prices = Prices::of(&bars(vec![0, 5 * DAY, 10 * DAY], vec![10.0, 30.0, 20.0])).unwrap();
        assert_eq!(prices.points, [(0.0, 0.0), (0.5, 1.0), (1.0, 0.5)]);
        assert_eq!(prices.days((0.0, 0.5)), ("1970-01-01".to_owned(), "1970-01-06".to_owned()));
        assert_eq!(Prices::of(&bars(vec![0], vec![1.0])), None);
        assert_eq!(Prices::of(&bars(Vec::new(), Vec::new())), None);
    }

    #[test]
    fn the_chosen_part_is_that_of_the_fields_and_an_open_end_reaches_to_the_edge() {
        let prices = Prices::of(&bars(vec![0, 10 * DAY], vec![1.0, 2.0])).unwrap();
        assert_eq!(prices.range("", ""), None);
        assert_eq!(prices.range("1970-01-03", ""), Some((0.2, 1.0)));
        assert_eq!(prices.range("", "1970-01-05"), Some((0.0, 0.5)), "the last day is included");
        assert_eq!(prices.range("1970-01-03T12:00:00Z", "1990-01-01"), Some((0.25, 1.0)));
        assert_eq!(prices.range("soon", ""), None);
    }

    #[test]
    fn the_newest_load_of_the_same_bars_is_shown_preferably_from_the_same_source() {
        let load = |n: u32, symbol: &str, source: &str, state: State| {
            let id = format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap();
            let params = json!({"symbol": symbol, "timeframe": "1h", "source": source});
            let kind = KindName::new("data.load").unwrap();
            Operation { state, ..Operation::queued(id, kind, String::new(), params, Time::from_micros(0)) }
        };
        let loads = [
            load(3, "A", "csv", State::Failed),
            load(2, "A", "synthetic", State::Succeeded),
            load(1, "A", "csv", State::Succeeded),
        ];
        assert_eq!(load_of(&loads, "a", "1h", ""), Some(loads[1].id));
        assert_eq!(load_of(&loads, "A", "1h", "csv"), Some(loads[2].id));
        assert_eq!(load_of(&loads, "A", "1d", ""), None);
        assert_eq!(load_of(&loads, "B", "1h", ""), None);
    }
}
