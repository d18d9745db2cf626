//! Data of the pages: from the rendering server, or from the API in the browser.

use protocol::activity::Activity;
use protocol::alerts::{AlertList, RuleList};
use protocol::api::{
    AuditPage, CancelMany, CancelledMany, DeleteMany, Deleted, FilterCounts, HostStatus, KindList, LogPage,
    LogSearch, OperationDetail, OperationPage, SeriesAnswer, Snapshot, StartWithRule,
};
use protocol::{
    AuditQuery, Baseline, HostName, KindName, LogLevel, Operation, OperationId, Problem, SetRule, paths,
};

use crate::Positioned;
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
    // Browser futures stay on their one thread, but resources require `Send`.
    send_wrapper::SendWrapper::new(async move { Call::get(&path).json().await }).await
}

/// All live data of the page, with its feed position.
pub async fn snapshot() -> Result<Snapshot, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.snapshot().await;
    #[cfg(not(feature = "ssr"))]
    get(paths::SNAPSHOT.to_owned()).await
}

/// An operation with its attempts and result.
pub async fn operation(id: OperationId) -> Result<OperationDetail, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.operation(id).await;
    #[cfg(not(feature = "ssr"))]
    get(paths::operation(id)).await
}

/// Ended operations of the last 24 hours, compared with the days before.
pub async fn activity() -> Result<Positioned<Activity>, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.activity().await;
    #[cfg(not(feature = "ssr"))]
    send_wrapper::SendWrapper::new(async move { Call::get(paths::ACTIVITY).positioned().await }).await
}

/// Alerts, silences and receipts of messages.
pub async fn alerts() -> Result<AlertList, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.alerts().await;
    #[cfg(not(feature = "ssr"))]
    get(paths::ALERTS.to_owned()).await
}

/// Alert rules.
pub async fn alert_rules() -> Result<RuleList, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.alert_rules().await;
    #[cfg(not(feature = "ssr"))]
    get(paths::ALERT_RULES.to_owned()).await
}

/// A page of the audit log.
pub async fn audit(wanted: AuditQuery) -> Result<AuditPage, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.audit(wanted).await;
    #[cfg(not(feature = "ssr"))]
    {
        let pairs = wanted.pairs();
        get(query::url(paths::AUDIT_LOG, pairs.iter().map(|(name, value)| (*name, value.as_str())))).await
    }
}

/// Available kinds.
pub async fn kinds() -> Result<KindList, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.kinds().await;
    #[cfg(not(feature = "ssr"))]
    get(paths::KINDS.to_owned()).await
}

/// Series of an operation, at most `points` points each.
pub async fn series(id: OperationId, points: u32) -> Result<SeriesAnswer, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.series(id, points).await;
    #[cfg(not(feature = "ssr"))]
    get(paths::series(id, points)).await
}

/// Log of an operation's current attempt.
pub async fn logs(id: OperationId) -> Result<LogPage, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.logs(id).await;
    #[cfg(not(feature = "ssr"))]
    get(paths::current_log(id)).await
}

/// Requests made only in the browser.
mod browser {
    use super::*;
    use crate::http::Call;
    use protocol::access::Me;
    use protocol::alerts::{DryRun, DryRunRequest, NewRule, NewSilence, RuleChange, RuleStatus, Silence};
    use protocol::history::History;
    use protocol::host_trends::HostTrends;
    use protocol::latency::LatencyHistory;
    use protocol::time_breakdown::TimeBreakdown;
    use protocol::{Preview, Time};
    use serde::de::DeserializeOwned;
    use serde_json::Value;
    use std::time::Duration;

    /// A dry run may read the history of many hosts.
    const DRY_RUN_TIMEOUT: Duration = Duration::from_secs(60);
    /// A host may query its source before it answers.
    const PREVIEW_TIMEOUT: Duration = Duration::from_secs(30);

    /// Sender of the page's requests.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn me() -> Result<Me, Problem> {
        Call::get(paths::ME).json().await
    }

    /// A sampled artifact within a range of seconds since 1970, or all of it, with at most `points` points.
    ///
    /// # Errors
    /// The server's problem document, or our own when there was no answer.
    pub async fn sampled<T: DeserializeOwned>(
        id: OperationId,
        name: &str,
        range: Option<(i64, i64)>,
        points: u32,
    ) -> Result<T, Problem> {
        let (from, to) = range.map(|(from, to)| (from.to_string(), to.to_string())).unwrap_or_default();
        let path = paths::artifact(id, name);
        let points = points.to_string();
        let path = query::url(&path, [("from", from.as_str()), ("to", &to), ("points", &points)]);
        Call::get(&path).json().await
    }

    /// A complete artifact.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn artifact<T: DeserializeOwned>(id: OperationId, name: &str) -> Result<T, Problem> {
        Call::get(&paths::artifact(id, name)).json().await
    }

    /// A page of stored operations; `path` includes the filter.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn operations(path: &str) -> Result<Positioned<OperationPage>, Problem> {
        Call::get(path).positioned().await
    }

    /// Counts per state for a filter; `path` includes the filter.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn counts(path: &str) -> Result<Positioned<FilterCounts>, Problem> {
        Call::get(path).positioned().await
    }

    /// History of a host within a time, in seconds since 1970: metrics in at most `width` buckets.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn history(
        host: &HostName,
        (from, to): (i64, i64),
        width: u32,
        metrics: &str,
    ) -> Result<History, Problem> {
        let time = |second: i64| Time::from_micros(second.saturating_mul(1_000_000));
        Call::get(&paths::host_history(host, time(from), time(to), width, metrics)).json().await
    }

    /// Requests to a host by time and latency within a time, in seconds since 1970.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn host_latency(
        host: &HostName,
        (from, to): (i64, i64),
        width: u32,
    ) -> Result<LatencyHistory, Problem> {
        let time = |second: i64| Time::from_micros(second.saturating_mul(1_000_000));
        Call::get(&paths::host_latency(host, time(from), time(to), width)).json().await
    }

    /// Why an operation is slow, with the course in at most `width` buckets.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn time_breakdown(id: OperationId, width: u32) -> Result<TimeBreakdown, Problem> {
        Call::get(&paths::time_breakdown(id, width)).json().await
    }

    /// Load of all hosts in the last hour.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn host_trends() -> Result<HostTrends, Problem> {
        Call::get(paths::HOST_TRENDS).json().await
    }

    /// Operations of a host that were accepted before a time, newest first.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn operations_of_host(
        host: &HostName,
        until: Time,
        limit: u32,
    ) -> Result<OperationPage, Problem> {
        let (until, limit) = (until.to_string(), limit.to_string());
        let query = [("host", host.as_str()), ("until", &until), ("limit", &limit)];
        Call::get(&query::url(paths::OPERATIONS, query)).json().await
    }

    /// The newest stored operations that match a search text, at most eight.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn find(words: &str) -> Result<OperationPage, Problem> {
        Call::get(&query::url(paths::OPERATIONS, [("q", words), ("limit", "8")])).json().await
    }

    /// The last `limit` log lines of an attempt before line `before`.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn log_page(
        id: OperationId,
        attempt: u32,
        before: u64,
        limit: u64,
    ) -> Result<LogPage, Problem> {
        let path = paths::logs(id, attempt, Some(before), limit);
        Call::get(&path).json().await
    }

    /// The last log lines before line `before` that match a search text and a minimum level.
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
            &paths::log_search(id),
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
        let path = query::url(paths::OPERATIONS, [("kind", kind.as_str()), ("limit", "20")]);
        Call::get(&path).json().await
    }

    /// Starts an operation; `key` is an idempotency key.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn start(start: &StartWithRule, key: &str) -> Result<Operation, Problem> {
        let body = serde_json::to_string(start).expect("requests serialize to JSON");
        Call { idempotency_key: Some(key), ..Call::post(paths::OPERATIONS, body) }.json().await
    }

    /// Preview of a kind with parameters.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn preview(kind: &KindName, params: &Value) -> Result<Preview, Problem> {
        let path = paths::preview(kind);
        Call { limit: PREVIEW_TIMEOUT, ..Call::post(&path, params.to_string()) }.json().await
    }

    /// Requests `cancel`, `retry`, `resume` or `abandon` of an operation.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn ask(id: OperationId, what: &str) -> Result<Operation, Problem> {
        Call::post(&paths::action(id, what), "{}".to_owned()).json().await
    }

    /// Deletes an ended operation.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn delete(id: OperationId) -> Result<Deleted, Problem> {
        let path = paths::operation(id);
        Call { method: "DELETE", ..Call::get(&path) }.json().await
    }

    /// Deletes many ended operations, or with `dry_run` only counts them.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn delete_many(request: &DeleteMany) -> Result<Deleted, Problem> {
        let body = serde_json::to_string(request).expect("requests serialize to JSON");
        Call::post(paths::DELETE_MANY, body).json().await
    }

    /// Baseline of a series; `refresh` recomputes a cached one.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn baseline(id: OperationId, name: &str, refresh: bool) -> Result<Baseline, Problem> {
        let path = paths::baseline(id);
        let refresh = if refresh { "true" } else { "" };
        Call::get(&query::url(&path, [("name", name), ("refresh", refresh)])).json().await
    }

    /// Sets the rule of an operation.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn set_rule(id: OperationId, rule: &SetRule) -> Result<Operation, Problem> {
        let body = serde_json::to_string(rule).expect("rules serialize to JSON");
        Call { method: "PUT", body: Some(body), ..Call::get(&paths::rule(id)) }.json().await
    }

    /// Removes the rule of an operation.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn drop_rule(id: OperationId) -> Result<Operation, Problem> {
        Call { method: "DELETE", ..Call::get(&paths::rule(id)) }.json().await
    }

    /// Drains or undrains a host.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn drain(host: &HostName, on: bool) -> Result<HostStatus, Problem> {
        Call::post(&paths::drain(host, on), "{}".to_owned()).json().await
    }

    /// Silences alerts.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn silence_alerts(silence: &NewSilence) -> Result<Silence, Problem> {
        let body = serde_json::to_string(silence).expect("silences serialize to JSON");
        Call::post(paths::ALERT_SILENCES, body).json().await
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn end_silence(id: &str) -> Result<(), Problem> {
        let path = paths::alert_silence(id);
        Call { method: "DELETE", ..Call::get(&path) }.text().await.map(drop)
    }

    /// Creates an alert rule.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn add_alert_rule(new: &NewRule) -> Result<RuleStatus, Problem> {
        let body = serde_json::to_string(new).expect("rules serialize to JSON");
        Call::post(paths::ALERT_RULES, body).json().await
    }

    /// Changes an alert rule.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn change_alert_rule(change: &RuleChange) -> Result<RuleStatus, Problem> {
        let body = serde_json::to_string(change).expect("rules serialize to JSON");
        let path = paths::alert_rule(&change.rule.name);
        Call { method: "PUT", body: Some(body), ..Call::get(&path) }.json().await
    }

    /// Deletes an alert rule, or resets a built-in rule.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn remove_alert_rule(name: &str, revision: u64) -> Result<(), Problem> {
        let path = paths::alert_rule_at(name, revision);
        Call { method: "DELETE", ..Call::get(&path) }.text().await.map(drop)
    }

    /// Tests a rule against the history of the hosts.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn dry_run(request: &DryRunRequest) -> Result<DryRun, Problem> {
        let body = serde_json::to_string(request).expect("rules serialize to JSON");
        Call { limit: DRY_RUN_TIMEOUT, ..Call::post(paths::ALERT_DRY_RUN, body) }.json().await
    }

    /// Cancels many operations.
    ///
    /// # Errors
    /// As [`sampled`].
    pub async fn cancel_many(many: &CancelMany) -> Result<CancelledMany, Problem> {
        let body = serde_json::to_string(many).expect("requests serialize to JSON");
        Call::post(paths::CANCEL_MANY, body).json().await
    }
}

pub use browser::{
    add_alert_rule, artifact, ask, baseline, cancel_many, change_alert_rule, counts, delete, delete_many,
    drain, drop_rule, dry_run, end_silence, find, history, host_latency, host_trends, log_page, me,
    newest_of, operations, operations_of_host, preview, remove_alert_rule, sampled, search_log, set_rule,
    silence_alerts, start, time_breakdown,
};
