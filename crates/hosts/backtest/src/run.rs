//! A complete run, from the stored bars to the result. Blocks its thread, and checks for cancellation every few hundred
//! bars.

use crate::artifacts;
use crate::curve::{self, Drawdown};
use crate::figures::{months, performance};
use crate::in_sample::in_sample;
use crate::models::Models;
use crate::params::Request;
use crate::store::{Store, Traded};
use crate::strategy::{Direction, Plan, Stance};
use crate::trading::{Account, Book, Rules, trade};
use crate::wording::{money, percent};
use display::format::{count as thousands, counted};
use host_kit::{Context, WorkError};
use market_data::{Held, Library, SetName};
use protocol::host::ResultDoc;
use protocol::results::{BacktestResult, InSample};
use protocol::{LogLevel, Time};
use std::sync::Arc;
use tokio::time::Instant;

/// Phases of a run, as shown on the page.
pub(crate) const PHASES: [&str; 3] = ["read", "trade", "evaluate"];
/// Relative durations of the phases.
const PHASE_WEIGHTS: [f64; 3] = [0.0, 95.0, 5.0];

/// Names of the live series.
pub(crate) const EQUITY: &str = "equity";
pub(crate) const DRAWDOWN: &str = "drawdown";
pub(crate) const EXPOSURE: &str = "exposure";

/// Approximate maximum number of live points per series.
const POINTS: usize = 2_000;
/// Bars between two progress reports and cancellation checks.
const CANCEL_CHECK_BARS: usize = 256;

/// Dependencies of a run.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) library: Library,
    pub(crate) store: Store,
    pub(crate) models: Option<Arc<dyn Models>>,
}

/// Runs the request on a data set.
///
/// # Errors
/// [`WorkError::Cancelled`] after a cancel request; otherwise what happened, why, and what to do next.
pub(crate) fn run(
    ctx: &Context,
    tools: &Tools,
    request: &Request,
    set: &SetName,
) -> Result<ResultDoc, WorkError> {
    ctx.phase_weights(&PHASE_WEIGHTS);
    ctx.phase(1, PHASES[0]);
    ctx.check()?;
    let held = tools.library.bars(set, request.range)?;
    enough(&held, &request.plan).map_err(|what| {
        WorkError::failed(what, "Load more bars with data.load, widen the range, or use shorter periods.")
    })?;
    let (first, last) = (held.bars[0].time, held.bars[held.bars.len() - 1].time);
    let count = held.bars.len() as u64;
    log_info(
        ctx,
        format!("Read {} of {set}, {} to {}", counted(count, "bar", "bars"), day(first), day(last)),
    );
    if held.synthetic {
        ctx.log(LogLevel::Warn, "Synthetic data, not from a market");
    }

    ctx.phase(2, PHASES[1]);
    ctx.set_total("bars", Some(count));
    let started = Instant::now();
    let stances = stances(ctx, tools, request, &held)?;
    let book = traded(ctx, &held, &stances, request)?;
    let compute_seconds = started.elapsed().as_secs_f64();
    report_progress(ctx, &book, count, compute_seconds);

    ctx.phase(3, PHASES[2]);
    let rules = &request.rules;
    let bench = buy_and_hold(ctx, &held, rules)?;
    let of = |book| performance(&held.bars, set.timeframe, rules.capital, book);
    let result = BacktestResult {
        symbol: set.symbol.clone(),
        timeframe: set.timeframe.to_string(),
        source: set.source.clone(),
        synthetic: held.synthetic,
        strategy: request.plan.title(),
        bars: count,
        first,
        last,
        capital: rules.capital,
        final_equity: final_equity(&book, rules),
        commission: book.commission,
        performance: of(&book),
        buy_and_hold: of(&bench),
        trade_count: book.trades.len() as u64,
        compute_seconds,
        months: months(&held.bars, rules.capital, &book, &bench),
        in_sample: seen_in_training(ctx, tools, request, &held, &stances)?,
    };
    let rows = curve::rows(&held.bars, rules.capital, &book.accounts, &bench.accounts);
    ctx.check()?;
    let traded = Traded {
        source: set.source.clone(),
        symbol: set.symbol.clone(),
        timeframe: set.timeframe,
        first,
        last,
    };
    tools.store.keep(ctx.id(), &traded, &book.trades, &rows)?;
    conclude(ctx, &result);
    let document = serde_json::to_value(&result).map_err(|e| {
        WorkError::failed(
            format!("Cannot serialize the result as JSON: {e}."),
            "This is a bug in Signalbox. Please report it.",
        )
    })?;
    let mut tags = if held.synthetic { vec!["synthetic".to_owned()] } else { Vec::new() };
    if let Some(seen) = &result.in_sample {
        tags.push(format!("{:.0} % in-sample", (seen.share * 100.0).max(1.0)));
    }
    Ok(ResultDoc { document, artifacts: artifacts::of(ctx.id()), tags, figures: result.key_figures() })
}

/// In-sample part of the bars, which is also logged.
fn seen_in_training(
    ctx: &Context,
    tools: &Tools,
    request: &Request,
    held: &Held,
    stances: &[Stance],
) -> Result<Option<InSample>, WorkError> {
    let (Plan::Model { name }, Some(models)) = (&request.plan, &tools.models) else { return Ok(None) };
    let Some(training) = models.training(name) else { return Ok(None) };
    let seen = in_sample((name, &training), held, stances, request, || ctx.check())?;
    if let Some(seen) = &seen {
        let whose = if seen.same_symbol { "" } else { ", with other symbols," };
        let after = seen.out_of_sample.as_ref().map_or_else(
            || "the range has no later bars".to_owned(),
            |out| format!("return since {}: {}", day(out.from), percent(out.performance.total_return)),
        );
        ctx.log(
            LogLevel::Warn,
            format!(
                "The model was trained or validated{whose} on {:.0} % of this range, until {}; {after}",
                seen.share * 100.0,
                day(seen.until)
            ),
        );
    }
    Ok(seen)
}

/// Checks that there are enough bars for the plan.
///
/// # Errors
/// The number of available and required bars.
pub(crate) fn enough(held: &Held, plan: &Plan) -> Result<(), String> {
    let (there, needed) = (held.bars.len(), plan.bars_needed());
    if there >= needed {
        return Ok(());
    }
    let there = counted(there as u64, "bar", "bars");
    let needed = thousands(needed as u64);
    Err(format!(
        "Not enough bars: {there} of {} in this range, but {} needs at least {needed}.",
        held.name,
        plan.title()
    ))
}

/// Stance after each bar, by the plan or its model.
fn stances(ctx: &Context, tools: &Tools, request: &Request, held: &Held) -> Result<Vec<Stance>, WorkError> {
    if let Some(stances) = request.plan.stances(&held.bars, request.direction) {
        return Ok(stances);
    }
    let (Plan::Model { name }, Some(models)) = (&request.plan, &tools.models) else {
        return Err(WorkError::failed("This host has no models.", "Choose another strategy."));
    };
    ctx.message(format!("Running model {name}"));
    let stances = models.stances(name, &held.name, &held.bars, &|| ctx.check())?;
    if stances.len() != held.bars.len() {
        return Err(WorkError::failed(
            format!("Model {name} returned {} predictions for {} bars.", stances.len(), held.bars.len()),
            "This is a bug in the model's host. Retrain the model, or choose another model.",
        ));
    }
    Ok(stances.into_iter().map(|s: Stance| s.within(request.direction)).collect())
}

/// Trades the plan and reports live series and progress.
fn traded(ctx: &Context, held: &Held, stances: &[Stance], request: &Request) -> Result<Book, WorkError> {
    let each = held.bars.len().div_ceil(POINTS);
    let mut drawdown = Drawdown::from(request.rules.capital);
    let last = held.bars.len() - 1;
    trade(&held.bars, stances, &request.plan.words(), &request.rules, |i, account: &Account| {
        let below = drawdown.at(account.equity);
        if i % each == 0 || i == last {
            let x = (i + 1) as f64;
            ctx.point(EQUITY, x, account.equity);
            ctx.point(DRAWDOWN, x, below);
            ctx.point(EXPOSURE, x, account.exposure());
        }
        if i % CANCEL_CHECK_BARS == 0 || i == last {
            ctx.check()?;
            ctx.set_done((i + 1) as u64);
        }
        Ok(())
    })
}

/// Buy & hold with the same rules and all the capital.
fn buy_and_hold(ctx: &Context, held: &Held, rules: &Rules) -> Result<Book, WorkError> {
    let plan = Plan::BuyAndHold;
    let stances = plan.stances(&held.bars, Direction::LongOnly).unwrap_or_default();
    let rules = Rules { position_size: 1.0, ..*rules };
    trade(&held.bars, &stances, &plan.words(), &rules, |i, _| {
        if i % CANCEL_CHECK_BARS == 0 { ctx.check() } else { Ok(()) }
    })
}

fn final_equity(book: &Book, rules: &Rules) -> f64 {
    book.accounts.last().map_or(rules.capital, |account| account.equity)
}

/// Logs the trading summary.
fn report_progress(ctx: &Context, book: &Book, bars: u64, seconds: f64) {
    let trades = counted(book.trades.len() as u64, "trade", "trades");
    let pace = if seconds > 0.0 { (bars as f64 / seconds) as u64 } else { bars };
    log_info(ctx, format!("Traded in {:.1} ms, {} bars/s: {trades} closed", seconds * 1e3, thousands(pace)));
    if book.trades.is_empty() && book.too_small == 0 {
        ctx.log(LogLevel::Warn, "No trades: the strategy never triggered on these bars");
    }
    if book.too_small > 0 {
        let orders = counted(book.too_small, "order", "orders");
        let what = format!("{orders} skipped: not enough cash for one unit. Increase the capital");
        ctx.log(LogLevel::Warn, what);
    }
    if let (Some(at), Some(trade)) = (book.ruined, book.trades.last()) {
        let bar = thousands(at as u64 + 1);
        let what = format!("Out of capital at bar {bar}, {}: all positions closed", day(trade.exit));
        ctx.log(LogLevel::Warn, what);
    }
}

/// Logs the result as the last line.
fn conclude(ctx: &Context, result: &BacktestResult) {
    let (own, held) = (&result.performance, &result.buy_and_hold);
    log_info(
        ctx,
        format!(
            "{}: {} → {} ({}), max. drawdown {}. Buy & hold: {}, max. drawdown {}",
            result.strategy,
            money(result.capital),
            money(result.final_equity),
            percent(own.total_return),
            percent(own.max_drawdown),
            percent(held.total_return),
            percent(held.max_drawdown),
        ),
    );
}

fn log_info(ctx: &Context, text: String) {
    ctx.log(LogLevel::Info, text);
}

/// Date: `2024-03-01`
fn day(time: Time) -> String {
    time.timestamp().strftime("%Y-%m-%d").to_string()
}
