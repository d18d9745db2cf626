//! What a page asks for: from the server it is rendered on, or by the API when it runs in the browser.

use protocol::activity::Activity;
use protocol::api::{
    CancelMany, CancelledMany, DeleteMany, Deleted, FilterCounts, HostStatus, KindList, LogPage, LogSearch,
    OperationDetail, OperationPage, SeriesAnswer, Snapshot, StartWithRule,
};
use protocol::{Envelope, HostName, KindName, LogLevel, Operation, OperationId, Problem, SetRule};
use serde::{Deserialize, Serialize};

#[cfg(not(feature = "ssr"))]
use crate::http::Call;
use crate::query;

#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn crate::backend::Backend>, Problem> {
    leptos::prelude::use_context().ok_or_else(|| {
        Problem::new(
            protocol::ProblemType::Internal,
            "The server rendered this page without its data. This is a bug in Signalbox: please report it.",
        )
    })
}

#[cfg(not(feature = "ssr"))]
async fn get<T: serde::de::DeserializeOwned + 'static>(path: String) -> Result<T, Problem> {
    // What a browser's future holds stays on its one thread; resources ask for a promise of it.
    send_wrapper::SendWrapper::new(async move { Call::get(&path).json().await }).await
}

/// An answer, and the number of the feed at which it is true: what happened later is in the feed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Told<T> {
    pub seq: u64,
    pub of: T,
}

/// Everything the page shows, and the seq it is true at.
pub async fn snapshot() -> Result<Snapshot, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.snapshot().await;
    #[cfg(not(feature = "ssr"))]
    get("/api/v1/snapshot".to_owned()).await
}

/// One operation with its attempts and its result.
pub async fn operation(id: OperationId) -> Result<OperationDetail, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.operation(id).await;
    #[cfg(not(feature = "ssr"))]
    get(format!("/api/v1/operations/{id}")).await
}

/// What ended lately, beside what is usual.
pub async fn activity() -> Result<Told<Activity>, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.activity().await;
    #[cfg(not(feature = "ssr"))]
    send_wrapper::SendWrapper::new(async move { Call::get("/api/v1/activity").told().await }).await
}

/// What can be started.
pub async fn kinds() -> Result<KindList, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.kinds().await;
    #[cfg(not(feature = "ssr"))]
    get("/api/v1/kinds".to_owned()).await
}

/// The curves of an operation, at most `points` points each.
pub async fn series(id: OperationId, points: u32) -> Result<SeriesAnswer, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.series(id, points).await;
    #[cfg(not(feature = "ssr"))]
    get(format!("/api/v1/operations/{id}/series?points={points}")).await
}

/// The log of an operation's current attempt.
pub async fn logs(id: OperationId) -> Result<LogPage, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.logs(id).await;
    #[cfg(not(feature = "ssr"))]
    get(format!("/api/v1/operations/{id}/logs")).await
}

/// Requests that only a browser makes.
mod browser {
    use super::*;
    use crate::http::Call;
    use protocol::Preview;
    use serde::de::DeserializeOwned;
    use serde_json::Value;
    use std::time::Duration;

    /// A host may ask a source of its own before it answers.
    const PREVIEW_TIMEOUT: Duration = Duration::from_secs(30);

    /// Part of an artifact that is sampled over time, in a range of seconds since 1970 or in all, at most
    /// `points` of it.
    ///
    /// # Errors
    /// The server's problem document, or one of our own when there was no answer.
    pub async fn sampled<T: DeserializeOwned>(
        id: OperationId,
        name: &str,
        range: Option<(i64, i64)>,
        points: u32,
    ) -> Result<T, Problem> {
        let (from, to) = range.map(|(from, to)| (from.to_string(), to.to_string())).unwrap_or_default();
        let path = format!("/api/v1/operations/{id}/artifacts/{name}");
        let points = points.to_string();
        let path = query::url(&path, [("from", from.as_str()), ("to", &to), ("points", &points)]);
        Call::get(&path).json().await
    }

    /// An artifact as a whole.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn artifact<T: DeserializeOwned>(id: OperationId, name: &str) -> Result<T, Problem> {
        Call::get(&format!("/api/v1/operations/{id}/artifacts/{name}")).json().await
    }

    /// A page of stored operations; `path` is that of the list with the words of a filter.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn operations(path: &str) -> Result<Told<OperationPage>, Problem> {
        Call::get(path).told().await
    }

    /// How many operations in each state a filter finds; `path` has the words of the filter.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn counts(path: &str) -> Result<Told<FilterCounts>, Problem> {
        Call::get(path).told().await
    }

    /// The newest few stored operations that have such words in them.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn find(words: &str) -> Result<OperationPage, Problem> {
        Call::get(&query::url("/api/v1/operations", [("q", words), ("limit", "8")])).json().await
    }

    /// Log lines of an attempt: the last `limit` before one.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn log_page(
        id: OperationId,
        attempt: u32,
        before: u64,
        limit: u64,
    ) -> Result<LogPage, Problem> {
        let path = format!("/api/v1/operations/{id}/logs?attempt={attempt}&before={before}&limit={limit}");
        Call::get(&path).json().await
    }

    /// The last lines of a level before one that have words in them.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn search_log(
        id: OperationId,
        attempt: u32,
        before: u64,
        limit: u32,
        least: LogLevel,
        words: &str,
    ) -> Result<LogSearch, Problem> {
        let path = query::url(
            &format!("/api/v1/operations/{id}/logs/search"),
            [
                ("attempt", attempt.to_string().as_str()),
                ("before", &before.to_string()),
                ("limit", &limit.to_string()),
                ("level", least.as_str()),
                ("q", words),
            ],
        );
        Call::get(&path).json().await
    }

    /// The newest operations of a kind, newest first.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn newest_of(kind: &KindName) -> Result<OperationPage, Problem> {
        let path = query::url("/api/v1/operations", [("kind", kind.as_str()), ("limit", "20")]);
        Call::get(&path).json().await
    }

    /// Starts an operation; the same key again starts nothing twice.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn start(start: &StartWithRule, key: &str) -> Result<Operation, Problem> {
        let body = serde_json::to_string(start).expect("a request is made of plain JSON");
        Call { idempotency_key: Some(key), ..Call::post("/api/v1/operations", body) }.json().await
    }

    /// What a kind would do with params.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn preview(kind: &KindName, params: &Value) -> Result<Preview, Problem> {
        let path = format!("/api/v1/kinds/{kind}/preview");
        Call { limit: PREVIEW_TIMEOUT, ..Call::post(&path, params.to_string()) }.json().await
    }

    /// Asks something of an operation: `cancel`, `retry`, `resume` or `abandon`.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn ask(id: OperationId, what: &str) -> Result<Operation, Problem> {
        Call::post(&format!("/api/v1/operations/{id}/{what}"), "{}".to_owned()).json().await
    }

    /// Deletes an operation that has ended.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn delete(id: OperationId) -> Result<Deleted, Problem> {
        let path = format!("/api/v1/operations/{id}");
        Call { method: "DELETE", ..Call::get(&path) }.json().await
    }

    /// Deletes many that have ended, or with `dry_run` only says how many that would be.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn delete_many(wish: &DeleteMany) -> Result<Deleted, Problem> {
        let body = serde_json::to_string(wish).expect("a request is made of plain JSON");
        Call::post("/api/v1/operations/delete", body).json().await
    }

    /// The band of earlier runs of a curve; `anew` reads it again where it is known already.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn envelope(id: OperationId, name: &str, anew: bool) -> Result<Envelope, Problem> {
        let path = format!("/api/v1/operations/{id}/envelope");
        let anew = if anew { "true" } else { "" };
        Call::get(&query::url(&path, [("name", name), ("anew", anew)])).json().await
    }

    /// Sets the rule of an operation.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn set_rule(id: OperationId, rule: &SetRule) -> Result<Operation, Problem> {
        let body = serde_json::to_string(rule).expect("a rule is made of plain JSON");
        Call { method: "PUT", body: Some(body), ..Call::get(&format!("/api/v1/operations/{id}/rule")) }
            .json()
            .await
    }

    /// Takes the rule of an operation away.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn drop_rule(id: OperationId) -> Result<Operation, Problem> {
        Call { method: "DELETE", ..Call::get(&format!("/api/v1/operations/{id}/rule")) }.json().await
    }

    /// Lets a host take no new work, or take it again.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn drain(host: &HostName, on: bool) -> Result<HostStatus, Problem> {
        let what = if on { "drain" } else { "undrain" };
        Call::post(&format!("/api/v1/hosts/{host}/{what}"), "{}".to_owned()).json().await
    }

    /// Cancels many.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn cancel_many(many: &CancelMany) -> Result<CancelledMany, Problem> {
        let body = serde_json::to_string(many).expect("a request is made of plain JSON");
        Call::post("/api/v1/operations/cancel", body).json().await
    }
}

pub use browser::{
    artifact, ask, cancel_many, counts, delete, delete_many, drain, drop_rule, envelope, find, log_page,
    newest_of, operations, preview, sampled, search_log, set_rule, start,
};
