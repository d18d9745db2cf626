//! Figures of a strategy beside those of buying and holding, the better one marked.

use crate::format;
use crate::outcome::{Better, Figure, all, backtest, best_of};
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
    let equity = best_of(&[Some(result.final_equity), Some(held_equity)], Better::Higher);
    let line = |(a, b): (Figure, Figure)| {
        let best = best_of(&[a.value, b.value], a.better);
        view! {
            <tr>
                <th scope="row">{a.name}</th>
                {cell(a.text, best[0])}
                {cell(b.text, best[1])}
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
                        {cell(format::figure(result.final_equity), equity[0])}
                        {cell(format::figure(held_equity), equity[1])}
                        <td class="means">"Money, and the worth of what is held, at the end"</td>
                    </tr>
                    {lines.collect_view()}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
