//! Models that a test moves.

use data_host::{Bar, SetName, Timeframe};
use host_kit::WorkError;
use protocol::Time;
use signalbox_backtest_host::{Models, Stance, TrainingPeriod};
use std::time::Duration;

/// `odd` is long after bars of even number and short after odd ones; `mute` has no answers.
#[derive(Clone, Copy, Default)]
pub struct Puppet {
    /// Gives no answer before it is told to stop.
    pub thinks_until_told: bool,
}

impl Models for Puppet {
    fn names(&self) -> Vec<String> {
        vec!["odd".to_owned(), "mute".to_owned()]
    }

    fn fits(&self, model: &str, _set: &SetName) -> Result<(), String> {
        if self.names().iter().any(|n| n == model) {
            Ok(())
        } else {
            Err(format!("Unknown model '{model}'."))
        }
    }

    fn training(&self, model: &str) -> Option<TrainingPeriod> {
        let time = |text: &str| Time::parse(text).unwrap();
        // The whole year of the bars of tests but for its last three months, where the first is not told.
        (model == "odd").then(|| TrainingPeriod {
            symbols: vec!["DEMO".to_owned()],
            timeframe: Timeframe::M30,
            from: None,
            until: time("2025-09-30T23:59:00Z"),
        })
    }

    fn stances(
        &self,
        model: &str,
        _set: &SetName,
        bars: &[Bar],
        going: &dyn Fn() -> Result<(), WorkError>,
    ) -> Result<Vec<Stance>, WorkError> {
        if self.thinks_until_told {
            loop {
                going()?;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let stance = |i| if i % 2 == 0 { Stance::Long } else { Stance::Short };
        Ok((0..if model == "mute" { 0 } else { bars.len() }).map(stance).collect())
    }
}
