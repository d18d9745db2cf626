//! Heat map of two parameters, one in rows and one in columns. Each cell shows its value and links to its run; if more
//! parameters vary, to the best of its runs.

use super::importance::{importance, main_two};
use super::{best, figures, metric, place};
use crate::outcome::headline::brief;
use app_state::address;
use components::link::A;
use components::reactive::{part, text, yes};
use leptos::prelude::*;
use protocol::sweep::SweepResult;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use sweep_plan::Plan;

/// Number of tints, as in the tokens `--heat-1` to `--heat-7`.
pub const TINTS: u32 = 7;

/// Tint of a value, from 1 for the worst to [`TINTS`] for the best.
pub fn tint(figure: f64, (least, most): (f64, f64), lowest: bool) -> u32 {
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

/// Parameters of the rows and of the columns, by their place in the plan.
pub type Pair = (usize, usize);

/// For each cell, the place of its best run in the ranking. Several runs share a cell if other parameters vary too.
fn best_of_cells(plan: &Plan, known: &SweepResult, (down, across): Pair) -> HashMap<(usize, usize), usize> {
    let mut cells = HashMap::new();
    for (at, ran) in known.ran.iter().enumerate() {
        let Some(places) = plan.runs.get(ran.run as usize) else { continue };
        // The ranking has the best first.
        cells.entry((places[down], places[across])).or_insert(at);
    }
    cells
}

/// Choice of the two parameters. A parameter that is already at the other place changes places with it.
fn axes(plan: &Plan, pair: Memo<Pair>, chosen: RwSignal<Option<Pair>>) -> AnyView {
    let select = |down: bool| {
        let here = move |pair: Pair| if down { pair.0 } else { pair.1 };
        let varied = plan.names.iter().enumerate().filter(|(place, _)| plan.values[*place].len() > 1);
        let option = |(place, name): (usize, &String)| {
            let selected = place == here(pair.get_untracked());
            view! { <option value=place.to_string() selected=selected>{name.replace('_', " ")}</option> }
        };
        let picked = move |event| {
            let Ok(new) = event_target_value(&event).parse::<usize>() else { return };
            let (old_down, old_across) = pair.get_untracked();
            chosen.set(Some(match down {
                true => (new, if new == old_across { old_down } else { old_across }),
                false => (if new == old_down { old_across } else { old_down }, new),
            }));
        };
        view! {
            <label>
                {if down { "Rows" } else { "Columns" }}
                <select prop:value=text(move || here(pair.get()).to_string()) on:change=picked>
                    {varied.map(option).collect_view()}
                </select>
            </label>
        }
        .into_any()
    };
    view! { <p class="heat-axes only-script">{select(true)} {select(false)}</p> }.into_any()
}

/// The card; empty unless two parameters vary. With more than two, it shows the first two while the sweep runs and the
/// two most important ones afterwards, until others are chosen. A cell shows the best of its runs.
#[component]
pub fn HeatMap(plan: StoredValue<Plan>, known: Memo<Option<Arc<SweepResult>>>) -> impl IntoView {
    let Some(first) = plan.with_value(|plan| main_two(plan, &[])) else { return ().into_any() };
    let chosen = RwSignal::new(None::<Pair>);
    let pair = Memo::new(move |_| {
        let main = || {
            let known = known.get().filter(|known| known.over() >= known.runs)?;
            plan.with_value(|plan| main_two(plan, &importance(plan, &known)))
        };
        chosen.get().or_else(main).unwrap_or(first)
    });
    let varied = plan.with_value(|plan| plan.values.iter().filter(|values| values.len() > 1).count());
    let title = move || {
        let (down, across) = pair.get();
        let name = known.with(|known| known.as_ref().map(|known| metric(&known.rank_by)).unwrap_or_default());
        plan.with_value(|plan| {
            let [down, across] = [down, across].map(|place| plan.names[place].replace('_', " "));
            capital(&format!("{name} by {down} and {across}"))
        })
    };
    let choice = (varied > 2).then(|| {
        view! {
            {plan.with_value(|plan| axes(plan, pair, chosen))}
            <p class="muted">"Each cell shows the best value of its runs."</p>
        }
    });
    let colours =
        part(move || known.with(|known| Some(scale(ends(known.as_ref()?)?, known.as_ref()?.lowest))));
    let cells = part(move || {
        let known = known.get()?;
        Some(plan.with_value(|plan| table(plan, &known, &figures(&known.ran), pair.get())))
    });
    view! {
        <section class="card heat-card" aria-labelledby="heat-title" hidden=yes(move || known.with(Option::is_none))>
            <header class="result-head">
                <h2 id="heat-title">{text(title)}</h2>
                {colours}
            </header>
            {choice}
            <div class="scroll-x" tabindex="0" role="region" aria-label="Heat map of runs">
                {cells}
            </div>
        </section>
    }
    .into_any()
}

/// The text with a capital letter first.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Lowest and highest figure; `None` without any.
fn ends(known: &SweepResult) -> Option<(f64, f64)> {
    let values = || known.ran.iter().filter_map(|ran| ran.figure);
    Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
}

/// The map of two parameters.
fn table(plan: &Plan, known: &SweepResult, texts: &[String], pair: Pair) -> AnyView {
    let (rows, columns) = (&plan.values[pair.0], &plan.values[pair.1]);
    let [down, across] = [pair.0, pair.1].map(|place| plan.names[place].replace('_', " "));
    let planned: HashSet<(usize, usize)> =
        plan.runs.iter().map(|places| (places[pair.0], places[pair.1])).collect();
    let cells = best_of_cells(plan, known, pair);
    let ends = ends(known).unwrap_or_default();
    let best = best(known).map(|ran| ran.run);
    let name = metric(&known.rank_by);
    let at = |row: usize, column: usize| -> AnyView {
        let ran = cells.get(&(row, column)).map(|at| (&known.ran[*at], &texts[*at]));
        match ran {
            None if planned.contains(&(row, column)) => view! { <td class="muted">"·"</td> }.into_any(),
            None => view! { <td class="muted">"not run"</td> }.into_any(),
            Some((ran, text)) => {
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
    view! {
        <table class="plain heat">
            <caption class="unseen">
                "Each cell shows the value of one run, and links to this run. The best value is outlined."
            </caption>
            <thead>
                <tr>
                    <th scope="col" class="heat-corner">
                        {down}
                        " ↓  "
                        {across}
                        " →"
                    </th>
                    {heads}
                </tr>
            </thead>
            <tbody>{lines}</tbody>
        </table>
    }
    .into_any()
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

    #[test]
    fn a_cell_of_several_runs_has_the_best_of_them() {
        let plan = Plan::read("a=1,2; b=1,2; c=1,2", None).unwrap();
        let operation: protocol::OperationId = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        let ran =
            |run, figure| protocol::sweep::Ran { run, operation, state: protocol::State::Succeeded, figure };
        let known = SweepResult {
            rank_by: "performance.sharpe".into(),
            lowest: false,
            names: Vec::new(),
            // Ranked: the run a=1, b=1, c=2 before a=1, b=1, c=1; then a=2, b=2, c=1 without a figure.
            ran: vec![ran(1, Some(2.0)), ran(0, Some(1.0)), ran(6, None)],
            runs: 8,
            deleted: 0,
        };
        let cells = best_of_cells(&plan, &known, (0, 1));
        assert_eq!((cells.get(&(0, 0)), cells.get(&(1, 1)), cells.len()), (Some(&0), Some(&2), 2));
        assert_eq!(best_of_cells(&plan, &known, (0, 2)).get(&(0, 0)), Some(&1));
    }
}
