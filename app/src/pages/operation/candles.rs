//! Candlestick chart of the bars of a result, in trading time. Zooming requests finer candles.

use crate::features::curves::sampled::{Answer, Sampled};
use charts::{Chart, ChartGroup, Extent, Mark, Missing, Rows, Sessions, Shape, Sheet, Spec};
use components::reactive::part;
use display::format;
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::Bars;
use std::sync::Arc;

/// Pixels of the window's width per candle: bodies are visible at every zoom, beside the other columns of the page.
const CANDLE_WIDTH: f64 = 8.0;
/// Minimum and maximum number of candles per request.
const MIN_CANDLES: f64 = 50.0;
const MAX_CANDLES: f64 = 320.0;

/// Candles per request for a window of this width: denser bars are merged by the host.
fn candles_of(width: f64) -> u32 {
    (width / CANDLE_WIDTH).clamp(MIN_CANDLES, MAX_CANDLES) as u32
}

/// Width of the window; requests are sent by the browser only.
fn window_width() -> f64 {
    #[cfg(feature = "hydrate")]
    let width = window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(MIN_CANDLES);
    #[cfg(not(feature = "hydrate"))]
    let width = MIN_CANDLES;
    width
}

/// Bars of a result, and their trading time.
#[derive(Clone, Copy)]
pub struct SampledBars {
    sampled: Sampled<Bars>,
    /// Trading time of everything, finer where the view is zoomed.
    sessions: Memo<Line>,
}

/// Trading time of everything, and the shown one.
type Line = (Option<Arc<Sessions>>, Option<Arc<Sessions>>);

/// Trading time after a response.
fn line_of(answer: &Answer<Bars>, before: Option<&Line>, last: Option<f64>, missing: &[Missing]) -> Line {
    let bars = &answer.of;
    let starts: Vec<f64> = bars.t.iter().map(|t| *t as f64).collect();
    let last = last.filter(|_| !answer.part);
    let of = Sessions::of_rows(&starts, bars.bars_per_candle, bars.bars, last, missing);
    match before.and_then(|(all, _)| all.as_ref()).filter(|_| answer.part) {
        Some(all) => (Some(all.clone()), of.map(|of| Arc::new(of.within(all))).or_else(|| Some(all.clone()))),
        None => {
            let of = of.map(Arc::new);
            (of.clone(), of)
        }
    }
}

impl SampledBars {
    /// Requests the bars of a result. `last` is the time of the last bar in seconds since 1970.
    pub fn new(id: OperationId, last: Option<f64>, missing: Vec<Missing>) -> Self {
        let sampled = Sampled::<Bars>::new(id, "bars", candles_of(window_width()));
        let sessions = Memo::new(move |before: Option<&Line>| {
            let line = |answer: &Answer<Bars>| line_of(answer, before, last, &missing);
            sampled.value.with(|value| value.as_ref().map(line).unwrap_or_default())
        });
        Self { sampled, sessions }
    }

    /// Trading time to draw with. Tracked.
    pub fn sessions(self) -> Option<Arc<Sessions>> {
        self.sessions.with(|(_, shown)| shown.clone())
    }
}

/// Instrument of a chart.
#[derive(Clone, Default)]
pub struct Market {
    /// Title such as `MSFT 1h`.
    pub title: String,
    pub synthetic: bool,
    /// Missing bars.
    pub missing: Vec<Missing>,
    /// Shaded ranges, in seconds since 1970.
    pub shaded: Vec<(f64, f64)>,
    /// Meaning of the shading.
    pub shading: &'static str,
}

impl Market {
    /// Marked ranges, and what the readout says about each.
    fn bands(&self) -> (Vec<(f64, f64)>, Vec<String>) {
        if self.missing.is_empty() {
            return (self.shaded.clone(), vec![self.shading.to_owned(); self.shaded.len()]);
        }
        let text = |gap: &Missing| format!("{} missing", format::counted(gap.bars as u64, "bar", "bars"));
        let ranges = self.missing.iter().map(|gap| (gap.from, gap.to)).collect();
        (ranges, self.missing.iter().map(text).collect())
    }
}

/// Trades on a chart of bars.
#[derive(Clone, Copy)]
pub struct TradeMarks {
    /// Entries and exits, sorted by time.
    pub marks: Signal<Arc<Vec<Mark>>>,
    /// Number of the highlighted trade.
    pub chosen: Signal<Option<usize>>,
    /// Called with the number of a pressed trade.
    pub choose: Callback<usize>,
}

/// Chart with a legend for gaps and trades.
#[component]
pub fn Candles(
    bars: SampledBars,
    market: Market,
    group: ChartGroup,
    /// Trade entries and exits.
    #[prop(optional)]
    trades: Option<TradeMarks>,
    /// Whether it is the last panel of a pane, which has the toolbar and the legend of the shading.
    #[prop(optional)]
    in_pane: bool,
) -> impl IntoView {
    let (value, ask) = (bars.sampled.value, bars.sampled.ask);
    let (ranges, texts) = market.bands();
    let Market { title, synthetic, missing, shading, .. } = market;
    let (strip, has_shading) = (!missing.is_empty(), !ranges.is_empty() && !in_pane);
    let sheet = Signal::derive(move || {
        let marks = trades.map(|trades| trades.marks.get().to_vec()).unwrap_or_default();
        let chosen = trades.and_then(|trades| trades.chosen.get());
        let sessions = bars.sessions();
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
                sessions,
                bands: ranges.clone(),
                band_texts: texts.clone(),
                marks,
                chosen,
                fit: answer.fit,
                extent: Extent { rows: Rows::of_bars(bars.bars_per_candle), part: answer.part },
                ..Sheet::default()
            })
        })
    });
    let loading =
        part(move || value.with(Option::is_none).then(|| view! { <span>"Loading bars…"</span> }.into_any()));
    let spec = Spec {
        file: title.replace(' ', "-"),
        title,
        shape: Shape::Candles,
        time: true,
        strip,
        names: ["O", "H", "L", "C", "V"].map(str::to_owned).to_vec(),
        height: if in_pane { 320 } else { 380 },
        ..Spec::default()
    };
    let shading = if strip { "missing bars: press a gap to zoom" } else { shading };
    let on_mark = Callback::new(move |trade: usize| {
        if let Some(trades) = trades {
            trades.choose.run(trade);
        }
    });
    let note = view! {
        <p class="candles-note muted dotted only-script">
            {synthetic.then(|| view! { <span class="tag">"synthetic"</span> })}
            {loading}
            {has_shading
                .then(|| {
                    let class = if strip { "gap-mark missing" } else { "gap-mark" };
                    view! { <span><span class=class aria-hidden="true"></span>" " {shading}</span> }
                })}
            {trades.map(|_| view! { <MarkLegend/> })}
        </p>
    }
    .into_any();
    view! {
        <section class="candles" class:card=!in_pane aria-label="Bars">
            <Chart spec sheet on_range=ask on_mark group own_tools=!in_pane note/>
            {bars.sampled.trouble()}
        </section>
    }
    .into_any()
}

/// Legend of the trade marks.
#[component]
fn MarkLegend() -> impl IntoView {
    let mark = |class: &'static str, path: &'static str, wording: &'static str| {
        view! {
            <span class="mark-key">
                <svg class=class viewBox="0 0 12 12" aria-hidden="true" inner_html=path></svg>
                {wording}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candles_are_as_many_as_have_room_for_their_bodies() {
        assert_eq!(candles_of(1_440.0), 180);
        assert_eq!((candles_of(200.0), candles_of(9_000.0)), (50, 320));
    }

    #[test]
    fn a_zoomed_answer_keeps_the_trading_time_of_everything_around_it() {
        let answer = |t: Vec<i64>, bars_per_candle: u32, bars: u64, part: bool| Answer {
            of: Arc::new(Bars { t, bars_per_candle, bars, ..Bars::default() }),
            fit: 1,
            part,
        };
        let all = line_of(&answer(vec![0, 40, 100], 4, 12, false), None, Some(130.0), &[]);
        assert_eq!(all.1.as_ref().unwrap().ends(), (0.0, 11.0));
        let zoomed = line_of(&answer(vec![40, 50, 60, 70], 1, 4, true), Some(&all), Some(130.0), &[]);
        assert_eq!(zoomed.0, all.0);
        let shown = zoomed.1.clone().unwrap();
        assert_eq!([0.0, 40.0, 50.0].map(|time| shown.place(time)), [0.0, 4.0, 5.0]);
        // An empty answer changes nothing.
        assert_eq!(line_of(&answer(vec![], 1, 0, true), Some(&zoomed), None, &[]).1, all.0);
        let whole = line_of(&answer(vec![0, 40, 100], 4, 12, false), Some(&zoomed), Some(130.0), &[]);
        assert_eq!(whole, all);
    }

    #[test]
    fn missing_bars_are_counted_in_the_readout() {
        let gap = Missing { from: 1.0, to: 2.0, bars: 2.0 };
        let market = Market { missing: vec![gap], ..Market::default() };
        assert_eq!(market.bands(), (vec![(1.0, 2.0)], vec!["2 bars missing".to_owned()]));
    }
}
