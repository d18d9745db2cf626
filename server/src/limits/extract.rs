//! Limits as extractors of handlers.

use super::{Held, Limits};
use crate::access::Identity;
use crate::problem::RouteError;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use std::net::{IpAddr, SocketAddr};

/// The sender may start another operation now.
pub struct StartAllowed;

/// The sender may have another stream while this is held.
pub struct StreamSlot(pub Option<Held>);

impl<S> FromRequestParts<S> for StartAllowed
where
    S: Send + Sync,
    Limits: FromRef<S>,
{
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RouteError> {
        Limits::from_ref(state).start(parts.extensions.get::<Identity>(), address(parts))?;
        Ok(Self)
    }
}

impl<S> FromRequestParts<S> for StreamSlot
where
    S: Send + Sync,
    Limits: FromRef<S>,
{
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, RouteError> {
        Ok(Self(Limits::from_ref(state).stream(parts.extensions.get::<Identity>(), address(parts))?))
    }
}

fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|at| at.0.ip())
}
