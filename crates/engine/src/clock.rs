//! How far a host's clock is from the server's, estimated from questions and answers.

use protocol::Time;

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

impl Offset {
    /// Takes in one exchange: asked at, answered at (server's clock), and the host's clock in the answer.
    pub(crate) fn learn(&mut self, asked: Time, answered: Time, host: Time) {
        let round_trip = (answered.micros() - asked.micros()).max(0);
        self.last = Some(round_trip);
        // What is known ages by an eighth an exchange, so that a clock that was set anew is noticed.
        let known = self.round_trip.map(|known| known + known / 8 + 1);
        if known.is_none_or(|known| round_trip <= known) {
            self.micros = host.micros() - (asked.micros() + round_trip / 2);
            self.round_trip = Some(round_trip);
        } else {
            self.round_trip = known;
        }
    }

    /// How long the last exchange took, milliseconds.
    pub(crate) fn latency_ms(self) -> Option<f64> {
        self.last.map(|micros| micros as f64 / 1e3)
    }

    /// A moment of the host's clock by the server's.
    pub(crate) fn to_server(self, host: Time) -> Time {
        host.plus_micros(-self.micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(micros: i64) -> Time {
        Time::from_micros(1_000_000_000 + micros)
    }

    #[test]
    fn the_exchange_with_the_shortest_round_trip_counts() {
        let mut offset = Offset::default();
        // The host is 5 s ahead; the answer took 100 ms each way.
        offset.learn(t(0), t(200_000), t(5_100_000));
        assert_eq!(offset.to_server(t(5_100_000)), t(100_000));
        // A slow and lopsided exchange teaches nothing.
        offset.learn(t(1_000_000), t(3_000_000), t(7_900_000));
        assert_eq!(offset.to_server(t(5_000_000)), t(0));
        // But it was slow, and that is told.
        assert_eq!(offset.latency_ms(), Some(2_000.0));
    }

    #[test]
    fn a_clock_that_was_set_anew_is_noticed_in_time() {
        let mut offset = Offset::default();
        offset.learn(t(0), t(100), t(50));
        for n in 1..60 {
            let asked = n * 1_000_000;
            offset.learn(t(asked), t(asked + 400), t(asked + 200 - 3_000_000));
        }
        assert_eq!(offset.to_server(t(0)), t(3_000_000));
    }
}
