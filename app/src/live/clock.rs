//! Estimate of the server's clock, and the latency of messages.
//!
//! A message can't arrive before it was written, so the smallest observed difference between the browser's clock and a
//! message's timestamp is the clock offset (plus the shortest transit time). The rest of a message's difference is its
//! latency. Only the last one to two minutes count: clocks drift, and laptops sleep.

use protocol::Time;

/// Length of an observation window, milliseconds.
const WINDOW: f64 = 60_000.0;

/// Smallest offset of this window and of the previous one.
#[derive(Clone, Debug, Default)]
pub struct ClockSync {
    current: Option<f64>,
    previous: Option<f64>,
    since: f64,
    /// Exponential moving average, milliseconds.
    latency: Option<f64>,
}

impl ClockSync {
    /// Records a message written at `at` that arrived at `now` of the browser's clock, milliseconds since 1970.
    pub fn observe(&mut self, at: Time, now: f64) {
        let offset = now - at.millis();
        if now - self.since > WINDOW || now < self.since {
            self.previous = self.current.take();
            self.since = now;
        }
        self.current = Some(self.current.map_or(offset, |least| least.min(offset)));
        let late = offset - self.offset();
        // A weight of 1/5 reacts quickly and stays readable.
        self.latency = Some(self.latency.map_or(late, |known| known + (late - known) * 0.2));
    }

    /// Browser's clock minus server's, milliseconds.
    fn offset(&self) -> f64 {
        match (self.current, self.previous) {
            (Some(a), Some(b)) => a.min(b),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => 0.0,
        }
    }

    /// Server time at `now` of the browser's clock; `None` before the first message.
    pub fn server_time(&self, now: f64) -> Option<Time> {
        (self.current.is_some() || self.previous.is_some()).then(|| Time::from_millis(now - self.offset()))
    }

    /// Smoothed latency, milliseconds.
    pub fn latency(&self) -> Option<f64> {
        self.latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: f64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn the_servers_clock_is_read_through_a_wrong_browser_clock() {
        let mut sync = ClockSync::default();
        assert_eq!(sync.server_time(0.0), None);
        // The browser's clock is an hour ahead; messages take 5 to 45 ms.
        let hour = 3_600_000.0;
        for (sent, took) in [(1_000.0, 45.0), (2_000.0, 5.0), (3_000.0, 25.0)] {
            sync.observe(at(sent), sent + took + hour);
        }
        assert_eq!(sync.server_time(4_005.0 + hour), Some(at(4_000.0)));
    }

    #[test]
    fn latency_is_what_a_message_took_beyond_the_quickest() {
        let mut sync = ClockSync::default();
        sync.observe(at(1_000.0), 1_005.0);
        assert_eq!(sync.latency(), Some(0.0));
        for n in 0..60 {
            let sent = 2_000.0 + f64::from(n) * 10.0;
            sync.observe(at(sent), sent + 45.0);
        }
        let latency = sync.latency().unwrap();
        assert!((latency - 40.0).abs() < 1.0, "{latency}");
    }

    #[test]
    fn a_clock_that_was_set_is_believed_again_within_two_windows() {
        let mut sync = ClockSync::default();
        sync.observe(at(0.0), 0.0);
        // The browser's clock jumps ahead by 10 s.
        for second in 1..200 {
            let sent = f64::from(second) * 1_000.0;
            sync.observe(at(sent), sent + 10_000.0);
        }
        assert_eq!(sync.server_time(210_000.0), Some(at(200_000.0)));
    }
}
