//! Data of the charts of compared operations: a column for each operation and series.

use crate::features::curves::sampled::Answer;
use crate::features::curves::{MAX_POINTS, extent_of};
use crate::pages::compare::entry::Entry;
use charts::{AskAll, Extent, Rows, Sheet, lines_of};
use futures::future::try_join_all;
use leptos::prelude::*;
use live::api;
use protocol::api::SeriesAnswer;
use protocol::results::Columns;
use protocol::{OperationId, Point};

/// Curve of a chart: a series of an operation.
#[derive(Clone)]
pub struct Column {
    pub entry: Entry,
    pub series: String,
    /// Name of the part; empty if the chart has a single series.
    pub part: String,
}

/// Requests the series of each operation at full resolution.
pub fn all_of(columns: &[Column]) -> AskAll {
    let mut ids: Vec<OperationId> = columns.iter().map(|column| column.entry.op.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let wanted: Vec<_> = columns.iter().map(|column| (column.entry.op.id, column.series.clone())).collect();
    AskAll::new(move |()| {
        let (ids, wanted) = (ids.clone(), wanted.clone());
        Box::pin(async move {
            let responses = try_join_all(ids.iter().map(|id| api::series(*id, MAX_POINTS))).await?;
            let points = |(id, name): &(OperationId, String)| {
                let answer: &SeriesAnswer = &responses[ids.binary_search(id).ok()?];
                answer.series.iter().find(|curve| curve.name == *name).map(|curve| curve.points.clone())
            };
            let points: Vec<Vec<Point>> = wanted.iter().map(|one| points(one).unwrap_or_default()).collect();
            let points: Vec<&[Point]> = points.iter().map(Vec::as_slice).collect();
            let downsampled = responses.iter().any(|responses| responses.downsampled);
            Ok(Sheet { extent: extent_of(downsampled, MAX_POINTS, &points), ..lines_of(&points) })
        })
    })
}

/// Chart data over the series' own x values. Tracked.
pub fn counted_sheet(columns: &[Column]) -> Sheet {
    let points: Vec<Vec<Point>> =
        columns.iter().map(|c| c.entry.curves.with(|curves| curves.get(&c.series).to_vec())).collect();
    let points: Vec<&[Point]> = points.iter().map(Vec::as_slice).collect();
    let of_each = columns
        .iter()
        .zip(&points)
        .map(|(c, curve)| extent_of(c.entry.downsampled.get(), c.entry.points, &[curve]));
    // One downsampled series makes the chart downsampled.
    let extent = of_each.into_iter().find(|extent| !extent.is_all()).unwrap_or_default();
    Sheet { fit: 1, extent, ..lines_of(&points) }
}

/// Loaded equity of each operation. Tracked.
pub fn equity_of(of: &[Entry]) -> Vec<Option<Answer<Columns>>> {
    of.iter().map(|entry| entry.equity.value.get()).collect()
}

/// Chart data over time. Series that have not arrived are empty.
pub fn dated_sheet(name: &str, answers: &[Option<Answer<Columns>>]) -> Sheet {
    let points: Vec<Vec<Point>> = answers
        .iter()
        .map(|answer| {
            let Some(columns) = answer.as_ref().map(|answer| &answer.of) else { return Vec::new() };
            let values = columns.columns.get(name).into_iter().flatten();
            columns.t.iter().zip(values).map(|(t, y)| Point(*t as f64, *y)).collect()
        })
        .collect();
    let points: Vec<&[Point]> = points.iter().map(Vec::as_slice).collect();
    let fit = answers.iter().flatten().map(|answer| answer.fit).sum();
    let bars = answers.iter().flatten().map(|answer| answer.of.bars_per_row).max().unwrap_or_default();
    let part = answers.iter().flatten().any(|answer| answer.part);
    Sheet { fit, extent: Extent { rows: Rows::for_bars(bars), part }, ..lines_of(&points) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn curves_over_dates_share_them_and_a_missing_one_is_empty() {
        let columns = |equity: &[f64]| {
            let t = (0..equity.len() as i64).map(|n| n * 3_600).collect();
            let columns = [("equity".to_owned(), equity.to_vec())].into();
            let columns = Columns { t, columns, bars_per_row: 3 };
            Some(Answer { of: Arc::new(columns), fit: 1, part: false })
        };
        let sheet = dated_sheet("equity", &[columns(&[1.0, 2.0]), None, columns(&[3.0, 4.0, 5.0])]);
        assert_eq!(sheet.x, [0.0, 3_600.0, 7_200.0]);
        assert_eq!(sheet.columns[0][..2], [1.0, 2.0]);
        assert!(!sheet.columns[0][2].is_finite() && sheet.columns[1].iter().all(|y| !y.is_finite()));
        assert_eq!((sheet.columns[2].as_slice(), sheet.fit), (&[3.0, 4.0, 5.0][..], 2));
        assert_eq!(sheet.extent.rows, Rows::ForBars(3));
    }
}
