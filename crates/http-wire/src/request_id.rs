//! Request IDs: from the client or a proxy if it sends one, new otherwise.

use crate::problem::Reported;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

/// Header of a request's ID, in requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Largest length of an ID that is accepted from a client.
const MAX_LENGTH: usize = 128;

/// ID of a request, in the extensions of the request: letters, digits and `-_.:/+=@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The ID of the client if it can stand in a log line, otherwise a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|id| is_sane(id.as_bytes()));
        Self(given.cloned().unwrap_or_else(|| {
            let id = Uuid::now_v7().simple().to_string();
            HeaderValue::from_str(&id).expect("a UUID has letters and digits only")
        }))
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_sane(id: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(allowed)
}

/// Gives a request its ID, and returns it in the response's header and problem document.
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Some(Reported(mut problem)) = response.extensions_mut().remove::<Reported>() {
        problem.request_id = Some(id.as_str().to_owned());
        // The new body is neither compressed nor as long as the old one.
        response.headers_mut().remove(header::CONTENT_ENCODING);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(crate::problem::json(&problem));
    }
    response.headers_mut().insert(X_REQUEST_ID, id.0);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_of_a_client_is_accepted_only_if_it_is_safe_in_a_log_line() {
        let taken = |id: &str| {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_str(id).unwrap())]);
            RequestId::of(&headers).as_str() == id
        };
        for id in ["7f3a", "Root=1-67891233-abcdef012345678912345678", "a/b+c@d:e.f_g"] {
            assert!(taken(id), "{id}");
        }
        for id in ["", "a b", "a\"b", "a\tb", "a,b", "ä", &"x".repeat(129)] {
            assert!(!taken(id), "{id}");
        }
        let new = RequestId::of(&HeaderMap::new());
        assert!(is_sane(new.as_str().as_bytes()));
        assert_ne!(new, RequestId::of(&HeaderMap::new()));
    }
}
