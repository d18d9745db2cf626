//! Timing of an adapter.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Timing of an adapter, in seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Poll interval of an active run. Default 0.2.
    pub fastest: f64,
    /// Poll interval of an idle run. Default 5.
    pub slowest: f64,
    /// Connect timeout. Default 5.
    pub connect: f64,
    /// Timeout of a poll. Default 10.
    pub poll: f64,
    /// Timeout of a start. Default 60.
    pub start: f64,
    /// Timeout of a stop. Default 45.
    pub stop: f64,
    /// Time after which an accepted but unconfirmed stop is shown as a condition of the operation, which stays
    /// cancelling. Default 30.
    pub confirm: f64,
    /// Time after which a running run without any activity is considered lost. Default 30.
    pub idle: f64,
    /// Time without a valid response after which a run is no longer followed, although it may continue. Default 300.
    pub silence: f64,
    /// How long a start waits while the service is busy with another client's run. 0 fails at once. Default 600.
    pub queue: f64,
    /// Timeout of the call of `ktrdr.load`. Default 600.
    pub load: f64,
    /// Interval of health probes. Default 10.
    pub probe_every: f64,
    /// Timeout of a health probe. Default 5.
    pub probe: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fastest: 0.2,
            slowest: 5.0,
            connect: 5.0,
            poll: 10.0,
            start: 60.0,
            stop: 45.0,
            confirm: 30.0,
            idle: 30.0,
            silence: 300.0,
            queue: 600.0,
            load: 600.0,
            probe_every: 10.0,
            probe: 5.0,
        }
    }
}

impl Timing {
    /// # Errors
    /// A message that names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        let all = [
            ("fastest", self.fastest, 0.001),
            ("slowest", self.slowest, 0.001),
            ("connect", self.connect, 0.001),
            ("poll", self.poll, 0.001),
            ("start", self.start, 0.001),
            ("stop", self.stop, 0.001),
            ("confirm", self.confirm, 0.001),
            ("idle", self.idle, 0.001),
            ("silence", self.silence, 0.001),
            ("queue", self.queue, 0.0),
            ("load", self.load, 0.001),
            ("probe_every", self.probe_every, 0.001),
            ("probe", self.probe, 0.001),
        ];
        match all.iter().find(|(_, seconds, least)| !(*least..=1e7).contains(seconds)) {
            Some((name, seconds, least)) => {
                Err(format!("invalid 'timing.{name}' {seconds}: must be from {least} to 10,000,000 seconds."))
            }
            None if self.fastest > self.slowest => {
                Err("'timing.fastest' is greater than 'timing.slowest'. Swap them.".to_owned())
            }
            None => Ok(()),
        }
    }
}

/// Converts validated seconds.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
