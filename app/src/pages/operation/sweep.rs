//! Sweep: ranked runs, a heat map of two parameters, and active runs.

use crate::outcome::{Body, Outcome, SWEEP};
use crate::pages::operations::table::Table;
use app_state::address;
use components::link::A;
use components::reactive::{part, text};
use display::format;
use leptos::prelude::*;
use live::query;
use live::{OpView, OperationStore};
use protocol::State;
use protocol::sweep::{Ran, SweepResult};
use serde_json::Value;
use sweep_plan::Plan;

/// Number of top runs to compare.
const COMPARED: usize = 5;
/// Number of tints in the heat map.
const TINTS: f64 = 6.0;

/// Sweep plan from the parameters.
fn plan(params: &Value) -> Option<Plan> {
    let number = |name: &str| params.get(name).and_then(Value::as_u64);
    let random = params.get("search").and_then(Value::as_str) == Some("random");
    let sample = random.then(|| (number("samples").unwrap_or(20) as u32, number("seed").unwrap_or(1)));
    Plan::read(params.get("vary")?.as_str()?, sample).ok()
}

/// Sections of a sweep; empty for other kinds.
#[component]
pub fn SweepView(op: OpView, outcome: Memo<Option<Outcome>>) -> impl IntoView {
    let fixed = op.fixed();
    if fixed.kind.as_str() != SWEEP {
        return ().into_any();
    }
    let Some(plan) = plan(&fixed.params) else { return ().into_any() };
    let plan = StoredValue::new(plan);
    // The result, or the latest checkpoint until there is one.
    let known = Memo::new(move |_| {
        let ended = outcome.with(|outcome| match outcome.as_ref().map(|o| &o.body) {
            Some(Body::Sweep(result)) => Some(result.clone()),
            _ => None,
        });
        ended.or_else(|| {
            op.facts.with(|facts| {
                let state = facts.checkpoint.as_ref()?.state.to_string();
                json::from_str::<SweepResult>(&state).ok().map(Into::into)
            })
        })
    });
    view! {
        <Children op/>
        {part(move || {
            let known = known.get()?;
            Some(plan.with_value(|plan| ranked(op, plan, &known)))
        })}
    }
    .into_any()
}

/// Runs that have not ended.
#[component]
fn Children(op: OpView) -> impl IntoView {
    let live = OperationStore::here();
    let ids = Memo::new({
        let live = live.clone();
        move |_| live.children(op.id)
    });
    let places = Memo::new(move |_| live.places());
    view! {
        <Show when=move || !ids.read().is_empty()>
            <section class="list" aria-labelledby="under-way-title">
                <h2 id="under-way-title">"Active runs"</h2>
                <Table ids left="Remaining" doing="Activity" places/>
            </section>
        </Show>
    }
    .into_any()
}

/// Displayed value of each run, with enough digits to distinguish them.
fn figures(ran: &[Ran]) -> Vec<String> {
    let values: Vec<_> = ran.iter().map(|ran| ran.figure.filter(|n| n.is_finite())).collect();
    let texts = format::tell_apart(&values, format::figure_to);
    let text = |((ran, value), text): ((&Ran, &Option<f64>), String)| match value {
        Some(_) => text,
        None if ran.state == State::Succeeded => "no value".to_owned(),
        None => ran.state.to_string(),
    };
    ran.iter().zip(&values).zip(texts).map(text).collect()
}

/// Rank of each run, from 1. Runs with the same text share a rank.
fn ranks(texts: &[String]) -> Vec<usize> {
    let mut rank = 1;
    let ranked = texts.iter().enumerate().map(|(place, text)| {
        if place > 0 && !format::reads_same(text, &texts[place - 1]) {
            rank = place + 1;
        }
        rank
    });
    ranked.collect()
}

fn ranked(op: OpView, plan: &Plan, known: &SweepResult) -> AnyView {
    let names = plan.names.clone();
    let texts = figures(&known.ran);
    let rows = known.ran.iter().zip(&texts).zip(ranks(&texts)).map(|((ran, wording), rank)| {
        let values =
            plan.run(ran.run as usize).map(|(_, value)| view! { <td class="num">{value.to_owned()}</td> });
        let best = (rank == 1 && ran.figure.is_some()).then_some("");
        let (values, wording) = (values.collect_view(), wording.clone());
        let (href, number) = (address::operation(ran.operation), ran.run + 1);
        view! {
            <tr data-best=best>
                <td class="num">{rank}</td>
                {values}
                <td class="num">{wording}</td>
                <td>
                    <A href=href>"run " {number}</A>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let (over, all) = (u64::from(known.over()), u64::from(known.runs));
    let without = known.ran.iter().filter(|ran| ran.figure.is_none()).count() as u64;
    // While running, the count is that of the progress bar: the ranking arrives in another event.
    let wording = text(move || {
        let running = !op.state.get().ended();
        let reported =
            op.progress.with(|p| p.as_ref().filter(|p| running && p.total == Some(all)).map(|p| p.done));
        display::sweep::standing(reported.unwrap_or(over), all, without)
    });
    let best: Vec<_> = known
        .ran
        .iter()
        .filter(|ran| ran.figure.is_some())
        .take(COMPARED)
        .map(|ran| ran.operation.to_string())
        .collect();
    let compare = (best.len() > 1).then(|| {
        let href = query::url("/compare", [("ids", best.join(",").as_str())]);
        view! { <A href=href attr:class="button">{format!("Compare top {}", best.len())}</A> }
    });
    let order = if known.lowest { "lowest first" } else { "highest first" };
    view! {
        <section class="card sweep" aria-labelledby="sweep-title">
            <header class="sweep-head">
                <h2 id="sweep-title">"Runs by " <code>{known.rank_by.clone()}</code> ", " {order}</h2>
                {compare}
            </header>
            <p class="muted">{wording}</p>
            {map(plan, known, &texts)}
            <div class="scroll sweep-table" tabindex="0" role="region" aria-label="Ranked runs">
                <table class="plain">
                    <thead>
                        <tr>
                            <th scope="col" class="num">"Rank"</th>
                            {names
                                .into_iter()
                                .map(|name| view! { <th scope="col" class="num">{name}</th> })
                                .collect_view()}
                            <th scope="col" class="num">"Value"</th>
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

/// Tint of a value, from 0 for the worst to [`TINTS`] for the best.
fn tint(figure: f64, (least, most): (f64, f64), lowest: bool) -> u32 {
    let share = if most > least { (figure - least) / (most - least) } else { 1.0 };
    let share = if lowest && most > least { 1.0 - share } else { share };
    (share * TINTS).floor() as u32
}

/// Heat map of two parameters, one in rows and one in columns. Cells show the values; tints only help to find them.
fn map(plan: &Plan, known: &SweepResult, texts: &[String]) -> Option<AnyView> {
    let ([down, across], [rows, columns]) = (plan.names.as_slice(), plan.values.as_slice()) else {
        return None;
    };
    if rows.len() < 2 || columns.len() < 2 {
        return None;
    }
    let values = || known.ran.iter().filter_map(|ran| ran.figure);
    let ends = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let at = |row: usize, column: usize| {
        let run = plan.runs.iter().position(|places| *places == [row, column]);
        let ran = run.and_then(|run| known.ran.iter().zip(texts).find(|(ran, _)| ran.run as usize == run));
        let (text, heat) = match (run, ran) {
            (None, _) => ("not run".to_owned(), None),
            (_, None) => ("·".to_owned(), None),
            (_, Some((ran, text))) => {
                (text.clone(), ran.figure.map(|f| tint(f, ends, known.lowest).to_string()))
            }
        };
        view! { <td class="num" data-heat=heat>{text}</td> }
    };
    let lines = rows.iter().enumerate().map(|(row, value)| {
        let cells = (0..columns.len()).map(|column| at(row, column));
        view! {
            <tr>
                <th scope="row" class="num">{value.clone()}</th>
                {cells.collect_view()}
            </tr>
        }
    });
    let lines = lines.collect_view();
    let heads =
        columns.iter().map(|value| view! { <th scope="col" class="num">{value.clone()}</th> }).collect_view();
    Some(
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Heat map of runs">
                <table class="plain heat">
                    <caption>
                        "Rows: " <code>{down.clone()}</code> ", columns: " <code>{across.clone()}</code>
                        "; a deeper tint is better"
                    </caption>
                    <thead>
                        <tr>
                            <td></td>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
        }
        .into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_plan_is_read_from_the_params_as_the_host_reads_it() {
        let grid = plan(&json!({"vary": "fast=5,10; slow=50,100", "search": "grid", "samples": 2})).unwrap();
        assert_eq!(grid.runs.len(), 4);
        let drawn =
            plan(&json!({"vary": "fast=5,10; slow=50,100", "search": "random", "samples": 2})).unwrap();
        assert_eq!(drawn.runs.len(), 2);
        assert_eq!(plan(&json!({"vary": "fast"})), None);
    }

    #[test]
    fn the_best_has_the_deepest_tint_whichever_end_it_is() {
        let ends = (1.0, 3.0);
        assert_eq!([1.0, 2.0, 3.0].map(|f| tint(f, ends, false)), [0, 3, 6]);
        assert_eq!([1.0, 2.0, 3.0].map(|f| tint(f, ends, true)), [6, 3, 0]);
        assert_eq!(tint(2.0, (2.0, 2.0), true), 6);
    }

    #[test]
    fn runs_whose_figures_read_the_same_share_a_rank() {
        let ran = |figure: Option<f64>| Ran {
            run: 0,
            operation: "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap(),
            state: State::Succeeded,
            figure,
        };
        let texts = figures(&[0.3, 0.1 + 0.2, 0.300_000_1].map(|f| ran(Some(f))));
        assert_eq!(texts, ["0.3", "0.3", "0.3000001"]);
        assert_eq!(ranks(&texts), [1, 1, 3]);
        assert_eq!(figures(&[ran(Some(-1.5)), ran(None)]), ["−1.5", "no value"]);
    }
}
