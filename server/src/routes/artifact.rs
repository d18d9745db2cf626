//! Artifacts of results, whole or from a byte on.

use super::id_of;
use crate::problem::RouteError;
use crate::state::InScope;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use protocol::Problem;
use sha2::{Digest, Sha256};

/// Bytes of the SHA-256 in an entity tag.
const TAG_BYTES: usize = 16;

/// Artifact of the latest result, fetched from the host that produced it. The query string is passed to the host. To
/// continue an interrupted download, send `Range: bytes=N-`, and the `ETag` of the first response as `If-Range`.
#[utoipa::path(get, path = "/api/v1/operations/{id}/artifacts/{name}", tag = "operations",
    params(("id" = String, Path), ("name" = String, Path, description = "Name in the result, such as `bars`"),
        ("Range" = Option<String>, Header, description = "`bytes=N-`: from byte N on; other ranges are ignored"),
        ("If-Range" = Option<String>, Header, description = "`ETag` that the content must have for the range to apply")),
    responses((status = 200, description = "The artifact, with its own media type"),
        (status = 206, description = "The artifact from the requested byte on"), (status = 404, body = Problem),
        (status = 416, description = "The range begins after the end of the artifact"),
        (status = 502, body = Problem, description = "The host is unreachable, or the artifact's path is invalid"),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn artifact(
    InScope { engine, .. }: InScope,
    Path((id, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response, RouteError> {
    let id = id_of(Path(id))?;
    let (media_type, bytes) = engine.artifact(id, &name, &query.unwrap_or_default()).await?;
    let etag = etag_of(&bytes);
    // Data of a host is never shown as one of our pages.
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, etag.clone()),
    ];
    let text = |name| request.get(name).and_then(|value| value.to_str().ok());
    let applies = text(header::IF_RANGE).is_none_or(|wanted| wanted == etag);
    let total = bytes.len();
    Ok(match text(header::RANGE).and_then(first_byte).filter(|_| applies) {
        None => (headers, bytes).into_response(),
        Some(from) if from < total => {
            let range = [(header::CONTENT_RANGE, format!("bytes {from}-{}/{total}", total - 1))];
            (StatusCode::PARTIAL_CONTENT, headers, range, bytes.slice(from..)).into_response()
        }
        Some(_) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, headers, range, Bytes::new()).into_response()
        }
    })
}

/// Strong tag of a content.
fn etag_of(bytes: &Bytes) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(bytes)[..TAG_BYTES]))
}

/// N of `bytes=N-`.
fn first_byte(range: &str) -> Option<usize> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_range_to_the_end_is_served() {
        assert_eq!(first_byte("bytes=5-"), Some(5));
        for other in
            ["bytes=5-9", "bytes=-5", "bytes=0-1,5-", "lines=5-", "bytes=-", "bytes=99999999999999999999999-"]
        {
            assert_eq!(first_byte(other), None, "{other}");
        }
    }
}
