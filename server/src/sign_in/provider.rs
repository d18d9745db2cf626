//! Sign-in through the OpenID Connect provider: the way there and back. Each failure is a page that says what to do.

use super::{Form, admit, html, inside, page, redirect, sign_in_html, sign_in_page, signed_in};
use crate::access::PersonError;
use crate::actor::By;
use crate::provider::SignInProvider;
use crate::state::Server;
use ::oidc::{Advice, IdTokenProblem, PENDING_SECONDS, SignInFailed};
use access::Secret;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use http_wire::host_of;
use protocol::{Action, Actor};

/// Sends the browser to the provider.
pub(super) async fn begin(
    State(server): State<Server>,
    By(by): By,
    headers: HeaderMap,
    uri: Uri,
    Query(form): Query<Form>,
) -> Response {
    let form = Form { to: form.to, ..Form::default() };
    if let Err(error) = admit(&server, &by) {
        return sign_in_page(&server, &form, Some(&error));
    }
    let Some(provider) = &server.provider else { return sign_in_page(&server, &form, None) };
    let browser = server.cookies.sign_in_of(&headers);
    match provider.begin(host_of(&uri, &headers), browser, inside(&form.to).to_owned()).await {
        Ok((url, browser)) => {
            let cookie = server.cookies.sign_in(&browser, PENDING_SECONDS);
            unstored(redirect(url.as_str(), [cookie]))
        }
        Err(failed) => {
            server.access.note_refused(Action::SignIn, by, &format!("through the provider: {failed}"));
            let error = format!("{failed} {}", failed.advice().sentence());
            page(status_of(&failed), sign_in_html(&server, &form, &error))
        }
    }
}

/// Answer of the provider through the browser.
#[derive(Default)]
struct Answer {
    code: String,
    state: String,
    error: String,
    issuer: Option<String>,
}

impl Answer {
    /// Answer in a query. Of repeated parameters, the first one counts.
    fn parse(query: &str) -> Self {
        let first = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
        };
        let text = |name: &str| first(name).unwrap_or_default();
        Self { code: text("code"), state: text("state"), error: text("error"), issuer: first("iss") }
    }
}

/// Why nobody is signed in.
enum Refused {
    AtProvider(SignInFailed),
    Here(PersonError),
}

impl From<SignInFailed> for Refused {
    fn from(failed: SignInFailed) -> Self {
        Self::AtProvider(failed)
    }
}

/// Receives the browser from the provider.
pub(super) async fn end(
    State(server): State<Server>,
    By(by): By,
    headers: HeaderMap,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Response {
    let form = Form::default();
    let Some(provider) = &server.provider else { return sign_in_page(&server, &form, None) };
    let answer = Answer::parse(query.as_deref().unwrap_or_default());
    let mut to = "/".to_owned();
    let ended = session(&server, provider, &answer, server.cookies.sign_in_of(&headers), &mut to, by).await;
    unstored(match ended {
        Ok(secret) => signed_in(&server, &secret, &to),
        Err(refused) => {
            let again = provider.url(host_of(&uri, &headers), "/sign-in");
            let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
            let (status, what, advice) = match refused {
                Refused::AtProvider(failed) => {
                    (status_of(&failed), failed.to_string(), failed.advice().sentence())
                }
                Refused::Here(error) => (status_here(&error), error.to_string(), advice_here(&error)),
            };
            let base = server.base_path.as_str();
            page(status, html::failed(base, provider.name(), &what, advice, &format!("{again}?to={to}")))
        }
    })
}

/// Session for the answer of the provider. `to` becomes the page that the person came from, if it is known.
async fn session(
    server: &Server,
    provider: &SignInProvider,
    answer: &Answer,
    browser: Option<&str>,
    to: &mut String,
    by: Actor,
) -> Result<Secret, Refused> {
    let address = by.address.clone().unwrap_or_default();
    let person = async {
        let pending = provider.take(&answer.state, browser)?;
        pending.to.clone_into(to);
        if !answer.error.is_empty() {
            return Err(SignInFailed::reported(&answer.error));
        }
        if answer.code.is_empty() {
            return Err(SignInFailed::BadAnswer { reason: "it has no code".to_owned() });
        }
        provider.person(&pending, &answer.code, answer.issuer.as_deref()).await
    };
    let person = match person.await {
        Ok(person) => person,
        Err(failed) => {
            let issuer = provider.issuer();
            tracing::warn!(issuer, address, error = %failed, "a sign-in through the provider failed");
            server.access.note_refused(
                Action::SignIn,
                by.clone(),
                &format!("through the provider: {failed}"),
            );
            if let SignInFailed::NoRole { subject, .. } = &failed
                && let Err(error) = server.access.dismiss_person(issuer, subject.clone(), by).await
            {
                tracing::error!(%error, subject, "could not remove a user who no longer has a role; the sessions of this user remain valid");
            }
            return Err(failed.into());
        }
    };
    let name = person.name.clone();
    let signed_in = server.access.sign_in_person(provider.issuer(), person, by.clone()).await;
    signed_in.map_err(|error| {
        server.access.note_refused(Action::SignIn, by, &format!("through the provider: {error}"));
        tracing::warn!(user = name, address, %error, "a sign-in through the provider failed");
        Refused::Here(error)
    })
}

/// The addresses have secrets that are used once.
fn unstored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn status_of(failed: &SignInFailed) -> StatusCode {
    match failed {
        SignInFailed::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        SignInFailed::UnknownState
        | SignInFailed::OtherBrowser
        | SignInFailed::CodeRejected
        | SignInFailed::IdToken(IdTokenProblem::Nonce) => StatusCode::BAD_REQUEST,
        SignInFailed::Denied
        | SignInFailed::NoRole { .. }
        | SignInFailed::NoName { .. }
        | SignInFailed::EmailNotVerified { .. } => StatusCode::FORBIDDEN,
        SignInFailed::BadAnswer { .. }
        | SignInFailed::Reported { .. }
        | SignInFailed::ClientRejected { .. }
        | SignInFailed::IdToken(_) => StatusCode::BAD_GATEWAY,
        SignInFailed::Random(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn status_here(error: &PersonError) -> StatusCode {
    match error {
        PersonError::NameTaken(_) => StatusCode::CONFLICT,
        PersonError::Name => StatusCode::FORBIDDEN,
        PersonError::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn advice_here(error: &PersonError) -> &'static str {
    match error {
        PersonError::NameTaken(_) => {
            "Ask an administrator to remove the user or token with this name (`signalbox user list`, `signalbox token \
             list`), or to set another 'name_claim' in the section [oidc] of the configuration."
        }
        PersonError::Name => Advice::Settings.sentence(),
        PersonError::Failed(_) => Advice::Again.sentence(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_repeated_parameters_counts() {
        let answer = Answer::parse("state=a%2Bb&code=1&code=2&state=c&iss=https%3A%2F%2Fid");
        assert_eq!((answer.state.as_str(), answer.code.as_str()), ("a+b", "1"));
        assert_eq!((answer.issuer.as_deref(), answer.error.as_str()), (Some("https://id"), ""));
        let nothing = Answer::parse("");
        assert_eq!((nothing.state.as_str(), nothing.issuer), ("", None));
    }
}
