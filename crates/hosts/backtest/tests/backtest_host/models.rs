//! Fake models controlled by a test.

use host_kit::WorkError;
use market_data::{Bar, SetName, Timeframe};
use protocol::Time;
use signalbox_backtest_host::{Models, Stance, TrainingPeriod};
use std::time::Duration;

/// `odd` is long after even bars and short after odd ones; `mute` returns no predictions.
#[derive(Clone, Copy, Default)]
pub struct Puppet {
    /// Waits for a cancel before it returns.
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
        // The test year except for the last three months; the start is not reported.
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
                #[expect(clippy::disallowed_methods, reason = "on a blocking thread")]
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let stance = |i| if i % 2 == 0 { Stance::Long } else { Stance::Short };
        Ok((0..if model == "mute" { 0 } else { bars.len() }).map(stance).collect())
    }
}
