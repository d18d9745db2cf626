//! Request limits: what one user, token or address may use, so that all others are still served.
//!
//! Requests with a credential count for its user or token, all others for their address. Exempt addresses, such as
//! loopback, have no limits by address. The time is checked per request and per connection, never per event.

mod body;
mod extract;
mod head;
mod held;
mod quota;
mod rates;

pub use body::timed_body;
pub use extract::{StartAllowed, StreamSlot};
pub use head::{HeadTimer, RequestCount};
pub use held::Held;
pub use quota::{AllowedStart, counted};

use crate::access::Identity;
use axum::response::{IntoResponse, Response};
use held::HeldCounts;
use http::HeaderValue;
use http::header::CONNECTION;
use http_wire::ApiError;
use ipnet::IpNet;
use protocol::ProblemType;
use protocol::access::Role;
use quota::ActiveOperations;
use rates::{Rate, Rates};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Seconds after which a client may try to open another stream.
const STREAM_RETRY_SECONDS: u32 = 5;
/// Requests per second may exceed the limit for this long, in seconds.
const REQUEST_BURST_SECONDS: u32 = 10;
/// Interval of log lines about the same limit.
const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// Divisor for the share of all connections that only exempt addresses get.
const RESERVED_SHARE: u32 = 10;

/// Limits; `None` for no limit.
#[derive(Clone, PartialEq, Debug)]
pub struct LimitSettings {
    pub requests_per_second: Option<u32>,
    pub starts_per_minute: Option<u32>,
    /// Queued and running operations of a user or token with the role; no limit for other roles.
    pub active_operations: HashMap<Role, u32>,
    pub sign_ins_per_minute: Option<u32>,
    /// Open event streams and polls.
    pub streams: Option<u32>,
    pub connections_per_address: Option<u32>,
    /// Connections of all addresses.
    pub connections: Option<u32>,
    /// Time from the first to the last byte of a request's head.
    pub header_timeout: Option<Duration>,
    /// Time from the head of a request to the end of its body.
    pub body_timeout: Option<Duration>,
    /// Largest size of a request's head in bytes.
    pub max_header_bytes: u32,
    pub exempt: ExemptAddresses,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            requests_per_second: Some(200),
            starts_per_minute: Some(600),
            active_operations: HashMap::new(),
            sign_ins_per_minute: Some(30),
            streams: Some(200),
            connections_per_address: Some(256),
            connections: Some(20_000),
            header_timeout: Some(Duration::from_secs(20)),
            body_timeout: Some(Duration::from_secs(30)),
            max_header_bytes: 64 << 10,
            exempt: ExemptAddresses { loopback: true, others: Vec::new() },
        }
    }
}

/// Addresses without limits by address: those of one person, and of proxies, behind which there are many.
#[derive(Clone, PartialEq, Debug)]
pub struct ExemptAddresses {
    pub loopback: bool,
    pub others: Vec<IpNet>,
}

impl ExemptAddresses {
    fn covers(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self.loopback && address.is_loopback())
            || self.others.iter().any(|network| network.contains(&address))
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    Requests,
    Starts,
    ActiveOperations,
    SignIns,
    Streams,
    ConnectionsPerAddress,
    Connections,
    HeaderTimeout,
    HeaderBytes,
    BodyTimeout,
}

impl Limit {
    pub const ALL: [Self; 10] = [
        Self::Requests,
        Self::Starts,
        Self::ActiveOperations,
        Self::SignIns,
        Self::Streams,
        Self::ConnectionsPerAddress,
        Self::Connections,
        Self::HeaderTimeout,
        Self::HeaderBytes,
        Self::BodyTimeout,
    ];

    /// Key in the configuration, and label of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests_per_second",
            Self::Starts => "starts_per_minute",
            Self::ActiveOperations => "active_operations",
            Self::SignIns => "sign_ins_per_minute",
            Self::Streams => "streams",
            Self::ConnectionsPerAddress => "connections_per_address",
            Self::Connections => "connections",
            Self::HeaderTimeout => "header_timeout",
            Self::HeaderBytes => "max_header_bytes",
            Self::BodyTimeout => "body_timeout",
        }
    }
}

/// For whom a request counts.
#[derive(Hash)]
enum Caller<'a> {
    Token(&'a str),
    User(&'a str),
    Address(IpAddr),
}

impl fmt::Display for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "token {id}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// Limits and what is counted for them; clones share both.
#[derive(Clone)]
pub struct Limits(Arc<Shared>);

struct Shared {
    settings: LimitSettings,
    /// Callers are counted by a keyed hash, which needs no memory of its own.
    keys: RandomState,
    started: Instant,
    requests: Rates,
    starts: Rates,
    sign_ins: Rates,
    active: ActiveOperations,
    streams: Arc<HeldCounts>,
    by_address: Arc<HeldCounts>,
    /// Open connections.
    connections: AtomicU32,
    refused: [Refusals; Limit::ALL.len()],
}

/// How often a limit was reached.
#[derive(Default)]
struct Refusals {
    count: AtomicU64,
    /// Time of the next log line, in microseconds since the start.
    log_at: AtomicU64,
}

impl Limits {
    pub fn new(settings: LimitSettings) -> Self {
        Self(Arc::new(Shared {
            settings,
            keys: RandomState::new(),
            started: Instant::now(),
            requests: Rates::default(),
            starts: Rates::default(),
            sign_ins: Rates::default(),
            active: ActiveOperations::default(),
            streams: Arc::default(),
            by_address: Arc::default(),
            connections: AtomicU32::new(0),
            refused: Default::default(),
        }))
    }

    pub fn settings(&self) -> &LimitSettings {
        &self.0.settings
    }

    /// Counts a request.
    ///
    /// # Errors
    /// 429 if there were too many.
    pub fn request(&self, identity: Option<&Identity>, from: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(per_second) = self.0.settings.requests_per_second else { return Ok(()) };
        let Some(caller) = self.caller(identity, from) else { return Ok(()) };
        let rate = Rate::per_second(per_second, REQUEST_BURST_SECONDS);
        let taken = self.0.requests.take(rate, self.key(&caller), self.now());
        taken.map_err(|wait| {
            let what = format!(
                "Too many requests: at most {per_second} per second are allowed for a user, a token, or an address"
            );
            self.too_many(Limit::Requests, &caller, &what, wait)
        })
    }

    /// Counts the start of an operation, or of an attempt.
    ///
    /// # Errors
    /// 429 if there were too many.
    pub fn start(&self, identity: Option<&Identity>, from: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(per_minute) = self.0.settings.starts_per_minute else { return Ok(()) };
        let Some(caller) = self.caller(identity, from) else { return Ok(()) };
        let taken = self.0.starts.take(Rate::per_minute(per_minute), self.key(&caller), self.now());
        taken.map_err(|wait| {
            let what = format!(
                "Too many starts: at most {per_minute} operations per minute can be started, retried or resumed by a \
                 user, a token, or an address"
            );
            self.too_many(Limit::Starts, &caller, &what, wait)
        })
    }

    /// Counts a sign-in from an address.
    ///
    /// # Errors
    /// Seconds after which to try again, if there were too many.
    pub fn sign_in(&self, from: Option<IpAddr>) -> Result<(), u32> {
        let Some(per_minute) = self.0.settings.sign_ins_per_minute else { return Ok(()) };
        let Some(caller) = self.caller(None, from) else { return Ok(()) };
        let taken = self.0.sign_ins.take(Rate::per_minute(per_minute), self.key(&caller), self.now());
        taken.inspect_err(|_| self.reached(Limit::SignIns, &caller))
    }

    /// Slot for a stream or a poll; `None` without a limit.
    ///
    /// # Errors
    /// 429 if there are too many.
    pub fn stream(
        &self,
        identity: Option<&Identity>,
        from: Option<IpAddr>,
    ) -> Result<Option<Held>, ApiError> {
        let Some(most) = self.0.settings.streams else { return Ok(None) };
        let Some(caller) = self.caller(identity, from) else { return Ok(None) };
        self.0.streams.hold(self.key(&caller), most).map(Some).ok_or_else(|| {
            let what = format!(
                "Too many event streams: at most {most} can be open for a user, a token, or an address. Close \
                 some of them"
            );
            self.too_many(Limit::Streams, &caller, &what, STREAM_RETRY_SECONDS)
        })
    }

    /// Slot for a connection, until it is closed; `None` if there are too many.
    pub fn connection(&self, from: IpAddr) -> Option<ConnectionSlot> {
        let LimitSettings { connections_per_address, connections, .. } = self.0.settings;
        let caller = self.caller(None, Some(from));
        // Some are left for exempt addresses: probes, proxies and administrators on loopback.
        let reserved = |most: u32| if caller.is_some() { most - most / RESERVED_SHARE } else { most };
        let of_address = match (connections_per_address, &caller) {
            (Some(most), Some(caller)) => {
                let held = self.0.by_address.hold(self.key(caller), most);
                if held.is_none() {
                    self.reached(Limit::ConnectionsPerAddress, caller);
                    return None;
                }
                held
            }
            _ => None,
        };
        let open = self.0.connections.fetch_add(1, Ordering::Relaxed);
        let slot = ConnectionSlot { limits: self.clone(), _of_address: of_address };
        if connections.is_some_and(|most| open >= reserved(most)) {
            self.reached(Limit::Connections, &Caller::Address(from));
            return None;
        }
        Some(slot)
    }

    /// Number of open connections.
    pub fn open_connections(&self) -> u32 {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// How often each limit was reached since the start.
    pub fn refused(&self) -> impl Iterator<Item = (Limit, u64)> {
        Limit::ALL
            .into_iter()
            .map(|limit| (limit, self.0.refused[limit as usize].count.load(Ordering::Relaxed)))
    }

    /// Counts a limit that an address has reached.
    pub fn reached_by(&self, limit: Limit, from: Option<IpAddr>) {
        match from {
            Some(from) => self.reached(limit, &Caller::Address(from)),
            None => self.reached(limit, &"an unknown address"),
        }
    }

    /// Response for a request whose body was too slow. The rest of the body is not read.
    pub fn slow_body(&self, from: Option<IpAddr>) -> Response {
        self.reached_by(Limit::BodyTimeout, from);
        let seconds = self.0.settings.body_timeout.unwrap_or_default().as_secs_f64();
        let detail = format!(
            "The request body did not arrive within {seconds} s, so the request was not handled. Send the request \
             again over a faster connection. An administrator can change body_timeout in [request_limits]."
        );
        let mut response = ApiError::new(ProblemType::RequestTimeout, detail).into_response();
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    /// For whom a request counts; `None` if it counts for nobody.
    fn caller<'a>(&self, identity: Option<&'a Identity>, from: Option<IpAddr>) -> Option<Caller<'a>> {
        if let Some(identity) = identity {
            if let Some(token) = identity.access_token() {
                return Some(Caller::Token(&token.id));
            }
            if let Some((user, _)) = identity.user_session() {
                return Some(Caller::User(user));
            }
        }
        let from = from?.to_canonical();
        (!self.0.settings.exempt.covers(from)).then(|| Caller::Address(network_of(from)))
    }

    fn key(&self, caller: &Caller<'_>) -> u64 {
        self.0.keys.hash_one(caller)
    }

    /// Microseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn too_many(&self, limit: Limit, caller: &Caller<'_>, what: &str, seconds: u32) -> ApiError {
        self.reached(limit, caller);
        let detail = format!(
            "{what}. Try again in {seconds} s. An administrator can change {} in [request_limits].",
            limit.name()
        );
        ApiError::new(ProblemType::TooManyRequests, detail).retry_after(seconds)
    }

    /// Counts it, and logs it at most once per interval.
    fn reached(&self, limit: Limit, by: &dyn fmt::Display) {
        let refusals = &self.0.refused[limit as usize];
        let count = refusals.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (now, log_at) = (self.now(), refusals.log_at.load(Ordering::Relaxed));
        let next = now + u64::try_from(LOG_INTERVAL.as_micros()).unwrap_or(u64::MAX);
        let is_due = now >= log_at
            && refusals.log_at.compare_exchange(log_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_due {
            tracing::warn!(limit = limit.name(), %by, count, "a request limit was reached; see [request_limits]");
        }
    }
}

/// Open connection.
pub struct ConnectionSlot {
    limits: Limits,
    _of_address: Option<Held>,
}

impl ConnectionSlot {
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.limits.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Addresses that one client is likely to have: of IPv6, its whole network.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(change: impl FnOnce(&mut LimitSettings)) -> Limits {
        let mut settings = LimitSettings::default();
        change(&mut settings);
        Limits::new(settings)
    }

    fn at(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_waits_and_others_do_not() {
        let limits = limits(|settings| settings.requests_per_second = Some(1));
        let of = |address| limits.request(None, at(address));
        for _ in 0..REQUEST_BURST_SECONDS {
            assert_eq!(of("192.0.2.1"), Ok(()));
        }
        let refused = of("192.0.2.1").unwrap_err();
        assert_eq!((refused.problem.status, refused.retry_after), (429, Some(1)));
        assert!(refused.problem.detail.contains("requests_per_second"), "{refused:?}");
        assert_eq!(of("192.0.2.2"), Ok(()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(of("192.0.2.1"), Ok(()));
        assert!(of("192.0.2.1").is_err());
        assert!(limits.refused().any(|refused| refused == (Limit::Requests, 2)));
    }

    #[test]
    fn loopback_and_proxies_are_exempt_and_addresses_of_one_network_count_as_one() {
        let exempt = |address: &str| {
            let others = ["192.0.2.7/32", "10.1.0.0/16", "2001:db8:7::/48"];
            let others = others.map(|network| network.parse().unwrap()).to_vec();
            let proxies = ExemptAddresses { loopback: true, others };
            limits(|settings| settings.exempt = proxies).caller(None, at(address)).is_none()
        };
        assert!(exempt("127.0.0.2") && exempt("::1") && exempt("::ffff:127.0.0.1") && exempt("192.0.2.7"));
        assert!(exempt("10.1.255.1") && exempt("::ffff:10.1.0.1") && exempt("2001:db8:7:1::1"));
        assert!(!exempt("192.0.2.1") && !exempt("2001:db8::1") && !exempt("10.2.0.1"));
        let limits = limits(|settings| settings.sign_ins_per_minute = Some(1));
        assert_eq!(limits.sign_in(at("2001:db8::1")), Ok(()));
        assert_eq!(limits.sign_in(at("2001:db8::2")), Err(60));
        assert_eq!(limits.sign_in(at("2001:db8:0:1::2")), Ok(()));
    }

    #[test]
    fn connections_are_limited_per_address_and_in_total() {
        let limits = limits(|settings| {
            settings.connections_per_address = Some(2);
            settings.connections = Some(3);
        });
        let open = |address: &str| limits.connection(address.parse().unwrap());
        let two = [open("192.0.2.1").unwrap(), open("192.0.2.1").unwrap()];
        assert!(open("192.0.2.1").is_none());
        let third = open("192.0.2.2").unwrap();
        assert!(open("192.0.2.3").is_none());
        assert_eq!(limits.open_connections(), 3);
        drop(third);
        assert!(open("192.0.2.3").is_some());
        drop(two);
        assert!(open("192.0.2.1").is_some());
        assert_eq!(limits.open_connections(), 0);
        let refused: Vec<_> = limits.refused().filter(|(_, count)| *count > 0).collect();
        assert_eq!(refused, [(Limit::ConnectionsPerAddress, 1), (Limit::Connections, 1)]);
    }
}
