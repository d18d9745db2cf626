//! Equity of a backtest compared with buy and hold, with the drawdown below.

use super::backtest::TRAINED;
use crate::features::curves::sampled::{Answer, Sampled};
use charts::{Chart, Extent, Rows, Sheet, Spec};
use components::reactive::text;
use display::format;
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::Columns;
use std::sync::Arc;

/// Rows per request: about twice the width of the chart.
const ROWS: u32 = 1_500;

/// Chart data of the named columns; missing columns are empty.
fn sheet_of(answer: &Answer<Columns>, names: &[&str], trained: &[(f64, f64)]) -> Sheet {
    let columns = &answer.of;
    let of = |name: &&str| columns.columns.get(*name).filter(|c| c.len() == columns.t.len()).cloned();
    Sheet {
        x: columns.t.iter().map(|t| *t as f64).collect(),
        columns: names
            .iter()
            .map(|name| of(name).unwrap_or_else(|| vec![f64::NAN; columns.t.len()]))
            .collect(),
        bands: trained.to_vec(),
        fit: answer.fit,
        extent: Extent { rows: Rows::for_bars(columns.bars_per_row), part: answer.part },
        ..Sheet::default()
    }
}

/// Resolution of the chart: `1 point = 4 bars`.
fn grain(columns: &Columns) -> String {
    match columns.bars_per_row {
        0 | 1 => "1 point = 1 bar".to_owned(),
        n => format!("1 point = {} bars", format::count(u64::from(n))),
    }
}

/// Equity and drawdown charts with shared data and zoom.
#[component]
pub fn EquityCharts(
    id: OperationId,
    strategy: String,
    /// Training period of the model, shaded, in seconds since 1970.
    trained: Vec<(f64, f64)>,
) -> impl IntoView {
    let has_trained = !trained.is_empty();
    let trained = Arc::new(trained);
    let curves = Sampled::<Columns>::new(id, "equity", ROWS);
    let (value, ask) = (curves.value, curves.ask);
    let sheet = move |names: &'static [&'static str]| {
        let trained = trained.clone();
        Signal::derive(move || {
            let of = |answer: &Answer<Columns>| sheet_of(answer, names, &trained);
            Arc::new(value.with(|v| v.as_ref().map(of).unwrap_or_default()))
        })
    };
    let spec = |title: &str, height| Spec {
        title: title.to_owned(),
        file: format!("backtest-{}", id.short().replace('…', "-")),
        time: true,
        height,
        ..Spec::default()
    };
    let equity = Spec { names: vec![strategy.clone(), "Buy and hold".to_owned()], ..spec("Equity", 260) };
    let drawdown = Spec {
        names: vec![strategy],
        unit: "share".to_owned(),
        zero: true,
        fill: true,
        ..spec("Drawdown", 130)
    };
    let wording = text(move || {
        value.with(|v| v.as_ref().map_or("Loading curves…".to_owned(), |answer| grain(&answer.of)))
    });
    view! {
        <section class="card stacked" aria-label="Equity">
            <p class="candles-note muted dotted only-script">
                <span>{wording}</span>
                {has_trained.then(|| view! { <span><span class="gap-mark" aria-hidden="true"></span>" " {TRAINED}</span> })}
            </p>
            <Chart spec=equity sheet=sheet(&["equity", "buy_and_hold"]) on_range=ask/>
            <Chart spec=drawdown sheet=sheet(&["drawdown"])/>
            {curves.trouble()}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_column_leaves_a_gap() {
        let columns = Columns {
            t: vec![10, 20],
            columns: [("equity".to_owned(), vec![1.0, 2.0]), ("drawdown".to_owned(), vec![0.0])].into(),
            bars_per_row: 4,
        };
        let answer = Answer { of: Arc::new(columns.clone()), fit: 3, part: true };
        let sheet = sheet_of(&answer, &["equity", "buy_and_hold", "drawdown"], &[(10.0, 15.0)]);
        assert_eq!(sheet.bands, [(10.0, 15.0)]);
        assert_eq!(sheet.x, [10.0, 20.0]);
        assert_eq!(sheet.columns[0], [1.0, 2.0]);
        assert!(sheet.columns[1..].iter().flatten().all(|y| y.is_nan()));
        assert_eq!(grain(&columns), "1 point = 4 bars");
        assert_eq!(sheet.extent, Extent { rows: Rows::ForBars(4), part: true });
    }
}
