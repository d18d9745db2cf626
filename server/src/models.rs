//! Models of the training host as strategies of the backtest host, which do not know each other.

use backtest_host::{ModelNote, Models, Stance, TrainingPeriod};
use host_kit::WorkError;
use market_data::{Bar, SetName};
use training_host::ModelStore;

/// Models in a folder.
pub struct Trained(pub ModelStore);

impl Models for Trained {
    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn fits(&self, model: &str, set: &SetName) -> Result<(), String> {
        self.0.fits(model, set.timeframe)
    }

    fn training(&self, model: &str) -> Option<TrainingPeriod> {
        let card = self.0.card(model).ok()?;
        Some(TrainingPeriod {
            symbols: card.symbols,
            timeframe: card.timeframe,
            from: card.trained_from,
            until: card.trained_until,
        })
    }

    fn about(&self, model: &str) -> Option<ModelNote> {
        let card = self.0.card(model).ok()?;
        let of = format!("{} {}", card.symbols.join(", "), card.timeframe);
        let accuracy = card.test_accuracy.map(|share| format!("test accuracy {:.1} %", share * 100.0));
        let synthetic = card.synthetic.then(|| "synthetic".to_owned());
        let parts: Vec<String> = [Some(of), accuracy, synthetic].into_iter().flatten().collect();
        Some(ModelNote { note: parts.join(" · "), at: self.0.trained_at(model) })
    }

    fn stances(
        &self,
        model: &str,
        _set: &SetName,
        bars: &[Bar],
        going: &dyn Fn() -> Result<(), WorkError>,
    ) -> Result<Vec<Stance>, WorkError> {
        let signals = self.0.signals_while(model, bars, going)?;
        let stance = |signal: i8| match signal {
            1.. => Stance::Long,
            0 => Stance::Flat,
            _ => Stance::Short,
        };
        Ok(signals.into_iter().map(stance).collect())
    }
}
