//! Heat map of two parameters, one in rows and one in columns. Each cell shows its value and links to its run.

use super::{best, metric, place};
use crate::outcome::headline::brief;
use app_state::address;
use components::link::A;
use leptos::prelude::*;
use protocol::sweep::SweepResult;
use sweep_plan::Plan;

/// Number of tints, as in the tokens `--heat-1` to `--heat-7`.
const TINTS: u32 = 7;

/// Tint of a value, from 1 for the worst to [`TINTS`] for the best.
fn tint(figure: f64, (least, most): (f64, f64), lowest: bool) -> u32 {
    let share = if most > least { (figure - least) / (most - least) } else { 1.0 };
    let share = if lowest && most > least { 1.0 - share } else { share };
    ((share * f64::from(TINTS)).floor() as u32).min(TINTS - 1) + 1
}

/// Scale of the tints, from the worst to the best value.
fn scale((least, most): (f64, f64), lowest: bool) -> AnyView {
    let (worst, best) = if lowest { (most, least) } else { (least, most) };
    let tints = (1..=TINTS).map(|tint| view! { <i data-heat=tint.to_string()></i> });
    view! {
        <p class="heat-scale num">
            <span>"worst " {brief(worst)}</span>
            <span class="heat-tints" aria-hidden="true">
                {tints.collect_view()}
            </span>
            <span>"best " {brief(best)}</span>
        </p>
    }
    .into_any()
}

/// The map; `None` unless exactly two parameters vary.
pub fn map(plan: &Plan, known: &SweepResult, texts: &[String]) -> Option<AnyView> {
    let ([down, across], [rows, columns]) = (plan.names.as_slice(), plan.values.as_slice()) else {
        return None;
    };
    if rows.len() < 2 || columns.len() < 2 {
        return None;
    }
    let values = || known.ran.iter().filter_map(|ran| ran.figure);
    let ends = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let best = best(known).map(|ran| ran.run);
    let name = metric(&known.rank_by);
    let at = |row: usize, column: usize| -> AnyView {
        let run = plan.runs.iter().position(|places| *places == [row, column]);
        let ran = run.and_then(|run| known.ran.iter().zip(texts).find(|(ran, _)| ran.run as usize == run));
        match (run, ran) {
            (None, _) => view! { <td class="muted">"not run"</td> }.into_any(),
            (_, None) => view! { <td class="muted">"·"</td> }.into_any(),
            (_, Some((ran, text))) => {
                let href = address::operation(ran.operation);
                let shown = ran.figure.map_or_else(|| text.clone(), brief);
                let heat = ran.figure.map(|f| tint(f, ends, known.lowest).to_string());
                let title = format!("{}: {name} {text}", place(plan, ran.run));
                view! {
                    <td class="num" data-heat=heat data-best=(best == Some(ran.run)).then_some("")>
                        <A href attr:title=title>
                            {shown}
                        </A>
                    </td>
                }
                .into_any()
            }
        }
    };
    let lines = rows.iter().enumerate().map(|(row, value)| {
        let cells: Vec<AnyView> = (0..columns.len()).map(|column| at(row, column)).collect();
        view! {
            <tr>
                <th scope="row" class="num">{value.clone()}</th>
                {cells}
            </tr>
        }
    });
    let lines = lines.collect_view();
    let heads =
        columns.iter().map(|value| view! { <th scope="col" class="num">{value.clone()}</th> }).collect_view();
    Some(
        view! {
            <section class="card heat-card" aria-labelledby="heat-title">
                <header class="result-head">
                    <h2 id="heat-title">{name.clone()} " by " {down.clone()} " and " {across.clone()}</h2>
                    {values().next().is_some().then(|| scale(ends, known.lowest))}
                </header>
                <div class="scroll-x" tabindex="0" role="region" aria-label="Heat map of runs">
                    <table class="plain heat">
                        <caption class="unseen">
                            "Each cell has the value of a run and links to it. The best is outlined."
                        </caption>
                        <thead>
                            <tr>
                                <th scope="col" class="heat-corner">{down.clone()} " ↓  " {across.clone()} " →"</th>
                                {heads}
                            </tr>
                        </thead>
                        <tbody>{lines}</tbody>
                    </table>
                </div>
            </section>
        }
        .into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_cell_has_the_strongest_tint() {
        let ends = (1.0, 3.0);
        assert_eq!([1.0, 2.0, 3.0].map(|f| tint(f, ends, false)), [1, 4, 7]);
        assert_eq!([1.0, 2.0, 3.0].map(|f| tint(f, ends, true)), [7, 4, 1]);
        assert_eq!(tint(2.0, (2.0, 2.0), true), 7);
    }
}
