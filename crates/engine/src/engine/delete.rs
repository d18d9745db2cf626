//! Deletion of ended operations with their children, on request, in small batches.

use super::{Engine, Which};
use crate::command::{Command, DeletedFamilies, DeletionCandidate};
use crate::error::EngineError;
use protocol::api::Deleted;
use protocol::{Operation, OperationId};
use std::collections::HashSet;
use store::{Filter, Store, StoreError};
use tokio::sync::oneshot;

/// Number of operations per batch; other commands run between batches.
const AT_ONCE: usize = 100;

impl Engine {
    /// Deletes an ended operation and its children. Returns when they are gone.
    ///
    /// # Errors
    /// `OperationNotFound`, `NotEnded` or `ChildrenNotEnded` if it or one of its children has not ended, or `Changed`.
    pub async fn delete(&self, id: OperationId) -> Result<Deleted, EngineError> {
        self.storable()?;
        let family = self.stored(move |store| family(store, id, u64::MAX)).await??;
        let deleted_families = self.part(family).await?;
        if deleted_families.refused > 0 {
            return Err(EngineError::Changed(id));
        }
        Ok(Deleted { deleted: deleted_families.operations, ..Deleted::default() })
    }

    /// Deletes many operations: those listed, or all ended ones that a filter matches, each with its children.
    /// Continues to the end even if the client is gone. With `dry_run`, nothing is deleted: the result says what would
    /// be, and up to which event that is known. Skips operations that changed after event `until`.
    ///
    /// # Errors
    /// `Unwritable` if nothing can be stored.
    pub async fn delete_many(
        &self,
        which: Which,
        until: Option<u64>,
        dry_run: bool,
    ) -> Result<Deleted, EngineError> {
        self.storable()?;
        let head = self.shared.feed.at_head(|seq| seq);
        // The dry run counts only what the deletion would delete: nothing that changed after the published events.
        let until = if dry_run { until.unwrap_or(head).min(head) } else { until.unwrap_or(u64::MAX) };
        let ids = match which {
            Which::These(ids) => ids,
            Which::Found(filter) => {
                let of = |o: &Operation| (o.seq <= until).then_some(o.id);
                self.found(*filter, |state| state.ended(), of).await?
            }
        };
        let engine = self.clone();
        let deleting = tokio::spawn(async move { engine.delete_these(ids, until, dry_run).await });
        let outcome = deleting.await.map_err(|_| EngineError::Closing)??;
        Ok(Deleted { until: dry_run.then_some(until), ..outcome })
    }

    async fn delete_these(
        &self,
        ids: Vec<OperationId>,
        until: u64,
        dry_run: bool,
    ) -> Result<Deleted, EngineError> {
        let mut outcome = Deleted::default();
        // An operation may be listed twice, or listed and a child of another; it counts once.
        let mut seen = HashSet::new();
        let (mut batch, mut size) = (Vec::new(), 0);
        for some in ids.chunks(AT_ONCE) {
            let wanted: Vec<OperationId> = some.iter().copied().filter(|id| !seen.contains(id)).collect();
            let families = self
                .stored(move |store| {
                    wanted.into_iter().map(|id| family(store, id, until)).collect::<Result<Vec<_>, _>>()
                })
                .await?;
            for family in families {
                let Ok(mut family) = family else {
                    outcome.refused += 1;
                    continue;
                };
                family.retain(|one| seen.insert(one.id));
                if dry_run {
                    outcome.deleted += family.len() as u64;
                    continue;
                }
                if size + family.len() > AT_ONCE {
                    self.delete_batch(std::mem::take(&mut batch), &mut outcome).await?;
                    size = 0;
                }
                if family.len() > AT_ONCE {
                    add(&mut outcome, &self.part(family).await?);
                } else if !family.is_empty() {
                    size += family.len();
                    batch.push(family);
                }
            }
        }
        self.delete_batch(batch, &mut outcome).await?;
        Ok(outcome)
    }

    /// Deletes one family, however large. Children go first, so that the rest can be deleted later if this is
    /// interrupted.
    async fn part(&self, mut family: Vec<DeletionCandidate>) -> Result<DeletedFamilies, EngineError> {
        let mut deleted_families = DeletedFamilies::default();
        while !family.is_empty() && deleted_families.refused == 0 {
            let rest = family.split_off(family.len().min(AT_ONCE));
            let some = self.leave(vec![std::mem::replace(&mut family, rest)]).await?;
            deleted_families.operations += some.operations;
            deleted_families.refused += some.refused;
        }
        Ok(deleted_families)
    }

    async fn delete_batch(
        &self,
        families: Vec<Vec<DeletionCandidate>>,
        outcome: &mut Deleted,
    ) -> Result<(), EngineError> {
        if !families.is_empty() {
            add(outcome, &self.leave(families).await?);
        }
        Ok(())
    }

    async fn leave(&self, families: Vec<Vec<DeletionCandidate>>) -> Result<DeletedFamilies, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.send_command(Command::Delete { families, by: self.by.clone(), reply }).await?;
        answer.await.map_err(|_| EngineError::Closing)
    }
}

fn add(outcome: &mut Deleted, deleted_families: &DeletedFamilies) {
    outcome.deleted += deleted_families.operations;
    outcome.refused += deleted_families.refused;
}

/// Operation and all of its descendants, youngest first and itself last; or the reason why it can't be deleted: one of
/// them has not ended, or changed after event `until`.
fn family(
    store: &dyn Store,
    id: OperationId,
    until: u64,
) -> Result<Result<Vec<DeletionCandidate>, EngineError>, StoreError> {
    let Some(stored) = store.operation(id)? else { return Ok(Err(EngineError::OperationNotFound(id))) };
    if !stored.operation.state.ended() {
        return Ok(Err(EngineError::NotEnded(stored.operation.state)));
    }
    let mut newest = stored.operation.seq;
    let mut family = vec![DeletionCandidate::from(stored.operation)];
    let (mut next, mut running) = (0, 0);
    while let Some(parent) = family.get(next).map(|one| one.id) {
        let mut filter = Filter { parent: Some(parent), limit: 500, ..Filter::default() };
        loop {
            let page = store.page(&filter)?;
            running += page.operations.iter().filter(|o| !o.state.ended()).count();
            newest = page.operations.iter().map(|o| o.seq).fold(newest, u64::max);
            family.extend(page.operations.into_iter().map(DeletionCandidate::from));
            match page.next {
                Some(last) => filter.after = Some(last),
                None => break,
            }
        }
        next += 1;
    }
    family.reverse();
    Ok(match running {
        0 if newest <= until => Ok(family),
        0 => Err(EngineError::Changed(id)),
        running => Err(EngineError::ChildrenNotEnded(running)),
    })
}
