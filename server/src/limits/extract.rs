//! Limits as extractors of handlers.

use super::{AllowedStart, Held, Limits};
use crate::access::Identity;
use crate::actor::address_of;
use crate::problem::RouteError;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use http_wire::ApiError;
use protocol::{OperationId, ProblemType};
use std::net::IpAddr;

/// The sender may send a start now.
pub struct StartAllowed {
    limits: Limits,
    identity: Identity,
    from: Option<IpAddr>,
}

impl StartAllowed {
    /// Checks the quota of the sender's role. `is_active` tells whether an operation is queued or running.
    ///
    /// # Errors
    /// 429 if the sender has as many active operations as the role allows.
    pub fn within_quota(
        &self,
        is_active: impl Fn(OperationId) -> bool,
    ) -> Result<Option<AllowedStart>, ApiError> {
        self.limits.quota(&self.identity, self.from, is_active)
    }
}

/// The sender may have another stream while this is held.
pub struct StreamSlot(pub Option<Held>);

impl<S> FromRequestParts<S> for StartAllowed
where
    S: Send + Sync,
    Limits: FromRef<S>,
{
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RouteError> {
        let (limits, from) = (Limits::from_ref(state), address_of(&parts.extensions));
        // The guard rejects requests without an identity before.
        let unknown = || RouteError::new(ProblemType::Unauthorized, "Authentication required.");
        let identity = parts.extensions.get::<Identity>().cloned().ok_or_else(unknown)?;
        limits.start(Some(&identity), from)?;
        Ok(Self { limits, identity, from })
    }
}

impl<S> FromRequestParts<S> for StreamSlot
where
    S: Send + Sync,
    Limits: FromRef<S>,
{
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RouteError> {
        Ok(Self(
            Limits::from_ref(state)
                .stream(parts.extensions.get::<Identity>(), address_of(&parts.extensions))?,
        ))
    }
}
