//! The candlestick chart of a load's result; a zoom asks the server for finer candles.

use crate::api;
use crate::components::chart::{Chart, Shape, Sheet, Spec};
use crate::format;
use crate::reactive::{part, text};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::results::{Bars, LoadResult};
use protocol::{OperationId, Problem, Time};
use std::sync::Arc;

/// Candles asked for at once.
const CANDLES: u32 = 500;

fn seconds(time: Time) -> f64 {
    time.millis() / 1_000.0
}

/// Bars as columns, gaps as bands.
fn sheet_of(bars: Bars, load: &LoadResult, fit: u32) -> Sheet {
    let bands = load.gaps.iter().map(|gap| (seconds(gap.from), seconds(gap.to))).collect();
    Sheet {
        x: bars.t.iter().map(|t| *t as f64).collect(),
        columns: vec![bars.o, bars.h, bars.l, bars.c, bars.v],
        bands,
        fit,
    }
}

/// How much one candle holds: `1 candle = 42 bars`.
fn grain(bars: &Bars) -> String {
    match bars.bars_per_candle {
        0 | 1 => "each candle is one bar".to_owned(),
        n => format!("each candle stands for {} bars", format::count(u64::from(n))),
    }
}

/// The chart, its grain, and what marks its gaps.
#[component]
pub fn Candles(
    id: OperationId,
    load: Arc<LoadResult>,
    /// The host keeps the bars.
    has_bars: bool,
) -> impl IntoView {
    if !has_bars || load.rows == 0 {
        return ().into_any();
    }
    let sheet = RwSignal::new(Arc::new(Sheet::default()));
    let said = RwSignal::new("loading the bars…".to_owned());
    let trouble = RwSignal::new(None::<Problem>);
    // Which question is the newest: an older answer that comes late is dropped.
    let asked = StoredValue::new(0u32);
    let ask = {
        let load = load.clone();
        Callback::new(move |range: Option<(f64, f64)>| {
            let load = load.clone();
            asked.update_value(|n| *n += 1);
            let turn = asked.get_value();
            let seconds = range.map(|(from, to)| (from.floor() as i64, to.ceil() as i64));
            spawn_local(async move {
                let answer = api::bars(id, seconds, CANDLES).await;
                if asked.try_get_value() != Some(turn) {
                    return;
                }
                match answer {
                    Ok(bars) => {
                        trouble.set(None);
                        said.set(grain(&bars));
                        // A zoomed view stays where it is; the whole is shown whole.
                        let fit = if range.is_some() { sheet.read_untracked().fit } else { turn };
                        sheet.set(Arc::new(sheet_of(bars, &load, fit)));
                    }
                    Err(problem) => trouble.set(Some(problem)),
                }
            });
        })
    };
    Effect::new(move |_| ask.run(None));
    let spec = Spec {
        title: format!("{} {}", load.symbol, load.timeframe),
        shape: Shape::Candles,
        time: true,
        x: String::new(),
        unit: String::new(),
        names: ["O", "H", "L", "C", "V"].map(str::to_owned).to_vec(),
        zero: false,
        joined: false,
        height: 380,
    };
    let gaps = (load.gap_count > 0).then(|| {
        view! { <span><span class="gap-mark" aria-hidden="true"></span>" missing bars"</span> }
    });
    view! {
        <section class="card candles" aria-label="Bars">
            <p class="candles-note muted dotted">
                {load.synthetic.then(|| view! { <span class="tag">"synthetic"</span> })}
                <span>{text(move || said.get())}</span>
                {gaps}
                <span class="wide-only">"drag to zoom, double-click for the whole"</span>
            </p>
            <Chart spec sheet=sheet.into() on_range=ask/>
            {part(move || {
                trouble
                    .get()
                    .map(|problem| {
                        view! {
                            <p class="note bad" role="alert">
                                {problem.detail}
                                " "
                                <button type="button" class="link" on:click=move |_| ask.run(None)>
                                    "Try again"
                                </button>
                            </p>
                        }
                        .into_any()
                    })
            })}
        </section>
    }
    .into_any()
}
