//! Routes of the API with the permission that each needs. A route can't be added without one.

use super::Identity;
use crate::problem::RouteError;
use access::Reach;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use protocol::ProblemType;
use protocol::access::Permission;
use std::sync::Arc;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// Name of the permission in the description of the API.
pub const X_PERMISSION: &str = "x-permission";
/// Sentence in the description of routes that are not available within a scope.
const NOT_IN_A_SCOPE: &str = "Not available with a role that is limited to kinds.";

/// Why a request was refused for lack of a permission, in the response, for the audit log.
#[derive(Clone)]
pub struct RefusedFor {
    pub why: String,
    pub request: Arc<Parts>,
}

/// Routes, each with its permission.
pub struct Routes<S>(OpenApiRouter<S>);

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes.
    pub fn new() -> Self {
        Self(OpenApiRouter::new())
    }

    /// Adds routes that need a permission, for what is in the sender's scope or for all kinds. Senders without it get
    /// 403, senders without a valid credential 401.
    #[must_use]
    pub fn needs(
        self,
        permission: Permission,
        reach: Reach,
        (schemas, mut paths, router): UtoipaMethodRouter<S>,
    ) -> Self {
        for operation in paths.paths.values_mut().flat_map(operations) {
            let added = ExtensionsBuilder::new().add(X_PERMISSION, permission.as_str()).build();
            operation.extensions.get_or_insert_default().merge(added);
            if reach == Reach::AllKinds {
                let about = operation.description.take().map(|text| format!("{text}\n\n{NOT_IN_A_SCOPE}"));
                operation.description = Some(about.unwrap_or_else(|| NOT_IN_A_SCOPE.to_owned()));
            }
        }
        let check = from_fn(move |request, next| check(permission, reach, request, next));
        Self(self.0.routes((schemas, paths, router.route_layer(check))))
    }

    /// Adds a route for everyone, with or without a credential.
    #[must_use]
    pub fn public(self, route: UtoipaMethodRouter<S>) -> Self {
        Self(self.0.routes(route))
    }

    /// Router and description.
    pub fn into_router(self) -> OpenApiRouter<S> {
        self.0
    }
}

/// Operations of a path.
pub fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, put, delete, .. } = path;
    [get, post, put, delete].into_iter().flatten()
}

async fn check(permission: Permission, reach: Reach, request: Request, next: Next) -> Response {
    // The guard rejects such requests before; a route that it forgets stays closed.
    let Some(identity) = request.extensions().get::<Identity>() else {
        return RouteError::new(ProblemType::Unauthorized, "Authentication required.").into_response();
    };
    match identity.require(permission, reach) {
        Ok(()) => next.run(request).await,
        Err(why) => {
            let request = Arc::new(request.into_parts().0);
            let mut response = RouteError::new(ProblemType::Forbidden, why).into_response();
            let why = format!("needs the permission {}", permission.as_str());
            response.extensions_mut().insert(RefusedFor { why, request });
            response
        }
    }
}
