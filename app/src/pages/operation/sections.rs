//! Sections of the page that are parts of the program of their own, apart from those of results.

use super::audit::AuditTable;
use super::band::Bands;
use super::curves::CurveCharts;
use super::failure::FailureBox;
use super::log::LogView;
use super::result::ResultParts;
use super::rule::RuleCard;
use super::sweep::Sweep;
use super::tables::AttemptsTable;
use crate::outcome::Outcome;
use components::lazy_section::LazySection;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use live::OpView;
use live::model::curves::Curves;
use live::model::log_buffer::LogBuffer;
use live::model::store::Follow;
use protocol::{Attempt, AuditEntry, KindSpec};
use std::sync::Arc;

const LOG: LazySection = LazySection { name: "operation_log", load: || Box::pin(load_log()) };
const DETAILS: LazySection = LazySection { name: "operation_details", load: || Box::pin(load_details()) };
const CURVES: LazySection = LazySection { name: "operation_curves", load: || Box::pin(load_curves()) };
const FAILURE: LazySection = LazySection { name: "operation_failure", load: || Box::pin(load_failure()) };
const RULE: LazySection = LazySection { name: "operation_rule", load: || Box::pin(load_rule()) };
const SWEEP: LazySection = LazySection { name: "operation_sweep", load: || Box::pin(load_sweep()) };

/// Sections of the page without those of results.
pub const SECTIONS: [LazySection; 6] = [LOG, DETAILS, CURVES, FAILURE, RULE, SWEEP];

/// Log, once its tab is `shown`.
pub fn log_section(op: OpView, follow: Arc<Follow>, shown: Signal<bool>) -> AnyView {
    LOG.view(shown, move || log(op, follow.clone(), shown))
}

#[wasm_split(operation_log, wasm_split_path = leptos::wasm_split, preload(load_log), fallible)]
fn log(op: OpView, follow: Arc<Follow>, shown: Signal<bool>) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <LogView op follow shown/> }.into_any())
}

/// Attempts, audit log and artifacts, once their tab is `shown`.
pub fn details_section(
    op: OpView,
    attempts: RwSignal<Vec<Attempt>>,
    audit: RwSignal<Vec<AuditEntry>>,
    parts: ResultParts,
    shown: Signal<bool>,
) -> AnyView {
    DETAILS.view(shown, move || details(op, attempts, audit, parts))
}

#[wasm_split(operation_details, wasm_split_path = leptos::wasm_split, preload(load_details), fallible)]
fn details(
    op: OpView,
    attempts: RwSignal<Vec<Attempt>>,
    audit: RwSignal<Vec<AuditEntry>>,
    parts: ResultParts,
) -> Result<AnyView, SplitLoaderError> {
    Ok(view! {
        <AttemptsTable op attempts/>
        <AuditTable audit/>
        {parts.artifacts()}
    }
    .into_any())
}

/// What the charts of the series depend on.
#[derive(Clone)]
pub struct CurvesOf {
    pub op: OpView,
    pub curves: RwSignal<Curves>,
    /// Whether some series are downsampled.
    pub downsampled: RwSignal<bool>,
    pub spec: StoredValue<Option<KindSpec>>,
    /// Base name of exported files.
    pub file: String,
    pub outcome: Memo<Option<Outcome>>,
    pub attempts: RwSignal<Vec<Attempt>>,
}

/// Charts of the series, once there are points.
pub fn curves_section(of: CurvesOf) -> AnyView {
    let curves = of.curves;
    let any = Memo::new(move |_| curves.with(|curves| curves.names().next().is_some()));
    CURVES.view(any.into(), move || curve_charts(of.clone()))
}

#[wasm_split(operation_curves, wasm_split_path = leptos::wasm_split, preload(load_curves), fallible)]
fn curve_charts(of: CurvesOf) -> Result<AnyView, SplitLoaderError> {
    let CurvesOf { op, curves, downsampled, spec, file, outcome, attempts } = of;
    let left_out =
        Signal::derive(move || outcome.with(|o| o.as_ref().map_or(&[][..], Outcome::curves_shown)));
    let bands = Bands::new(op);
    let checkpoint = Memo::new(move |_| op.facts.with(|f| f.checkpoint.clone()));
    Ok(view! { <CurveCharts id=op.id curves downsampled spec file left_out bands attempts checkpoint/> }
        .into_any())
}

/// Box with the failure, once there is one.
pub fn failure_section(op: OpView, log: RwSignal<LogBuffer>) -> AnyView {
    let any = Memo::new(move |_| op.facts.with(|f| f.failure.is_some()));
    FAILURE.view(any.into(), move || failure(op, log))
}

#[wasm_split(operation_failure, wasm_split_path = leptos::wasm_split, preload(load_failure), fallible)]
fn failure(op: OpView, log: RwSignal<LogBuffer>) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <FailureBox op log/> }.into_any())
}

/// Auto-cancel rule, while there can be one.
pub fn rule_section(op: OpView, curves: RwSignal<Curves>, spec: StoredValue<Option<KindSpec>>) -> AnyView {
    let open = Memo::new(move |_| !op.state.get().ended());
    RULE.view(open.into(), move || rule(op, curves, spec))
}

#[wasm_split(operation_rule, wasm_split_path = leptos::wasm_split, preload(load_rule), fallible)]
fn rule(
    op: OpView,
    curves: RwSignal<Curves>,
    spec: StoredValue<Option<KindSpec>>,
) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <RuleCard op curves spec/> }.into_any())
}

/// Charts of a sweep, or else its runs once their tab is `shown`.
pub fn sweep_section(sweep: Sweep, charts: bool, shown: Signal<bool>) -> AnyView {
    SWEEP.view(shown, move || sweep_views(sweep, charts))
}

#[wasm_split(operation_sweep, wasm_split_path = leptos::wasm_split, preload(load_sweep), fallible)]
fn sweep_views(sweep: Sweep, charts: bool) -> Result<AnyView, SplitLoaderError> {
    Ok(if charts { sweep.main() } else { sweep.table() })
}
