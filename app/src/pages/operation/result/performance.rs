//! Figures of a strategy beside those of buying and holding, the better one marked.

use crate::format;
use crate::outcome::{Better, Figure, all, backtest, beside, best_of};
use leptos::prelude::*;
use protocol::results::BacktestResult;

fn cell(text: String, is_best: bool) -> impl IntoView {
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
    let equities = [Some(result.final_equity), Some(held_equity)];
    let equity_texts = format::tell_apart(&equities, format::figure_to);
    let equity = best_of(&equities, &equity_texts, Better::Higher);
    let line = |(a, b): (Figure, Figure)| {
        let mut texts = beside(&[Some(&a), Some(&b)]);
        let best = best_of(&[a.value, b.value], &texts, a.better);
        let (held, mine) = (texts.pop(), texts.pop());
        view! {
            <tr>
                <th scope="row">{a.name}</th>
                {cell(mine.unwrap_or_default(), best[0])}
                {cell(held.unwrap_or_default(), best[1])}
                <td class="means">{a.means}</td>
            </tr>
        }
    };
    let lines =
        all(&backtest::PERFORMANCE, &mine).into_iter().zip(all(&backtest::PERFORMANCE, &held)).map(line);
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
                        {cell(equity_texts[0].clone(), equity[0])}
                        {cell(equity_texts[1].clone(), equity[1])}
                        <td class="means">"Money, and the worth of what is held, at the end"</td>
                    </tr>
                    {lines.collect_view()}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
