//! Trading simulation: bars and stances become orders, fills, accounts and trades.
//!
//! Pure: no I/O, no clock, no host. A stance is decided at the close of a bar, without lookahead.

use crate::strategy::{SignalReasons, Stance};
use market_data::Bar;
use protocol::results::Trade;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When an order decided at the close of a bar is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Next bar's open (realistic)
    #[default]
    #[schemars(title = "Next open")]
    NextOpen,
    /// Same bar's close (no delay)
    #[schemars(title = "This close")]
    ThisClose,
}

/// Market rules and position sizing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rules {
    /// Initial capital.
    pub capital: f64,
    /// Commission per side, as a share of the traded value.
    pub commission: f64,
    /// Slippage per side, as a share of the price.
    pub slippage: f64,
    pub fill: Fill,
    /// Share of the equity for a new position, including its commission.
    pub position_size: f64,
    /// Whether units are rounded down to whole numbers.
    pub whole_units: bool,
    /// Whether an open position is closed at the last close, so that it counts as a trade.
    pub close_at_end: bool,
}

/// Account state after a bar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Account {
    pub cash: f64,
    /// Units held; negative for a short position.
    pub units: f64,
    /// Cash plus the value of the units at the close.
    pub equity: f64,
}

impl Account {
    /// Value of the units as a share of the equity: 1 if fully invested, negative if short.
    pub fn exposure(&self) -> f64 {
        if self.units == 0.0 { 0.0 } else { (self.equity - self.cash) / self.equity }
    }
}

/// Result of a simulation.
#[derive(Clone, PartialEq, Debug)]
pub struct Book {
    /// One account state per bar.
    pub accounts: Vec<Account>,
    /// Closed trades, ordered by exit.
    pub trades: Vec<Trade>,
    /// Total commission, including that of an open position.
    pub commission: f64,
    /// Number of bars with an open position at their close.
    pub bars_held: u64,
    /// Skipped orders, because the equity was not enough for one unit.
    pub too_small: u64,
    /// Index of the bar at whose close the equity was used up. Everything was closed there, and trading stopped.
    pub ruined: Option<usize>,
}

/// Open position.
struct OpenPosition {
    stance: Stance,
    /// Positive.
    units: f64,
    /// Index of the entry bar.
    bar: usize,
    price: f64,
    /// Commission of the entry.
    commission: f64,
}

impl OpenPosition {
    fn signed(&self) -> f64 {
        self.stance.sign() * self.units
    }
}

/// Simulates trading on the bars. `watch` gets the account after each bar and can abort with its own error.
///
/// # Panics
/// If the number of stances differs from the number of bars.
///
/// # Errors
/// The error of `watch`.
pub fn trade<E>(
    bars: &[Bar],
    stances: &[Stance],
    words: &SignalReasons,
    rules: &Rules,
    mut watch: impl FnMut(usize, &Account) -> Result<(), E>,
) -> Result<Book, E> {
    assert_eq!(bars.len(), stances.len(), "one stance per bar");
    let mut trader = Trader::new(bars, words, rules);
    for (i, bar) in bars.iter().enumerate() {
        match rules.fill {
            Fill::NextOpen if i > 0 => trader.turn(stances[i - 1], bar.open, i),
            Fill::NextOpen => {}
            Fill::ThisClose => trader.turn(stances[i], bar.close, i),
        }
        trader.book.bars_held += u64::from(trader.held.is_some());
        if trader.equity(bar.close) <= 0.0 && trader.book.ruined.is_none() {
            trader.close(bar.close, i, "out of capital");
            trader.book.ruined = Some(i);
        }
        if i + 1 == bars.len() && rules.close_at_end {
            trader.close(bar.close, i, "end of data");
        }
        let account = Account {
            cash: trader.cash,
            units: trader.held.as_ref().map_or(0.0, OpenPosition::signed),
            equity: trader.equity(bar.close),
        };
        trader.book.accounts.push(account);
        watch(i, &account)?;
    }
    Ok(trader.book)
}

/// State of the simulation: fills orders and keeps the accounts.
struct Trader<'a> {
    bars: &'a [Bar],
    words: &'a SignalReasons,
    rules: &'a Rules,
    cash: f64,
    held: Option<OpenPosition>,
    book: Book,
}

impl<'a> Trader<'a> {
    fn new(bars: &'a [Bar], words: &'a SignalReasons, rules: &'a Rules) -> Self {
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

    /// Changes to the wanted stance: closes a different position, then opens a new one.
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
        // Without a position the equity is the cash.
        let budget = self.cash * self.rules.position_size;
        let each = price * (1.0 + self.rules.commission);
        let mut units = budget / each;
        if self.rules.whole_units {
            units = units.floor();
            // The division can round up to the next whole number.
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
        self.held = Some(OpenPosition { stance, units, bar, price, commission });
    }

    fn close(&mut self, price: f64, bar: usize, reason: &str) {
        let Some(lot) = self.held.take() else { return };
        let other = if lot.stance == Stance::Long { Stance::Short } else { Stance::Long };
        let price = self.filled(other, price);
        let commission = lot.commission + self.pay(lot.units, price);
        self.cash += lot.signed() * price;
        // Normalizes −0 to 0.
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

    /// Fill price of an order towards this stance: slippage makes buys more expensive and sells cheaper.
    fn filled(&self, towards: Stance, price: f64) -> f64 {
        price * (1.0 + towards.sign() * self.rules.slippage)
    }

    /// Deducts the commission of one side, and returns it.
    fn pay(&mut self, units: f64, price: f64) -> f64 {
        let commission = units * price * self.rules.commission;
        self.cash -= commission;
        self.book.commission += commission;
        commission
    }
}

#[cfg(test)]
mod tests;
