//! What came out: each bundled kind's result in its own view, of other kinds the document so that it can be read.

mod backtest;
mod confusion;
mod equity;
mod exec;
mod json;
mod load;
mod performance;
mod trades;
mod training;

use super::candles::{Candles, Market};
use crate::app::Data;
use crate::live::OpView;
use crate::reactive::part;
use crate::{format, query};
use leptos::prelude::*;
use leptos_router::components::A;
use protocol::host::{Artifact, ResultDoc};
use protocol::results::{BacktestResult, ExecResult, LoadResult, TrainingResult};
use protocol::{KindName, OperationId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

const BACKTEST: &str = "backtest.run";
const TRAINING: &str = "training.run";

/// A result as the page understands it.
#[derive(Clone, PartialEq)]
pub struct Outcome {
    body: Body,
    artifacts: Vec<Artifact>,
}

#[derive(Clone, PartialEq)]
enum Body {
    Load(Arc<LoadResult>),
    Backtest(Arc<BacktestResult>),
    Training(Arc<TrainingResult>),
    Exec(Arc<ExecResult>),
    Other(Arc<Value>),
}

impl Outcome {
    /// Reads what an operation of this kind left behind. What is not as its kind should be is any JSON.
    pub fn read(kind: &KindName, result: &ResultDoc) -> Self {
        // By way of text: readers of texts are here already, readers of values would come on top.
        let text = result.document.to_string();
        let body = match kind.as_str() {
            "data.load" => known(&text).map(Body::Load),
            BACKTEST => known(&text).map(Body::Backtest),
            TRAINING => known(&text).map(Body::Training),
            name if name.starts_with("exec.") => known(&text).map(Body::Exec),
            _ => None,
        };
        let body = body.unwrap_or_else(|| Body::Other(Arc::new(result.document.clone())));
        Self { body, artifacts: result.artifacts.clone() }
    }

    fn has(&self, artifact: &str) -> bool {
        self.artifacts.iter().any(|a| a.name == artifact)
    }

    /// The curves that the result shows, and better than they were seen while it ran.
    pub fn curves_shown(&self) -> &'static [&'static str] {
        match self.body {
            Body::Backtest(_) if self.has("equity") => &["equity", "drawdown", "buy_and_hold", "exposure"],
            _ => &[],
        }
    }
}

fn known<T: DeserializeOwned>(text: &str) -> Option<Arc<T>> {
    serde_json::from_str(text).ok().map(Arc::new)
}

/// The result, once there is one.
#[component]
pub fn ResultView(op: OpView, outcome: Memo<Option<Outcome>>) -> impl IntoView {
    part(move || {
        let outcome = outcome.get()?;
        let view = match &outcome.body {
            Body::Load(load) => {
                let bars = (outcome.has("bars") && load.rows > 0).then(|| {
                    let market = Market {
                        title: format!("{} {}", load.symbol, load.timeframe),
                        synthetic: load.synthetic,
                        gaps: load.gaps.iter().map(|gap| (seconds(gap.from), seconds(gap.to))).collect(),
                    };
                    view! { <Candles id=op.id market/> }
                });
                view! {
                    {bars}
                    {load::load_view(load)}
                }
                .into_any()
            }
            Body::Backtest(result) => {
                let has = |name| outcome.has(name);
                backtest::backtest_view(op.id, result, has("equity"), has("bars"), has("trades"))
            }
            Body::Training(result) => training::training_view(result),
            Body::Exec(result) => exec::exec_view(result),
            Body::Other(document) => view! {
                <section class="card result" aria-label="Result">
                    <h2>"Result"</h2>
                    {json::json_view(document)}
                </section>
            }
            .into_any(),
        };
        let files = artifacts(op.id, &outcome.artifacts);
        Some(
            view! {
                {view}
                {files}
            }
            .into_any(),
        )
    })
}

/// What the host keeps beside the result, to take along.
fn artifacts(id: OperationId, artifacts: &[Artifact]) -> Option<AnyView> {
    if artifacts.is_empty() {
        return None;
    }
    let lines = artifacts.iter().map(|artifact| {
        let href = format!("/api/v1/operations/{id}/artifacts/{}", query::encode(&artifact.name));
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
            <details class="artifacts">
                <summary>{format!("Artifacts ({})", artifacts.len())}</summary>
                <ul>{lines.collect_view()}</ul>
            </details>
        }
        .into_any(),
    )
}

/// Seconds since 1970, as charts count them.
fn seconds(time: protocol::Time) -> f64 {
    time.millis() / 1_000.0
}

/// The form of a kind, filled.
fn start(kind: &str, params: &[(&str, &str)]) -> String {
    query::url("/new", std::iter::once(("kind", kind)).chain(params.iter().copied()))
}

/// What can be done with a result: a kind, what the button says, and where it leads. Only what some host does.
#[component]
fn GoOn(to: Vec<(&'static str, &'static str, String)>) -> impl IntoView {
    let kinds = Data::here().kinds;
    part(move || {
        let list = kinds.get()?.ok()?;
        let offered = |kind: &str| list.kinds.iter().any(|o| o.spec.name.as_str() == kind);
        let links = to.iter().filter(|(kind, ..)| offered(kind)).map(|(_, said, href)| {
            let (said, href) = (*said, href.clone());
            view! {
                <A href=href attr:class="button">
                    {said}
                </A>
            }
        });
        Some(view! { <div class="go-on">{links.collect_view()}</div> }.into_any())
    })
}

/// A figure and what it is of.
fn fact(name: &'static str, value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd class="num">{value}</dd>
        </div>
    }
}

/// Rows in words.
fn rows(n: u64) -> String {
    format!("{} rows", format::count(n))
}
