//! Metrics of requests, by route: outcomes, bytes and latencies.

use crate::PoolError;
use histogram::Histogram;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Route of requests that match none of [`crate::PoolConfig::routes`].
pub const OTHER_ROUTES: &str = "other";

/// Number of minutes that count as recent.
const RECENT_MINUTES: usize = 5;

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// A usable response, status 2xx.
    Success,
    /// Status 4xx, or another one that is no success.
    ClientError,
    /// Status 5xx.
    ServerError,
    /// No connection.
    Connect,
    /// No complete response in time.
    Timeout,
    /// The connection broke before the response was complete.
    Reset,
    /// A response that is not what was requested: no HTTP, no JSON, too large.
    Protocol,
    /// The caller gave up waiting.
    Cancelled,
}

impl Outcome {
    /// All outcomes, success first.
    pub const ALL: [Outcome; 8] = [
        Outcome::Success,
        Outcome::ClientError,
        Outcome::ServerError,
        Outcome::Connect,
        Outcome::Timeout,
        Outcome::Reset,
        Outcome::Protocol,
        Outcome::Cancelled,
    ];

    /// Name in metrics and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::ClientError => "client_error",
            Outcome::ServerError => "server_error",
            Outcome::Connect => "connect",
            Outcome::Timeout => "timeout",
            Outcome::Reset => "reset",
            Outcome::Protocol => "protocol",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// Whether it says that something is wrong with the service or the way to it. A refusal (4xx) is an answer, and a
    /// cancelled request says nothing.
    pub fn is_failure(self) -> bool {
        match self {
            Outcome::Success | Outcome::ClientError | Outcome::Cancelled => false,
            Outcome::ServerError
            | Outcome::Connect
            | Outcome::Timeout
            | Outcome::Reset
            | Outcome::Protocol => true,
        }
    }

    /// Whether the latency of such a request is that of a response.
    fn is_answered(self) -> bool {
        matches!(self, Outcome::Success | Outcome::ClientError | Outcome::ServerError)
    }
}

impl From<&PoolError> for Outcome {
    fn from(error: &PoolError) -> Self {
        match error {
            PoolError::Status { status, .. } if *status >= 500 => Outcome::ServerError,
            PoolError::Status { .. } => Outcome::ClientError,
            PoolError::Decode { .. } | PoolError::TooLarge { .. } => Outcome::Protocol,
            error if error.never_sent() => Outcome::Connect,
            PoolError::Timeout { .. } => Outcome::Timeout,
            PoolError::Unreachable { .. }
            | PoolError::BadUrl { .. }
            | PoolError::BadToken { .. }
            | PoolError::NotJson { .. } => Outcome::Reset,
        }
    }
}

/// Requests and their latencies.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Requests {
    outcomes: [u64; Outcome::ALL.len()],
    /// Bytes of request bodies.
    pub sent_bytes: u64,
    /// Bytes of response bodies; those of error responses and of streams are not counted.
    pub received_bytes: u64,
    /// Seconds from the request to the last byte of its response, for requests with a response.
    pub latency: Histogram,
}

impl Requests {
    /// Number of requests that ended so.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Number of requests.
    pub fn count(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Number of requests whose outcome is a failure.
    pub fn failed(&self) -> u64 {
        Outcome::ALL
            .into_iter()
            .filter(|outcome| outcome.is_failure())
            .map(|outcome| self.ended(outcome))
            .sum()
    }

    /// Adds those of another route, host or time.
    pub fn merge(&mut self, other: &Requests) {
        for (count, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count += more;
        }
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.latency.merge(&other.latency);
    }

    /// Adds one that ended after this time.
    pub fn record(&mut self, outcome: Outcome, latency: Duration) {
        self.record_untimed(outcome);
        if outcome.is_answered() {
            // A duration is never negative or infinite.
            let _ = self.latency.record(latency.as_secs_f64());
        }
    }

    /// Adds one whose duration says nothing, such as that of a long poll.
    pub fn record_untimed(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }

    fn add(&mut self, end: &End) {
        self.record(end.outcome, end.latency);
        self.sent_bytes += end.sent_bytes;
        self.received_bytes += end.received_bytes;
    }
}

/// Requests of one route. Each try counts; a request that was repeated at once because its idle connection was closed
/// counts once.
#[derive(Clone, PartialEq, Debug)]
pub struct RouteMetrics {
    /// HTTP method, such as `GET`.
    pub method: &'static str,
    /// Path with placeholders, such as `/host/v1/operations/{id}`.
    pub route: &'static str,
    /// Since the pool was created.
    pub total: Requests,
    /// In the last four to five minutes.
    pub recent: Requests,
}

/// End of one request.
struct End {
    outcome: Outcome,
    latency: Duration,
    sent_bytes: u64,
    received_bytes: u64,
}

/// Requests of one route, in total and by minute.
struct Route {
    total: Requests,
    /// Minutes since the creation of the pool, and the requests that ended in them; the newest last.
    minutes: Vec<(u64, Requests)>,
}

/// All routes of a pool.
pub(crate) struct Measured {
    patterns: &'static [&'static str],
    created: Instant,
    routes: Mutex<BTreeMap<(&'static str, &'static str), Route>>,
    /// Requests of all routes since they were last taken.
    untaken: Mutex<Requests>,
}

impl Measured {
    pub fn new(patterns: &'static [&'static str]) -> Self {
        Self { patterns, created: Instant::now(), routes: Mutex::default(), untaken: Mutex::default() }
    }

    /// Begins to measure a request.
    pub fn begin(
        self: &Arc<Self>,
        method: &'static str,
        path_and_query: &str,
        sent_bytes: usize,
    ) -> Measuring {
        Measuring {
            measured: Arc::clone(self),
            method,
            route: self.route_of(path_and_query),
            begun: Instant::now(),
            sent_bytes: sent_bytes as u64,
            ended: false,
        }
    }

    /// Routes with requests, sorted by route and method.
    pub fn read(&self) -> Vec<RouteMetrics> {
        let minute = self.minute();
        let routes = self.routes.lock();
        let read = routes.iter().map(|((route, method), requests)| {
            let mut recent = Requests::default();
            for (_, requests) in requests.minutes.iter().filter(|(at, _)| is_recent(*at, minute)) {
                recent.merge(requests);
            }
            RouteMetrics { method, route, total: requests.total.clone(), recent }
        });
        read.collect()
    }

    /// Requests of all routes that ended since the last call.
    pub fn take(&self) -> Requests {
        std::mem::take(&mut self.untaken.lock())
    }

    fn add(&self, method: &'static str, route: &'static str, end: &End) {
        self.untaken.lock().add(end);
        let minute = self.minute();
        let mut routes = self.routes.lock();
        let of = routes
            .entry((route, method))
            .or_insert_with(|| Route { total: Requests::default(), minutes: Vec::new() });
        of.total.add(end);
        of.minutes.retain(|(at, _)| is_recent(*at, minute));
        match of.minutes.last_mut() {
            Some((at, requests)) if *at == minute => requests.add(end),
            _ => {
                let mut requests = Requests::default();
                requests.add(end);
                of.minutes.push((minute, requests));
            }
        }
    }

    fn minute(&self) -> u64 {
        self.created.elapsed().as_secs() / 60
    }

    fn route_of(&self, path_and_query: &str) -> &'static str {
        let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
        self.patterns.iter().copied().find(|pattern| matches(pattern, path)).unwrap_or(OTHER_ROUTES)
    }
}

fn is_recent(at: u64, now: u64) -> bool {
    at + RECENT_MINUTES as u64 > now
}

/// Whether a path has the segments of a pattern. `{name}` stands for one segment, `{*name}` for all that follow.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(rest), Some(_)) if rest.starts_with("{*") => return true,
            (Some(one), Some(segment)) if one.starts_with('{') && !segment.is_empty() => {}
            (Some(one), Some(segment)) if one == segment => {}
            _ => return false,
        }
    }
}

/// A request on its way. If it is dropped before its end, the caller gave up waiting.
pub(crate) struct Measuring {
    measured: Arc<Measured>,
    method: &'static str,
    route: &'static str,
    begun: Instant,
    sent_bytes: u64,
    ended: bool,
}

impl Measuring {
    /// Time since the request was sent.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Records the end of the request.
    pub fn end(self, outcome: Outcome, received_bytes: usize) {
        let latency = self.elapsed();
        self.end_after(latency, outcome, received_bytes);
    }

    /// Records the end of a request whose response was complete after `latency`.
    pub fn end_after(mut self, latency: Duration, outcome: Outcome, received_bytes: usize) {
        self.ended = true;
        let received_bytes = received_bytes as u64;
        let end = End { outcome, latency, sent_bytes: self.sent_bytes, received_bytes };
        self.measured.add(self.method, self.route, &end);
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        if !self.ended {
            let (latency, sent_bytes) = (self.elapsed(), self.sent_bytes);
            let end = End { outcome: Outcome::Cancelled, latency, sent_bytes, received_bytes: 0 };
            self.measured.add(self.method, self.route, &end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[&str] = &["/v1/operations", "/v1/operations/{id}/cancel", "/v1/artifacts/{*path}"];

    fn measured() -> Arc<Measured> {
        Arc::new(Measured::new(ROUTES))
    }

    #[test]
    fn a_path_belongs_to_the_pattern_with_its_segments() {
        let measured = measured();
        for (path, route) in [
            ("/v1/operations", "/v1/operations"),
            ("/v1/operations?after=7", "/v1/operations"),
            ("/v1/operations/0199c2d4/cancel", "/v1/operations/{id}/cancel"),
            ("/v1/artifacts/0199c2d4/equity.parquet", "/v1/artifacts/{*path}"),
            ("/v1/operations/", OTHER_ROUTES),
            ("/v1/operations//cancel", OTHER_ROUTES),
            ("/v1/operations/0199c2d4", OTHER_ROUTES),
            ("/", OTHER_ROUTES),
        ] {
            assert_eq!(measured.route_of(path), route, "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_counts_by_its_outcome_and_latency() {
        let measured = measured();
        let request = measured.begin("POST", "/v1/operations", 100);
        tokio::time::advance(Duration::from_millis(250)).await;
        request.end(Outcome::Success, 40);
        measured.begin("POST", "/v1/operations", 10).end(Outcome::Timeout, 0);
        drop(measured.begin("POST", "/v1/operations", 1));
        let routes = measured.read();
        assert_eq!(routes.len(), 1);
        let RouteMetrics { method, route, total, recent } = &routes[0];
        assert_eq!((*method, *route), ("POST", "/v1/operations"));
        assert_eq!((total.count(), total.sent_bytes, total.received_bytes), (3, 111, 40));
        for outcome in Outcome::ALL {
            let expected = matches!(outcome, Outcome::Success | Outcome::Timeout | Outcome::Cancelled);
            assert_eq!(total.ended(outcome), u64::from(expected), "{outcome:?}");
        }
        // Only a response has a latency.
        assert_eq!((total.latency.count(), total.latency.quantile(0.5)), (1, Some(0.25)));
        assert_eq!(recent, total);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_recent_for_five_minutes() {
        let measured = measured();
        measured.begin("GET", "/v1/operations", 0).end(Outcome::Success, 0);
        tokio::time::advance(Duration::from_secs(4 * 60 + 59)).await;
        measured.begin("GET", "/v1/operations", 0).end(Outcome::ServerError, 0);
        assert_eq!(measured.read()[0].recent.count(), 2);
        tokio::time::advance(Duration::from_secs(1)).await;
        let routes = measured.read();
        assert_eq!((routes[0].recent.count(), routes[0].total.count()), (1, 2));
        assert_eq!(routes[0].recent.ended(Outcome::ServerError), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_of_any_route_is_taken_once() {
        let measured = measured();
        measured.begin("GET", "/v1/operations", 0).end(Outcome::Success, 7);
        measured.begin("POST", "/v1/operations", 0).end(Outcome::Reset, 0);
        let taken = measured.take();
        assert_eq!((taken.count(), taken.failed(), taken.latency.count()), (2, 1, 1));
        assert_eq!(measured.take(), Requests::default());
        measured.begin("GET", "/elsewhere", 0).end(Outcome::Success, 0);
        assert_eq!(measured.take().count(), 1);
        assert_eq!(measured.read().iter().map(|route| route.total.count()).sum::<u64>(), 3, "totals stay");
    }

    #[test]
    fn every_outcome_has_a_name_of_its_own_and_its_own_place() {
        let names: std::collections::BTreeSet<_> =
            Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        assert_eq!(names.len(), Outcome::ALL.len());
        for (place, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, place);
        }
    }
}
