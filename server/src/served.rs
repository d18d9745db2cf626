//! Requests of browsers and programs to this server, by route: outcomes and latencies.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use parking_lot::Mutex;
use pool::{OTHER_ROUTES, Outcome, Requests};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Outcomes of such requests.
pub const OUTCOMES: [Outcome; 4] =
    [Outcome::Success, Outcome::ClientError, Outcome::ServerError, Outcome::Cancelled];

/// Requests by method and route, and those of all routes since they were last taken.
#[derive(Default)]
pub struct Served(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    routes: BTreeMap<&'static str, BTreeMap<Box<str>, Requests>>,
    untaken: Requests,
}

/// Requests of one route since the server started.
#[derive(Debug)]
pub struct ServedRoute {
    pub method: &'static str,
    /// Path with placeholders, such as `/api/v1/operations/{id}`.
    pub route: Box<str>,
    pub requests: Requests,
}

/// Extension of a response that waited for an event: its time is no latency.
#[derive(Clone, Copy)]
pub struct Waited;

impl Served {
    /// Routes with requests.
    pub fn read(&self) -> Vec<ServedRoute> {
        let counted = self.0.lock();
        let of_method = counted.routes.iter().flat_map(|(method, routes)| {
            routes.iter().map(|(route, requests)| ServedRoute {
                method,
                route: route.clone(),
                requests: requests.clone(),
            })
        });
        of_method.collect()
    }

    /// Requests of all routes that ended since the last call.
    pub fn take(&self) -> Requests {
        std::mem::take(&mut self.0.lock().untaken)
    }

    /// Adds a request; `latency` is absent for a long poll.
    fn add(&self, method: &'static str, route: &str, outcome: Outcome, latency: Option<Duration>) {
        let add = |requests: &mut Requests| match latency {
            Some(latency) => requests.record(outcome, latency),
            None => requests.record_untimed(outcome),
        };
        let mut counted = self.0.lock();
        add(&mut counted.untaken);
        let routes = counted.routes.entry(method).or_default();
        match routes.get_mut(route) {
            Some(requests) => add(requests),
            None => add(routes.entry(route.into()).or_default()),
        }
    }
}

/// Measures a request until its response begins.
pub async fn measure(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    let mut measuring = Measuring {
        served,
        method: name_of(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        begun: Instant::now(),
        has_waited: false,
        ended: false,
    };
    let mut response = next.run(request).await;
    measuring.has_waited = response.extensions_mut().remove::<Waited>().is_some();
    measuring.end(outcome_of(response.status()));
    response
}

/// A request whose response has not begun. If it is dropped before, the client gave up waiting.
struct Measuring {
    served: Arc<Served>,
    method: &'static str,
    route: Option<MatchedPath>,
    begun: Instant,
    has_waited: bool,
    ended: bool,
}

impl Measuring {
    fn end(mut self, outcome: Outcome) {
        self.ended = true;
        self.add(outcome);
    }

    fn add(&self, outcome: Outcome) {
        let route = self.route.as_ref().map_or(OTHER_ROUTES, MatchedPath::as_str);
        let latency = (!self.has_waited).then(|| self.begun.elapsed());
        self.served.add(self.method, route, outcome, latency);
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        if !self.ended {
            self.add(Outcome::Cancelled);
        }
    }
}

fn outcome_of(status: StatusCode) -> Outcome {
    if status.is_server_error() {
        Outcome::ServerError
    } else if status.is_client_error() {
        Outcome::ClientError
    } else {
        Outcome::Success
    }
}

/// Name of a method. Clients can make up others, so those share one.
fn name_of(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    fn router(served: &Arc<Served>) -> Router {
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(250)).await;
            StatusCode::BAD_GATEWAY
        };
        Router::new().route("/runs/{id}", get(slow)).layer(from_fn_with_state(Arc::clone(served), measure))
    }

    fn request(method: &str, path: &str) -> Request {
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_counts_for_its_route_by_outcome_and_latency() {
        let served = Arc::new(Served::default());
        for path in ["/runs/1", "/runs/2", "/elsewhere"] {
            router(&served).oneshot(request("GET", path)).await.unwrap();
        }
        router(&served).oneshot(request("BREW", "/elsewhere")).await.unwrap();
        let read = served.read();
        let names: Vec<_> = read.iter().map(|of| (of.method, &*of.route, of.requests.count())).collect();
        assert_eq!(names, [("GET", "/runs/{id}", 2), ("GET", OTHER_ROUTES, 1), ("other", OTHER_ROUTES, 1)]);
        let of_runs = &read[0].requests;
        assert_eq!((of_runs.ended(Outcome::ServerError), of_runs.latency.quantile(0.5)), (2, Some(0.25)));
        assert_eq!(read[1].requests.ended(Outcome::ClientError), 1);
        assert_eq!((served.take().count(), served.take().count()), (4, 0), "taken once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_client_gives_up_is_cancelled_and_has_no_latency() {
        let served = Arc::new(Served::default());
        let waiting = router(&served).oneshot(request("GET", "/runs/1"));
        assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
        let requests = served.take();
        assert_eq!((requests.ended(Outcome::Cancelled), requests.latency.count()), (1, 0));
    }
}
