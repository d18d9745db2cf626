//! Returns of a backtest: by month as a heat map, and the distribution of the returns of its trades.

use super::months::{Cell, calendar};
use charts::ChartGroup;
use components::reactive::part;
use display::format;
use leptos::prelude::*;
use protocol::results::{BacktestResult, MonthReturn, Trade};
use std::sync::Arc;

/// Number of classes of the distribution, half of them below zero.
const BINS: usize = 24;
/// Share of the trades within the classes; the outer classes hold the others.
const WITHIN: f64 = 0.98;

/// Return of several months in a row.
fn compound<'a>(months: impl Iterator<Item = &'a MonthReturn>, of: fn(&MonthReturn) -> f64) -> f64 {
    months.fold(1.0, |all, month| all * (1.0 + of(month))) - 1.0
}

fn gain(share: f64) -> String {
    format::signed(share, format::share)
}

/// Return in percent with one decimal and without its sign's unit, short enough for a cell: `+1.2`.
fn short(share: f64) -> String {
    // What rounds to zero has no sign.
    let rounded = (share * 1_000.0).round() / 10.0;
    format::signed(rounded, |size| format!("{size:.1}"))
}

/// Heat map of the months; `None` without any.
fn months_view(months: &[MonthReturn], group: ChartGroup) -> Option<AnyView> {
    let widest = months.iter().map(|m| m.strategy.abs()).filter(|s| s.is_finite()).fold(0.0, f64::max);
    if months.is_empty() {
        return None;
    }
    let cell = |of: &MonthReturn| Cell {
        month: of.month.clone(),
        text: short(of.strategy),
        title: format!("{}: {}, buy and hold {}", of.month, gain(of.strategy), gain(of.buy_and_hold)),
        sign: match of.strategy {
            s if s > 0.0 => Some("above"),
            s if s < 0.0 => Some("below"),
            _ => None,
        },
        share: if widest > 0.0 { of.strategy.abs() / widest } else { 0.0 },
    };
    let cells = months.iter().map(cell).collect();
    let owned = months.to_vec();
    let year =
        move |year: &str| short(compound(owned.iter().filter(|m| m.month.starts_with(year)), |m| m.strategy));
    let press = Callback::new(move |range| group.show(range, false));
    let won = months.iter().filter(|m| m.strategy > m.buy_and_hold).count() as u64;
    let better = format!(
        "Better than buy and hold: {} of {} months.",
        format::count(won),
        format::count(months.len() as u64)
    );
    Some(
        view! {
            <section class="card result" aria-labelledby="months-title">
                <h2 id="months-title">"Monthly returns, %"</h2>
                {calendar("Monthly returns", cells, ("Year", year), Some(press))}
                <p class="muted">
                    "Equity at the end of a month ÷ equity at the end of the month before − 1 (months in UTC). " {better}
                </p>
            </section>
        }
        .into_any(),
    )
}

/// Class of a histogram: from, to, and number of values.
type Bin = (f64, f64, u64);

/// Distribution of returns in classes of one width, with zero between two of them. Few large returns would make all
/// others one class, so the outer classes hold what is beyond.
fn histogram(returns: &[f64]) -> Vec<Bin> {
    let mut sizes: Vec<f64> = returns.iter().map(|r| r.abs()).filter(|r| r.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    let place = (sizes.len() as f64 * WITHIN).ceil() as usize;
    let Some(widest) = sizes.get(place.saturating_sub(1)).copied().filter(|w| *w > 0.0) else {
        return Vec::new();
    };
    let half = BINS / 2;
    let width = widest / half as f64;
    let mut bins: Vec<Bin> = (0..BINS)
        .map(|i| ((i as f64 - half as f64) * width, (i as f64 + 1.0 - half as f64) * width, 0))
        .collect();
    for value in returns.iter().filter(|r| r.is_finite()) {
        let bin = (value / width).floor() + half as f64;
        bins[bin.clamp(0.0, BINS as f64 - 1.0) as usize].2 += 1;
    }
    bins
}

/// Distribution of the returns of trades as bars.
fn distribution(trades: &[Trade]) -> Option<AnyView> {
    let returns: Vec<f64> = trades.iter().map(|t| t.pnl_share).collect();
    let bins = histogram(&returns);
    let most = bins.iter().map(|bin| bin.2).max().filter(|n| *n > 0)?;
    let mut sorted = returns.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let (worst, best) = (sorted[0], sorted[sorted.len() - 1]);
    let last = bins.len() - 1;
    let bars = bins.iter().enumerate().map(|(i, (from, to, n))| {
        let range = match i {
            0 => format!("below {}", gain(*to)),
            i if i == last => format!("from {} on", gain(*from)),
            _ => format!("{} to {}", gain(*from), gain(*to)),
        };
        let title = format!("{range}: {}", format::counted(*n, "trade", "trades"));
        let style = format!("--share:{:.3}", *n as f64 / most as f64);
        let sign = if *to <= 0.0 { "below" } else { "above" };
        let spoken = title.clone();
        view! { <li title=title style=style data-sign=sign><span class="unseen">{spoken}</span></li> }
    });
    let bars = bars.collect_view();
    let ends = (bins[0].0, bins[last].1);
    Some(
        view! {
            <section class="card result" aria-labelledby="distribution-title">
                <h2 id="distribution-title">"Distribution of trade returns"</h2>
                <ul class="histogram">{bars}</ul>
                <p class="histogram-axis num muted" aria-hidden="true">
                    <span>{gain(ends.0)}</span>
                    <span>"0"</span>
                    <span>{gain(ends.1)}</span>
                </p>
                <p class="muted num">
                    {format!("Worst {}, median {}, best {}. ", gain(worst), gain(median), gain(best))}
                    "A trade's return is its P&L ÷ (size × entry price). The first and last bars of the chart include all lower and higher returns."
                </p>
            </section>
        }
        .into_any(),
    )
}

/// Both; `trades` are loaded by the page, `group` has the main charts.
pub fn returns_view(
    result: &BacktestResult,
    trades: RwSignal<Option<Arc<Vec<Trade>>>>,
    group: ChartGroup,
) -> AnyView {
    view! {
        {months_view(&result.months, group)}
        {part(move || trades.get().and_then(|trades| distribution(&trades)))}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn months_of_a_year_are_compounded() {
        let month =
            |month: &str, strategy: f64| MonthReturn { month: month.into(), strategy, buy_and_hold: 0.0 };
        let months = [month("2024-01", 0.5), month("2024-02", -0.5)];
        assert!((compound(months.iter(), |m| m.strategy) + 0.25).abs() < 1e-12);
        assert_eq!([0.012_34, -0.5, -0.000_1].map(short), ["+1.2", "−50.0", "0.0"]);
    }

    #[test]
    fn a_single_huge_return_does_not_make_all_others_one_class() {
        let mut returns = [0.01, -0.01, 0.02, -0.005].repeat(50);
        returns.push(5.0);
        let bins = histogram(&returns);
        assert!(bins.iter().filter(|bin| bin.2 > 0).count() > 3);
        assert_eq!(bins[bins.len() - 1].2, 51);
        assert!(histogram(&[]).is_empty() && histogram(&[0.0]).is_empty());
    }

    proptest! {
        #[test]
        fn every_trade_is_in_one_class_of_its_sign(returns in proptest::collection::vec(-2.0f64..2.0, 1..300)) {
            let bins = histogram(&returns);
            if !bins.is_empty() {
                prop_assert_eq!(bins.iter().map(|bin| bin.2).sum::<u64>(), returns.len() as u64);
                let below: u64 = bins.iter().filter(|bin| bin.1 <= 0.0).map(|bin| bin.2).sum();
                prop_assert_eq!(below, returns.iter().filter(|r| **r < 0.0).count() as u64);
            }
        }
    }
}
