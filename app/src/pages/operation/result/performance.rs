//! Performance of a strategy compared with buy and hold. The better value is marked.

use crate::outcome::{Better, Figure, all, backtest, best_of, distinct_texts};
use display::format;
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

/// Cells of a figure for the strategy and for buy and hold.
fn pair(own: &Figure, held: &Figure) -> impl IntoView + use<> {
    let mut texts = distinct_texts(&[Some(own), Some(held)]);
    let best = best_of(&[own.value, held.value], &texts, own.better);
    let (held, own) = (texts.pop(), texts.pop());
    view! {
        {cell(own.unwrap_or_default(), best[0])}
        {cell(held.unwrap_or_default(), best[1])}
    }
}

/// Cells of the final equity for the strategy and for buy and hold.
fn equities(own: f64, held: f64) -> impl IntoView + use<> {
    let equities = [Some(own), Some(held)];
    let texts = format::tell_apart(&equities, format::figure_to);
    let best = best_of(&equities, &texts, Better::Higher);
    view! {
        {cell(texts[0].clone(), best[0])}
        {cell(texts[1].clone(), best[1])}
    }
}

/// Table of the comparison.
#[component]
pub fn PerformanceTable(result: BacktestResult) -> impl IntoView {
    let (mine, held) = (result.performance, result.buy_and_hold);
    let held_equity = result.capital * (1.0 + held.total_return);
    // Out-of-sample part of the bars, if the model was trained on the rest.
    let after = result.in_sample.and_then(|seen| seen.out_of_sample);
    let has_after = after.is_some();
    let mut after_lines = after.as_ref().map(|after| {
        let (own, held) = (&after.performance, &after.buy_and_hold);
        all(&backtest::PERFORMANCE, own).into_iter().zip(all(&backtest::PERFORMANCE, held))
    });
    let line = |(own, held): (Figure, Figure)| {
        let after = after_lines.as_mut().and_then(Iterator::next).map(|(own, held)| pair(&own, &held));
        let figures = pair(&own, &held);
        view! {
            <tr>
                <th scope="row">{own.name}</th>
                {figures}
                {after}
                <td class="means">{own.means}</td>
            </tr>
        }
    };
    let lines: Vec<_> = all(&backtest::PERFORMANCE, &mine)
        .into_iter()
        .zip(all(&backtest::PERFORMANCE, &held))
        .map(line)
        .collect();
    let after_equity = after
        .as_ref()
        .map(|after| equities(after.final_equity, result.capital * (1.0 + after.buy_and_hold.total_return)));
    let after_heads = has_after.then(|| {
        view! {
            <th scope="col" class="num" title="Starts with the first bar after the training and validation period">"Out of sample"</th>
            <th scope="col" class="num" title="Buy and hold over the same bars">"Buy and hold"</th>
        }
    });
    view! {
        <div class="scroll-x">
            <table class="plain performance">
                <caption class="unseen">"Performance vs. buy and hold; the better value in each row is marked"</caption>
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col" class="num">{result.strategy}</th>
                        <th scope="col" class="num">"Buy and hold"</th>
                        {after_heads}
                        <th scope="col" class="means">"Definition"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr>
                        <th scope="row">"Final equity"</th>
                        {equities(result.final_equity, held_equity)}
                        {after_equity}
                        <td class="means">"Cash after the last position was closed, with costs"</td>
                    </tr>
                    {lines}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
