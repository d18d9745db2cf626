//! The highlighted trade of a backtest in words, with links to its neighbours and to its row in the table.

use super::trades::Trades;
use components::reactive::{part, spoken, text};
use display::format;
use leptos::prelude::*;
use protocol::results::Trade;

/// `long 2024-03-04 14:30 to 2024-03-05 15:30, +1.2 %, stop`
fn wording(trade: &Trade) -> String {
    let (from, to) = (format::bar_time(trade.entry), format::bar_time(trade.exit));
    let gain = format::signed(trade.pnl_share, format::share);
    format!("{} {from} to {to}, {gain}, {}", trade.side, trade.exit_reason)
}

/// The line; empty while no trade is highlighted. Its buttons stay while it tells of other trades, and keep the focus.
pub fn trade_line(of: Trades) -> AnyView {
    let any = Memo::new(move |_| of.chosen.get().is_some());
    let last = move || of.list.with(|list| list.as_ref().map_or(0, |list| list.len().saturating_sub(1)));
    let at = move || of.chosen.get().unwrap_or_default();
    let title = text(move || of.chosen.get().map(|n| format!("Trade {}", n + 1)).unwrap_or_default());
    let words = text(move || {
        let number = of.chosen.get();
        of.list.with(|list| number.and_then(|n| list.as_ref()?.get(n).map(wording)).unwrap_or_default())
    });
    let step = move |by: i64| {
        let to = of.chosen.get_untracked().and_then(|n| n.checked_add_signed(by as isize));
        if to.is_some_and(|to| to <= untrack(last)) {
            of.choose(to);
        }
    };
    let buttons = part(move || {
        any.get().then(|| {
            view! {
                <button
                    type="button"
                    class="link"
                    aria-label="Previous trade"
                    aria-disabled=spoken(move || at() == 0)
                    on:click=move |_| step(-1)
                >
                    "Previous"
                </button>
                <button
                    type="button"
                    class="link"
                    aria-label="Next trade"
                    aria-disabled=spoken(move || at() == last())
                    on:click=move |_| step(1)
                >
                    "Next"
                </button>
                <button type="button" class="link" on:click=move |_| of.reveal()>
                    "Show in table"
                </button>
            }
            .into_any()
        })
    });
    view! {
        <span class="trade-line only-script">
            <span class="trade-words num" aria-live="polite">
                <span>{title}</span>
                " "
                <span class="muted">{words}</span>
            </span>
            {buttons}
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    #[test]
    fn a_trade_is_told_in_one_line() {
        let at = |text: &str| Time::parse(text).unwrap();
        let trade = Trade {
            side: "long".into(),
            size: 1.0,
            entry: at("2024-03-04T14:30:00Z"),
            entry_price: 10.0,
            entry_reason: "cross up".into(),
            exit: at("2024-03-05T15:30:00Z"),
            exit_price: 11.0,
            exit_reason: "cross down".into(),
            pnl: 1.0,
            pnl_share: 0.1,
            bars: 8,
        };
        assert_eq!(wording(&trade), "long 2024-03-04 14:30 to 2024-03-05 15:30, +10 %, cross down");
    }
}
