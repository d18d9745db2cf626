//! Errors on the wire, as RFC 9457 problem documents.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Problem document (RFC 9457). `type` is stable; `detail` tells the user what to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// Short title, the same for all problems of this type.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// What happened, why, and what to do next.
    pub detail: String,
    /// Errors of single parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// ID of the request, as in the response's header `x-request-id` and in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

macro_rules! problem_types {
    ($($variant:ident, $slug:literal, $status:literal, $title:literal;)*) => {
        /// Stable type of a problem, for programs.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub enum ProblemType {
            $(#[doc = $title] #[serde(rename = $slug)] $variant,)*
            /// A type that this version does not know.
            #[serde(other)]
            Other,
        }

        impl ProblemType {
            /// HTTP status code of this type.
            pub fn status(self) -> u16 {
                match self { $(ProblemType::$variant => $status,)* ProblemType::Other => 500 }
            }

            /// Short title of this type.
            pub fn title(self) -> &'static str {
                match self { $(ProblemType::$variant => $title,)* ProblemType::Other => "Unknown problem" }
            }
        }

        // The derive does not see the names of a macro, and would publish those of the variants.
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for ProblemType {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some("Stable type of a problem, for programs."))
                    .enum_values(Some([$($slug,)* "Other"]))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for ProblemType {}
    };
}

problem_types! {
    BadRequest, "/problems/bad-request", 400, "Invalid request";
    Unauthorized, "/problems/unauthorized", 401, "Authentication required";
    Forbidden, "/problems/forbidden", 403, "Forbidden";
    NotFound, "/problems/not-found", 404, "Not found";
    UnknownKind, "/problems/unknown-kind", 422, "Unknown kind";
    BadParams, "/problems/bad-params", 422, "Invalid parameters";
    Conflict, "/problems/conflict", 409, "Conflict with the current state";
    CancelledBeforeStart, "/problems/cancelled-before-start", 409, "Cancelled before start";
    Deleted, "/problems/deleted", 410, "Operation deleted";
    KeyReused, "/problems/idempotency-key-reused", 422, "Idempotency key reused";
    TooLarge, "/problems/too-large", 413, "Request too large";
    RequestTimeout, "/problems/request-timeout", 408, "Request too slow";
    TooManyRequests, "/problems/too-many-requests", 429, "Too many requests";
    HostFull, "/problems/host-full", 429, "Host full";
    HostAway, "/problems/host-away", 502, "Host unreachable";
    HostFault, "/problems/host-fault", 502, "Host fault";
    Timeout, "/problems/timeout", 504, "Timeout";
    Unavailable, "/problems/unavailable", 503, "Temporarily unavailable";
    Internal, "/problems/internal", 500, "Internal error";
}

impl Problem {
    /// Creates a problem with the title and status of its type.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            fields: Vec::new(),
            request_id: None,
        }
    }

    /// Adds the errors of single parameters.
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

/// Validation error of one parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Name of the parameter.
    pub field: String,
    /// What is wrong, and which values are valid.
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_its_stable_type() {
        let p = Problem::new(ProblemType::NotFound, "There is no operation with ID 7. See /operations.");
        let json = serde_json::to_value(&p).unwrap();
        assert_eq!(json["type"], "/problems/not-found");
        assert_eq!(json["status"], 404);
        let newer = r#"{"type":"/problems/of-tomorrow","title":"x","status":418,"detail":"y"}"#;
        assert_eq!(serde_json::from_str::<Problem>(newer).unwrap().kind, ProblemType::Other);
    }
}
