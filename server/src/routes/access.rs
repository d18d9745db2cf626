//! Access: the sender of a request, tokens for programs, and local users.

use super::Server;
use crate::access::{AccessError, Identity};
use crate::actor::By;
use crate::problem::RouteError;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use protocol::access::{
    AccessTokenList, ChangeUser, CreatedAccessToken, Me, NewAccessToken, NewUser, User, UserList,
};
use protocol::{Problem, ProblemType};

/// Sender of this request: its role and permissions.
#[utoipa::path(get, path = "/api/v1/access/me", tag = "access", responses((status = 200, body = Me)))]
pub async fn me(Extension(identity): Extension<Identity>) -> Json<Me> {
    Json(identity.described())
}

/// Tokens for programs, oldest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/access/tokens", tag = "access",
    responses((status = 200, body = AccessTokenList)))]
pub async fn tokens(State(server): State<Server>) -> Json<AccessTokenList> {
    Json(AccessTokenList { tokens: server.access.tokens() })
}

/// Creates a token for a program. Only this response contains the secret. As soon as a token or user exists, every
/// request needs a credential, also on loopback; the first token or user must therefore have the role admin, unless the
/// server was started with a token.
#[utoipa::path(post, path = "/api/v1/access/tokens", tag = "access", request_body = NewAccessToken,
    responses((status = 201, body = CreatedAccessToken),
        (status = 400, body = Problem, description = "Invalid body, name or validity, or kinds for the role admin"),
        (status = 409, body = Problem, description = "The name is in use, or the first credential would not be an admin"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn create_token(
    State(server): State<Server>,
    By(by): By,
    body: Result<Json<NewAccessToken>, JsonRejection>,
) -> Result<impl IntoResponse, RouteError> {
    let Json(new) = body?;
    let created: CreatedAccessToken = server.access.create(new, by).await.map_err(problem_of)?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(created)))
}

/// Revokes a token. Its requests get 401 immediately, and its streams end within a second.
#[utoipa::path(delete, path = "/api/v1/access/tokens/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The last credential with the role admin can't lose this role, and can't be removed while other tokens or users exist"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn revoke_token(
    State(server): State<Server>,
    By(by): By,
    Path(id): Path<String>,
) -> Result<StatusCode, RouteError> {
    server.access.revoke(&id, by).await.map_err(problem_of)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Local users, by name.
#[utoipa::path(get, path = "/api/v1/access/users", tag = "access", responses((status = 200, body = UserList)))]
pub async fn users(State(server): State<Server>) -> Json<UserList> {
    Json(UserList { users: server.access.users() })
}

/// Adds a local user, who signs in at /sign-in and must set a new password there. As soon as a token or user exists,
/// every request needs a credential, also on loopback; the first token or user must therefore have the role admin,
/// unless the server was started with a token.
#[utoipa::path(post, path = "/api/v1/access/users", tag = "access", request_body = NewUser,
    responses((status = 201, body = User),
        (status = 400, body = Problem, description = "Invalid body, name or password, or kinds for the role admin"),
        (status = 409, body = Problem, description = "The name is in use, or the first credential would not be an admin"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn add_user(
    State(server): State<Server>,
    By(by): By,
    body: Result<Json<NewUser>, JsonRejection>,
) -> Result<(StatusCode, Json<User>), RouteError> {
    let Json(new) = body?;
    Ok((StatusCode::CREATED, Json(server.access.add_user(new, by).await.map_err(problem_of)?)))
}

/// Changes the role or the password of a user. A new role takes effect immediately. A new password ends all sessions of
/// the user, who must replace it at the next sign-in.
#[utoipa::path(post, path = "/api/v1/access/users/{name}", tag = "access", params(("name" = String, Path)),
    request_body = ChangeUser,
    responses((status = 200, body = User),
        (status = 400, body = Problem, description = "Invalid body or password, kinds for the role admin, or kinds without a role"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The user is the last credential with the role admin, which can't lose this role, or signs in through the provider"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn change_user(
    State(server): State<Server>,
    By(by): By,
    Path(name): Path<String>,
    body: Result<Json<ChangeUser>, JsonRejection>,
) -> Result<Json<User>, RouteError> {
    let Json(change) = body?;
    Ok(Json(server.access.change_user(&name, change, by).await.map_err(problem_of)?))
}

/// Removes a user. The sessions of the user and their streams end within a second.
#[utoipa::path(delete, path = "/api/v1/access/users/{name}", tag = "access", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The last credential with the role admin can't lose this role, and can't be removed while other tokens or users exist"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn remove_user(
    State(server): State<Server>,
    By(by): By,
    Path(name): Path<String>,
) -> Result<StatusCode, RouteError> {
    server.access.remove_user(&name, by).await.map_err(problem_of)?;
    Ok(StatusCode::NO_CONTENT)
}

fn problem_of(error: AccessError) -> RouteError {
    use access::Denied;
    let kind = match &error {
        AccessError::Denied(
            Denied::Name | Denied::Days | Denied::Password(_) | Denied::AdminKinds | Denied::KindsAlone,
        ) => ProblemType::BadRequest,
        AccessError::Denied(_) => ProblemType::Conflict,
        AccessError::NotFound | AccessError::UserNotFound => ProblemType::NotFound,
        AccessError::Store(_) => ProblemType::Unavailable,
        AccessError::Random(_) | AccessError::Hash => ProblemType::Internal,
    };
    let detail = match error {
        AccessError::Denied(denied) => denied.to_string(),
        AccessError::NotFound => {
            "There is no token with this ID; it may have been revoked. See /api/v1/access/tokens.".to_owned()
        }
        AccessError::UserNotFound => {
            "There is no user with this name; it may have been removed. See /api/v1/access/users.".to_owned()
        }
        AccessError::Store(error) => format!("The change can't be stored: {error}."),
        AccessError::Random(_) | AccessError::Hash => format!("Nothing was changed: {error}."),
    };
    RouteError::new(kind, detail)
}
