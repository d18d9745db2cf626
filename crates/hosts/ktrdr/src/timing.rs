//! How patient an adapter is with its service.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How patient an adapter is. All in seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Between two looks while things move; 0.2.
    pub fastest: f64,
    /// Between two looks while nothing does; 5.
    pub slowest: f64,
    /// For the opening of a connection; 5.
    pub connect: f64,
    /// For a look; 10.
    pub look: f64,
    /// For a start; 60.
    pub start: f64,
    /// For the answer to a stop; 45.
    pub stop: f64,
    /// A stop that was answered and is not confirmed for so long is shown as a condition of the operation, which stays
    /// cancelling; 30.
    pub confirm: f64,
    /// A run that the service calls running and of which nothing was ever seen is given up after so long; 30.
    pub idle: f64,
    /// A run whose service gives no usable answer for so long is given up, with the words that it may go on; 300.
    pub silence: f64,
    /// How long a start waits while the service is busy with somebody else's run; 0 refuses at once; 600.
    pub queue: f64,
    /// For the one long call of `ktrdr.load`; 600.
    pub load: f64,
    /// Between two health probes; 10.
    pub probe_every: f64,
    /// For a health probe; 5.
    pub probe: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fastest: 0.2,
            slowest: 5.0,
            connect: 5.0,
            look: 10.0,
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
    /// A sentence that names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        let all = [
            ("fastest", self.fastest, 0.001),
            ("slowest", self.slowest, 0.001),
            ("connect", self.connect, 0.001),
            ("look", self.look, 0.001),
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

/// Seconds of the configuration, which were checked to be a time.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
