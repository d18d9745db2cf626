//! Models from elsewhere as strategies: what the training host implements, so that its models can be traded.

use crate::strategy::Stance;
use data_host::{Bar, SetName, Timeframe};
use host_kit::WorkError;
use protocol::Time;

/// Of whose bars, and when, a model was trained and validated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrainingPeriod {
    pub symbols: Vec<String>,
    pub timeframe: Timeframe,
    /// The first bar; `None` where that is not known.
    pub from: Option<Time>,
    /// The last bar that had a say in the model: what is later it has never seen.
    pub until: Time,
}

impl TrainingPeriod {
    /// When the first bar begins that the model has not seen, as far as the bars have no gap there.
    pub fn unseen_from(&self) -> Time {
        const MICROS_PER_MINUTE: i64 = 60_000_000;
        self.until.plus_micros(self.timeframe.minutes() * MICROS_PER_MINUTE)
    }
}

/// Models that can be asked where to stand. Calls hold up their thread and never come from an async one.
pub trait Models: Send + Sync + 'static {
    /// The names of the models there are, the one to offer first ahead.
    fn names(&self) -> Vec<String>;

    /// Whether there is that model and it can be asked about bars of this data set.
    ///
    /// # Errors
    /// A sentence for the param `model`: what is wrong and what would be right.
    fn fits(&self, model: &str, set: &SetName) -> Result<(), String>;

    /// When the model was trained; `None` where that is not known.
    fn training(&self, model: &str) -> Option<TrainingPeriod>;

    /// Where to stand after each bar, as many as there are bars; [`Stance::Flat`] where the model has not seen enough.
    /// What it says of a bar may depend on that bar and those before it, never on later ones. `going` is asked every
    /// few hundred bars at least, and what it fails with is handed on.
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
