//! Rolling Sharpe ratio of a backtest, compared with buy and hold.

use super::equity::{sheet_of, trained_of};
use crate::features::curves::sampled::{Answer, Sampled};
use charts::{Chart, Spec};
use components::reactive::part;
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::{BacktestResult, Columns};
use std::sync::Arc;

/// Rows per request. The ratio moves slowly, so zooming requests no finer ones.
const ROWS: u32 = 1_500;

/// Chart of the ratio; empty if the backtest is too short for it.
#[component]
pub fn RollingSharpe(id: OperationId, result: BacktestResult) -> impl IntoView {
    let curves = Sampled::<Columns>::new(id, "rolling", ROWS);
    let trained = trained_of(&result);
    let sheet = Signal::derive(move || {
        let of = |answer: &Answer<Columns>| sheet_of(answer, &["sharpe", "buy_and_hold"], &trained, None);
        Arc::new(curves.value.with(|v| v.as_ref().map(of).unwrap_or_default()))
    });
    let any =
        Memo::new(move |_| curves.value.with(|v| v.as_ref().is_some_and(|answer| !answer.of.t.is_empty())));
    let spec = Spec {
        title: "Sharpe of the last 90 days".to_owned(),
        file: format!("backtest-{}", id.short().replace('…', "-")),
        names: vec![result.strategy, "Buy and hold".to_owned()],
        time: true,
        zero: true,
        height: 220,
        ..Spec::default()
    };
    let chart = part(move || {
        any.get().then(|| {
            view! {
                <section class="card result" aria-label="Rolling Sharpe">
                    <Chart spec=spec.clone() sheet/>
                </section>
            }
            .into_any()
        })
    });
    view! {
        {chart}
        {curves.trouble()}
    }
    .into_any()
}
