//! Interface for models as strategies, implemented by the training host.

use crate::strategy::Stance;
use host_kit::WorkError;
use market_data::{Bar, SetName, Timeframe};
use protocol::Time;
use serde::Serialize;

/// Symbols and period of a model's training and validation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrainingPeriod {
    pub symbols: Vec<String>,
    pub timeframe: Timeframe,
    /// First bar; `None` if unknown.
    pub from: Option<Time>,
    /// Last bar that influenced the model. It has not seen later bars.
    pub until: Time,
}

impl TrainingPeriod {
    /// Start of the first unseen bar, if the bars have no gap there.
    pub fn unseen_from(&self) -> Time {
        const MICROS_PER_MINUTE: i64 = 60_000_000;
        self.until.plus_micros(self.timeframe.minutes() * MICROS_PER_MINUTE)
    }
}

/// Note on a model, as forms take it (`x-about`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ModelNote {
    /// Symbols, timeframe and accuracy, in a few words.
    pub note: String,
    /// When it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// Models that predict stances. Calls block their thread and must not run on an async thread.
pub trait Models: Send + Sync + 'static {
    /// Names of the available models; the first one is the default suggestion.
    fn names(&self) -> Vec<String>;

    /// Checks that the model exists and supports this data set.
    ///
    /// # Errors
    /// A message for the parameter `model`: what is wrong and what would be right.
    fn fits(&self, model: &str, set: &SetName) -> Result<(), String>;

    /// Training period of a model; `None` if unknown.
    fn training(&self, model: &str) -> Option<TrainingPeriod>;

    /// Note on a model; `None` if unknown.
    fn about(&self, _model: &str) -> Option<ModelNote> {
        None
    }

    /// Stance after each bar, one per bar; [`Stance::Flat`] during the warm-up. A prediction can depend on its bar and
    /// earlier ones, never on later ones. Calls `going` at least every few hundred bars, and returns its error.
    ///
    /// # Errors
    /// [`WorkError::Cancelled`] from `going`; otherwise what happened, why, and what to do next.
    fn stances(
        &self,
        model: &str,
        set: &SetName,
        bars: &[Bar],
        going: &dyn Fn() -> Result<(), WorkError>,
    ) -> Result<Vec<Stance>, WorkError>;
}
