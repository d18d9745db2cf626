//! Sweep: key figures, heat map of two parameters, parallel coordinates, importance, ranked and active runs, and what
//! to do next.

mod axes;
mod grid;
mod heat;
mod importance;
mod parallel;
mod ranking;

use crate::outcome::headline::brief;
use crate::outcome::{Body, Outcome, SWEEP};
use crate::pages::operations::table::Table;
use app_state::address;
use components::headline::{HeadFigure, Tone};
use components::link::A;
use components::reactive::part;
use display::format;
use grid::{edges, refined};
use heat::HeatMap;
use leptos::prelude::*;
use live::query;
use live::{OpView, OperationStore};
use parallel::{Choice, Parallel};
use protocol::State;
use protocol::sweep::{Ran, SweepResult};
use serde_json::Value;
use std::sync::Arc;
use sweep_plan::Plan;

/// Number of top runs to compare.
const COMPARED: usize = 5;

/// Sweep plan from the parameters.
fn plan(params: &Value) -> Option<Plan> {
    let number = |name: &str| params.get(name).and_then(Value::as_u64);
    let random = params.get("search").and_then(Value::as_str) == Some("random");
    let sample = random.then(|| (number("samples").unwrap_or(20) as u32, number("seed").unwrap_or(1)));
    Plan::read(params.get("vary")?.as_str()?, sample).ok()
}

/// Name of the metric: the end of its path, `Sharpe` of `performance.sharpe`.
fn metric(path: &str) -> String {
    match path.rsplit('.').next().unwrap_or(path) {
        name @ ("sharpe" | "sortino" | "calmar") => name[..1].to_uppercase() + &name[1..],
        name => name.replace('_', " "),
    }
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

/// Parameters of a run: `fast 30, slow 400`.
fn place(plan: &Plan, run: u32) -> String {
    plan.run(run as usize).map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// Best run, if any has a value.
fn best(known: &SweepResult) -> Option<&Ran> {
    known.ran.first().filter(|ran| ran.figure.is_some_and(f64::is_finite))
}

/// Key figures of the runs so far.
fn key_figures(plan: &Plan, known: &SweepResult, done: u64) -> Vec<HeadFigure> {
    let name = metric(&known.rank_by);
    let mut all = Vec::new();
    if let Some(ran) = best(known) {
        let widen = edges(plan, ran.run as usize);
        all.push(HeadFigure {
            label: format!("best {name}"),
            value: ran.figure.map(brief).unwrap_or_default(),
            note: place(plan, ran.run),
            means: if known.lowest { "Lowest value of all runs" } else { "Highest value of all runs" },
            ..HeadFigure::default()
        });
        if !widen.is_empty() {
            all.push(HeadFigure {
                label: "best at the edge of the grid".to_owned(),
                value: widen.join(", "),
                note: "widen the range".to_owned(),
                means: "The best run has the first or last value of this parameter. Values beyond it may be better",
                tone: Tone::Warn,
            });
        }
        let ranked: Vec<f64> = known.ran.iter().filter_map(|ran| ran.figure).collect();
        if ranked.len() > 2 {
            all.push(HeadFigure {
                label: format!("median {name}"),
                value: brief(median(&ranked)),
                note: format!("worst {}", brief(ranked[ranked.len() - 1])),
                ..HeadFigure::default()
            });
        }
    }
    let without = known.ran.iter().filter(|ran| ran.figure.is_none()).count() as u64;
    all.push(HeadFigure {
        label: "runs ended".to_owned(),
        value: format!("{} of {}", format::count(done), format::count(u64::from(known.runs))),
        note: if without > 0 { format!("{} without a value", format::count(without)) } else { String::new() },
        tone: if without > 0 { Tone::Warn } else { Tone::Plain },
        ..HeadFigure::default()
    });
    all
}

/// Sweep on its page.
#[derive(Clone, Copy)]
pub struct Sweep {
    op: OpView,
    plan: StoredValue<Plan>,
    /// The result, or the latest checkpoint until there is one.
    known: Memo<Option<Arc<SweepResult>>>,
    /// Runs chosen on the parallel coordinates, once they are shown.
    choice: StoredValue<Option<Choice>>,
    owner: StoredValue<Owner>,
}

impl Sweep {
    /// `None` for other kinds.
    pub fn of(op: OpView, outcome: Memo<Option<Outcome>>) -> Option<Self> {
        let fixed = op.fixed();
        if fixed.kind.as_str() != SWEEP {
            return None;
        }
        let plan = StoredValue::new(plan(&fixed.params)?);
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
        let owner = StoredValue::new(Owner::current().unwrap_or_default());
        Some(Self { op, plan, known, choice: StoredValue::new(None), owner })
    }

    /// Runs chosen on the parallel coordinates, the same for all sections.
    fn choice(self) -> Choice {
        if let Some(choice) = self.choice.get_value() {
            return choice;
        }
        let choice = self.owner.get_value().with(|| Choice::new(self.plan, self.known));
        self.choice.set_value(Some(choice));
        choice
    }

    /// Number of ended runs. While running it is that of the progress bar: the ranking arrives in another event.
    /// Tracked.
    fn done(self, known: &SweepResult) -> u64 {
        let running = !self.op.state.get().ended();
        let all = Some(u64::from(known.runs));
        let reported =
            self.op.progress.with(|p| p.as_ref().filter(|p| running && p.total == all).map(|p| p.done));
        reported.unwrap_or_else(|| u64::from(known.over()))
    }

    /// Key figures. Tracked.
    pub fn figures(self) -> Vec<HeadFigure> {
        let Some(known) = self.known.get() else { return Vec::new() };
        let done = self.done(&known);
        self.plan.with_value(|plan| key_figures(plan, &known, done))
    }

    /// *Open best*, *Compare top 5* and *Refine around best*. Tracked.
    pub fn next_steps(self) -> Option<AnyView> {
        let known = self.known.get()?;
        let ran = best(&known)?;
        let top: Vec<_> = known
            .ran
            .iter()
            .filter(|ran| ran.figure.is_some())
            .take(COMPARED)
            .map(|ran| ran.operation.to_string())
            .collect();
        let compare = (top.len() > 1).then(|| {
            let href = query::url("/compare", [("ids", top.join(",").as_str())]);
            view! { <A href=href attr:class="button">{format!("Compare top {}", top.len())}</A> }
        });
        let fixed = self.op.fixed();
        let refine =
            self.plan.with_value(|plan| refined(plan, ran.run as usize, &fixed.params)).map(|params| {
                let href = address::start_again(SWEEP, &params);
                let title =
                    "New sweep around the best run, with its values, the neighbouring values, and values in between";
                view! {
                    <A href=href attr:class="button" attr:title=title>
                        "Refine around best"
                    </A>
                }
            });
        Some(
            view! {
                <div class="go-on">
                    <A href=address::operation(ran.operation) attr:class="button">
                        "Open best"
                    </A>
                    {compare}
                    {refine}
                </div>
            }
            .into_any(),
        )
    }

    /// Heat map of two parameters, parallel coordinates and importance.
    pub fn main(self) -> AnyView {
        let choice = self.choice();
        let importance = part(move || {
            let known = self.known.get()?;
            self.plan.with_value(|plan| importance::bars(plan, &known))
        });
        view! {
            <div class="sweep-charts">
                <HeatMap plan=self.plan known=self.known/>
                <Parallel plan=self.plan known=self.known choice/>
                {importance}
            </div>
        }
        .into_any()
    }

    /// Active and ranked runs.
    pub fn table(self) -> AnyView {
        let choice = self.choice();
        view! {
            <Children op=self.op/>
            {part(move || {
                let known = self.known.get()?;
                let wording = {
                    let known = known.clone();
                    move || {
                        let without = known.ran.iter().filter(|ran| ran.figure.is_none()).count() as u64;
                        display::sweep::standing(self.done(&known), u64::from(known.runs), without)
                    }
                };
                let chosen = Memo::new(move |_| choice.chosen());
                Some(self.plan.with_value(|plan| ranking::table(plan, &known, &figures(&known.ran), wording, chosen)))
            })}
        }
        .into_any()
    }
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

/// Median of sorted values; there is at least one.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ran(run: u32, figure: Option<f64>) -> Ran {
        Ran {
            run,
            operation: "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap(),
            state: State::Succeeded,
            figure,
        }
    }

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
    fn runs_whose_figures_read_the_same_share_a_rank() {
        let texts = figures(&[0.3, 0.1 + 0.2, 0.300_000_1].map(|f| ran(0, Some(f))));
        assert_eq!(texts, ["0.3", "0.3", "0.3000001"]);
        assert_eq!(ranking::ranks(&texts), [1, 1, 3]);
        assert_eq!(figures(&[ran(0, Some(-1.5)), ran(0, None)]), ["−1.5", "no value"]);
    }

    #[test]
    fn the_best_run_is_shown_with_its_position_and_whether_it_is_at_the_edge() {
        let plan = plan(&json!({"vary": "fast=5,10,20; slow=50,100,150", "search": "grid"})).unwrap();
        let known = |run: u32| SweepResult {
            rank_by: "performance.sharpe".into(),
            lowest: false,
            names: plan.names.clone(),
            ran: vec![ran(run, Some(0.9)), ran(0, Some(0.5)), ran(1, Some(0.1)), ran(2, None)],
            runs: 9,
            deleted: 0,
        };
        let texts = |run: u32| {
            let all = key_figures(&plan, &known(run), 4);
            all.into_iter().map(|f| format!("{} {} ({})", f.label, f.value, f.note)).collect::<Vec<_>>()
        };
        assert_eq!(
            texts(4),
            [
                "best Sharpe 0.9 (fast 10, slow 100)",
                "median Sharpe 0.5 (worst 0.1)",
                "runs ended 4 of 9 (1 without a value)"
            ]
        );
        assert_eq!(median(&[4.0, 2.0, 1.0, 0.0]), 1.5);
        assert_eq!(texts(5)[1], "best at the edge of the grid slow (widen the range)");
        assert_eq!(metric("test.accuracy"), "accuracy");
        assert_eq!(metric("performance.total_return"), "total return");
    }
}
