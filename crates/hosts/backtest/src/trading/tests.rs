//! Invariants of the simulation: accounts add up, costs only reduce equity, and there is no lookahead.

use super::*;
use crate::strategy::tests::bars;
use crate::strategy::{Direction, Plan};
use proptest::prelude::*;
use std::convert::Infallible;

const RULES: Rules = Rules {
    capital: 10_000.0,
    commission: 0.0,
    slippage: 0.0,
    fill: Fill::NextOpen,
    position_size: 1.0,
    whole_units: false,
    close_at_end: true,
};

fn run(bars: &[Bar], stances: &[Stance], rules: &Rules) -> Book {
    let words = Words { long: "up".into(), flat: "out".into(), short: "down".into() };
    let Ok(book) = trade(bars, stances, &words, rules, |_, _| Ok::<(), Infallible>(()));
    book
}

fn final_equity(book: &Book) -> f64 {
    book.accounts.last().unwrap().equity
}

fn close_to(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn prices(most: usize) -> impl Strategy<Value = Vec<(f64, f64)>> {
    // Random walk whose opens differ from the previous closes.
    proptest::collection::vec((-0.08f64..0.08, -0.08f64..0.08), 1..most).prop_map(|steps| {
        let mut price = 100.0;
        let next = |(gap, move_): (f64, f64)| {
            let open = price * (1.0 + gap);
            price = open * (1.0 + move_);
            (open, price)
        };
        steps.into_iter().map(next).collect()
    })
}

fn stance() -> impl Strategy<Value = Stance> {
    prop_oneof![Just(Stance::Short), Just(Stance::Flat), Just(Stance::Long)]
}

/// Bars with stances that rarely change.
fn market() -> impl Strategy<Value = (Vec<Bar>, Vec<Stance>)> {
    (prices(120), proptest::collection::vec((stance(), 1usize..8), 120)).prop_map(|(prices, runs)| {
        let stances = runs.into_iter().flat_map(|(stance, n)| std::iter::repeat_n(stance, n));
        let stances = stances.take(prices.len()).collect();
        (bars(&prices), stances)
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    (0.0f64..0.01, 0.0f64..0.01, any::<bool>(), 0.05f64..=1.0, any::<bool>(), any::<bool>()).prop_map(
        |(commission, slippage, close, position_size, whole_units, close_at_end)| Rules {
            commission,
            slippage,
            fill: if close { Fill::ThisClose } else { Fill::NextOpen },
            position_size,
            whole_units,
            close_at_end,
            ..RULES
        },
    )
}

proptest! {
    #[test]
    fn cash_plus_position_is_the_equity_and_trades_explain_the_cash((bars, stances) in market(), rules in any_rules()) {
        let book = run(&bars, &stances, &rules);
        prop_assert_eq!(book.accounts.len(), bars.len());
        for (bar, account) in bars.iter().zip(&book.accounts) {
            prop_assert!(close_to(account.cash + account.units * bar.close, account.equity));
            prop_assert!(close_to(account.exposure() * account.equity, account.units * bar.close));
        }
        // Cross-check by trades, at every bar without a position.
        for (bar, account) in bars.iter().zip(&book.accounts).filter(|(_, a)| a.units == 0.0) {
            let ended = book.trades.iter().filter(|t| t.exit <= bar.time);
            let won: f64 = ended.map(|t| t.pnl).sum();
            prop_assert!(close_to(rules.capital + won, account.cash), "{} and {}", won, account.cash);
        }
        if rules.close_at_end {
            prop_assert_eq!(book.accounts[bars.len() - 1].units, 0.0);
            let paid: f64 = book.trades.iter().map(|t| (t.entry_price + t.exit_price) * t.size * rules.commission).sum();
            prop_assert!(close_to(paid, book.commission));
        }
        if rules.whole_units {
            prop_assert!(book.trades.iter().all(|t| t.size.fract() == 0.0 && t.size >= 1.0));
        }
    }

    #[test]
    fn purchases_never_exceed_the_cash((bars, stances) in market(), rules in any_rules()) {
        for account in run(&bars, &stances, &rules).accounts.iter().filter(|a| a.units > 0.0) {
            prop_assert!(account.cash >= -1e-9 * RULES.capital, "{:?}", account);
        }
    }

    #[test]
    fn costs_only_reduce_the_result((bars, stances) in market(), rules in any_rules()) {
        let free = Rules { commission: 0.0, slippage: 0.0, whole_units: false, close_at_end: true, ..rules };
        let paid = Rules { whole_units: false, close_at_end: true, ..rules };
        let (free, paid) = (run(&bars, &stances, &free), run(&bars, &stances, &paid));
        // After ruin the trades differ.
        prop_assume!(free.ruined.is_none() && paid.ruined.is_none());
        prop_assert_eq!(free.trades.len(), paid.trades.len());
        for (a, b) in free.trades.iter().zip(&paid.trades) {
            prop_assert_eq!((&a.side, a.entry, a.exit), (&b.side, b.entry, b.exit));
            prop_assert!(b.pnl_share <= a.pnl_share + 1e-12);
        }
        prop_assert!(final_equity(&paid) <= final_equity(&free) * (1.0 + 1e-12));
        let costs = rules.commission + rules.slippage;
        if costs > 1e-6 && !paid.trades.is_empty() {
            prop_assert!(final_equity(&paid) < final_equity(&free));
        }
    }

    #[test]
    fn no_position_changes_nothing((bars, _) in market(), rules in any_rules()) {
        let book = run(&bars, &vec![Stance::Flat; bars.len()], &rules);
        let still = Account { cash: RULES.capital, units: 0.0, equity: RULES.capital };
        prop_assert!(book.accounts.iter().all(|a| *a == still));
        prop_assert!(book.trades.is_empty() && book.commission == 0.0 && book.bars_held == 0);
    }

    #[test]
    fn buy_and_hold_returns_the_price_ratio_less_costs((bars, _) in market(), rules in any_rules()) {
        prop_assume!(bars.len() > 1);
        let rules = Rules { whole_units: false, close_at_end: true, position_size: 1.0, ..rules };
        let book = run(&bars, &vec![Stance::Long; bars.len()], &rules);
        let entry = if rules.fill == Fill::NextOpen { bars[1].open } else { bars[0].close };
        let (c, s) = (rules.commission, rules.slippage);
        let ratio = bars[bars.len() - 1].close * (1.0 - s) * (1.0 - c) / (entry * (1.0 + s) * (1.0 + c));
        prop_assert!(close_to(final_equity(&book), RULES.capital * ratio));
        prop_assert_eq!(book.trades.len(), 1);
    }

    #[test]
    fn later_bars_never_change_an_earlier_trade(
        past in prices(100), one in prices(20), other in prices(20), fast in 1usize..6, more in 1usize..6, rules in any_rules()
    ) {
        let plan = Plan::SmaCross { fast, slow: fast + more };
        let rules = Rules { close_at_end: false, ..rules };
        let book = |future: &[(f64, f64)]| {
            let bars = bars(&[past.as_slice(), future].concat());
            run(&bars, &plan.stances(&bars, Direction::LongShort).unwrap(), &rules)
        };
        let (a, b) = (book(&one), book(&other));
        prop_assert_eq!(&a.accounts[..past.len()], &b.accounts[..past.len()]);
        let last = bars(&past)[past.len() - 1].time;
        let earlier = |book: &Book| book.trades.iter().filter(|t| t.exit <= last).cloned().collect::<Vec<_>>();
        prop_assert_eq!(earlier(&a), earlier(&b));
    }
}

#[test]
fn a_trade_is_filled_at_the_next_open_and_has_its_reason() {
    let bars = bars(&[(10.0, 11.0), (12.0, 13.0), (14.0, 15.0), (16.0, 17.0)]);
    let stances = [Stance::Long, Stance::Long, Stance::Flat, Stance::Flat];
    let rules = Rules { commission: 0.01, slippage: 0.1, whole_units: true, ..RULES };
    let book = run(&bars, &stances, &rules);
    let trade = &book.trades[0];
    // 10,000 / (13.2 · 1.01) units, rounded down.
    assert_eq!((trade.size, trade.entry, trade.exit), (750.0, bars[1].time, bars[3].time));
    assert!(close_to(trade.entry_price, 13.2) && close_to(trade.exit_price, 14.4));
    let commission = 750.0 * (13.2 + 14.4) * 0.01;
    assert!(close_to(trade.pnl, 750.0 * 1.2 - commission) && close_to(book.commission, commission));
    assert!(close_to(trade.pnl_share, trade.pnl / (750.0 * 13.2)));
    assert_eq!(
        (trade.side.as_str(), trade.entry_reason.as_str(), trade.exit_reason.as_str()),
        ("long", "up", "out")
    );
    assert_eq!((trade.bars, book.bars_held), (2, 2));
}

#[test]
fn a_reversal_exits_and_enters_at_one_price() {
    let bars = bars(&[(10.0, 10.0), (10.0, 12.0), (12.0, 12.0), (6.0, 6.0)]);
    let book = run(&bars, &[Stance::Long, Stance::Short, Stance::Short, Stance::Short], &RULES);
    assert_eq!(book.trades.iter().map(|t| t.side.as_str()).collect::<Vec<_>>(), ["long", "short"]);
    assert_eq!((book.trades[0].exit_price, book.trades[1].entry_price), (12.0, 12.0));
    // 12,000 after the long; 1,000 units short from 12 to 6.
    assert!(close_to(final_equity(&book), 18_000.0), "{}", final_equity(&book));
    assert_eq!(book.trades[1].exit_reason, "end of data");
}

#[test]
fn a_short_position_that_loses_everything_ends_trading() {
    let bars = bars(&[(10.0, 10.0), (10.0, 12.0), (12.0, 25.0), (5.0, 5.0), (5.0, 6.0)]);
    let book = run(&bars, &[Stance::Short; 5], &RULES);
    assert_eq!((book.ruined, book.trades.len()), (Some(2), 1));
    assert_eq!(book.trades[0].exit_reason, "out of capital");
    assert_eq!(final_equity(&book), -5_000.0, "what is owed is owed");
}

#[test]
fn an_order_below_one_unit_is_counted_and_repeated() {
    let bars = bars(&[(20_000.0, 20_000.0), (20_000.0, 20_000.0), (20_000.0, 9_000.0), (9_000.0, 9_500.0)]);
    let book = run(&bars, &[Stance::Long; 4], &Rules { whole_units: true, ..RULES });
    assert_eq!((book.too_small, book.trades.len()), (2, 1));
    assert_eq!(final_equity(&book), 10_500.0);
}

#[test]
fn an_observer_can_stop_the_run() {
    let bars = bars(&[(10.0, 10.0); 9]);
    let words = Words { long: String::new(), flat: String::new(), short: String::new() };
    let mut seen = 0;
    let ended = trade(&bars, &[Stance::Long; 9], &words, &RULES, |i, _| {
        seen += 1;
        if i == 3 { Err("enough") } else { Ok(()) }
    });
    assert_eq!((ended, seen), (Err("enough"), 4));
}
