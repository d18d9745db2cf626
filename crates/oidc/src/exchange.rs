//! Token request: the code of a sign-in for an ID token.

use crate::discovery::{ClientSecretIn, Metadata};
use crate::failure::{SignInFailed, shown_error};
use crate::fetch::fetch;
use crate::pending::PendingSignIn;
use crate::settings::Settings;
use form_urlencoded::{Serializer, byte_serialize};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenAnswer {
    id_token: String,
    error: String,
    error_description: String,
}

/// ID token for a code.
///
/// # Errors
/// [`SignInFailed`].
pub(crate) async fn id_token(
    client: &Client,
    metadata: &Metadata,
    settings: &Settings,
    pending: &PendingSignIn,
    code: &str,
) -> Result<String, SignInFailed> {
    let request = request(client, metadata, settings, pending, code);
    let (status, body) = fetch(request).await?;
    let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|error| SignInFailed::BadAnswer {
        reason: format!(
            "the response to the token request (status {}) is invalid ({error})",
            status.as_u16()
        ),
    })?;
    if status.is_success() && !answer.id_token.is_empty() {
        return Ok(answer.id_token);
    }
    if status.is_success() {
        return Err(SignInFailed::BadAnswer { reason: "it has no ID token".to_owned() });
    }
    let error = shown_error(&answer.error);
    tracing::warn!(
        status = status.as_u16(),
        error,
        description = answer.error_description,
        "a token request failed"
    );
    Err(match error.as_str() {
        "invalid_grant" => SignInFailed::CodeRejected,
        "invalid_client" | "unauthorized_client" => SignInFailed::ClientRejected { error },
        _ => SignInFailed::Reported { error },
    })
}

/// Token request. Apart from the function that sends it, because a form can't be held while waiting.
fn request(
    client: &Client,
    metadata: &Metadata,
    settings: &Settings,
    pending: &PendingSignIn,
    code: &str,
) -> RequestBuilder {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &pending.redirect_uri)
        .append_pair("code_verifier", &pending.verifier);
    let mut request = client.post(metadata.token.clone());
    match &settings.client_secret {
        Some(secret) if metadata.secret_in == ClientSecretIn::Header => {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            request = request.basic_auth(encoded(&settings.client_id), Some(encoded(secret.expose())));
        }
        Some(secret) => {
            form.append_pair("client_id", &settings.client_id).append_pair("client_secret", secret.expose());
        }
        None => {
            form.append_pair("client_id", &settings.client_id);
        }
    }
    let request = request.header(ACCEPT, "application/json");
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
}
