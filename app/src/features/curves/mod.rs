//! Curves of operations, on the page of one operation and in a comparison: [`cached`] keeps their data current,
//! [`group`] puts them into charts, [`flat`] finds constant ones, [`sampled`] requests artifacts in the resolution of
//! the zoom.

pub mod cached;
pub mod flat;
pub mod group;
pub mod sampled;

use app_state::Data;
use charts::{Extent, Rows};
use leptos::prelude::*;
use protocol::{KindSpec, Point, SeriesInfo};

/// Maximum number of points per series in one response.
pub const MAX_POINTS: u32 = 20_000;

/// Declaration of a kind, if the page knows it.
pub fn spec_of(kind: &protocol::KindName) -> Option<KindSpec> {
    Data::here().kinds.with_untracked(|kinds| {
        let list = kinds.as_ref()?.as_ref().ok()?;
        list.kinds.iter().find(|o| o.spec.name == *kind).map(|o| o.spec.clone())
    })
}

/// Declaration of a series and its position in the kind. Undeclared series come last, under their own names.
pub fn info(name: &str, spec: StoredValue<Option<KindSpec>>) -> (usize, SeriesInfo) {
    let declared = spec.with_value(|s| {
        let series = &s.as_ref()?.series;
        series.iter().enumerate().find(|(_, i)| i.name == name).map(|(place, i)| (place, i.clone()))
    });
    declared.unwrap_or_else(|| {
        let unknown = SeriesInfo {
            name: name.to_owned(),
            title: name.replace('_', " "),
            unit: String::new(),
            x: "x".to_owned(),
        };
        (usize::MAX, unknown)
    })
}

/// Completeness of series in a response with at most `asked` points each. Downsampling keeps at least one point per
/// bucket, and has at least a third as many buckets as `asked`. Shorter series are therefore complete.
pub fn extent_of(downsampled: bool, asked: u32, curves: &[&[Point]]) -> Extent {
    let few = |curve: &&[Point]| curve.len() < asked as usize / 3;
    let rows = if downsampled && !curves.iter().all(few) { Rows::Downsampled } else { Rows::Each };
    Extent { rows, part: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_curve_with_all_requested_points_can_be_downsampled() {
        let points = |n: usize| (0..n).map(|x| Point(x as f64, 1.0)).collect::<Vec<_>>();
        let (short, long) = (points(60), points(1_200));
        let rows = |downsampled, curves: &[&[Point]]| extent_of(downsampled, 1_200, curves).rows;
        assert_eq!(rows(true, &[&short, &long]), Rows::Downsampled);
        assert_eq!(rows(true, &[&short]), Rows::Each);
        assert_eq!(rows(false, &[&long]), Rows::Each);
    }
}
