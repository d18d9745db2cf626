//! Results of operations, parsed by kind and presented as figures. Pure.

pub mod backtest;
pub mod exec;
mod figure;
pub mod fit;
pub mod headline;
pub mod load;
pub mod training;

pub use figure::{Better, Figure, all, best_of, distinct_texts};

pub use app_state::kinds::{BACKTEST, EXEC, LOAD, SWEEP, TRAINING};

use display::format;
use protocol::host::{Artifact, ResultDoc};
use protocol::results::{BacktestResult, ExecResult, LoadResult, TrainingResult};
use protocol::sweep::SweepResult;
use protocol::{KindName, Time};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Parsed result of an operation.
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

/// Kind of a result, by which its views are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Load,
    Backtest,
    Training,
    Exec,
    Sweep,
    Other,
}

impl Body {
    /// Which of the kinds it is.
    pub fn shape(&self) -> Shape {
        match self {
            Body::Load(_) => Shape::Load,
            Body::Backtest(_) => Shape::Backtest,
            Body::Training(_) => Shape::Training,
            Body::Exec(_) => Shape::Exec,
            Body::Sweep(_) => Shape::Sweep,
            Body::Other(_) => Shape::Other,
        }
    }
}

impl Outcome {
    /// Parses a result by kind. Documents that do not match their kind are kept as JSON.
    pub fn read(kind: &KindName, result: &ResultDoc) -> Self {
        // By way of text: text deserializers are in the bundle already, value deserializers would add to it.
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

    /// Series that the result shows in better quality than the live curves.
    pub fn curves_shown(&self) -> &'static [&'static str] {
        match self.body {
            Body::Backtest(_) if self.has("equity") => &["equity", "drawdown", "buy_and_hold", "exposure"],
            _ => &[],
        }
    }

    /// Figures, most important first.
    pub fn figures(&self) -> Vec<Figure> {
        match &self.body {
            Body::Load(load) => figure::all(&load::FACTS, load),
            Body::Backtest(result) => backtest::figures(result),
            Body::Training(result) => training::figures(result),
            Body::Exec(result) => figure::all(&exec::FACTS, result),
            // Each run has its own figures.
            Body::Sweep(_) => Vec::new(),
            Body::Other(document) => figure::of_json(document),
        }
    }

    /// Data behind the figures: `MSFT 1h, 2021-01-04 to 2023-12-29`. Results of different data are not comparable.
    pub fn ground(&self) -> Option<String> {
        let wording = |names: &str, timeframe: &str, first: Time, last: Time| {
            format!("{names} {timeframe}, {} to {}", format::bar_time(first), format::bar_time(last))
        };
        match &self.body {
            Body::Load(r) => Some(wording(&r.symbol, &r.timeframe, r.first?, r.last?)),
            Body::Backtest(r) => Some(wording(&r.symbol, &r.timeframe, r.first, r.last)),
            Body::Training(r) => Some(wording(&r.symbols.join(", "), &r.timeframe, r.train.from, r.test.to)),
            Body::Exec(_) | Body::Sweep(_) | Body::Other(_) => None,
        }
    }
}

fn known<T: DeserializeOwned>(text: &str) -> Option<Arc<T>> {
    json::from_str(text).ok().map(Arc::new)
}
