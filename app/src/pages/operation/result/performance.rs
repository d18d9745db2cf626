//! Figures of a strategy beside those of buying and holding, the better one marked.

use crate::format;
use leptos::prelude::*;
use protocol::results::{BacktestResult, Performance};

/// Which of two figures is the better one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Better {
    Higher,
    Lower,
    /// Neither is better, they are only different; so are figures of trades, of which holding has but one.
    Neither,
}

/// One line of the table.
struct Line {
    name: &'static str,
    /// What it means.
    means: &'static str,
    better: Better,
    of: fn(&Performance) -> Option<f64>,
    shown: fn(f64) -> String,
}

const LINES: [Line; 12] = [
    line(
        "Total return",
        "Final over initial equity, less one",
        Better::Higher,
        |p| Some(p.total_return),
        gain,
    ),
    line("A year", "A year's growth at the same rate", Better::Higher, |p| p.annual_return, gain),
    line(
        "Volatility",
        "Standard deviation of returns, for a year",
        Better::Lower,
        |p| p.volatility,
        format::hundredths,
    ),
    line("Sharpe", "Return for a unit of volatility, for a year", Better::Higher, |p| p.sharpe, ratio),
    line("Sortino", "Return for a unit of downside volatility", Better::Higher, |p| p.sortino, ratio),
    line("Calmar", "A year's growth over the deepest drawdown", Better::Higher, |p| p.calmar, ratio),
    line("Deepest drawdown", "The deepest fall from a peak", Better::Higher, |p| Some(p.max_drawdown), gain),
    line(
        "Longest drawdown",
        "The longest time below a peak",
        Better::Lower,
        |p| Some(p.max_drawdown_days),
        days,
    ),
    line(
        "Trades won",
        "Winning trades as a share of all",
        Better::Neither,
        |p| p.win_rate,
        format::hundredths,
    ),
    line("Profit factor", "What was won over what was lost", Better::Neither, |p| p.profit_factor, plain),
    line(
        "Average trade",
        "PnL as a share of what it took to enter",
        Better::Neither,
        |p| p.average_trade,
        gain,
    ),
    line(
        "In the market",
        "Bars with a position as a share of all",
        Better::Neither,
        |p| Some(p.exposure),
        format::hundredths,
    ),
];

const fn line(
    name: &'static str,
    means: &'static str,
    better: Better,
    of: fn(&Performance) -> Option<f64>,
    shown: fn(f64) -> String,
) -> Line {
    Line { name, means, better, of, shown }
}

fn gain(n: f64) -> String {
    format::signed(n, format::hundredths)
}

fn ratio(n: f64) -> String {
    format::signed(n, plain)
}

fn plain(n: f64) -> String {
    format!("{n:.2}")
}

fn days(n: f64) -> String {
    match n {
        n if n < 1.0 => format!("{:.0} h", n * 24.0),
        n => format!("{} days", format::count(n.round() as u64)),
    }
}

/// Which of the two is better: the first, the second, or nobody can say.
fn best(first: Option<f64>, second: Option<f64>, better: Better) -> Option<bool> {
    let (a, b) = (first?, second?);
    match better {
        _ if a == b => None,
        Better::Higher => Some(a > b),
        Better::Lower => Some(a < b),
        Better::Neither => None,
    }
}

fn cell(figure: Option<f64>, shown: fn(f64) -> String, is_best: bool) -> impl IntoView {
    let text = figure.map_or_else(|| "–".to_owned(), shown);
    view! {
        <td class="num" data-best=is_best.then_some("")>
            {is_best.then(|| view! { <span class="unseen">"better: "</span> })}
            {text}
        </td>
    }
}

/// The table.
#[component]
pub fn PerformanceTable(result: BacktestResult) -> impl IntoView {
    let (mine, held) = (result.performance, result.buy_and_hold);
    let held_equity = result.capital * (1.0 + held.total_return);
    let equity = best(Some(result.final_equity), Some(held_equity), Better::Higher);
    let lines = LINES.iter().map(|line| {
        let (a, b) = ((line.of)(&mine), (line.of)(&held));
        let best = best(a, b, line.better);
        view! {
            <tr>
                <th scope="row">{line.name}</th>
                {cell(a, line.shown, best == Some(true))}
                {cell(b, line.shown, best == Some(false))}
                <td class="means">{line.means}</td>
            </tr>
        }
    });
    view! {
        <div class="scroll-x">
            <table class="plain performance">
                <caption class="unseen">"Performance beside buying and holding; the better figure of each line is marked"</caption>
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col" class="num">{result.strategy}</th>
                        <th scope="col" class="num">"Buy and hold"</th>
                        <th scope="col" class="means">"what it means"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr>
                        <th scope="row">"Final equity"</th>
                        {cell(Some(result.final_equity), format::figure, equity == Some(true))}
                        {cell(Some(held_equity), format::figure, equity == Some(false))}
                        <td class="means">"Money, and the worth of what is held, at the end"</td>
                    </tr>
                    {lines.collect_view()}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_figure_is_the_higher_or_the_lower_one_as_its_meaning_has_it() {
        assert_eq!(best(Some(0.2), Some(0.1), Better::Higher), Some(true));
        assert_eq!(best(Some(0.2), Some(0.1), Better::Lower), Some(false));
        assert_eq!(best(Some(0.2), Some(0.1), Better::Neither), None);
        assert_eq!(best(Some(0.2), Some(0.2), Better::Higher), None);
        assert_eq!(best(None, Some(0.2), Better::Higher), None);
    }

    #[test]
    fn a_shallower_drawdown_is_the_better_one() {
        let of = |name: &str| LINES.iter().find(|l| l.name == name).unwrap();
        let (shallow, deep) = (
            Performance { max_drawdown: -0.1, max_drawdown_days: 3.0, ..Performance::default() },
            Performance { max_drawdown: -0.4, max_drawdown_days: 90.0, ..Performance::default() },
        );
        for name in ["Deepest drawdown", "Longest drawdown"] {
            let line = of(name);
            assert_eq!(best((line.of)(&shallow), (line.of)(&deep), line.better), Some(true), "{name}");
        }
        assert_eq!((of("Deepest drawdown").shown)(-0.1), "−10.00 %");
        assert_eq!((of("Longest drawdown").shown)(0.5), "12 h");
        assert_eq!((of("Sharpe").shown)(1.234), "+1.23");
    }
}
