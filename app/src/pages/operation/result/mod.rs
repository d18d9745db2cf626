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
mod sections;
mod trade_line;
mod trades;
mod training;

use crate::outcome::{BACKTEST, Body, Figure, LOAD, Outcome, SWEEP, Shape, TRAINING};
use app_state::Data;
use charts::ChartGroup;
use components::link::A;
use components::reactive::part;
use leptos::prelude::*;
use live::OpView;
use live::base;
use live::query;
use protocol::host::Artifact;
use protocol::{OperationId, paths};
pub use sections::{Place, SECTIONS};
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

/// Parts of a result on the page. Those of each kind are a section of their own ([`sections`]).
#[derive(Clone, Copy)]
pub struct ResultParts {
    op: OpView,
    outcome: Memo<Option<Outcome>>,
    shape: Memo<Option<Shape>>,
    /// Main charts, which other parts zoom.
    group: ChartGroup,
    /// Trades of a backtest, once a section shows them.
    trades: StoredValue<Option<Trades>>,
    /// What *Show in table* of a trade does besides.
    on_table: StoredValue<Option<Callback<()>>>,
    owner: StoredValue<Owner>,
}

impl ResultParts {
    /// Parts of an operation's result; all are empty until there is one.
    pub fn new(op: OpView, outcome: Memo<Option<Outcome>>) -> Self {
        Self {
            op,
            outcome,
            shape: Memo::new(move |_| outcome.with(|o| o.as_ref().map(|o| o.body.shape()))),
            group: ChartGroup::new(),
            trades: StoredValue::new(None),
            on_table: StoredValue::new(None),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// Part that shows something of the outcome.
    fn of(self, show: impl Fn(&Outcome) -> Option<AnyView> + Send + 'static) -> AnyView {
        part(move || self.outcome.with(|outcome| outcome.as_ref().and_then(&show))).into_any()
    }

    /// Trades of a backtest, the same for all sections. They are requested at the first call.
    fn trades(self) -> Trades {
        if let Some(trades) = self.trades.get_value() {
            return trades;
        }
        let outcome = self.outcome;
        let any = move || {
            outcome.with(|o| {
                o.as_ref().is_some_and(|o| {
                    matches!(&o.body, Body::Backtest(r) if r.trade_count > 0) && o.has("trades")
                })
            })
        };
        let owner = self.owner.get_value();
        let trades = owner.with(|| Trades::once(self.op.id, self.group, any));
        trades.on_table.set_value(self.on_table.get_value());
        self.trades.set_value(Some(trades));
        trades
    }

    /// Sets what *Show in table* of a trade does besides: it must show the tab of the trades.
    pub fn on_table(self, show: Callback<()>) {
        self.on_table.set_value(Some(show));
    }

    /// What the result shows at a place, once that is `shown`.
    pub fn view(self, place: Place, shown: Signal<bool>) -> AnyView {
        part(move || sections::section(self, self.shape.get()?, place, shown)).into_any()
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
