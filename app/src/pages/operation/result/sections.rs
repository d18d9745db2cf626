//! Views of results: those of each kind are a part of the program of their own.

use super::super::candles::{Candles, Market, SampledBars};
use super::{ResultParts, backtest, exec, json, load, returns, rolling, seconds, training};
use crate::outcome::{Body, Shape};
use charts::Missing;
use components::lazy_section::LazySection;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use protocol::results::{BacktestResult, Gap};

/// Where the page shows something of a result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Main charts: the bars of a load, equity and trades of a backtest.
    Main,
    /// Tab with everything beyond key figures and main charts.
    Result,
    /// Tab with the trades of a backtest.
    Trades,
    /// Tab with the returns of a backtest.
    Returns,
}

/// Sections of results.
pub const SECTIONS: [LazySection; 4] = [LOAD, BACKTEST, TRAINING, DOCUMENT];

const LOAD: LazySection = LazySection { name: "operation_load", load: || Box::pin(load_load()) };
const BACKTEST: LazySection = LazySection { name: "operation_backtest", load: || Box::pin(load_backtest()) };
const TRAINING: LazySection = LazySection { name: "operation_training", load: || Box::pin(load_training()) };
const DOCUMENT: LazySection = LazySection { name: "operation_document", load: || Box::pin(load_document()) };

/// Section of a result of this shape at a place; `None` if it shows nothing there.
pub fn section(parts: ResultParts, shape: Shape, place: Place, shown: Signal<bool>) -> Option<AnyView> {
    Some(match (shape, place) {
        (Shape::Backtest, _) => BACKTEST.view(shown, move || backtest_section(parts, place)),
        (Shape::Load, Place::Main | Place::Result) => LOAD.view(shown, move || load_section(parts, place)),
        (Shape::Training, Place::Result) => TRAINING.view(shown, move || training_section(parts)),
        (Shape::Exec | Shape::Other, Place::Result) => DOCUMENT.view(shown, move || document_section(parts)),
        _ => return None,
    })
}

#[wasm_split(operation_load, wasm_split_path = leptos::wasm_split, preload(load_load), fallible)]
fn load_section(parts: ResultParts, place: Place) -> Result<AnyView, SplitLoaderError> {
    let (id, group) = (parts.op.id, parts.group);
    Ok(parts.of(move |outcome| {
        let Body::Load(load) = &outcome.body else { return None };
        if place == Place::Result {
            return Some(load::load_view(load, group, outcome.has("bars")).into_any());
        }
        // The chart appears if its artifact exists.
        (outcome.has("bars") && load.rows > 0).then(|| {
            let missing: Vec<Missing> = load.gaps.iter().map(missing_of).collect();
            let bars = SampledBars::new(id, load.last.map(seconds), missing.clone());
            let market = Market {
                title: format!("{} {}", load.symbol, load.timeframe),
                synthetic: load.synthetic,
                missing,
                ..Market::default()
            };
            view! { <Candles bars market group/> }.into_any()
        })
    }))
}

#[wasm_split(operation_backtest, wasm_split_path = leptos::wasm_split, preload(load_backtest), fallible)]
fn backtest_section(parts: ResultParts, place: Place) -> Result<AnyView, SplitLoaderError> {
    let (id, group, trades) = (parts.op.id, parts.group, parts.trades());
    Ok(parts.of(move |outcome| {
        let Body::Backtest(result) = &outcome.body else { return None };
        let has = |name| outcome.has(name);
        match place {
            Place::Main => Some(backtest::charts(id, result, group, has("equity"), has("bars"), trades)),
            Place::Result => Some(backtest::performance_view(result)),
            Place::Trades => (result.trade_count > 0 && has("trades"))
                .then(|| trades.view(format!("{}-{}-trades.csv", result.symbol, result.timeframe))),
            Place::Returns => {
                let rolling = has("rolling")
                    .then(|| view! { <rolling::RollingSharpe id result=BacktestResult::clone(result)/> });
                let returns = returns::returns_view(result, trades.list, group);
                Some(view! { {rolling} {returns} }.into_any())
            }
        }
    }))
}

#[wasm_split(operation_training, wasm_split_path = leptos::wasm_split, preload(load_training), fallible)]
fn training_section(parts: ResultParts) -> Result<AnyView, SplitLoaderError> {
    Ok(parts.of(|outcome| match &outcome.body {
        Body::Training(result) => Some(training::training_view(result)),
        _ => None,
    }))
}

/// Results of commands and of other kinds.
#[wasm_split(operation_document, wasm_split_path = leptos::wasm_split, preload(load_document), fallible)]
fn document_section(parts: ResultParts) -> Result<AnyView, SplitLoaderError> {
    Ok(parts.of(|outcome| match &outcome.body {
        Body::Exec(result) => Some(exec::exec_view(result)),
        Body::Other(document) => Some(
            view! {
                <section class="card result" aria-label="Result">
                    <h2>"Result"</h2>
                    {json::json_view(document)}
                </section>
            }
            .into_any(),
        ),
        _ => None,
    }))
}

/// Missing bars of a gap.
fn missing_of(gap: &Gap) -> Missing {
    Missing { from: seconds(gap.from), to: seconds(gap.to), bars: gap.bars as f64 }
}
