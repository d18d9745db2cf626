//! Compared operation with its series, kept current by the feed.

use super::differ::{Param, names, params};
use crate::features::curves::cached::{Additional, Following, keep_current, take_first};
use crate::features::curves::sampled::Sampled;
use crate::features::curves::spec_of;
use crate::outcome::Outcome;
use app_state::address::comparison::MAX_COMPARED;
use futures::future::{join, join_all};
use leptos::prelude::*;
use live::api;
use live::model::curves::Curves;
use live::{OpView, OperationStore};
use protocol::api::{OperationDetail, SeriesAnswer};
use protocol::results::Columns;
use protocol::{KindSpec, OperationId, Problem};

/// Points of all compared series of one name together; more would overlap on the chart.
const POINTS: usize = 3_000;
/// Minimum and maximum number of points per series.
const FEWEST: usize = 200;
const MAX_POINTS: usize = 1_200;

/// Maximum number of operations with full names in legends and charts beside the table.
const FEW: usize = 3;

/// Responses for one operation.
pub type Answer = (OperationId, Result<(OperationDetail, Option<SeriesAnswer>), Problem>);

/// Points to request per series.
fn points(compared: usize) -> u32 {
    (POINTS / compared.clamp(1, MAX_COMPARED)).clamp(FEWEST, MAX_POINTS) as u32
}

/// Requests all operations in parallel.
pub async fn ask(ids: Vec<OperationId>) -> Vec<Answer> {
    let points = points(ids.len());
    let one = |id| async move {
        let (detail, series) = join(api::operation(id), api::series(id, points)).await;
        (id, detail.map(|detail| (detail, series.ok())))
    };
    join_all(ids.into_iter().map(one)).await
}

/// Compared operation.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Position, which determines letter, colour and dash pattern.
    pub place: usize,
    /// Display name without the letter.
    pub name: StoredValue<String>,
    pub op: OpView,
    pub curves: RwSignal<Curves>,
    /// Points requested per series; `downsampled` tells whether some were left out.
    pub points: u32,
    pub downsampled: RwSignal<bool>,
    pub outcome: Memo<Option<Outcome>>,
    /// Declaration of its kind.
    pub spec: StoredValue<Option<KindSpec>>,
    /// Equity over time, requested while `dated`.
    pub equity: Sampled<Columns>,
}

impl Entry {
    /// Entry at `place` of `compared` operations. It follows the operation until the page closes. `dated` tells
    /// whether series over time are shown.
    pub fn new(
        place: usize,
        compared: usize,
        detail: OperationDetail,
        series: Option<SeriesAnswer>,
        dated: Signal<bool>,
        following: Following,
    ) -> Option<Self> {
        let live = OperationStore::here();
        let id = detail.operation.id;
        live.adopt(&detail.operation, detail.seq);
        let op = live.operation(id)?.view();
        let follow = following.of(&live, id, OperationStore::follow_curves);
        let points = points(compared);
        let downsampled = RwSignal::new(series.as_ref().is_some_and(|series| series.downsampled));
        take_first(&follow, &detail, series, None);
        let curves = follow.curves.state().into();
        let result = RwSignal::new(detail.result);
        keep_current(&live, op, follow, Additional { points, downsampled, logs: false }, move |detail| {
            result.try_set(detail.result);
        });
        let kind = op.fixed().kind.clone();
        let spec = StoredValue::new(spec_of(&kind));
        let outcome = Memo::new(move |_| result.with(|r| r.as_ref().map(|r| Outcome::read(&kind, r))));
        let has_dates = move || outcome.with(|o| o.as_ref().is_some_and(|o| !o.curves_shown().is_empty()));
        let equity = Sampled::once(id, "equity", points, move || dated.get() && has_dates());
        let name = StoredValue::new(op.fixed().title.clone());
        Some(Self { place, name, op, curves, points, downsampled, outcome, spec, equity })
    }

    /// Letter of the operation: `A`.
    pub fn letter(&self) -> char {
        letter(self.place)
    }

    /// Letter and display name.
    pub fn label(&self) -> String {
        format!("{} {}", self.letter(), self.name.get_value())
    }

    /// Whether the result has this series over time. Tracked.
    pub fn dates(&self, curve: &str) -> bool {
        self.outcome.with(|o| o.as_ref().is_some_and(|o| o.curves_shown().contains(&curve)))
    }
}

/// Parameters of all entries.
pub fn all_params(entries: &[Entry]) -> Vec<Param> {
    let fixed: Vec<_> = entries.iter().map(|entry| entry.op.fixed()).collect();
    let given: Vec<_> = fixed.iter().map(|f| (f.kind.as_str(), &f.params)).collect();
    params(&given)
}

/// Sets unique display names, as far as parameters distinguish the operations.
pub fn name_all(entries: &[Entry]) {
    let fixed: Vec<_> = entries.iter().map(|entry| entry.op.fixed()).collect();
    let titles: Vec<&str> = fixed.iter().map(|f| f.title.as_str()).collect();
    for (entry, name) in entries.iter().zip(names(&titles, &all_params(entries))) {
        entry.name.set_value(name);
    }
}

/// Whether operations are labelled with their names instead of letters only.
pub fn is_few(compared: usize) -> bool {
    compared <= FEW
}

/// Letter of a position: `A` is the first.
pub fn letter(place: usize) -> char {
    char::from(b'A' + (place % 26) as u8)
}

/// Letters as a list: `A`, `A and B`, `A, B and C`.
pub fn letters(places: &[usize]) -> String {
    let wording: Vec<String> = places.iter().map(|place| letter(*place).to_string()).collect();
    match wording.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_compared_curves_have_fewer_points_each() {
        assert_eq!((points(2), points(3), points(MAX_COMPARED)), (1_200, 1_000, 200));
        assert_eq!(points(0), 1_200);
    }

    #[test]
    fn positions_are_named_by_letters() {
        assert_eq!(letters(&[0]), "A");
        assert_eq!(letters(&[0, 2, MAX_COMPARED - 1]), "A, C and T");
    }
}
