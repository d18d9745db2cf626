//! How far a host's clock is from the server's, estimated from questions and answers.

use protocol::Time;
use std::time::Duration;

/// Clocks that go wrong by themselves stay within this from exchange to exchange, microseconds.
const SET: i64 = 50_000;

/// The offset between two clocks, from the exchange with the shortest round trip of late (as NTP does: the
/// true offset lies within half a round trip of each estimate, RFC 5905 section 8).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offset {
    /// Host minus server, microseconds.
    micros: i64,
    /// Round trip of the exchange that it comes from, microseconds, ageing.
    round_trip: Option<i64>,
    /// Round trip of the last exchange, microseconds.
    last: Option<i64>,
}

/// A question to a host and its answer, by the server's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) asked: Time,
    pub(crate) answered: Time,
    /// How long it took by a clock that does not jump.
    pub(crate) took: Duration,
}

impl Offset {
    /// Takes in one exchange, and what the host's clock showed in its answer.
    pub(crate) fn learn(&mut self, exchange: Exchange, host: Time) {
        let round_trip = i64::try_from(exchange.took.as_micros()).unwrap_or(i64::MAX);
        self.last = Some(round_trip);
        let by_the_wall = exchange.answered.micros() - exchange.asked.micros();
        if (by_the_wall - round_trip).abs() > SET {
            // This server's own clock was set between the two.
            return;
        }
        let estimate = host.micros() - (exchange.asked.micros() + round_trip / 2);
        // What is known ages by an eighth an exchange, so that clocks may drift apart.
        let known = self.round_trip.map(|known| known + known / 8 + 1);
        // Each estimate is wrong by half its round trip at most. Two that can't both be true: a clock was set.
        let set = |known: i64| (estimate - self.micros).abs() > (round_trip + known) / 2 + SET;
        if known.is_none_or(|known| round_trip <= known || set(known)) {
            self.micros = estimate;
            self.round_trip = Some(round_trip);
        } else {
            self.round_trip = known;
        }
    }

    /// How long the last exchange took, milliseconds.
    pub(crate) fn latency_ms(self) -> Option<f64> {
        self.last.map(|micros| micros as f64 / 1e3)
    }

    /// The server's clock jumped by so many microseconds.
    pub(crate) fn server_moved(&mut self, micros: i64) {
        self.micros -= micros;
    }

    /// When something happened that the host puts at that moment of its clock and that is heard of now. It has
    /// happened by now, whatever a clock says that was set anew.
    pub(crate) fn happened(self, host: Time, now: Time) -> Time {
        self.to_server(host).min(now)
    }

    /// A moment of the host's clock by the server's.
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
    fn the_exchange_with_the_shortest_round_trip_counts() {
        let mut offset = Offset::default();
        // The host is 5 s ahead; the answer took 100 ms each way.
        offset.learn(exchange(0, 200_000), t(5_100_000));
        assert_eq!(offset.to_server(t(5_100_000)), t(100_000));
        // A slow and lopsided exchange teaches nothing.
        offset.learn(exchange(1_000_000, 3_000_000), t(7_900_000));
        assert_eq!(offset.to_server(t(5_000_000)), t(0));
        // But it was slow, and that is told.
        assert_eq!(offset.latency_ms(), Some(2_000.0));
    }

    #[test]
    fn clocks_that_drift_apart_are_followed() {
        let mut offset = Offset::default();
        offset.learn(exchange(0, 100), t(50));
        for n in 1..60 {
            let asked = n * 1_000_000;
            // By 40 ms in the end, too little to be sure in one exchange.
            offset.learn(exchange(asked, asked + 400), t(asked + 200 + n * 667));
        }
        assert!((offset.to_server(t(0)).micros() - t(0).micros() + 39_353).abs() < 10_000);
    }

    #[test]
    fn a_hosts_clock_that_was_set_is_noticed_at_the_next_exchange() {
        let mut offset = Offset::default();
        offset.learn(exchange(0, 400), t(200));
        // A slower exchange than the one before, and yet there is no doubt.
        offset.learn(exchange(1_000_000, 1_900_000), t(1_450_000 - 3_000_000));
        assert_eq!(offset.to_server(t(0)), t(3_000_000));
    }

    #[test]
    fn what_is_heard_of_has_happened() {
        let offset = Offset::default();
        assert_eq!(offset.happened(t(5), t(9)), t(5));
        // The host's clock was set an hour ahead since it was last asked for.
        assert_eq!(offset.happened(t(3_600_000_000), t(9)), t(9));
    }

    #[test]
    fn an_exchange_in_which_the_servers_clock_was_set_teaches_nothing() {
        for hour in [-3_600_000_000, 3_600_000_000] {
            let mut offset = Offset::default();
            offset.learn(exchange(0, 400), t(200));
            let took = Duration::from_micros(400);
            offset.learn(Exchange { asked: t(1_000_000), answered: t(1_000_400 + hour), took }, t(1_000_200));
            assert_eq!(offset.to_server(t(0)), t(0));
            // The desk notices the jump and says so; nothing has to be learned anew.
            offset.server_moved(hour);
            assert_eq!(offset.to_server(t(0)), t(hour));
        }
    }
}
