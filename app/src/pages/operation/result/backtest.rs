//! What came out of a backtest: its figures beside those of buying and holding, its equity, its trades on the
//! bars and as a table.

use super::super::candles::{Candles, Market};
use super::equity::EquityCharts;
use super::performance::PerformanceTable;
use super::trades::{Trades, marks_of};
use super::{GoOn, fact, facts, seconds, start};
use crate::format;
use crate::outcome::{TRAINING, all, backtest};
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::{BacktestResult, InSample};

/// What the shading of the charts means.
pub const TRAINED: &str = "training and validation";

/// Says that the model has seen these bars, and how much of them.
#[component]
fn InSampleNote(seen: InSample) -> impl IntoView {
    let whose = if seen.same_symbol { "" } else { " on other symbols of the same time" };
    let said = format!(
        "The model {} was trained or validated{whose} in {} of this range, {} to {}. Figures of that part say nothing about \
         new data.",
        seen.model,
        format::hundredths(seen.share),
        format::bar_time(seen.from),
        format::bar_time(seen.until),
    );
    let after = match &seen.out_of_sample {
        Some(after) => format!(
            "Out of sample: {} bars from {} on.",
            format::count(after.bars),
            format::bar_time(after.from)
        ),
        None => {
            "No bars follow it, so there are no out-of-sample figures. Choose a range after the training."
                .to_owned()
        }
    };
    view! { <p class="note warn" role="alert">{said} " " {after}</p> }.into_any()
}

/// All of it; which artifacts there are decides what can be drawn.
pub fn backtest_view(
    id: OperationId,
    result: &BacktestResult,
    has_equity: bool,
    has_bars: bool,
    has_trades: bool,
) -> AnyView {
    let data = [
        ("symbol", result.symbol.as_str()),
        ("symbols", &result.symbol),
        ("timeframe", &result.timeframe),
        ("source", &result.source),
    ];
    let range = format!("{} to {}", format::bar_time(result.first), format::bar_time(result.last));
    let synthetic = result.synthetic.then(|| {
        view! { <p class="note warn">"The bars are synthetic: a host made them, no market did."</p> }
    });
    let seen = result.in_sample.as_ref();
    let trained: Vec<_> = seen.map(|seen| (seconds(seen.from), seconds(seen.until))).into_iter().collect();
    let trades = (has_trades && result.trade_count > 0).then(|| Trades::new(id));
    let marks = trades.map(|trades| Signal::derive(move || trades.list.with(|t| marks_of(t.as_deref()))));
    let market = Market {
        title: format!("{} {}", result.symbol, result.timeframe),
        synthetic: result.synthetic,
        gaps: trained.clone(),
        shading: TRAINED,
    };
    let bars = has_bars.then(|| match marks {
        Some(marks) => view! { <Candles id market marks/> }.into_any(),
        None => view! { <Candles id market/> }.into_any(),
    });
    view! {
        <section class="card result" aria-label="Result">
            <header class="result-head">
                <h2>"Result"</h2>
                <GoOn to=vec![(TRAINING, "Train on this data", start(TRAINING, &data))]/>
            </header>
            {synthetic}
            <dl class="facts">
                {fact("Strategy", result.strategy.clone())}
                {fact("Data", format!("{} {}", result.symbol, result.timeframe))}
                {fact("Range, UTC", range)}
                {facts(all(&backtest::FACTS, result))}
            </dl>
            {seen.map(|seen| view! { <InSampleNote seen=seen.clone()/> })}
            <PerformanceTable result=result.clone()/>
            {(result.trade_count == 0).then(|| view! {
                <p class="note">"It never traded: its rules found no entry in these bars."</p>
            })}
        </section>
        {has_equity.then(|| view! { <EquityCharts id strategy=result.strategy.clone() trained/> })}
        {bars}
        {trades.map(|trades| trades.view(format!("{}-{}-trades.csv", result.symbol, result.timeframe)))}
    }
    .into_any()
}
