//! Result of `analysis.sweep`.

use crate::{KeyFigure, OperationId, State};
use serde::{Deserialize, Serialize};

/// Outcome of one run of a sweep.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ran {
    /// Index in the plan, from 0.
    pub run: u32,
    pub operation: OperationId,
    pub state: State,
    /// Value of the metric that ranks the runs; absent if the run has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<f64>,
}

/// Result of `analysis.sweep`, and the intermediate result in its checkpoint.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SweepResult {
    /// Path of the metric in the results: `performance.sharpe`.
    pub rank_by: String,
    /// True if the lowest value is the best.
    pub lowest: bool,
    /// Names of the parameters that varied.
    pub names: Vec<String>,
    /// Runs, best first; runs without a metric last.
    pub ran: Vec<Ran>,
    /// Total number of runs.
    pub runs: u32,
    /// Number of runs that were deleted before their outcome was recorded. They count as ended, and are not in `ran`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deleted: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl SweepResult {
    /// Number of ended runs, as shown in the progress, the checkpoint and on the page.
    #[must_use]
    pub fn over(&self) -> u32 {
        self.ran.len() as u32 + self.deleted
    }

    /// Figures for lists: the best value, and the number of runs.
    #[must_use]
    pub fn key_figures(&self) -> Vec<KeyFigure> {
        let metric = self.rank_by.rsplit('.').next().unwrap_or_default().replace('_', " ");
        let best = self.ran.iter().find_map(|ran| ran.figure);
        let best = best.map(|value| KeyFigure::new(&format!("Best {metric}"), value, ""));
        best.into_iter().chain([KeyFigure::new("Runs", f64::from(self.runs), "")]).collect()
    }
}
