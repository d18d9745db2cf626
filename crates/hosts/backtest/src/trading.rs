//! The trading itself: bars and stances become orders, orders become fills, fills become accounts and trades.
//!
//! Pure: no I/O, no clock, no host. A stance is decided at the close of a bar and nothing here looks further.

use crate::params::Fill;
use crate::strategy::{Stance, Words};
use data_host::Bar;
use protocol::results::Trade;

/// The rules of the market and the size of the bets.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rules {
    /// Money at the start.
    pub capital: f64,
    /// Share of the traded value that each side costs.
    pub commission: f64,
    /// Share of the price by which each side is filled worse.
    pub slippage: f64,
    pub fill: Fill,
    /// Share of the equity that goes into a new position, its commission counted.
    pub position_size: f64,
    /// Units are rounded down to whole ones.
    pub whole_units: bool,
    /// What is held after the last bar is sold at its close, so that it counts as a trade.
    pub close_at_end: bool,
}

/// The state of the account after a bar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Account {
    pub cash: f64,
    /// Units held; below 0 when they are owed.
    pub units: f64,
    /// Cash and the worth of the units at the close of the bar.
    pub equity: f64,
}

impl Account {
    /// The worth of the units as a share of the equity: 1 when all is held, below 0 when short.
    pub fn exposure(&self) -> f64 {
        if self.units == 0.0 { 0.0 } else { (self.equity - self.cash) / self.equity }
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Book {
    /// One for each bar.
    pub accounts: Vec<Account>,
    /// Those that were closed, in the order of their exits.
    pub trades: Vec<Trade>,
    /// Commission paid in all, that of a position still open counted.
    pub commission: f64,
    /// Bars at whose close a position was held.
    pub bars_held: u64,
    /// Orders that nothing came of, since the equity did not reach for a unit.
    pub too_small: u64,
    /// The bar at whose close the equity was used up. Everything was closed there and nothing traded after.
    pub ruined: Option<usize>,
}

/// A position.
struct Lot {
    stance: Stance,
    /// Above 0.
    units: f64,
    /// Index of the bar.
    bar: usize,
    price: f64,
    /// What its entry cost.
    commission: f64,
}

impl Lot {
    fn signed(&self) -> f64 {
        self.stance.sign() * self.units
    }
}

/// Trades the bars. `watch` sees each bar's account as it is made and may end the whole with an error of its own.
///
/// # Panics
/// When there are not as many stances as bars.
///
/// # Errors
/// What `watch` fails with.
pub fn trade<E>(
    bars: &[Bar],
    stances: &[Stance],
    words: &Words,
    rules: &Rules,
    mut watch: impl FnMut(usize, &Account) -> Result<(), E>,
) -> Result<Book, E> {
    assert_eq!(bars.len(), stances.len(), "one stance per bar");
    let mut desk = Desk::new(bars, words, rules);
    for (i, bar) in bars.iter().enumerate() {
        match rules.fill {
            Fill::NextOpen if i > 0 => desk.turn(stances[i - 1], bar.open, i),
            Fill::NextOpen => {}
            Fill::ThisClose => desk.turn(stances[i], bar.close, i),
        }
        desk.book.bars_held += u64::from(desk.held.is_some());
        if desk.equity(bar.close) <= 0.0 && desk.book.ruined.is_none() {
            desk.close(bar.close, i, "out of capital");
            desk.book.ruined = Some(i);
        }
        if i + 1 == bars.len() && rules.close_at_end {
            desk.close(bar.close, i, "end of data");
        }
        let account = Account {
            cash: desk.cash,
            units: desk.held.as_ref().map_or(0.0, Lot::signed),
            equity: desk.equity(bar.close),
        };
        desk.book.accounts.push(account);
        watch(i, &account)?;
    }
    Ok(desk.book)
}

/// Where orders are filled and the books are kept.
struct Desk<'a> {
    bars: &'a [Bar],
    words: &'a Words,
    rules: &'a Rules,
    cash: f64,
    held: Option<Lot>,
    book: Book,
}

impl<'a> Desk<'a> {
    fn new(bars: &'a [Bar], words: &'a Words, rules: &'a Rules) -> Self {
        let book = Book {
            accounts: Vec::with_capacity(bars.len()),
            trades: Vec::new(),
            commission: 0.0,
            bars_held: 0,
            too_small: 0,
            ruined: None,
        };
        Self { bars, words, rules, cash: rules.capital, held: None, book }
    }

    fn equity(&self, price: f64) -> f64 {
        self.cash + self.held.as_ref().map_or(0.0, |lot| lot.signed() * price)
    }

    /// Comes to stand as wanted: leaves what is held otherwise, then enters anew.
    fn turn(&mut self, wanted: Stance, price: f64, bar: usize) {
        let now = self.held.as_ref().map_or(Stance::Flat, |lot| lot.stance);
        if wanted == now || self.book.ruined.is_some() {
            return;
        }
        let words = self.words;
        self.close(price, bar, words.of(wanted));
        if wanted != Stance::Flat {
            self.open(wanted, price, bar);
        }
    }

    fn open(&mut self, stance: Stance, price: f64, bar: usize) {
        let price = self.filled(stance, price);
        // Nothing is held here: the equity is the cash.
        let budget = self.cash * self.rules.position_size;
        let each = price * (1.0 + self.rules.commission);
        let mut units = budget / each;
        if self.rules.whole_units {
            units = units.floor();
            // The division may have rounded up to the next whole number.
            if units * each > budget {
                units -= 1.0;
            }
        }
        if !(units.is_finite() && units > 0.0) {
            self.book.too_small += 1;
            return;
        }
        let commission = self.pay(units, price);
        self.cash -= stance.sign() * units * price;
        self.held = Some(Lot { stance, units, bar, price, commission });
    }

    fn close(&mut self, price: f64, bar: usize, reason: &str) {
        let Some(lot) = self.held.take() else { return };
        let other = if lot.stance == Stance::Long { Stance::Short } else { Stance::Long };
        let price = self.filled(other, price);
        let commission = lot.commission + self.pay(lot.units, price);
        self.cash += lot.signed() * price;
        // A zero has no sign.
        let pnl = lot.signed() * (price - lot.price) - commission + 0.0;
        self.book.trades.push(Trade {
            side: if lot.stance == Stance::Long { "long" } else { "short" }.to_owned(),
            size: lot.units,
            entry: self.bars[lot.bar].time,
            entry_price: lot.price,
            entry_reason: self.words.of(lot.stance).to_owned(),
            exit: self.bars[bar].time,
            exit_price: price,
            exit_reason: reason.to_owned(),
            pnl,
            pnl_share: pnl / (lot.units * lot.price),
            bars: (bar - lot.bar) as u64,
        });
    }

    /// The price at which an order towards this stance is filled: buying costs more, selling brings less.
    fn filled(&self, towards: Stance, price: f64) -> f64 {
        price * (1.0 + towards.sign() * self.rules.slippage)
    }

    /// Takes the commission of one side, and says how much it was.
    fn pay(&mut self, units: f64, price: f64) -> f64 {
        let commission = units * price * self.rules.commission;
        self.cash -= commission;
        self.book.commission += commission;
        commission
    }
}

#[cfg(test)]
mod tests;
