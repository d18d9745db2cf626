//! Estimate of the server's clock, and the latency of messages.
//!
//! A message can't arrive before it was written, so the smallest observed difference between the browser's clock and a
//! message's timestamp is the clock offset (plus the shortest transit time). The rest of a message's difference is its
//! latency. Only the last one to two minutes count: clocks drift, and laptops sleep.
//!
//! If every message is late, the smallest difference contains the delay; if the browser's clock is set, all of the
//! change looks like one. A small request tells: the server wrote its answer between request and arrival.

use protocol::Time;
use serde::{Deserialize, Serialize};

/// Length of an observation window, milliseconds.
const WINDOW: f64 = 60_000.0;
/// Interval between two measuring requests: at least one succeeds per window, milliseconds.
const MEASURE_EVERY: f64 = WINDOW / 2.0;
/// Same, while data seems to be delayed, milliseconds.
const CONFIRM_EVERY: f64 = 2_000.0;
/// Time after which a delay counts although it could not be confirmed, milliseconds.
const UNCONFIRMED: f64 = 3_000.0;
/// Latency beyond which data is called delayed, milliseconds: a heartbeat.
pub const DELAYED_AFTER: f64 = 2_000.0;
/// Maximum distance of the page's clock from the newest data, milliseconds: a heartbeat, and a half for its transit.
const MAX_AHEAD: f64 = 3_000.0;
/// A change of the latency by more than this is not smoothed, milliseconds.
const JUMP: f64 = 1_000.0;

/// Smallest offset of this window and of the previous one.
#[derive(Clone, Debug, Default)]
pub struct ClockSync {
    current: Option<f64>,
    previous: Option<f64>,
    since: f64,
    /// Exponential moving average, milliseconds.
    latency: Option<f64>,
    /// Since when the latency is too high.
    late_since: Option<f64>,
    /// When the last request was begun, and when the last answered one was.
    asked: Option<f64>,
    measured: Option<f64>,
    /// Newest timestamp of the server.
    newest: Option<Time>,
}

/// Result of a leader's clock, for tabs that follow it: all tabs of a browser share its clock.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClockReading {
    /// Browser's clock minus server's, milliseconds.
    pub offset: f64,
    /// Smoothed latency, milliseconds.
    pub latency: Option<f64>,
    /// Newest timestamp of the server.
    pub newest: Time,
}

impl ClockSync {
    /// Records a message written at `at` that arrived at `now` of the browser's clock, milliseconds since 1970.
    pub fn observe(&mut self, at: Time, now: f64) {
        self.observe_answer(at, now);
        let late = now - at.millis() - self.offset();
        // A weight of 1/5 reacts quickly and stays readable.
        let latency = match self.latency {
            Some(known) if (late - known).abs() < JUMP => known + (late - known) * 0.2,
            _ => late,
        };
        self.latency = Some(latency);
        self.late_since = (latency > DELAYED_AFTER).then(|| self.late_since.unwrap_or(now));
    }

    /// Records an answer or an older event: its age says nothing about the latency.
    pub fn observe_answer(&mut self, at: Time, now: f64) {
        self.newest = self.newest.max(Some(at));
        self.least(now - at.millis(), now);
    }

    /// Whether the clock should be measured with a request at `now`. It counts as begun.
    pub fn should_measure(&mut self, now: f64) -> bool {
        let every = if self.late_since.is_some() { CONFIRM_EVERY } else { MEASURE_EVERY };
        let due = self.asked.is_none_or(|asked| (now - asked).abs() >= every);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// Records the answer of a measuring request, which was written at `at`. It contains no data of the page.
    pub fn measure(&mut self, at: Time, sent: f64, received: f64) {
        if self.offset() < sent - at.millis() {
            // One of the clocks was set: what was observed before is void.
            (self.current, self.previous, self.since) = (None, None, received);
            (self.latency, self.late_since) = (None, None);
        }
        self.least(received - at.millis(), received);
        self.measured = Some(sent);
    }

    /// Takes the reading of the leader.
    pub fn adopt(&mut self, reading: &ClockReading) {
        (self.current, self.previous) = (Some(reading.offset), None);
        self.latency = reading.latency;
        // It is confirmed.
        self.late_since = reading.latency.filter(|ms| *ms > DELAYED_AFTER).map(|_| f64::NEG_INFINITY);
        self.newest = self.newest.max(Some(reading.newest));
    }

    /// Reading for other tabs at `now`; `None` before the first message.
    pub fn reading(&self, now: f64) -> Option<ClockReading> {
        let newest = self.newest?;
        Some(ClockReading { offset: self.offset(), latency: self.latency(now), newest })
    }

    fn least(&mut self, offset: f64, now: f64) {
        if now - self.since > WINDOW || now < self.since {
            self.previous = self.current.take();
            self.since = now;
        }
        self.current = Some(self.current.map_or(offset, |least| least.min(offset)));
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

    /// Time of the page's clock at `now`: the server's, but little ahead of the newest data, so that nothing is judged
    /// by data that is older than it seems. `None` before the first message.
    pub fn page_time(&self, now: f64) -> Option<Time> {
        let newest = self.newest?.plus_micros((MAX_AHEAD * 1e3) as i64);
        self.server_time(now).map(|time| time.min(newest))
    }

    /// Smoothed latency at `now`, milliseconds; `None` while it is unknown whether messages are late or a clock was
    /// set.
    pub fn latency(&self, now: f64) -> Option<f64> {
        let confirmed = self.late_since.is_none_or(|since| {
            self.measured.is_some_and(|measured| measured >= since) || now - since > UNCONFIRMED
        });
        self.latency.filter(|_| confirmed)
    }

    /// Whether data arrives so late at `now` that the page can't be called live.
    pub fn delayed(&self, now: f64) -> bool {
        self.late_since.is_some() && self.latency(now).is_some()
    }

    /// Newest timestamp of the server: the page knows nothing after it.
    pub fn newest(&self) -> Option<Time> {
        self.newest
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
    fn latency_is_the_delay_beyond_the_quickest_message() {
        let mut sync = ClockSync::default();
        sync.observe(at(1_000.0), 1_005.0);
        assert_eq!(sync.latency(1_005.0), Some(0.0));
        for n in 0..60 {
            let sent = 2_000.0 + f64::from(n) * 10.0;
            sync.observe(at(sent), sent + 45.0);
        }
        let latency = sync.latency(2_635.0).unwrap();
        assert!((latency - 40.0).abs() < 1.0, "{latency}");
    }

    #[test]
    fn a_changed_clock_is_adopted_within_two_windows() {
        let mut sync = ClockSync::default();
        sync.observe(at(0.0), 0.0);
        // The browser's clock jumps ahead by 10 s.
        for second in 1..200 {
            let sent = f64::from(second) * 1_000.0;
            sync.observe(at(sent), sent + 10_000.0);
        }
        assert_eq!(sync.server_time(210_000.0), Some(at(200_000.0)));
    }

    #[test]
    fn a_constant_delay_of_messages_is_measured_by_a_request() {
        let mut sync = ClockSync::default();
        for second in 0..300 {
            // Messages queue up for longer and longer; a request takes 80 ms.
            let now = f64::from(second) * 1_000.0;
            sync.observe(at(now / 2.0), now);
            if sync.should_measure(now) {
                sync.measure(at(now + 40.0), now, now + 80.0);
            }
        }
        let latency = sync.latency(299_000.0).unwrap();
        assert!((140_000.0..150_000.0).contains(&latency), "{latency}");
        assert!(sync.delayed(299_000.0));
        assert_eq!(sync.newest(), Some(at(149_500.0)));
    }

    #[test]
    fn a_changed_clock_does_not_count_as_delay() {
        let mut sync = ClockSync::default();
        sync.observe(at(1_000.0), 1_000.0);
        assert!(sync.should_measure(1_000.0));
        sync.measure(at(1_000.0), 1_000.0, 1_010.0);
        // The browser's clock jumps ahead by an hour.
        let hour = 3_600_000.0;
        sync.observe(at(2_000.0), 2_000.0 + hour);
        assert_eq!((sync.latency(2_000.0 + hour), sync.delayed(2_000.0 + hour)), (None, false));
        assert!(sync.should_measure(2_000.0 + hour) && !sync.should_measure(2_001.0 + hour));
        sync.measure(at(2_020.0), 2_000.0 + hour, 2_040.0 + hour);
        sync.observe(at(2_050.0), 2_060.0 + hour);
        assert!(sync.latency(2_060.0 + hour).unwrap() < 20.0);
        assert!(!sync.delayed(9_000.0 + hour));
    }

    #[test]
    fn a_delay_counts_when_requests_are_unanswered() {
        let mut sync = ClockSync::default();
        sync.observe(at(1_000.0), 1_000.0);
        sync.observe(at(2_000.0), 9_000.0);
        assert!(!sync.delayed(9_000.0));
        assert!(sync.delayed(12_001.0));
        assert_eq!(sync.latency(12_001.0), Some(7_000.0));
    }

    #[test]
    fn the_pages_clock_never_runs_far_ahead_of_its_data() {
        let mut sync = ClockSync::default();
        assert_eq!(sync.page_time(5_000.0), None);
        sync.observe(at(1_000.0), 1_000.0);
        assert_eq!(sync.page_time(2_500.0), Some(at(2_500.0)));
        // No message for a minute.
        assert_eq!(sync.page_time(61_000.0), Some(at(4_000.0)));
        // A request that only measures the clock brings no data.
        sync.measure(at(61_000.0), 61_000.0, 61_000.0);
        assert_eq!(sync.page_time(61_000.0), Some(at(4_000.0)));
    }

    #[test]
    fn an_older_event_says_nothing_about_the_latency() {
        let mut sync = ClockSync::default();
        sync.observe(at(100_000.0), 100_020.0);
        sync.observe_answer(at(70_000.0), 100_025.0);
        assert_eq!((sync.latency(100_025.0), sync.newest()), (Some(0.0), Some(at(100_000.0))));
    }

    #[test]
    fn a_tab_that_follows_has_the_clock_of_its_leader() {
        let (mut leader, mut sequence) = (ClockSync::default(), ClockSync::default());
        assert_eq!(leader.reading(0.0), None);
        leader.observe(at(1_000.0), 1_001.0);
        leader.observe(at(2_000.0), 9_001.0);
        leader.measure(at(9_010.0), 9_005.0, 9_015.0);
        sequence.adopt(&leader.reading(9_020.0).unwrap());
        assert_eq!((sequence.latency(9_020.0), sequence.delayed(9_020.0)), (Some(7_000.0), true));
        assert_eq!(sequence.page_time(9_030.0), leader.page_time(9_030.0));
    }
}
