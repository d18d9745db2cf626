//! In-sample detection: which part of a backtest overlaps the training of its model, and the performance after it.

use crate::figures::performance;
use crate::models::TrainingPeriod;
use crate::params::Request;
use crate::strategy::{Direction, Plan, Stance};
use crate::trading::{Book, Rules, trade};
use market_data::{Bar, Held};
use protocol::results::{InSample, OutOfSample};

/// Minimum number of bars after the training: an entry and its exit need two.
const MIN_BARS: usize = 2;

/// Bars that the model was trained or validated on, and a separate run on the bars after them. `None` without overlap.
/// Calls `check` every few bars, to allow cancellation.
///
/// # Errors
/// The error of `check`.
pub(crate) fn in_sample<E>(
    (model, training): (&str, &TrainingPeriod),
    held: &Held,
    stances: &[Stance],
    request: &Request,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<Option<InSample>, E> {
    let begin = training.from.map_or(0, |from| held.bars.partition_point(|bar| bar.time < from));
    let end = held.bars.partition_point(|bar| bar.time <= training.until);
    let (Some(first), Some(last)) = (held.bars.get(begin), held.bars[..end].last()) else { return Ok(None) };
    if begin >= end {
        return Ok(None);
    }
    let after = &held.bars[end..];
    let out_of_sample = match after.first() {
        Some(start) if after.len() >= MIN_BARS => {
            let timeframe = held.name.timeframe;
            let rules = &request.rules;
            let own = book(after, &stances[end..], &request.plan, rules, &mut check)?;
            let held = vec![Stance::Long.within(Direction::LongOnly); after.len()];
            let all_in = Rules { position_size: 1.0, ..*rules };
            let bench = book(after, &held, &Plan::BuyAndHold, &all_in, &mut check)?;
            let of = |book| performance(after, timeframe, rules.capital, book);
            Some(OutOfSample {
                from: start.time,
                bars: after.len() as u64,
                final_equity: own.accounts.last().map_or(rules.capital, |account| account.equity),
                performance: of(&own),
                buy_and_hold: of(&bench),
                trade_count: own.trades.len() as u64,
            })
        }
        _ => None,
    };
    Ok(Some(InSample {
        model: model.to_owned(),
        same_symbol: training.symbols.contains(&held.name.symbol),
        from: first.time,
        until: last.time,
        bars: (end - begin) as u64,
        share: (end - begin) as f64 / held.bars.len() as f64,
        out_of_sample,
    }))
}

fn book<E>(
    bars: &[Bar],
    stances: &[Stance],
    plan: &Plan,
    rules: &Rules,
    check: &mut impl FnMut() -> Result<(), E>,
) -> Result<Book, E> {
    const STRIDE: usize = 256;
    trade(bars, stances, &plan.words(), rules, |i, _| if i % STRIDE == 0 { check() } else { Ok(()) })
}
