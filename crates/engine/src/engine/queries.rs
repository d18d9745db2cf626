//! Queries: snapshot, operations, series, logs, audit log.

use super::Engine;
use crate::activity;
use crate::downsample::downsample;
use crate::error::{EngineError, HostData};
use crate::kind_registry::Checked;
use crate::secret_params;
use bytes::Bytes;
use pool::Repeat;
use protocol::access::KindScope;
use protocol::activity::Activity;
use protocol::api::{
    AuditPage, FilterCounts, LogPage, OperationDetail, OperationPage, SeriesAnswer, Snapshot, StateCount,
};
use protocol::host::PreviewParams;
use protocol::{AuditEntry, KindName, Operation, OperationId, Point, Points, Preview, Time};
use serde_json::Value;
use store::{AuditFilter, AuditHead, Filter, Store, StoreError, Stored};

/// Largest number of audit entries in the details of an operation.
const AUDIT_SHOWN: u32 = 200;

impl Engine {
    /// Everything that the page shows, with its sequence number.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_of(None)
    }

    /// Same with the operations and counts of a scope.
    pub(crate) fn snapshot_of(&self, scope: Option<&KindScope>) -> Snapshot {
        let shared = &self.shared;
        shared.feed.at_head(|seq| {
            let (view, now) = (shared.view.read(), Time::now());
            Snapshot {
                seq,
                now,
                server: shared.instance,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                operations: view.operations(scope),
                ended_from: view.ended_from(scope, now),
                counts: view.counts(scope),
                hosts: view.hosts(),
                alerts: view.alerts(),
            }
        })
    }

    /// Operation with its attempts, result and the names of its series.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn operation(&self, id: OperationId) -> Result<OperationDetail, EngineError> {
        let seq = self.shared.feed.head();
        let (stored, result, series, audit) = self
            .of_stored(id, move |store, stored| {
                let result = if stored.operation.has_result { store.result(id)? } else { None };
                let series = store.series_names(id, stored.operation.attempt)?;
                let audit = store
                    .audit(&AuditFilter { operation: Some(id), ..AuditFilter::default() }, AUDIT_SHOWN)?;
                Ok((stored, result, series, audit))
            })
            .await?;
        Ok(OperationDetail {
            operation: self.as_it_runs(stored.operation),
            attempts: stored.attempts,
            result,
            series,
            audit: audit.into_iter().rev().map(|(_, entry)| entry).collect(),
            seq,
        })
    }

    /// Page of operations, newest first.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn page(&self, filter: Filter) -> Result<OperationPage, EngineError> {
        let page = self.stored(move |store| store.page(&filter)).await?;
        let operations = page.operations.into_iter().map(|operation| self.as_it_runs(operation)).collect();
        Ok(OperationPage { operations, next: page.next.map(|id| id.to_string()) })
    }

    /// Number of operations in each state that a filter matches, on all pages.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn counts_of(&self, filter: Filter) -> Result<FilterCounts, EngineError> {
        let counts = self.stored(move |store| store.counts_of(&filter)).await?;
        Ok(FilterCounts {
            counts: counts.into_iter().map(|(state, count)| StateCount { state, count }).collect(),
        })
    }

    /// Series of the current attempt, each with at most `points` points, within a range of x.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn series(
        &self,
        id: OperationId,
        names: Vec<String>,
        range: (Option<f64>, Option<f64>),
        points: usize,
    ) -> Result<SeriesAnswer, EngineError> {
        let seq = self.shared.feed.head();
        let (from, to) = (range.0.unwrap_or(f64::MIN), range.1.unwrap_or(f64::MAX));
        let (attempt, reduced) = self
            .of_stored(id, move |store, stored| {
                let attempt = stored.operation.attempt;
                let mut reduced = Vec::new();
                for name in store.series_names(id, attempt)? {
                    if !names.is_empty() && !names.contains(&name) {
                        continue;
                    }
                    let each = |take: &mut dyn FnMut(Point)| {
                        store.curve(id, attempt, &name, &mut |point| {
                            if point.0 >= from && point.0 <= to {
                                take(point);
                            }
                        })
                    };
                    let (points, fewer) = downsample(each, points)?;
                    reduced.push((Points { name, points }, fewer));
                }
                Ok((attempt, reduced))
            })
            .await?;
        let downsampled = reduced.iter().any(|(_, fewer)| *fewer);
        let series = reduced.into_iter().map(|(series, _)| series).collect();
        Ok(SeriesAnswer { attempt, series, downsampled, seq })
    }

    /// The last `limit` log lines before line `before` of an attempt; `None` is the current one.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn logs(
        &self,
        id: OperationId,
        attempt: Option<u32>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<LogPage, EngineError> {
        let seq = self.shared.feed.head();
        let (attempt, lines) = self
            .of_stored(id, move |store, stored| {
                let attempt = attempt.unwrap_or(stored.operation.attempt);
                Ok((attempt, store.logs(id, attempt, before, limit)?))
            })
            .await?;
        Ok(LogPage { attempt, lines, seq })
    }

    /// Content of an artifact of the latest result, requested from the host that made it, with `query`.
    ///
    /// # Errors
    /// `OperationNotFound`, `ArtifactNotFound`, `ArtifactHostRemoved`, `ArtifactPathInvalid`, or `HostFailed` if the
    /// host can't be reached.
    pub async fn artifact(
        &self,
        id: OperationId,
        name: &str,
        query: &str,
    ) -> Result<(String, Bytes), EngineError> {
        let detail = self.operation(id).await?;
        let artifact = detail.result.iter().flat_map(|r| &r.artifacts).find(|a| a.name == name);
        let Some(artifact) = artifact else {
            return Err(EngineError::ArtifactNotFound { id, name: name.to_owned() });
        };
        let host = detail.operation.host.clone();
        let pool = self.shared.pools.iter().find(|(n, _)| Some(n) == host.as_ref()).map(|(_, pool)| pool);
        let (Some(pool), Some(host)) = (pool, host) else {
            return Err(EngineError::ArtifactHostRemoved);
        };
        let plain = artifact.path.starts_with("/host/v1/artifacts/") && !artifact.path.contains("..");
        if !plain {
            return Err(EngineError::ArtifactPathInvalid { host, path: artifact.path.clone() });
        }
        let path =
            if query.is_empty() { artifact.path.clone() } else { format!("{}?{query}", artifact.path) };
        pool.get_bytes(&path).await.map_err(|error| EngineError::of_host(host, HostData::Artifact, error))
    }

    /// Preview of a kind with parameters, requested from a connected host. Starts nothing.
    ///
    /// # Errors
    /// `UnknownKind`, `InvalidParams`, `HostProblem` for a kind without previews, `NoHostConnected`, or `HostFailed` if
    /// its host does not answer.
    pub async fn preview(&self, kind: KindName, params: &Value) -> Result<Preview, EngineError> {
        let Checked { mut params, secrets, .. } = self.shared.kind_registry.check(&kind, params)?;
        // A preview is made from the values themselves, and stores nothing.
        secret_params::restore(&mut params, secrets);
        let host = self.shared.kind_registry.connected(&kind);
        let pool =
            self.shared.pools.iter().find(|(name, _)| Some(name) == host.as_ref()).map(|(_, pool)| pool);
        let (Some(pool), Some(host)) = (pool, host) else {
            return Err(EngineError::NoHostConnected(kind));
        };
        let response = pool.post("/host/v1/preview", &PreviewParams { kind, params }, Repeat::Safe).await;
        let previewed = response.map(|(_, preview)| preview);
        previewed.map_err(|error| EngineError::of_host(host, HostData::Preview, error))
    }

    /// A page of audit entries, newest first, at most `limit` (1 to 500).
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn audit(&self, filter: AuditFilter, limit: u32) -> Result<AuditPage, EngineError> {
        let limit = limit.clamp(1, 500);
        let mut found = self.audit_entries(filter, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|(head, _)| head.n);
        Ok(AuditPage { entries: found.into_iter().map(|(_, entry)| entry).collect(), next })
    }

    /// Audit entries with their numbers and hashes, newest first, at most `limit`.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn audit_entries(
        &self,
        filter: AuditFilter,
        limit: u32,
    ) -> Result<Vec<(AuditHead, AuditEntry)>, EngineError> {
        self.stored(move |store| store.audit(&filter, limit)).await
    }

    /// Activity of the last 24 hours compared with the usual.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn activity(&self) -> Result<Activity, EngineError> {
        self.activity_of(None).await
    }

    /// Same of the kinds in a scope.
    pub(crate) async fn activity_of(&self, scope: Option<KindScope>) -> Result<Activity, EngineError> {
        let now = Time::now();
        let mut tallies = self.stored(move |store| store.tallies(activity::first_hour(now))).await?;
        tallies.retain(|tally| scope.as_ref().is_none_or(|scope| scope.covers(&tally.kind)));
        Ok(activity::activity(&tallies, now))
    }

    /// Adds what is stored only with other changes: forecast, and number of points outside of the baseline.
    fn as_it_runs(&self, mut operation: Operation) -> Operation {
        if let Some(now) = self.recent_operation(operation.id)
            && now.attempt == operation.attempt
        {
            if !operation.state.ended() {
                operation.forecast = now.forecast;
                // A cancel that could not be stored yet.
                if operation.receipt.is_none() {
                    operation.receipt = now.receipt.filter(|receipt| receipt.not_stored);
                }
            }
            if let Some((rule, now)) = operation.rule.as_mut().zip(now.rule)
                && (rule.set_at, &rule.fired) == (now.set_at, &now.fired)
            {
                rule.outside = now.outside;
            }
        }
        operation
    }

    /// Reads a stored operation, and something else with it.
    async fn of_stored<T: Send + 'static>(
        &self,
        id: OperationId,
        more: impl FnOnce(&dyn Store, Stored) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let found = self
            .stored(move |store| match store.operation(id)? {
                Some(stored) => more(store, stored).map(Some),
                None => Ok(None),
            })
            .await?;
        found.ok_or_else(|| EngineError::OperationNotFound(id))
    }
}
