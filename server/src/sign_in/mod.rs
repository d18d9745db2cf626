//! Pages to sign in and out, and of the account. They are plain HTML forms, which work without WebAssembly, and before
//! anything else of the site may be loaded.

mod html;
mod provider;

use crate::access::{Access, Given, Identity, SignInError, SignedIn};
use crate::actor::By;
use crate::config::BasePath;
use crate::cookies::Cookies;
use crate::provider::CALLBACK;
use crate::state::Server;
use access::Secret;
use axum::extract::{DefaultBodyLimit, Extension, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form as Posted, Router};
use html::{Account, Button};
use http_wire::host_of;
use protocol::{Action, Actor, Time};
use serde::Deserialize;
use std::net::IpAddr;

/// Paths that need no credential.
pub const PUBLIC: [&str; 7] = [
    "/sign-in",
    "/sign-in.css",
    "/sign-in/password",
    "/sign-in/provider",
    CALLBACK,
    "/sign-in/token",
    "/sign-out",
];

/// Largest size of a form.
const MAX_FORM_BYTES: usize = 16 << 10;
/// Longest validity of a cookie with a token that never expires, in seconds: a year.
pub const TOKEN_COOKIE_SECONDS: u64 = 31_536_000;
/// Policy of the pages: only their own style sheet and forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Fields of all forms; each form has some of them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Form {
    name: String,
    password: String,
    repeat: String,
    current: String,
    token: String,
    ticket: String,
    /// ID of a session.
    id: String,
    /// Path to go to after signing in.
    to: String,
}

/// The pages.
pub fn router(server: Server) -> Router {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-in/token", post(sign_in_with_token))
        .route("/sign-in/password", post(choose_password))
        .route("/sign-in/provider", get(provider::begin))
        .route(CALLBACK, get(provider::end))
        .route("/sign-in.css", get(style))
        .route("/sign-out", post(sign_out))
        .route("/account", get(account))
        .route("/account/password", post(change_password))
        .route("/account/end", post(end_session))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(server)
}

/// Address of the page to sign in, which leads back to a path.
pub fn address(base: &BasePath, to: &str) -> String {
    let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    format!("{base}/sign-in?to={to}")
}

/// Path of this site; anything else becomes the overview, so that a link can't lead to another site.
fn inside(to: &str) -> &str {
    let own = to.starts_with('/') && !to[1..].starts_with(['/', '\\']) && !to.chars().any(char::is_control);
    if own && to.is_ascii() { to } else { "/" }
}

fn page(status: StatusCode, html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, html).into_response()
}

fn redirect(to: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Status of a failed sign-in.
fn status_of(error: &SignInError) -> StatusCode {
    match error {
        SignInError::Wrong => StatusCode::UNAUTHORIZED,
        SignInError::Pause(_) | SignInError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        SignInError::TicketExpired | SignInError::Password(_) => StatusCode::BAD_REQUEST,
        SignInError::Failed(error) => {
            tracing::error!(%error, "a sign-in failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn sign_in_page(server: &Server, form: &Form, failed: Option<&SignInError>) -> Response {
    let status = failed.map_or(StatusCode::OK, status_of);
    let error = failed.map(ToString::to_string).unwrap_or_default();
    let mut response = page(status, sign_in_html(server, form, &error));
    if let Some(seconds) = failed.and_then(SignInError::retry_after) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Counts a sign-in from an address.
fn admit(server: &Server, by: &Actor) -> Result<(), SignInError> {
    server.limits.sign_in(address_of(by)).map_err(SignInError::TooMany)
}

fn address_of(by: &Actor) -> Option<IpAddr> {
    by.address.as_deref().and_then(|address| address.parse().ok())
}

fn sign_in_html(server: &Server, form: &Form, error: &str) -> String {
    let users = server.access.users().iter().any(|user| user.provider.is_none());
    let provider = server.provider.as_ref().map(|provider| Button {
        name: provider.name(),
        // One message is enough.
        trouble: provider.trouble().filter(|_| error.is_empty()).map(|why| why.to_string()),
    });
    html::sign_in(server.base_path.as_str(), form, users, provider.as_ref(), error)
}

fn signed_in(server: &Server, secret: &Secret, to: &str) -> Response {
    let seconds = u64::try_from(access::SESSION_MICROS / 1_000_000).unwrap_or_default();
    redirect(&format!("{}{}", server.base_path, inside(to)), [server.cookies.session(secret, seconds)])
}

async fn style() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("style.css"))
}

async fn show(
    State(server): State<Server>,
    identity: Option<Extension<Identity>>,
    Query(form): Query<Form>,
) -> Response {
    // Including senders on a server that needs no credential.
    if identity.is_some() {
        return redirect(&format!("{}{}", server.base_path, inside(&form.to)), []);
    }
    // Only this field may come from a link.
    sign_in_page(&server, &Form { to: form.to, ..Form::default() }, None)
}

async fn sign_in(State(server): State<Server>, By(by): By, Posted(mut form): Posted<Form>) -> Response {
    if let Err(error) = admit(&server, &by) {
        return sign_in_page(&server, &form, Some(&error));
    }
    let password = std::mem::take(&mut form.password);
    match server.access.sign_in(form.name.trim(), password, by).await {
        Ok(SignedIn::Session(secret)) => signed_in(&server, &secret, &form.to),
        Ok(SignedIn::MustChange(ticket)) => {
            form.ticket = ticket.as_str().to_owned();
            page(StatusCode::OK, html::choose_password(server.base_path.as_str(), &form, ""))
        }
        Err(error) => sign_in_page(&server, &form, Some(&error)),
    }
}

async fn sign_in_with_token(
    State(server): State<Server>,
    By(by): By,
    Posted(form): Posted<Form>,
) -> Response {
    if let Err(error) = admit(&server, &by) {
        return sign_in_page(&server, &form, Some(&error));
    }
    let token = form.token.trim();
    match server.access.identify(Some(Given::TokenCookie(token.as_bytes())), address_of(&by)) {
        Some(identity) => {
            let cookie = server.cookies.token(token, token_cookie_seconds(&identity));
            redirect(&format!("{}{}", server.base_path, inside(&form.to)), [cookie])
        }
        None => {
            server.access.note_refused(Action::SignIn, by, "a wrong, expired or revoked token");
            let error =
                "The token is wrong, expired or revoked. Check it, or ask an administrator for a new token.";
            page(StatusCode::UNAUTHORIZED, sign_in_html(&server, &form, error))
        }
    }
}

/// Validity of the cookie of a token, in seconds.
pub fn token_cookie_seconds(identity: &Identity) -> u64 {
    let expires_at = identity.access_token().and_then(|token| token.expires_at);
    let valid = expires_at.map_or(TOKEN_COOKIE_SECONDS, |end| end.seconds_since(Time::now()).max(0.0) as u64);
    valid.min(TOKEN_COOKIE_SECONDS)
}

async fn choose_password(
    State(server): State<Server>,
    By(by): By,
    Posted(mut form): Posted<Form>,
) -> Response {
    if let Err(error) = admit(&server, &by) {
        return sign_in_page(&server, &form, Some(&error));
    }
    let password = std::mem::take(&mut form.password);
    let chosen = match password == form.repeat {
        true => server.access.choose_password(form.ticket.as_bytes(), password, by).await,
        false => Err(SignInError::Password(DIFFERENT.to_owned())),
    };
    match chosen {
        Ok(secret) => signed_in(&server, &secret, &form.to),
        Err(error @ SignInError::Password(_)) => {
            let html = html::choose_password(server.base_path.as_str(), &form, &error.to_string());
            page(status_of(&error), html)
        }
        Err(error) => sign_in_page(&server, &form, Some(&error)),
    }
}

/// Error if the repeated password differs.
const DIFFERENT: &str = "The two passwords do not match.";

async fn sign_out(
    State(server): State<Server>,
    headers: HeaderMap,
    uri: Uri,
    identity: Option<Extension<Identity>>,
) -> Response {
    let session = identity.as_ref().and_then(|identity| identity.user_session());
    if let Some((user, id)) = session
        && let Err(error) = server.access.end_session(user, id).await
    {
        tracing::warn!(%error, "a session ended, but its record remains in the database until the server restarts");
    }
    let mut response = redirect(&format!("{}/sign-in", server.base_path), server.cookies.removed());
    let of_provider = identity.is_some_and(|identity| identity.is_of_provider());
    if let Some(provider) = server.provider.as_ref().filter(|_| of_provider)
        && let Some(url) = provider.end_session_url(host_of(&uri, &headers))
        && let Ok(refresh) = HeaderValue::from_str(&format!("0;url={url}"))
    {
        // Browsers don't let a form lead to another site: the page leads there by itself.
        let html = html::signed_out(server.base_path.as_str(), provider.name(), url.as_str());
        response = page(StatusCode::OK, html);
        response.headers_mut().insert(header::REFRESH, refresh);
        for cookie in server.cookies.removed() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    // Pages of the session must not come back with the browser's *Back*.
    let clear = HeaderName::from_static("clear-site-data");
    response.headers_mut().insert(clear, HeaderValue::from_static("\"cache\""));
    response
}

fn account_page(
    server: &Server,
    identity: &Identity,
    status: StatusCode,
    error: &str,
    done: &str,
) -> Response {
    let Some((name, current)) = identity.user_session() else {
        return redirect(&format!("{}/", server.base_path), []);
    };
    let account = Account {
        base: server.base_path.as_str(),
        name,
        role: identity.role,
        kinds: identity.scope(),
        sessions: &server.access.sessions_of(name),
        current,
        provider: identity
            .is_of_provider()
            .then(|| server.provider.as_ref().map_or("the provider", |provider| provider.name())),
        now: Time::now(),
        error,
        done,
    };
    page(status, account.html())
}

async fn account(State(server): State<Server>, Extension(identity): Extension<Identity>) -> Response {
    account_page(&server, &identity, StatusCode::OK, "", "")
}

async fn change_password(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    By(by): By,
    Posted(form): Posted<Form>,
) -> Response {
    let Some((user, session)) = identity.user_session() else {
        return redirect(&format!("{}/", server.base_path), []);
    };
    let changed = match form.password == form.repeat {
        // Each change computes the slow hash, as a sign-in does.
        true if let Err(seconds) = server.limits.sign_in(address_of(&by)) => {
            Err(SignInError::TooMany(seconds))
        }
        true => server.access.change_password(user, form.current, form.password, session, by).await,
        false => Err(SignInError::Password(DIFFERENT.to_owned())),
    };
    match changed {
        Ok(()) => account_page(
            &server,
            &identity,
            StatusCode::OK,
            "",
            "Password changed. Your other sessions were signed out.",
        ),
        Err(SignInError::Wrong) => {
            let error = "The current password is wrong.";
            account_page(&server, &identity, StatusCode::FORBIDDEN, error, "")
        }
        Err(error) => account_page(&server, &identity, status_of(&error), &error.to_string(), ""),
    }
}

async fn end_session(
    State(server): State<Server>,
    Extension(identity): Extension<Identity>,
    Posted(form): Posted<Form>,
) -> Response {
    if let Some((user, _)) = identity.user_session()
        && let Err(error) = server.access.end_session(user, &form.id).await
    {
        let error = format!(
            "The session ended, but its record remains in the database until the server restarts: {error}."
        );
        return account_page(&server, &identity, StatusCode::SERVICE_UNAVAILABLE, &error, "");
    }
    redirect(&format!("{}/account", server.base_path), [])
}

/// Whether a request has a credential, valid or not.
pub fn has_credential(cookies: &Cookies, headers: &HeaderMap) -> bool {
    http_wire::bearer(headers).is_some()
        || cookies.session_of(headers).is_some()
        || cookies.token_of(headers).is_some()
}

/// Sender of a request, by its header or its cookies.
pub fn identify(
    access: &Access,
    cookies: &Cookies,
    headers: &HeaderMap,
    from: Option<std::net::IpAddr>,
) -> Option<Identity> {
    if let Some(secret) = http_wire::bearer(headers) {
        return access.identify(Some(Given::Bearer(secret)), from);
    }
    let session = cookies.session_of(headers).map(str::as_bytes);
    let session = session.and_then(|secret| access.identify(Some(Given::SessionCookie(secret)), from));
    session.or_else(|| access.identify(cookies.token_of(headers).as_deref().map(Given::TokenCookie), from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_never_leads_to_another_site() {
        for other in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/a\r\nb",
        ] {
            assert_eq!(inside(other), "/", "{other:?}");
        }
        assert_eq!(inside("/operations?state=failed"), "/operations?state=failed");
    }

    #[test]
    fn the_address_leads_back_to_the_requested_page() {
        let base: BasePath = "/box".parse().unwrap();
        assert_eq!(address(&base, "/operations?q=a&b"), "/box/sign-in?to=%2Foperations%3Fq%3Da%26b");
    }
}
