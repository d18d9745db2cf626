//! Pane of a backtest: equity compared with buy and hold, drawdown, exposure and price, with one crosshair.

use super::super::candles::{Candles, Market, SampledBars, TradeMarks};
use super::backtest::TRAINED;
use super::seconds;
use super::trades::{Trades, marks_of};
use crate::features::curves::sampled::{Answer, Sampled};
use charts::{Chart, ChartGroup, Extent, Rows, Sessions, Sheet, Spec, Toolbar};
use components::reactive::{part, text};
use leptos::prelude::*;
use protocol::OperationId;
use protocol::results::{BacktestResult, Columns};
use std::sync::Arc;

/// Rows per request: about twice the width of the chart.
const ROWS: u32 = 1_500;

/// Chart data of the named columns; missing columns are empty.
pub fn sheet_of(
    answer: &Answer<Columns>,
    names: &[&str],
    trained: &[(f64, f64)],
    sessions: Option<Arc<Sessions>>,
) -> Sheet {
    let columns = &answer.of;
    let of = |name: &&str| columns.columns.get(*name).filter(|c| c.len() == columns.t.len()).cloned();
    let x: Vec<f64> = columns.t.iter().map(|t| *t as f64).collect();
    // Without bars the rows themselves are the trading time.
    let own = || Sessions::of_rows(&x, columns.bars_per_row, 0, None, &[]).map(Arc::new);
    Sheet {
        sessions: sessions.or_else(own),
        columns: names
            .iter()
            .map(|name| of(name).unwrap_or_else(|| vec![f64::NAN; columns.t.len()]))
            .collect(),
        x,
        bands: trained.to_vec(),
        band_texts: vec![TRAINED.to_owned(); trained.len()],
        fit: answer.fit,
        extent: Extent { rows: Rows::for_bars(columns.bars_per_row), part: answer.part },
        ..Sheet::default()
    }
}

/// Training period of the model, shaded, in seconds since 1970.
pub fn trained_of(result: &BacktestResult) -> Vec<(f64, f64)> {
    result.in_sample.iter().map(|seen| (seconds(seen.from), seconds(seen.until))).collect()
}

/// Equity, drawdown and exposure with shared data and zoom, and the prices with the trades below them.
#[component]
pub fn BacktestPane(
    id: OperationId,
    result: BacktestResult,
    group: ChartGroup,
    has_equity: bool,
    /// Prices, if the host has them.
    bars: Option<SampledBars>,
    trades: Trades,
) -> impl IntoView {
    let trained = trained_of(&result);
    let has_trained = !trained.is_empty();
    let market = Market {
        title: format!("{} {}", result.symbol, result.timeframe),
        synthetic: result.synthetic,
        shaded: trained.clone(),
        shading: TRAINED,
        ..Market::default()
    };
    let marks = (result.trade_count > 0).then(|| TradeMarks {
        marks: Signal::derive(move || trades.list.with(|t| marks_of(t.as_deref()))),
        chosen: trades.chosen.into(),
        choose: Callback::new(move |n| trades.choose(Some(n))),
    });
    let price = bars.map(|bars| match marks {
        Some(trades) => view! { <Candles bars market group trades in_pane=true/> }.into_any(),
        None => view! { <Candles bars market group in_pane=true/> }.into_any(),
    });
    let curves = has_equity.then(|| {
        let last_panel = price.is_none();
        view! { <Curves id strategy=result.strategy.clone() group bars trained=Arc::new(trained) last_panel/> }
    });
    view! {
        <section class="card stacked pane chart-group" aria-label="Backtest">
            <Toolbar group after=trades.line()/>
            {has_trained
                .then(|| {
                    view! {
                        <p class="candles-note muted only-script">
                            <span class="gap-mark" aria-hidden="true"></span>
                            " "
                            {TRAINED}
                        </p>
                    }
                })}
            {curves}
            {price}
        </section>
    }
    .into_any()
}

/// Panels of equity, drawdown and exposure.
#[component]
fn Curves(
    id: OperationId,
    strategy: String,
    group: ChartGroup,
    bars: Option<SampledBars>,
    trained: Arc<Vec<(f64, f64)>>,
    /// Whether no prices follow.
    last_panel: bool,
) -> impl IntoView {
    let curves = Sampled::<Columns>::new(id, "equity", ROWS);
    let (value, ask) = (curves.value, curves.ask);
    let sheet = move |names: &'static [&'static str]| {
        let trained = trained.clone();
        Signal::derive(move || {
            let sessions = bars.and_then(SampledBars::sessions);
            let of = |answer: &Answer<Columns>| sheet_of(answer, names, &trained, sessions.clone());
            Arc::new(value.with(|v| v.as_ref().map(of).unwrap_or_default()))
        })
    };
    let spec = |title: &str, height| Spec {
        title: title.to_owned(),
        file: format!("backtest-{}", id.short().replace('…', "-")),
        time: true,
        upper: true,
        height,
        ..Spec::default()
    };
    let equity =
        Spec { names: vec![strategy.clone(), "Buy and hold".to_owned()], log: true, ..spec("Equity", 220) };
    let share = |title: &str, height| Spec {
        names: vec![title.to_owned()],
        unit: "share".to_owned(),
        zero: true,
        fill: true,
        ..spec(title, height)
    };
    let exposure =
        Spec { upper: !last_panel, height: if last_panel { 120 } else { 76 }, ..share("Exposure", 76) };
    let held = text(move || {
        value.with(|v| {
            let Some(answer) = v else { return "Loading curves…".to_owned() };
            let extent = Extent { rows: Rows::for_bars(answer.of.bars_per_row), part: answer.part };
            extent.wording(answer.of.t.len()).unwrap_or_default()
        })
    });
    let has_exposure = Memo::new(move |_| {
        value.with(|v| v.as_ref().is_none_or(|answer| answer.of.columns.contains_key("exposure")))
    });
    let exposed = sheet(&["exposure"]);
    view! {
        <Chart spec=equity sheet=sheet(&["equity", "buy_and_hold"]) group on_range=ask/>
        <Chart spec=share("Drawdown", 100) sheet=sheet(&["drawdown"]) group/>
        {part(move || {
            has_exposure
                .get()
                .then(|| view! { <Chart spec=exposure.clone() sheet=exposed group/> }.into_any())
        })}
        <p class="chart-held muted only-script">{held}</p>
        {curves.trouble()}
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
        let answer = Answer { of: Arc::new(columns), fit: 3, part: true };
        let sheet = sheet_of(&answer, &["equity", "buy_and_hold", "drawdown"], &[(10.0, 15.0)], None);
        assert_eq!(sheet.positions(), [0.0, 4.0]);
        assert_eq!(sheet.bands, [(10.0, 15.0)]);
        assert_eq!(sheet.x, [10.0, 20.0]);
        assert_eq!(sheet.columns[0], [1.0, 2.0]);
        assert!(sheet.columns[1..].iter().flatten().all(|y| y.is_nan()));
        assert_eq!(sheet.extent, Extent { rows: Rows::ForBars(4), part: true });
    }
}
