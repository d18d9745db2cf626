//! Result views: one per bundled kind, and the JSON document for other kinds.

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
use crate::outcome::{Body, Figure, Outcome};
use app_state::Data;
use components::link::A;
use components::reactive::part;
use leptos::prelude::*;
use live::OpView;
use live::base;
use live::query;
use protocol::OperationId;
use protocol::host::Artifact;

/// Result; empty until there is one.
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
                        shading: "missing bars",
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
            // `SweepView` shows it from the start.
            Body::Sweep(_) => ().into_any(),
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

/// Download links of the artifacts.
fn artifacts(id: OperationId, artifacts: &[Artifact]) -> Option<AnyView> {
    if artifacts.is_empty() {
        return None;
    }
    let lines = artifacts.iter().map(|artifact| {
        let path = format!("/api/v1/operations/{id}/artifacts/{}", query::encode(&artifact.name));
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
            <details class="artifacts">
                <summary>{format!("Artifacts ({})", artifacts.len())}</summary>
                <ul>{lines.collect_view()}</ul>
            </details>
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

/// Next steps after a result: kind, label and URL. Only kinds that a host offers are shown.
#[component]
fn GoOn(to: Vec<(&'static str, &'static str, String)>) -> impl IntoView {
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
