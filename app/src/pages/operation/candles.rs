//! Candlestick chart of the bars of a result. Zooming requests finer candles.

use super::sampled::Sampled;
use crate::components::chart::{Chart, Extent, Mark, Rows, Shape, Sheet, Spec};
use crate::reactive::text;
use display::format;
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::Bars;
use std::sync::Arc;

/// Candles per request.
const CANDLES: u32 = 500;

/// Instrument of a chart.
pub struct Market {
    /// Title such as `MSFT 1h`.
    pub title: String,
    pub synthetic: bool,
    /// Shaded ranges, in seconds since 1970.
    pub gaps: Vec<(f64, f64)>,
    /// Meaning of the shading: `missing bars`.
    pub shading: &'static str,
}

/// Resolution of the chart: `1 candle = 42 bars`.
fn grain(bars: &Bars) -> String {
    match bars.bars_per_candle {
        0 | 1 => "1 candle = 1 bar".to_owned(),
        n => format!("1 candle = {} bars", format::count(u64::from(n))),
    }
}

/// Chart with its resolution and a legend for gaps and trades.
#[component]
pub fn Candles(
    id: OperationId,
    market: Market,
    /// Trade entries and exits.
    #[prop(optional, into)]
    marks: Option<Signal<Arc<Vec<Mark>>>>,
) -> impl IntoView {
    let bars = Sampled::<Bars>::new(id, "bars", CANDLES);
    let (value, ask) = (bars.value, bars.ask);
    let Market { title, synthetic, gaps, shading } = market;
    let has_gaps = !gaps.is_empty();
    let sheet = Signal::derive(move || {
        let marks = marks.map(|m| m.get().to_vec()).unwrap_or_default();
        value.with(|v| {
            let Some(answer) = v else { return Arc::new(Sheet::default()) };
            let bars = &answer.of;
            Arc::new(Sheet {
                x: bars.t.iter().map(|t| *t as f64).collect(),
                columns: [&bars.o, &bars.h, &bars.l, &bars.c]
                    .into_iter()
                    .cloned()
                    .chain([bars.v.iter().map(|v| v.unwrap_or(f64::NAN)).collect()])
                    .collect(),
                bands: gaps.clone(),
                marks,
                fit: answer.fit,
                extent: Extent { rows: Rows::of_bars(bars.bars_per_candle), part: answer.part },
                ..Sheet::default()
            })
        })
    });
    let said = text(move || {
        value.with(|v| v.as_ref().map_or("Loading bars…".to_owned(), |answer| grain(&answer.of)))
    });
    let spec = Spec {
        file: title.replace(' ', "-"),
        title,
        shape: Shape::Candles,
        time: true,
        names: ["O", "H", "L", "C", "V"].map(str::to_owned).to_vec(),
        height: 380,
        ..Spec::default()
    };
    view! {
        <section class="card candles" aria-label="Bars">
            <p class="candles-note muted dotted only-script">
                {synthetic.then(|| view! { <span class="tag">"synthetic"</span> })}
                <span>{said}</span>
                {has_gaps.then(|| view! { <span><span class="gap-mark" aria-hidden="true"></span>" " {shading}</span> })}
                {marks.map(|_| view! { <TradeMarks/> })}
                <span class="wide-only">"drag to zoom, double-click to reset"</span>
            </p>
            <Chart spec sheet on_range=ask/>
            {bars.trouble()}
        </section>
    }
    .into_any()
}

/// Legend of the trade marks.
#[component]
fn TradeMarks() -> impl IntoView {
    let mark = |class: &'static str, path: &'static str, said: &'static str| {
        view! {
            <span class="mark-key">
                <svg class=class viewBox="0 0 12 12" aria-hidden="true" inner_html=path></svg>
                {said}
            </span>
        }
    };
    view! {
        {mark("mark-entry", r#"<path d="M6 2l4.5 8h-9z"/>"#, "long entry")}
        {mark("mark-entry", r#"<path d="M6 10L1.5 2h9z"/>"#, "short entry")}
        {mark("mark-gain", r#"<path d="M2 2h8v8H2z"/>"#, "exit with profit")}
        {mark("mark-loss", r#"<path d="M2.5 2.5h7v7h-7z"/>"#, "exit with loss")}
    }
    .into_any()
}
