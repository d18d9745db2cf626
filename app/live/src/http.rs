//! Requests of the browser: JSON in and out, with timeouts; every failure is a problem document.

use crate::Positioned;
use crate::base;
use leptos::prelude::{TimeoutHandle, set_timeout_with_handle};
use protocol::api::FEED_SEQ;
use protocol::{Problem, ProblemType};
use serde::de::DeserializeOwned;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, RequestInit, Response};

/// Default timeout.
const LIMIT: Duration = Duration::from_secs(15);

/// A request.
pub struct Call<'a> {
    pub method: &'a str,
    /// Path without the base path.
    pub path: &'a str,
    /// JSON.
    pub body: Option<String>,
    /// Idempotency key of a POST.
    pub idempotency_key: Option<&'a str>,
    pub limit: Duration,
    /// Aborts the request from outside.
    pub abort: Option<AbortController>,
}

impl<'a> Call<'a> {
    pub fn get(path: &'a str) -> Self {
        Self { method: "GET", path, body: None, idempotency_key: None, limit: LIMIT, abort: None }
    }

    pub fn post(path: &'a str, body: String) -> Self {
        Self { method: "POST", body: Some(body), ..Self::get(path) }
    }

    /// Sends the request and parses the answer.
    ///
    /// # Errors
    /// The server's problem document, or our own when there was no valid answer.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Problem> {
        let text = self.text().await?;
        json::from_str(&text).map_err(unreadable)
    }

    /// As [`Call::json`], with the answer's feed position.
    ///
    /// # Errors
    /// As [`Call::json`].
    pub async fn positioned<T: DeserializeOwned>(self) -> Result<Positioned<T>, Problem> {
        let (seq, text) = self.answer().await?;
        let Some(seq) = seq else {
            return Err(unreadable("the feed sequence number is missing"));
        };
        Ok(Positioned { seq, of: json::from_str(&text).map_err(unreadable)? })
    }

    /// Sends the request and returns the body.
    ///
    /// # Errors
    /// As [`Call::json`].
    pub async fn text(self) -> Result<String, Problem> {
        Ok(self.answer().await?.1)
    }

    async fn answer(self) -> Result<(Option<u64>, String), Problem> {
        let controller = match self.abort.clone().map_or_else(AbortController::new, Ok) {
            Ok(controller) => controller,
            Err(_) => return Err(no_answer()),
        };
        let timer = Timer::start(self.limit, {
            let controller = controller.clone();
            move || controller.abort()
        });
        let answer = self.send(&controller).await;
        drop(timer);
        let Answer { ok, status, seq, text } = answer.map_err(|_| no_answer())?;
        if ok {
            return Ok((seq, text));
        }
        if status == 401 {
            // The session or the token has ended: the server leads to the page to sign in.
            let _ = web_sys::window().map(|window| window.location().reload());
        }
        Err(json::from_str::<Problem>(&text).unwrap_or_else(|_| {
            let mut problem = Problem::new(
                ProblemType::Other,
                format!(
                    "The server responded with {status} and no reason. Its log may contain more details."
                ),
            );
            problem.status = status;
            problem
        }))
    }

    async fn send(&self, controller: &AbortController) -> Result<Answer, JsValue> {
        let headers = Headers::new()?;
        headers.set("accept", "application/json")?;
        if let Some(key) = self.idempotency_key {
            headers.set("idempotency-key", key)?;
        }
        let init = RequestInit::new();
        init.set_method(self.method);
        init.set_signal(Some(&controller.signal()));
        if let Some(body) = &self.body {
            headers.set("content-type", "application/json")?;
            init.set_body(&JsValue::from_str(body));
        }
        init.set_headers(&headers);
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let response: Response =
            JsFuture::from(window.fetch_with_str_and_init(&base::url(self.path), &init)).await?.dyn_into()?;
        let text = JsFuture::from(response.text()?).await?;
        let seq = response.headers().get(FEED_SEQ)?.and_then(|seq| seq.parse().ok());
        let text = text.as_string().unwrap_or_default();
        Ok(Answer { ok: response.ok(), status: response.status(), seq, text })
    }
}

/// A complete answer.
struct Answer {
    ok: bool,
    status: u16,
    seq: Option<u64>,
    text: String,
}

fn unreadable(why: impl std::fmt::Display) -> Problem {
    Problem::new(
        ProblemType::Internal,
        format!(
            "The server's response could not be parsed ({why}). Page and server may have different versions: reload the page."
        ),
    )
}

fn no_answer() -> Problem {
    Problem::new(
        ProblemType::Unavailable,
        "The server did not respond. It may be restarting, or the network is down. Try again in a moment.",
    )
}

/// Timeout of a request; cancelled on drop.
struct Timer(Option<TimeoutHandle>);

impl Timer {
    fn start(limit: Duration, then: impl FnOnce() + 'static) -> Self {
        Self(set_timeout_with_handle(then, limit).ok())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.clear();
        }
    }
}

/// A unique idempotency key.
pub fn new_key() -> String {
    web_sys::window()
        .and_then(|window| window.crypto().ok())
        // Missing on pages served over plain HTTP from another machine.
        .filter(|crypto| js_sys::Reflect::has(crypto, &"randomUUID".into()).unwrap_or(false))
        .map(|crypto| crypto.random_uuid())
        .unwrap_or_else(|| format!("{:.0}-{:.0}", js_sys::Date::now(), js_sys::Math::random() * 1e15))
}
