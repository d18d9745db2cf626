//! Table of the runs of a sweep, best first, with a bar for each value.

use super::metric;
use app_state::address;
use components::link::A;
use components::reactive::{text, yes};
use display::format;
use leptos::prelude::*;
use protocol::sweep::SweepResult;
use std::collections::HashSet;
use sweep_plan::Plan;

/// Rank of each run, from 1. Runs with the same text share a rank.
pub fn ranks(texts: &[String]) -> Vec<usize> {
    let mut rank = 1;
    let ranked = texts.iter().enumerate().map(|(place, text)| {
        if place > 0 && !format::reads_same(text, &texts[place - 1]) {
            rank = place + 1;
        }
        rank
    });
    ranked.collect()
}

/// Length of a bar, 0 to 1: from the worst value, or from zero if it is between the values.
fn length(figure: f64, (least, most): (f64, f64)) -> f64 {
    let size = least.abs().max(most.abs());
    match least < 0.0 && most > 0.0 {
        true => figure.abs() / size,
        false if most > least => (figure - least) / (most - least),
        false => 1.0,
    }
}

/// The table; `wording` says how many runs have ended. Only the runs at the
/// `chosen` places are shown; `None` shows all.
pub fn table(
    plan: &Plan,
    known: &SweepResult,
    texts: &[String],
    wording: impl Fn() -> String + Send + 'static,
    chosen: Memo<Option<HashSet<usize>>>,
) -> AnyView {
    let values = || known.ran.iter().filter_map(|ran| ran.figure);
    let ends = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let rows =
        known.ran.iter().zip(texts).zip(ranks(texts)).enumerate().map(|(at, ((ran, wording), rank))| {
            let out =
                move || chosen.with(|chosen| chosen.as_ref().is_some_and(|chosen| !chosen.contains(&at)));
            let values = plan
                .run(ran.run as usize)
                .map(|(_, value)| view! { <td class="num">{value.to_owned()}</td> });
            // A run without a value has no rank.
            let place = ran.figure.map_or_else(|| "–".to_owned(), |_| rank.to_string());
            let best = (rank == 1 && ran.figure.is_some()).then_some("");
            let (values, wording) = (values.collect_view(), wording.clone());
            let (href, number) = (address::operation(ran.operation), ran.run + 1);
            let bar = ran.figure.map(|figure| {
                let style = format!("--share:{:.3}", length(figure, ends));
                view! { <span class="rank-bar" style=style data-below=(figure < 0.0).then_some("")></span> }
            });
            view! {
                <tr data-best=best hidden=yes(out)>
                    <td class="num">{place}</td>
                    {values}
                    <td class="num">{wording}</td>
                    <td class="rank-cell" aria-hidden="true">{bar}</td>
                    <td>
                        <A href=href>"run " {number}</A>
                    </td>
                </tr>
            }
        });
    let rows = rows.collect_view();
    let order = if known.lowest { "lowest first" } else { "highest first" };
    let names = plan.names.clone();
    view! {
        <section class="card sweep" aria-labelledby="sweep-title">
            <header class="result-head">
                <h2 id="sweep-title">"Runs by " {metric(&known.rank_by)} ", " {order}</h2>
                <p class="muted">{text(wording)}</p>
            </header>
            <div class="scroll sweep-table" tabindex="0" role="region" aria-label="Ranked runs">
                <table class="plain">
                    <thead>
                        <tr>
                            <th scope="col" class="num">"Rank"</th>
                            {names
                                .into_iter()
                                .map(|name| view! { <th scope="col" class="num">{name}</th> })
                                .collect_view()}
                            <th scope="col" class="num">{metric(&known.rank_by)}</th>
                            <td></td>
                            <th scope="col">"Run"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_bar_begins_at_zero_if_that_is_among_the_values() {
        assert_eq!([-1.0, 0.0, 2.0].map(|f| length(f, (-1.0, 2.0))), [0.5, 0.0, 1.0]);
        assert_eq!([1.0, 2.0].map(|f| length(f, (1.0, 3.0))), [0.0, 0.5]);
        assert_eq!(length(5.0, (5.0, 5.0)), 1.0);
    }
}
