//! Trades of a backtest: marks on the chart, and a sortable table with CSV export.

use super::trade_line::trade_line;
use charts::{ChartGroup, Mark, MarkKind, save_text};
use components::focus::find;
use components::reactive::{part, text, word, yes};
use components::sorted::{Order, SortHead};
use display::csv::{self, Cell};
use display::format::{self, Digits};
use leptos::html::Tbody;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::results::Trade;
use protocol::{OperationId, Problem};
use std::cmp::Ordering;
use std::sync::Arc;

/// Rows per page.
const PAGE: usize = 200;
/// Frames to wait for the tab of the table.
const MAX_FRAMES: u32 = 60;

/// Sortable columns.
const COLUMNS: [&str; 9] =
    ["#", "Side", "Size", "Entry (UTC)", "Entry price", "Exit (UTC)", "Exit price", "P&L", "Bars"];
/// Whether a column is numeric.
const NUMERIC: [bool; 9] = [true, false, true, true, true, true, true, true, true];

/// Indices of the trades sorted by a column.
fn in_order(trades: &[Trade], order: Order) -> Vec<usize> {
    let mut places: Vec<usize> = (0..trades.len()).collect();
    let compare = |a: &Trade, b: &Trade| match order.column {
        1 => a.side.cmp(&b.side),
        2 => a.size.total_cmp(&b.size),
        3 => a.entry.cmp(&b.entry),
        4 => a.entry_price.total_cmp(&b.entry_price),
        5 => a.exit.cmp(&b.exit),
        6 => a.exit_price.total_cmp(&b.exit_price),
        7 => a.pnl.total_cmp(&b.pnl),
        8 => a.bars.cmp(&b.bars),
        _ => Ordering::Equal,
    };
    // Equal values keep the order of trading.
    places.sort_by(|a, b| {
        let ordering = compare(&trades[*a], &trades[*b]).then(a.cmp(b));
        if order.descending { ordering.reverse() } else { ordering }
    });
    places
}

/// Entries and exits as chart marks, sorted by time.
pub fn marks_of(trades: Option<&Vec<Trade>>) -> Arc<Vec<Mark>> {
    let mut marks: Vec<Mark> = trades
        .into_iter()
        .flatten()
        .enumerate()
        .flat_map(|(of, t)| {
            let entry = if t.side == "short" { MarkKind::ShortEntry } else { MarkKind::LongEntry };
            let exit = if t.pnl > 0.0 { MarkKind::Gain } else { MarkKind::Loss };
            [
                Mark { x: super::seconds(t.entry), y: t.entry_price, kind: entry, of },
                Mark { x: super::seconds(t.exit), y: t.exit_price, kind: exit, of },
            ]
        })
        .collect();
    marks.sort_by(|a, b| a.x.total_cmp(&b.x));
    Arc::new(marks)
}

/// CSV of all trades.
fn csv_of(trades: &[Trade]) -> String {
    let mut out = csv::texts([
        "side",
        "size",
        "entry",
        "entry_price",
        "entry_reason",
        "exit",
        "exit_price",
        "exit_reason",
        "pnl",
        "pnl_share",
        "bars",
    ]);
    for t in trades {
        let [entry, exit, bars] = [t.entry.to_string(), t.exit.to_string(), t.bars.to_string()];
        out.push_str(&csv::line([
            Cell::Text(&t.side),
            Cell::Number(t.size),
            Cell::Text(&entry),
            Cell::Number(t.entry_price),
            Cell::Text(&t.entry_reason),
            Cell::Text(&exit),
            Cell::Number(t.exit_price),
            Cell::Text(&t.exit_reason),
            Cell::Number(t.pnl),
            Cell::Number(t.pnl_share),
            Cell::Text(&bars),
        ]));
    }
    out
}

/// Trades, requested once there are some.
#[derive(Clone, Copy)]
pub struct Trades {
    pub list: RwSignal<Option<Arc<Vec<Trade>>>>,
    /// Number of the highlighted trade, from 0.
    pub chosen: RwSignal<Option<usize>>,
    /// Number of requests to show the highlighted trade in the table.
    reveals: RwSignal<u32>,
    /// Shows the tab of the table.
    pub on_table: StoredValue<Option<Callback<()>>>,
    /// Charts that show the trades.
    group: ChartGroup,
    trouble: RwSignal<Option<Problem>>,
    ask: Callback<()>,
}

impl Trades {
    /// Requests the trades of a backtest as soon as `ready` returns true. The charts of `group` show them.
    pub fn once(id: OperationId, group: ChartGroup, ready: impl Fn() -> bool + 'static) -> Self {
        let (list, trouble) = (RwSignal::new(None), RwSignal::new(None));
        let ask = Callback::new(move |()| {
            spawn_local(async move {
                match api::artifact::<Vec<Trade>>(id, "trades").await {
                    Ok(trades) => {
                        trouble.try_set(None);
                        list.try_set(Some(Arc::new(trades)));
                    }
                    Err(problem) => {
                        trouble.try_set(Some(problem));
                    }
                }
            });
        });
        Effect::new(move |asked: Option<bool>| {
            let before = asked == Some(true);
            let now = before || ready();
            if now && !before {
                ask.run(());
            }
            now
        });
        let (chosen, reveals, on_table) = (RwSignal::new(None), RwSignal::new(0), StoredValue::new(None));
        Self { list, chosen, reveals, on_table, group, trouble, ask }
    }

    /// Highlights a trade in chart and table, and zooms to it; `None` highlights none.
    pub fn choose(self, number: Option<usize>) {
        let range = self.list.with_untracked(|list| {
            let trade = list.as_ref()?.get(number?)?;
            Some((super::seconds(trade.entry), super::seconds(trade.exit)))
        });
        self.chosen.set(number.filter(|_| range.is_some()));
        if let Some(range) = range {
            self.group.show(range, true);
        }
    }

    /// Shows the highlighted trade in the table.
    pub fn reveal(self) {
        if let Some(show) = self.on_table.get_value() {
            show.run(());
        }
        self.reveals.update(|n| *n += 1);
    }

    /// The highlighted trade in words, for the toolbar of the charts.
    pub fn line(self) -> AnyView {
        trade_line(self)
    }

    /// Table of the trades; `file` is the name of the CSV.
    pub fn view(self, file: String) -> AnyView {
        let Self { list, trouble, ask, .. } = self;
        view! {
            <section class="card trades" aria-labelledby="trades-title">
                <header class="result-head">
                    <h2 id="trades-title">
                        "Trades "
                        <span class="count num">
                            {text(move || list.with(|l| l.as_ref().map(|l| format::count(l.len() as u64)).unwrap_or_default()))}
                        </span>
                    </h2>
                    {part(move || {
                        let trades = list.get()?;
                        let file = file.clone();
                        let save = move |_| save_text(&file, "text/csv", &csv_of(&trades));
                        Some(view! { <button type="button" class="button" on:click=save>"CSV"</button> }.into_any())
                    })}
                </header>
                <p class="no-script muted">"Enable JavaScript to list the trades, or download them under Artifacts below."</p>
                {part(move || match (list.get(), trouble.get()) {
                    (Some(trades), _) => Some(view! { <TradeTable trades of=self/> }.into_any()),
                    (None, Some(problem)) => Some(view! {
                        <p class="note bad" role="alert">
                            {problem.detail}
                            " "
                            <button type="button" class="link" on:click=move |_| ask.run(())>"Try again"</button>
                        </p>
                    }.into_any()),
                    (None, None) => Some(view! { <p class="muted only-script">"Loading trades…"</p> }.into_any()),
                })}
            </section>
        }
        .into_any()
    }
}

#[component]
fn TradeTable(trades: Arc<Vec<Trade>>, of: Trades) -> impl IntoView {
    let order = RwSignal::new(Order { column: 0, descending: false });
    let prices = Digits::of_all(trades.iter().flat_map(|t| [t.entry_price, t.exit_price]));
    let page = RwSignal::new(0usize);
    let count = trades.len();
    let pages = count.div_ceil(PAGE);
    let places = Memo::new({
        let trades = trades.clone();
        move |_| {
            page.set(0);
            in_order(&trades, order.get())
        }
    });
    // The page with the highlighted trade.
    Effect::new(move |_| {
        let chosen = of.chosen.get();
        let place = chosen.and_then(|n| places.with_untracked(|p| p.iter().position(|place| *place == n)));
        if let Some(place) = place {
            page.set(place / PAGE);
        }
    });
    let body = NodeRef::<Tbody>::new();
    Effect::new(move |before: Option<u32>| {
        let now = of.reveals.get();
        if before.is_some_and(|before| before != now) {
            focus_current(body, MAX_FRAMES);
        }
        now
    });
    let heads = COLUMNS.iter().enumerate().map(|(column, name)| {
        view! { <SortHead name=*name column numeric=NUMERIC[column] order/> }
    });
    let rows = part(move || {
        let from = page.get() * PAGE;
        let shown = places.with(|p| p[from.min(p.len())..(from + PAGE).min(p.len())].to_vec());
        let rows = shown.into_iter().map(|place| row(place, &trades[place], prices, of));
        Some(rows.collect_view().into_any())
    });
    let turn = (pages > 1).then(|| {
        let range = text(move || {
            let from = page.get() * PAGE;
            let [from, to, all] = [from + 1, (from + PAGE).min(count), count].map(|n| format::count(n as u64));
            format!("{from} to {to} of {all}")
        });
        view! {
            <nav class="pages" aria-label="Pages of trades">
                <button type="button" class="button" disabled=yes(move || page.get() == 0) on:click=move |_| page.update(|p| *p = p.saturating_sub(1))>
                    "Previous"
                </button>
                <span class="num" aria-live="polite">{range}</span>
                <button type="button" class="button" disabled=yes(move || page.get() + 1 >= pages) on:click=move |_| page.update(|p| *p += 1)>
                    "Next"
                </button>
            </nav>
        }
    });
    view! {
        <div class="scroll tall" tabindex="0" role="region" aria-label="Table of trades">
            <table class="plain sorted">
                <thead>
                    <tr>
                        {heads.collect_view()}
                        <th scope="col">"Reason"</th>
                    </tr>
                </thead>
                <tbody node_ref=body>{rows}</tbody>
            </table>
        </div>
        {turn}
    }
    .into_any()
}

/// Moves the focus to the highlighted row as soon as it is drawn and its tab is shown, within some frames.
fn focus_current(body: NodeRef<Tbody>, frames: u32) {
    request_animation_frame(move || {
        let body_now = body.try_get_untracked().flatten();
        let button = body_now.and_then(|body| find(&body, "tr[aria-current=true] button"));
        match button.filter(|button| button.offset_parent().is_some()) {
            Some(button) => {
                button.scroll_into_view();
                // Fails only for elements that can't take the focus.
                let _ = button.focus();
            }
            None if frames > 0 => focus_current(body, frames - 1),
            None => {}
        }
    });
}

fn row(place: usize, trade: &Trade, prices: Digits, of: Trades) -> impl IntoView + use<> {
    let label = format!("Show trade {} in the chart", place + 1);
    let current = word(move || if of.chosen.get() == Some(place) { "true" } else { "false" });
    let fate = if trade.pnl > 0.0 { "gain" } else { "loss" };
    view! {
        <tr aria-current=current>
            <td class="num">
                <button type="button" class="link" title="Show in the chart" aria-label=label on:click=move |_| of.choose(Some(place))>
                    {place + 1}
                </button>
            </td>
            <td>{trade.side.clone()}</td>
            <td class="num">{format::figure(trade.size.abs())}</td>
            <td class="num">{format::bar_time(trade.entry)}</td>
            <td class="num">{format::figure_to(trade.entry_price, prices)}</td>
            <td class="num">{format::bar_time(trade.exit)}</td>
            <td class="num">{format::figure_to(trade.exit_price, prices)}</td>
            <td class="num" data-fate=fate>
                {format::signed(trade.pnl, format::figure)}
                " "
                <span class="beside">{format::signed(trade.pnl_share, format::share)}</span>
            </td>
            <td class="num">{format::count(trade.bars)}</td>
            <td class="why-cell">{trade.entry_reason.clone()} " → " {trade.exit_reason.clone()}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    fn trade(side: &str, entry: i64, pnl: f64) -> Trade {
        Trade {
            side: side.into(),
            size: 2.0,
            entry: Time::from_micros(entry * 1_000_000),
            entry_price: 10.0,
            entry_reason: "=crossed".into(),
            exit: Time::from_micros((entry + 5) * 1_000_000),
            exit_price: 11.0,
            exit_reason: "stop, hit".into(),
            pnl,
            pnl_share: pnl / 20.0,
            bars: 5,
        }
    }

    #[test]
    fn a_table_is_sorted_by_any_column_and_equals_keep_their_order() {
        let trades = [trade("long", 3, 5.0), trade("short", 1, -2.0), trade("long", 2, 5.0)];
        let by = |column, descending| in_order(&trades, Order { column, descending });
        assert_eq!(by(0, false), [0, 1, 2]);
        assert_eq!(by(0, true), [2, 1, 0]);
        assert_eq!(by(1, false), [0, 2, 1]);
        assert_eq!(by(3, false), [1, 2, 0]);
        assert_eq!(by(7, false), [1, 0, 2]);
    }

    #[test]
    fn a_trade_has_two_marks_in_time_order() {
        let trades = vec![trade("short", 10, -1.0), trade("long", 12, 4.0)];
        let marks = marks_of(Some(&trades));
        let kinds: Vec<_> = marks.iter().map(|m| (m.x, m.of, m.kind)).collect();
        use MarkKind::*;
        assert_eq!(kinds, [(10.0, 0, ShortEntry), (12.0, 1, LongEntry), (15.0, 0, Loss), (17.0, 1, Gain)]);
        assert!(marks_of(None).is_empty());
    }

    #[test]
    fn trades_as_csv_have_their_times_in_full_and_no_formulas() {
        let text = csv_of(&[trade("long", 0, 4.0)]);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(
            line,
            "long,2,1970-01-01T00:00:00.000000Z,10,\"'=crossed\",1970-01-01T00:00:05.000000Z,11,\"stop, hit\",4,0.2,5"
        );
    }
}
