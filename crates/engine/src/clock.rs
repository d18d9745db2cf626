//! Offset of a host's clock from the server's, estimated from requests and responses.

use protocol::Time;
use std::time::Duration;

/// Largest drift of a clock between two exchanges, in microseconds; more means that it was set.
const SET: i64 = 50_000;

/// Offset between two clocks, from the recent exchange with the shortest round trip. As in NTP, the true offset lies
/// within half a round trip of each estimate (RFC 5905, section 8).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offset {
    /// Host time minus server time, in microseconds.
    micros: i64,
    /// Round trip of the exchange it comes from, in microseconds; increases with age.
    round_trip: Option<i64>,
    /// Round trip of the last exchange, in microseconds.
    last: Option<i64>,
}

/// Request to a host and its response, in server time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) asked: Time,
    pub(crate) answered: Time,
    /// Duration by a monotonic clock.
    pub(crate) took: Duration,
}

impl Offset {
    /// Updates the offset with one exchange and the host's time in its response.
    pub(crate) fn learn(&mut self, exchange: Exchange, host: Time) {
        let round_trip = i64::try_from(exchange.took.as_micros()).unwrap_or(i64::MAX);
        self.last = Some(round_trip);
        let by_the_wall = exchange.answered.micros() - exchange.asked.micros();
        if (by_the_wall - round_trip).abs() > SET {
            // The server's own clock was set in between.
            return;
        }
        let estimate = host.micros() - (exchange.asked.micros() + round_trip / 2);
        // The known round trip grows by an eighth per exchange, so that drifting clocks are followed.
        let known = self.round_trip.map(|known| known + known / 8 + 1);
        // Each estimate is wrong by at most half its round trip. If two contradict each other, a clock was set.
        let set = |known: i64| (estimate - self.micros).abs() > (round_trip + known) / 2 + SET;
        if known.is_none_or(|known| round_trip <= known || set(known)) {
            self.micros = estimate;
            self.round_trip = Some(round_trip);
        } else {
            self.round_trip = known;
        }
    }

    /// Round trip of the last exchange in milliseconds.
    pub(crate) fn latency_ms(self) -> Option<f64> {
        self.last.map(|micros| micros as f64 / 1e3)
    }

    /// Corrects the offset after the server's clock jumped by some microseconds.
    pub(crate) fn server_moved(&mut self, micros: i64) {
        self.micros -= micros;
    }

    /// Server time of an event that has just arrived with the host's time. Never later than now, even if a clock was
    /// set.
    pub(crate) fn happened(self, host: Time, now: Time) -> Time {
        self.to_server(host).min(now)
    }

    /// Converts host time to server time.
    fn to_server(self, host: Time) -> Time {
        host.plus_micros(-self.micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(micros: i64) -> Time {
        Time::from_micros(1_000_000_000 + micros)
    }

    fn exchange(asked: i64, answered: i64) -> Exchange {
        let took = Duration::from_micros((answered - asked) as u64);
        Exchange { asked: t(asked), answered: t(answered), took }
    }

    #[test]
    fn the_measurement_with_the_shortest_round_trip_counts() {
        let mut offset = Offset::default();
        // The host is 5 s ahead; each direction took 100 ms.
        offset.learn(exchange(0, 200_000), t(5_100_000));
        assert_eq!(offset.to_server(t(5_100_000)), t(100_000));
        // A slow and asymmetric exchange changes nothing,
        offset.learn(exchange(1_000_000, 3_000_000), t(7_900_000));
        assert_eq!(offset.to_server(t(5_000_000)), t(0));
        // but its latency is reported.
        assert_eq!(offset.latency_ms(), Some(2_000.0));
    }

    #[test]
    fn clock_drift_is_followed() {
        let mut offset = Offset::default();
        offset.learn(exchange(0, 100), t(50));
        for n in 1..60 {
            let asked = n * 1_000_000;
            // 40 ms in total, too little to be certain in one exchange.
            offset.learn(exchange(asked, asked + 400), t(asked + 200 + n * 667));
        }
        assert!((offset.to_server(t(0)).micros() - t(0).micros() + 39_353).abs() < 10_000);
    }

    #[test]
    fn a_changed_host_clock_is_detected_at_the_next_measurement() {
        let mut offset = Offset::default();
        offset.learn(exchange(0, 400), t(200));
        // Slower than the exchange before, but there is no doubt.
        offset.learn(exchange(1_000_000, 1_900_000), t(1_450_000 - 3_000_000));
        assert_eq!(offset.to_server(t(0)), t(3_000_000));
    }

    #[test]
    fn reported_events_are_never_in_the_future() {
        let offset = Offset::default();
        assert_eq!(offset.happened(t(5), t(9)), t(5));
        // The host's clock was set an hour ahead since the last exchange.
        assert_eq!(offset.happened(t(3_600_000_000), t(9)), t(9));
    }

    #[test]
    fn a_measurement_across_a_server_clock_change_is_discarded() {
        for hour in [-3_600_000_000, 3_600_000_000] {
            let mut offset = Offset::default();
            offset.learn(exchange(0, 400), t(200));
            let took = Duration::from_micros(400);
            offset.learn(Exchange { asked: t(1_000_000), answered: t(1_000_400 + hour), took }, t(1_000_200));
            assert_eq!(offset.to_server(t(0)), t(0));
            // The coordinator notices the jump, so the offset need not be estimated again.
            offset.server_moved(hour);
            assert_eq!(offset.to_server(t(0)), t(hour));
        }
    }
}
