//! Input of a chart: its description, given once, and its data, given on each change. Pure.

use super::extent::{Extent, Rows};
use super::sessions::Sessions;
use protocol::{Band, Point};
use serde::Serialize;
use std::sync::Arc;

/// Lines, or candles with volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    #[default]
    Lines,
    /// Needs five columns: open, high, low, close, volume.
    Candles,
}

/// Marks a missing point within a column: the curve continues to its next point. `NaN` is a gap.
pub const ABSENT: f64 = f64::INFINITY;

/// Description of a chart.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Spec {
    pub title: String,
    /// Base name of exported files, without extension.
    pub file: String,
    pub shape: Shape,
    /// x is seconds since 1970 in UTC; otherwise a number named by `x`.
    pub time: bool,
    /// Name of x, e.g. `seconds since start`. Charts with the same x share cursor and zoom.
    pub x: String,
    /// Unit of y; `share` is displayed in percent.
    pub unit: String,
    /// Short names, one per column.
    pub names: Vec<String>,
    /// Full names for tables, files and tooltips; the short names when empty.
    #[serde(skip)]
    pub full: Vec<String>,
    /// Names at the ends of the lines; the short names when empty.
    pub ends: Vec<String>,
    /// Style (colour and dash) of each column; by position when empty.
    pub styles: Vec<usize>,
    /// Whether a column is drawn dotted, behind the others of its style; none when empty.
    pub faint: Vec<bool>,
    /// The y axis includes zero.
    pub zero: bool,
    /// Fills the area between the first curve and zero.
    pub fill: bool,
    /// Offers smoothing.
    pub smooth: bool,
    /// Offers a logarithmic y axis.
    pub log: bool,
    /// Height in CSS pixels.
    pub height: u32,
    /// The height is that of the element, as in full screen.
    pub tall: bool,
    /// Bands are ticks in a strip under the plot, which zoom when they are pressed, instead of shaded ranges only.
    pub strip: bool,
    /// Upper panel of a pane: the last panel has the labels of x for all.
    pub upper: bool,
}

impl Spec {
    /// Full names of the columns.
    pub fn full_names(&self) -> &[String] {
        if self.full.is_empty() { &self.names } else { &self.full }
    }

    /// Style of a column.
    pub fn style(&self, column: usize) -> usize {
        self.styles.get(column).copied().unwrap_or(column)
    }

    /// Name of an exported file.
    pub fn file_name(&self, ending: &str) -> String {
        let title: String = self
            .title
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        match self.file.as_str() {
            "" => format!("{title}.{ending}"),
            of => format!("{of}-{title}.{ending}"),
        }
    }
}

/// An event marked on the chart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mark {
    pub x: f64,
    pub y: f64,
    pub kind: MarkKind,
    /// Number of the trade that it belongs to, from 0.
    pub of: usize,
}

/// Kind of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkKind {
    LongEntry = 0,
    ShortEntry = 1,
    /// A trade closed with a gain.
    Gain = 2,
    /// A trade closed with a loss.
    Loss = 3,
}

/// Event at an x, drawn as a thin line with its label.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    pub x: f64,
    pub label: String,
}

/// Data of a chart: columns of equal length, with `NaN` for gaps and [`ABSENT`] for missing points.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sheet {
    pub x: Vec<f64>,
    pub columns: Vec<Vec<f64>>,
    /// Baseline behind each column; may be shorter.
    pub behind: Vec<Option<Arc<Band>>>,
    /// Trading time of the x axis: closed markets take no room. Otherwise x has its own distances.
    pub sessions: Option<Arc<Sessions>>,
    /// Ranges of x marked as gaps.
    pub bands: Vec<(f64, f64)>,
    /// What the readout says about each band; may be shorter.
    pub band_texts: Vec<String>,
    /// Sorted by x.
    pub marks: Vec<Mark>,
    /// Number of the highlighted trade.
    pub chosen: Option<usize>,
    /// Events such as the best epoch.
    pub events: Vec<Event>,
    /// Incremented to reset the zoom.
    pub fit: u32,
    /// How complete the data is.
    pub extent: Extent,
}

impl Sheet {
    /// Columns that have a baseline, with it.
    pub fn bands_behind(&self) -> impl Iterator<Item = (usize, &Band)> {
        self.behind.iter().enumerate().filter_map(|(column, band)| Some((column, band.as_deref()?)))
    }

    /// Positions of the rows on the axis: the middle of a candle in trading time, otherwise x itself.
    pub fn positions(&self) -> Vec<f64> {
        let Some(sessions) = &self.sessions else { return self.x.clone() };
        let bars = match self.extent.rows {
            Rows::OfBars(bars) => f64::from(bars),
            _ => 1.0,
        };
        self.x.iter().map(|x| sessions.place(*x) + (bars - 1.0) / 2.0).collect()
    }

    /// Whether there are values, and all allow a logarithm.
    pub fn all_above_zero(&self) -> bool {
        let mut values = self.columns.iter().flatten().filter(|y| y.is_finite()).peekable();
        values.peek().is_some() && values.all(|y| *y > 0.0)
    }
}

/// Merges curves with different x into one sheet.
pub fn lines_of(curves: &[&[Point]]) -> Sheet {
    if let [only] = curves {
        return Sheet {
            x: only.iter().map(|p| p.0).collect(),
            columns: vec![only.iter().map(|p| p.1).collect()],
            ..Sheet::default()
        };
    }
    let mut x: Vec<f64> = curves.iter().flat_map(|points| points.iter().map(|p| p.0)).collect();
    x.sort_by(f64::total_cmp);
    x.dedup();
    let columns = curves
        .iter()
        .map(|points| {
            let mut rest = points.iter().peekable();
            let mut column: Vec<f64> =
                x.iter().map(|x| rest.next_if(|p| p.0 <= *x).map_or(ABSENT, |p| p.1)).collect();
            widen_gaps(&mut column);
            column
        })
        .collect();
    Sheet { x, columns, ..Sheet::default() }
}

/// Extends a gap over the places where only other curves have points.
fn widen_gaps(column: &mut [f64]) {
    let widen = |before: &mut f64, y: &mut f64| {
        if *y == ABSENT && before.is_nan() {
            *y = f64::NAN;
        }
        *before = *y;
    };
    column.iter_mut().fold(0.0, |mut before, y| {
        widen(&mut before, y);
        before
    });
    column.iter_mut().rev().fold(0.0, |mut after, y| {
        widen(&mut after, y);
        after
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_with_different_x_share_one_table() {
        let a = [Point(1.0, 10.0), Point(3.0, 30.0)];
        let b = [Point(2.0, 5.0), Point(3.0, 6.0)];
        let sheet = lines_of(&[&a, &b]);
        assert_eq!(sheet.x, [1.0, 2.0, 3.0]);
        assert_eq!(sheet.columns[0][0], 10.0);
        assert_eq!(sheet.columns, [[10.0, ABSENT, 30.0], [ABSENT, 5.0, 6.0]]);
    }

    #[test]
    fn a_gap_reaches_from_the_previous_to_the_next_point() {
        let a = [Point(1.0, 10.0), Point(3.0, f64::NAN), Point(5.0, 50.0)];
        let b = [Point(2.0, 5.0), Point(4.0, 6.0)];
        let sheet = lines_of(&[&a, &b]);
        assert_eq!(sheet.columns[0][0], 10.0);
        assert!(sheet.columns[0][1..4].iter().all(|y| y.is_nan()));
        assert_eq!(sheet.columns[0][4], 50.0);
        assert_eq!(sheet.columns[1], [ABSENT, 5.0, ABSENT, 6.0, ABSENT]);
    }

    #[test]
    fn one_curve_is_taken_as_it_is() {
        let sheet = lines_of(&[&[Point(0.5, 1.0)]]);
        assert_eq!((sheet.x, sheet.columns), (vec![0.5], vec![vec![1.0]]));
    }

    #[test]
    fn a_logarithm_is_offered_only_where_every_value_has_one() {
        let sheet = |column: &[f64]| Sheet { columns: vec![column.to_vec()], ..Sheet::default() };
        assert!(sheet(&[0.5, f64::NAN, 2.0]).all_above_zero());
        assert!(!sheet(&[0.5, 0.0]).all_above_zero());
        assert!(!sheet(&[f64::NAN]).all_above_zero());
    }

    #[test]
    fn a_file_name_comes_from_its_source() {
        let spec = Spec { title: "Rows per second".into(), file: "MSFT-1h".into(), ..Spec::default() };
        assert_eq!(spec.file_name("csv"), "MSFT-1h-rows-per-second.csv");
    }
}
