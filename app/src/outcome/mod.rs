//! What an operation left behind, as the page understands it: read by its kind, told as figures. Pure.

pub mod backtest;
pub mod exec;
mod figure;
pub mod load;
pub mod training;

pub use figure::{Better, Figure, all, beside, best_of};

use crate::format;
use protocol::host::{Artifact, ResultDoc};
use protocol::results::{BacktestResult, ExecResult, LoadResult, TrainingResult};
use protocol::sweep::SweepResult;
use protocol::{KindName, Time};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

pub const BACKTEST: &str = "backtest.run";
pub const TRAINING: &str = "training.run";
pub const LOAD: &str = "data.load";
pub const SWEEP: &str = "analysis.sweep";
/// What the names of all commands begin with.
pub const EXEC: &str = "exec.";

/// A result as the page understands it.
#[derive(Clone, PartialEq)]
pub struct Outcome {
    pub body: Body,
    pub artifacts: Vec<Artifact>,
}

#[derive(Clone, PartialEq)]
pub enum Body {
    Load(Arc<LoadResult>),
    Backtest(Arc<BacktestResult>),
    Training(Arc<TrainingResult>),
    Exec(Arc<ExecResult>),
    Sweep(Arc<SweepResult>),
    Other(Arc<Value>),
}

impl Outcome {
    /// Reads what an operation of this kind left behind. What is not as its kind should be is any JSON.
    pub fn read(kind: &KindName, result: &ResultDoc) -> Self {
        // By way of text: readers of texts are here already, readers of values would come on top.
        let text = result.document.to_string();
        let body = match kind.as_str() {
            LOAD => known(&text).map(Body::Load),
            BACKTEST => known(&text).map(Body::Backtest),
            TRAINING => known(&text).map(Body::Training),
            SWEEP => known(&text).map(Body::Sweep),
            name if name.starts_with(EXEC) => known(&text).map(Body::Exec),
            _ => None,
        };
        let body = body.unwrap_or_else(|| Body::Other(Arc::new(result.document.clone())));
        Self { body, artifacts: result.artifacts.clone() }
    }

    pub fn has(&self, artifact: &str) -> bool {
        self.artifacts.iter().any(|a| a.name == artifact)
    }

    /// The curves that the result shows, and better than they were seen while it ran.
    pub fn curves_shown(&self) -> &'static [&'static str] {
        match self.body {
            Body::Backtest(_) if self.has("equity") => &["equity", "drawdown", "buy_and_hold", "exposure"],
            _ => &[],
        }
    }

    /// Its numbers, the ones that matter most first.
    pub fn figures(&self) -> Vec<Figure> {
        match &self.body {
            Body::Load(load) => figure::all(&load::FACTS, load),
            Body::Backtest(result) => backtest::figures(result),
            Body::Training(result) => training::figures(result),
            Body::Exec(result) => figure::all(&exec::FACTS, result),
            // Its runs have figures, each its own.
            Body::Sweep(_) => Vec::new(),
            Body::Other(document) => figure::of_json(document),
        }
    }

    /// Of which data its figures are: `MSFT 1h, 2021-01-04 to 2023-12-29`. Figures of other data are other figures.
    pub fn ground(&self) -> Option<String> {
        let said = |names: &str, timeframe: &str, first: Time, last: Time| {
            format!("{names} {timeframe}, {} to {}", format::bar_time(first), format::bar_time(last))
        };
        match &self.body {
            Body::Load(r) => Some(said(&r.symbol, &r.timeframe, r.first?, r.last?)),
            Body::Backtest(r) => Some(said(&r.symbol, &r.timeframe, r.first, r.last)),
            Body::Training(r) => Some(said(&r.symbols.join(", "), &r.timeframe, r.train.from, r.test.to)),
            Body::Exec(_) | Body::Sweep(_) | Body::Other(_) => None,
        }
    }
}

fn known<T: DeserializeOwned>(text: &str) -> Option<Arc<T>> {
    serde_json::from_str(text).ok().map(Arc::new)
}
