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
    // The bars that a model has not seen, where it was trained on others of them.
    let after = result.in_sample.and_then(|seen| seen.out_of_sample);
    let has_after = after.is_some();
    let mut after_lines = after.as_ref().map(|after| {
        let (own, held) = (&after.performance, &after.buy_and_hold);
        all(&backtest::PERFORMANCE, own)
            .into_iter()
            .zip(all(&backtest::PERFORMANCE, held))
            .collect::<Vec<_>>()
            .into_iter()
    });
    let line = |(a, b): (Figure, Figure)| {
        let best = best_of(&[a.value, b.value], a.better);
        let after = after_lines.as_mut().and_then(Iterator::next).map(|(own, held)| {
            let best = best_of(&[own.value, held.value], own.better);
            view! {
                {cell(own.text, best[0])}
                {cell(held.text, best[1])}
            }
        });
        view! {
            <tr>
                <th scope="row">{a.name}</th>
                {cell(a.text, best[0])}
                {cell(b.text, best[1])}
                {after}
                <td class="means">{a.means}</td>
            </tr>
        }
    };
    let lines: Vec<_> = all(&backtest::PERFORMANCE, &mine)
        .into_iter()
        .zip(all(&backtest::PERFORMANCE, &held))
        .map(line)
        .collect();
    let after_equity = after.as_ref().map(|after| {
        let held = result.capital * (1.0 + after.buy_and_hold.total_return);
        let best = best_of(&[Some(after.final_equity), Some(held)], Better::Higher);
        view! {
            {cell(format::figure(after.final_equity), best[0])}
            {cell(format::figure(held), best[1])}
        }
    });
    let after_heads = has_after.then(|| {
        view! {
            <th scope="col" class="num" title="Begun anew with the first bar that the model has not seen">"Out of sample"</th>
            <th scope="col" class="num" title="Buying and holding over the same bars">"Buy and hold"</th>
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
                        {after_heads}
                        <th scope="col" class="means">"what it means"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr>
                        <th scope="row">"Final equity"</th>
                        {cell(format::figure(result.final_equity), equity[0])}
                        {cell(format::figure(held_equity), equity[1])}
                        {after_equity}
                        <td class="means">"Money, and the worth of what is held, at the end"</td>
                    </tr>
                    {lines}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
