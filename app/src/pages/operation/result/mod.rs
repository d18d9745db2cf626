//! Result views: one per bundled kind, and the JSON document for other kinds.

mod backtest;
mod confusion;
mod equity;
mod exec;
mod json;
mod load;
mod months;
mod performance;
mod returns;
mod rolling;
mod trade_line;
mod trades;
mod training;

use super::candles::{Candles, Market, SampledBars};
use crate::outcome::{BACKTEST, Body, Figure, LOAD, Outcome, SWEEP, TRAINING};
use app_state::Data;
use charts::{ChartGroup, Missing};
use components::link::A;
use components::reactive::part;
use leptos::prelude::*;
use live::OpView;
use live::base;
use live::query;
use protocol::host::Artifact;
use protocol::results::BacktestResult;
use protocol::{OperationId, paths};
use trades::Trades;

/// Label of the result's tab.
pub fn result_label(kind: &str) -> &'static str {
    match kind {
        LOAD => "Data quality",
        BACKTEST => "Performance",
        TRAINING => "Model",
        SWEEP => "Runs",
        _ => "Result",
    }
}

/// Parts of a result on the page.
#[derive(Clone, Copy)]
pub struct ResultParts {
    op: OpView,
    outcome: Memo<Option<Outcome>>,
    /// Main charts, which other parts zoom.
    group: ChartGroup,
    trades: Trades,
}

impl ResultParts {
    /// Parts of an operation's result; all are empty until there is one.
    pub fn new(op: OpView, outcome: Memo<Option<Outcome>>) -> Self {
        let has_trades = move || {
            outcome.with(|o| {
                o.as_ref().is_some_and(|o| {
                    matches!(&o.body, Body::Backtest(r) if r.trade_count > 0) && o.has("trades")
                })
            })
        };
        let group = ChartGroup::new();
        Self { op, outcome, group, trades: Trades::once(op.id, group, has_trades) }
    }

    /// Part that shows something of the outcome.
    fn of(self, show: impl Fn(&Outcome) -> Option<AnyView> + Send + 'static) -> AnyView {
        part(move || self.outcome.with(|outcome| outcome.as_ref().and_then(&show))).into_any()
    }

    /// Main charts: the bars of a load, equity and trades of a backtest. Charts appear if their artifacts exist.
    pub fn main(self) -> AnyView {
        let (id, group) = (self.op.id, self.group);
        self.of(move |outcome| match &outcome.body {
            Body::Load(load) => (outcome.has("bars") && load.rows > 0).then(|| {
                let missing: Vec<Missing> = load.gaps.iter().map(missing_of).collect();
                let bars = SampledBars::new(id, load.last.map(seconds), missing.clone());
                let market = Market {
                    title: format!("{} {}", load.symbol, load.timeframe),
                    synthetic: load.synthetic,
                    missing,
                    ..Market::default()
                };
                view! { <Candles bars market group/> }.into_any()
            }),
            Body::Backtest(result) => {
                let has = |name| outcome.has(name);
                Some(backtest::charts(id, result, group, has("equity"), has("bars"), self.trades))
            }
            _ => None,
        })
    }

    /// Everything of the result beyond key figures and main charts.
    pub fn result(self) -> AnyView {
        let group = self.group;
        self.of(move |outcome| {
            Some(match &outcome.body {
                Body::Load(load) => load::load_view(load, group, outcome.has("bars")).into_any(),
                Body::Backtest(result) => backtest::performance_view(result),
                Body::Training(result) => training::training_view(result),
                Body::Exec(result) => exec::exec_view(result),
                Body::Sweep(_) => return None,
                Body::Other(document) => view! {
                    <section class="card result" aria-label="Result">
                        <h2>"Result"</h2>
                        {json::json_view(document)}
                    </section>
                }
                .into_any(),
            })
        })
    }

    /// Sets what *Show in table* of a trade does besides: it must show the tab of the trades.
    pub fn on_table(self, show: Callback<()>) {
        self.trades.on_table.set_value(Some(show));
    }

    /// Table of the trades of a backtest.
    pub fn trades(self) -> AnyView {
        self.of(move |outcome| match &outcome.body {
            Body::Backtest(result) if result.trade_count > 0 && outcome.has("trades") => {
                Some(self.trades.view(format!("{}-{}-trades.csv", result.symbol, result.timeframe)))
            }
            _ => None,
        })
    }

    /// Returns of a backtest by month and by size.
    pub fn returns(self) -> AnyView {
        let (id, trades, group) = (self.op.id, self.trades.list, self.group);
        self.of(move |outcome| match &outcome.body {
            Body::Backtest(result) => {
                let rolling = outcome
                    .has("rolling")
                    .then(|| view! { <rolling::RollingSharpe id result=BacktestResult::clone(result)/> });
                let returns = returns::returns_view(result, trades, group);
                Some(view! { {rolling} {returns} }.into_any())
            }
            _ => None,
        })
    }

    /// Download links of the artifacts.
    pub fn artifacts(self) -> AnyView {
        let id = self.op.id;
        self.of(move |outcome| artifacts(id, &outcome.artifacts))
    }
}

/// Links to what uses the result: *Backtest this model*.
pub fn next_steps(outcome: &Outcome) -> Option<AnyView> {
    let to = match &outcome.body {
        Body::Load(load) => load::next_steps(load),
        Body::Training(result) => training::next_steps(result),
        _ => return None,
    };
    Some(view! { <GoOn to/> }.into_any())
}

/// Download links of the artifacts.
fn artifacts(id: OperationId, artifacts: &[Artifact]) -> Option<AnyView> {
    if artifacts.is_empty() {
        return None;
    }
    let lines = artifacts.iter().map(|artifact| {
        let path = paths::artifact(id, &query::encode(&artifact.name));
        let href = base::url(&path);
        view! {
            <li>
                <a href=href download=artifact.name.clone() rel="external">
                    {artifact.name.clone()}
                </a>
                " "
                <span class="muted">{artifact.media_type.clone()} " " {artifact.description.clone()}</span>
            </li>
        }
    });
    Some(
        view! {
            <section class="card artifacts" aria-labelledby="artifacts-title">
                <h2 id="artifacts-title">"Artifacts"</h2>
                <ul>{lines.collect_view()}</ul>
            </section>
        }
        .into_any(),
    )
}

/// Missing bars of a gap.
fn missing_of(gap: &protocol::results::Gap) -> Missing {
    Missing { from: seconds(gap.from), to: seconds(gap.to), bars: gap.bars as f64 }
}

/// Seconds since 1970, the unit of chart axes.
fn seconds(time: protocol::Time) -> f64 {
    time.millis() / 1_000.0
}

/// URL of a kind's start form with parameters filled in.
fn start(kind: &str, params: &[(&str, &str)]) -> String {
    query::url("/new", std::iter::once(("kind", kind)).chain(params.iter().copied()))
}

/// Next step after a result: kind, label and URL.
type Step = (&'static str, &'static str, String);

/// Next steps after a result. Only kinds that a host offers are shown.
#[component]
fn GoOn(to: Vec<Step>) -> impl IntoView {
    let kinds = Data::here().kinds;
    part(move || {
        let list = kinds.get()?.ok()?;
        let offered = |kind: &str| list.kinds.iter().any(|o| o.spec.name.as_str() == kind);
        let links = to.iter().filter(|(kind, ..)| offered(kind)).map(|(_, wording, href)| {
            let (wording, href) = (*wording, href.clone());
            view! {
                <A href=href attr:class="button">
                    {wording}
                </A>
            }
        });
        Some(view! { <div class="go-on">{links.collect_view()}</div> }.into_any())
    })
}

/// Name and value.
fn fact(name: impl Into<String>, value: String) -> AnyView {
    let name: String = name.into();
    view! {
        <div>
            <dt>{name}</dt>
            <dd class="num">{value}</dd>
        </div>
    }
    .into_any()
}

/// Figures with their definitions as tooltips.
fn facts(figures: Vec<Figure>) -> AnyView {
    let fact = |figure: Figure| {
        let means = (!figure.means.is_empty()).then_some(figure.means);
        view! {
            <div title=means>
                <dt>{figure.name}</dt>
                <dd class="num">{figure.text}</dd>
            </div>
        }
    };
    figures.into_iter().map(fact).collect_view().into_any()
}
