//! Engine as senders with a scope see it. Handlers of requests get this type instead of the [`Engine`]: a new one can't
//! forget the scope.
//!
//! An operation is visible if its kind is in the scope. An operation that is not visible gives the same errors as one
//! that does not exist. Without a scope, all calls go to the engine as they are.

mod commands;

use super::{Engine, LogQuery};
use crate::error::EngineError;
use crate::feed::{Cursor, Feed, Frame};
use crate::scoped_feed::{ScopedFeed, redact};
use bytes::Bytes;
use protocol::access::KindScope;
use protocol::activity::Activity;
use protocol::alerts::AlertSummary;
use protocol::api::{
    FilterCounts, HostList, KindList, LogPage, LogSearch, OperationDetail, OperationPage, SeriesAnswer,
    Snapshot,
};
use protocol::{Actor, BandRule, Baseline, InstanceId, KindName, Operation, OperationId};
use std::sync::Arc;
use store::Filter;

/// Engine within a scope.
#[derive(Clone)]
pub struct Scoped {
    engine: Engine,
    /// Feed of the scope; `None` without a scope.
    limited: Option<Arc<ScopedFeed>>,
}

impl Scoped {
    pub(super) fn new(engine: Engine, limited: Option<Arc<ScopedFeed>>) -> Self {
        Self { engine, limited }
    }

    /// Same for another actor, who is named in the audit log.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { engine: self.engine.by(actor), limited: self.limited.clone() }
    }

    /// Scope; `None` for all kinds.
    pub fn scope(&self) -> Option<&KindScope> {
        self.limited.as_deref().map(ScopedFeed::scope)
    }

    /// Feed of the visible events.
    pub fn feed(&self) -> &Arc<Feed> {
        self.limited.as_ref().map_or_else(|| self.engine.feed(), |limited| limited.feed())
    }

    /// Number of the newest visible event.
    pub fn head(&self) -> u64 {
        if let Some(limited) = &self.limited {
            limited.update();
        }
        self.feed().head()
    }

    /// Whether the feed has lost events, so that its readers need a new snapshot.
    pub fn lost(&self) -> bool {
        self.limited.as_ref().is_some_and(|limited| limited.lost())
    }

    /// ID of this process of the server; with a scope, of its feed. With another one, positions mean nothing.
    pub fn instance(&self) -> InstanceId {
        self.limited.as_ref().map_or_else(|| self.engine.instance(), |limited| limited.instance())
    }

    /// Reader that has everything up to `after`.
    pub fn follow(&self, after: u64, only: Option<OperationId>) -> Cursor {
        Cursor::new(self.feed().clone(), after, only)
    }

    /// Events after `after` that are no longer in memory; `None` if they are not kept. With a scope, they are not.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn older_events(&self, after: u64) -> Result<Option<Vec<Frame>>, EngineError> {
        match self.limited {
            None => self.engine.older_events(after).await,
            Some(_) => Ok(None),
        }
    }

    /// Everything that the page shows, with its position in the feed.
    pub fn snapshot(&self) -> Snapshot {
        let Some(limited) = &self.limited else { return self.engine.snapshot() };
        let mut snapshot = self.engine.snapshot_of(Some(limited.scope()));
        snapshot.seq = limited.number_at(snapshot.seq);
        snapshot.server = limited.instance();
        snapshot.operations.iter_mut().for_each(|operation| limited.operation(operation));
        snapshot.hosts = snapshot.hosts.into_iter().filter_map(|host| limited.status(host)).collect();
        snapshot.alerts = AlertSummary::default();
        snapshot
    }

    /// Whether an operation is queued, running or being cancelled, also one outside of the scope.
    pub fn is_active(&self, id: OperationId) -> bool {
        self.engine.is_active(id)
    }

    /// Kinds that can be started.
    pub fn kinds(&self) -> KindList {
        let kinds = self.engine.kinds();
        match self.scope() {
            None => kinds,
            Some(scope) => redact::kinds(kinds, scope),
        }
    }

    /// List of the hosts. With a scope, it contains only hosts with a visible kind.
    pub fn hosts(&self) -> HostList {
        let list = self.engine.hosts();
        match &self.limited {
            None => list,
            Some(limited) => {
                HostList { hosts: list.hosts.into_iter().filter_map(|host| limited.status(host)).collect() }
            }
        }
    }

    /// Details of an operation.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn operation(&self, id: OperationId) -> Result<OperationDetail, EngineError> {
        self.require(id).await?;
        let mut detail = self.engine.operation(id).await?;
        if self.limited.is_some() {
            detail.audit.iter_mut().for_each(|entry| redact::reason(&mut entry.detail));
            detail
                .attempts
                .iter_mut()
                .filter_map(|attempt| attempt.receipt.as_mut())
                .for_each(|receipt| redact::reason(&mut receipt.reason));
        }
        detail.operation = self.seen(detail.operation);
        detail.seq = self.number_at(detail.seq);
        Ok(detail)
    }

    /// Page of operations.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn page(&self, filter: Filter) -> Result<OperationPage, EngineError> {
        let Some(filter) = self.within(filter) else {
            return Ok(OperationPage { operations: Vec::new(), next: None });
        };
        let mut page = self.engine.page(filter).await?;
        page.operations = page.operations.into_iter().map(|operation| self.seen(operation)).collect();
        Ok(page)
    }

    /// Number of operations in each state that a filter matches.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn counts_of(&self, filter: Filter) -> Result<FilterCounts, EngineError> {
        match self.within(filter) {
            Some(filter) => self.engine.counts_of(filter).await,
            None => {
                let none = protocol::State::ALL.into_iter();
                let counts = none.map(|state| protocol::api::StateCount { state, count: 0 }).collect();
                Ok(FilterCounts { counts })
            }
        }
    }

    /// Series of the current attempt.
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
        self.require(id).await?;
        let series = self.engine.series(id, names, range, points).await?;
        Ok(SeriesAnswer { seq: self.number_at(series.seq), ..series })
    }

    /// Log lines of an attempt.
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
        self.require(id).await?;
        let page = self.engine.logs(id, attempt, before, limit).await?;
        Ok(LogPage { seq: self.number_at(page.seq), ..page })
    }

    /// Matching log lines of an attempt.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn search_log(&self, id: OperationId, query: LogQuery) -> Result<LogSearch, EngineError> {
        self.require(id).await?;
        let found = self.engine.search_log(id, query).await?;
        Ok(LogSearch { seq: self.number_at(found.seq), ..found })
    }

    /// Baseline of a series, from past runs of the same kind.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn baseline(
        &self,
        id: OperationId,
        series: String,
        points: usize,
        refresh: bool,
    ) -> Result<Baseline, EngineError> {
        self.require(id).await?;
        self.engine.baseline(id, series, points, refresh).await
    }

    /// Auto-cancel rule of an operation.
    ///
    /// # Errors
    /// `OperationNotFound`, or `RuleNotFound`.
    pub async fn rule(&self, id: OperationId) -> Result<BandRule, EngineError> {
        self.require(id).await?;
        self.engine.rule(id).await
    }

    /// Artifact of the latest result.
    ///
    /// # Errors
    /// As [`Engine::artifact`].
    pub async fn artifact(
        &self,
        id: OperationId,
        name: &str,
        query: &str,
    ) -> Result<(String, Bytes), EngineError> {
        self.require(id).await?;
        self.engine.artifact(id, name, query).await
    }

    /// Activity of the last 24 hours, of the visible kinds.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn activity(&self) -> Result<Activity, EngineError> {
        self.engine.activity_of(self.scope().cloned()).await
    }

    /// Checks that an operation is visible. The store is read for each, so that hidden and unknown ones take the same
    /// way.
    async fn require(&self, id: OperationId) -> Result<(), EngineError> {
        let Some(limited) = &self.limited else { return Ok(()) };
        match self.engine.kind_of(id).await? {
            Some(kind) if limited.covers(&kind) => Ok(()),
            _ => Err(EngineError::OperationNotFound(id)),
        }
    }

    /// Checks that operations of a kind may be started.
    fn require_kind(&self, kind: &KindName) -> Result<(), EngineError> {
        match self.scope() {
            Some(scope) if !scope.covers(kind) => {
                Err(EngineError::KindOutOfScope { kind: kind.clone(), scope: scope.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Filter within the scope; `None` if it matches nothing. Parents are in no scope, and neither is who has one.
    fn within(&self, filter: Filter) -> Option<Filter> {
        let Some(scope) = self.scope() else { return Some(filter) };
        filter.parent.is_none().then(|| Filter { scope: Some(scope.clone()), ..filter })
    }

    fn seen(&self, mut operation: Operation) -> Operation {
        if let Some(limited) = &self.limited {
            limited.operation(&mut operation);
        }
        operation
    }

    fn number_at(&self, seq: u64) -> u64 {
        self.limited.as_ref().map_or(seq, |limited| limited.number_at(seq))
    }
}
