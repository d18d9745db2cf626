//! What came out of a backtest: its figures beside those of buying and holding, its equity, its trades on the
//! bars and as a table.

use super::super::candles::{Candles, Market};
use super::equity::EquityCharts;
use super::performance::PerformanceTable;
use super::trades::{Trades, marks_of};
use super::{GoOn, fact, facts, start};
use crate::format;
use crate::outcome::{TRAINING, all, backtest};
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::BacktestResult;

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
    let trades = (has_trades && result.trade_count > 0).then(|| Trades::new(id));
    let marks = trades.map(|trades| Signal::derive(move || trades.list.with(|t| marks_of(t.as_deref()))));
    let market = Market {
        title: format!("{} {}", result.symbol, result.timeframe),
        synthetic: result.synthetic,
        gaps: Vec::new(),
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
            <PerformanceTable result=result.clone()/>
            {(result.trade_count == 0).then(|| view! {
                <p class="note">"It never traded: its rules found no entry in these bars."</p>
            })}
        </section>
        {has_equity.then(|| view! { <EquityCharts id strategy=result.strategy.clone()/> })}
        {bars}
        {trades.map(|trades| trades.view(format!("{}-{}-trades.csv", result.symbol, result.timeframe)))}
    }
    .into_any()
}
