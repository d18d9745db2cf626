//! State of the handlers. Operations, alerts and metrics are reached only through two extractors, which apply the scope
//! of the sender: a handler can't forget it.

use crate::access::{Access, Identity};
use crate::actor::UserHeader;
use crate::alerts::Alerts;
use crate::config::BasePath;
use crate::cookies::Cookies;
use crate::counts::Counts;
use crate::limits::Limits;
use crate::monitor::Monitor;
use crate::problem::RouteError;
use crate::provider::SignInProvider;
use crate::served::Served;
use access::Reach;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use engine::{Engine, Scoped};
use protocol::access::Permission;
use protocol::{HostName, ProblemType};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// State shared by handlers.
#[derive(Clone)]
pub struct Server {
    pub data: Data,
    /// Cancelled when the server stops: streams end first.
    pub stop: CancellationToken,
    /// Header in which a proxy passes the user's name.
    pub user_header: UserHeader,
    /// Path under which a proxy serves everything.
    pub base_path: BasePath,
    pub counts: Counts,
    pub access: Access,
    pub limits: Limits,
    pub cookies: Cookies,
    /// Sign-in through an OpenID Connect provider, if configured.
    pub provider: Option<Arc<SignInProvider>>,
}

/// What only the extractors open.
#[derive(Clone)]
pub struct Data(AllKinds);

/// Engine, metrics and alerts without a scope. As an extractor, it rejects senders with a scope.
#[derive(Clone)]
pub struct AllKinds {
    pub engine: Engine,
    pub monitor: Monitor,
    pub alerts: Alerts,
    /// Counts of the export over OTLP, if there is one.
    pub exported: Option<otlp::Counts>,
    /// Requests to the server.
    pub served: Arc<Served>,
}

/// Engine within the scope of the sender. The monitor knows no scopes: a handler may request only metrics of hosts and
/// attempts that this engine has returned.
pub struct InScope {
    pub engine: Scoped,
    pub monitor: Monitor,
}

impl Data {
    pub fn new(all: AllKinds) -> Self {
        Self(all)
    }

    /// What a sender may see.
    pub fn in_scope(&self, identity: &Identity) -> InScope {
        let AllKinds { engine, monitor, .. } = &self.0;
        InScope { engine: engine.scoped(identity.scope()), monitor: monitor.clone() }
    }

    /// Everything, for senders without a scope.
    ///
    /// # Errors
    /// A sentence for senders with a scope.
    pub fn all_kinds(&self, identity: &Identity) -> Result<AllKinds, String> {
        identity.require(Permission::Read, Reach::AllKinds)?;
        Ok(self.0.clone())
    }

    /// Why nothing can be stored, and the hosts that have not connected yet: the probe of readiness has no sender.
    pub fn readiness(&self) -> (Option<String>, Vec<HostName>) {
        (self.0.engine.store_fault(), self.0.engine.unmet_hosts())
    }
}

impl FromRef<Server> for UserHeader {
    fn from_ref(server: &Server) -> Self {
        server.user_header.clone()
    }
}

impl FromRef<Server> for Limits {
    fn from_ref(server: &Server) -> Self {
        server.limits.clone()
    }
}

impl FromRequestParts<Server> for InScope {
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, RouteError> {
        Ok(server.data.in_scope(identity(parts)?))
    }
}

impl FromRequestParts<Server> for AllKinds {
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, RouteError> {
        let all = server.data.all_kinds(identity(parts)?);
        all.map_err(|why| RouteError::new(ProblemType::Forbidden, why))
    }
}

/// Sender of a request. The guard rejects those without one before; a route that it forgets stays closed.
fn identity(parts: &Parts) -> Result<&Identity, RouteError> {
    let missing = || RouteError::new(ProblemType::Unauthorized, "Authentication required.");
    parts.extensions.get::<Identity>().ok_or_else(missing)
}
