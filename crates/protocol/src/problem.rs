//! Errors on the wire: RFC 9457 problem documents, one shape everywhere.

use crate::FieldError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A problem document. `type` is stable; `detail` is a sentence that a person can act on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// A few words, the same for each problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, why, and what to do next.
    pub detail: String,
    /// What is wrong with which param.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

macro_rules! problem_types {
    ($($variant:ident, $slug:literal, $status:literal, $title:literal;)*) => {
        /// What a program can rely on to tell problems apart.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ProblemType {
            $(#[doc = $title] #[serde(rename = $slug)] $variant,)*
            /// One that this version does not know.
            #[serde(other)]
            Other,
        }

        impl ProblemType {
            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(ProblemType::$variant => $status,)* ProblemType::Other => 500 }
            }

            /// A few words for it.
            pub fn title(self) -> &'static str {
                match self { $(ProblemType::$variant => $title,)* ProblemType::Other => "Something else went wrong" }
            }
        }
    };
}

problem_types! {
    BadRequest, "/problems/bad-request", 400, "The request can't be read";
    Unauthorized, "/problems/unauthorized", 401, "A token is needed";
    Forbidden, "/problems/forbidden", 403, "Not from there";
    NotFound, "/problems/not-found", 404, "Not here";
    UnknownKind, "/problems/unknown-kind", 422, "No host has this kind";
    BadParams, "/problems/bad-params", 422, "The params don't fit";
    Conflict, "/problems/conflict", 409, "Not in this state";
    CancelledBeforeStart, "/problems/cancelled-before-start", 409, "Cancelled before it started";
    Deleted, "/problems/deleted", 410, "It was deleted";
    KeyReused, "/problems/idempotency-key-reused", 422, "The key was used for something else";
    TooLarge, "/problems/too-large", 413, "The request is too large";
    HostFull, "/problems/host-full", 429, "The host is full";
    HostAway, "/problems/host-away", 502, "The host can't be reached";
    Timeout, "/problems/timeout", 504, "It took too long";
    Unavailable, "/problems/unavailable", 503, "Not just now";
    Internal, "/problems/internal", 500, "A fault in Signalbox";
}

impl Problem {
    /// A problem with the title and status of its type.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            fields: Vec::new(),
        }
    }

    /// The same with what is wrong with which param.
    pub fn with_fields(mut self, fields: Vec<FieldError>) -> Self {
        self.fields = fields;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_carries_its_stable_type() {
        let p = Problem::new(ProblemType::NotFound, "There is no operation 7. Look at /operations.");
        let json = serde_json::to_value(&p).unwrap();
        assert_eq!(json["type"], "/problems/not-found");
        assert_eq!(json["status"], 404);
        let newer = r#"{"type":"/problems/of-tomorrow","title":"x","status":418,"detail":"y"}"#;
        assert_eq!(serde_json::from_str::<Problem>(newer).unwrap().kind, ProblemType::Other);
    }
}
