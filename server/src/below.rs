//! Base path: serving behind a proxy that removes the path from requests, and behind one that keeps it.
//!
//! Both kinds of requests are normalized before routing; routes, guard and probes do not know the path. Only what the
//! browser resolves itself contains it: links of the page, cookies, redirects.

use crate::config::BasePath;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::middleware::{from_fn_with_state, map_request_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;

/// Router below the base path; unchanged without one.
pub fn below(base: &BasePath, router: Router) -> Router {
    if base.is_empty() {
        return router;
    }
    // Around the router, because a request is routed before the layers inside see it.
    let inner = ServiceBuilder::new().layer(from_fn_with_state(base.clone(), remove)).service(router);
    Router::new().fallback_service(inner)
}

/// Page handler that sees the URL as the browser does.
pub fn as_browser_sees_it(base: &BasePath, page: axum::routing::MethodRouter) -> axum::routing::MethodRouter {
    if base.is_empty() { page } else { page.layer(map_request_with_state(base.clone(), add)) }
}

async fn remove(State(base): State<BasePath>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == base.as_str() {
        // Relative links would lead outside, and proxies pass only what is below the path.
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        return match HeaderValue::from_str(&format!("{base}/{query}")) {
            Ok(to) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        };
    }
    if let Some(rest) = base.strip(path)
        && let Some(uri) = with_path(request.uri(), rest)
    {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

async fn add(State(base): State<BasePath>, mut request: Request) -> Request {
    if let Some(uri) = with_path(request.uri(), &format!("{base}{}", request.uri().path())) {
        *request.uri_mut() = uri;
    }
    request
}

/// Same URL with another path. `None` if the path is invalid, which a part of a valid one never is.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}").parse::<PathAndQuery>(),
        None => path.parse(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt;

    async fn asked(base: &str, path: &str) -> (StatusCode, String) {
        let base: BasePath = base.parse().unwrap();
        let page = as_browser_sees_it(&base, get(async |uri: Uri| format!("page {uri}")));
        let router = Router::new().route("/api/kinds", get(async || "kinds")).fallback(page);
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = below(&base, router).oneshot(request).await.unwrap();
        let status = response.status();
        let location = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, location.unwrap_or_else(|| String::from_utf8(body.to_vec()).unwrap()))
    }

    #[tokio::test]
    async fn routes_are_found_whether_or_not_the_proxy_removes_the_base_path() {
        for path in ["/signalbox/api/kinds", "/api/kinds"] {
            assert_eq!(asked("/signalbox", path).await, (StatusCode::OK, "kinds".to_owned()), "{path}");
        }
        assert_eq!(asked("", "/api/kinds").await.1, "kinds");
    }

    #[tokio::test]
    async fn the_page_gets_the_address_of_the_browser() {
        for path in ["/signalbox/operations?state=failed", "/operations?state=failed"] {
            assert_eq!(asked("/signalbox", path).await.1, "page /signalbox/operations?state=failed");
        }
        assert_eq!(asked("/signalbox", "/signalbox/").await.1, "page /signalbox/");
        assert_eq!(asked("", "/operations").await.1, "page /operations");
    }

    #[tokio::test]
    async fn the_base_path_itself_leads_to_the_page() {
        let (status, to) = asked("/signalbox", "/signalbox?token=x").await;
        assert_eq!((status, to.as_str()), (StatusCode::PERMANENT_REDIRECT, "/signalbox/?token=x"));
    }
}
