//! Baseline: brings series with different x onto one grid and computes percentiles at each place. Pure: takes the
//! series point by point, twice, and keeps no more of a run than the grid is long. docs/baseline.md has the formulas
//! and their source.

use protocol::band::{NEEDED, between, share};
use protocol::{Band, Point};

/// Largest number of runs; the newest are used.
pub(crate) const MAX_PAST_RUNS: u32 = 50;
/// Largest number of places in the grid.
pub(crate) const MAX_GRID_POINTS: usize = 500;

/// Baseline of some runs; `curve` passes the points of one run. `None` if too few runs reach any x. The order of runs
/// does not matter.
///
/// # Errors
/// Errors of `curve`.
pub(crate) fn band<E>(
    runs: usize,
    mut curve: impl FnMut(usize, &mut dyn FnMut(Point)) -> Result<(), E>,
) -> Result<Option<Band>, E> {
    let mut xs = Distinct::default();
    let mut spans: Vec<(f64, f64)> = Vec::with_capacity(runs);
    for run in 0..runs {
        let mut rising = RisingPoints::default();
        let mut span: Option<(f64, f64)> = None;
        curve(run, &mut |point| {
            if rising.takes(point) {
                xs.add(point.0);
                span = Some((span.map_or(point.0, |(first, _)| first), point.0));
            }
        })?;
        spans.extend(span);
    }
    let Some(grid) = grid(spans, xs) else { return Ok(None) };
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(runs);
    for run in 0..runs {
        let (mut rising, mut grid_series) = (RisingPoints::default(), GridSeries::new(&grid));
        curve(run, &mut |point| {
            if rising.takes(point) {
                grid_series.point(point);
            }
        })?;
        columns.push(grid_series.values);
    }
    Ok(percentiles(grid, &columns))
}

/// Passes only points with rising x and finite values.
struct RisingPoints(f64);

impl Default for RisingPoints {
    fn default() -> Self {
        Self(f64::NEG_INFINITY)
    }
}

impl RisingPoints {
    fn takes(&mut self, Point(x, y): Point) -> bool {
        let takes = x.is_finite() && y.is_finite() && x > self.0;
        if takes {
            self.0 = x;
        }
        takes
    }
}

/// Distinct x of all runs, in order, as long as they fit into a grid.
#[derive(Default)]
struct Distinct {
    xs: Vec<f64>,
    too_many: bool,
}

impl Distinct {
    fn add(&mut self, x: f64) {
        if self.too_many {
            return;
        }
        let place = self.xs.partition_point(|known| *known < x);
        if self.xs.get(place) != Some(&x) {
            self.xs.insert(place, x);
            self.too_many = self.xs.len() > MAX_GRID_POINTS;
        }
    }
}

/// Grid: each x of the runs if there are few enough, otherwise evenly spaced places, from the first to the last x that
/// enough runs can reach.
fn grid(spans: Vec<(f64, f64)>, xs: Distinct) -> Option<Vec<f64>> {
    let (mut firsts, mut lasts): (Vec<f64>, Vec<f64>) = spans.into_iter().unzip();
    firsts.sort_by(f64::total_cmp);
    lasts.sort_by(f64::total_cmp);
    let from = *firsts.get(NEEDED - 1)?;
    let to = lasts[lasts.len() - NEEDED];
    if from > to {
        return None;
    }
    if !xs.too_many {
        return Some(xs.xs.into_iter().filter(|x| (from..=to).contains(x)).collect());
    }
    let mut positions: Vec<f64> =
        (0..MAX_GRID_POINTS).map(|n| between(from, to, n as f64 / (MAX_GRID_POINTS - 1) as f64)).collect();
    positions.dedup();
    Some(positions)
}

/// One series on the grid: its value at a point, linear interpolation between points, and none before the first and
/// after the last.
struct GridSeries<'a> {
    grid: &'a [f64],
    values: Vec<f64>,
    last: Option<Point>,
}

impl<'a> GridSeries<'a> {
    fn new(grid: &'a [f64]) -> Self {
        Self { grid, values: Vec::with_capacity(grid.len()), last: None }
    }

    fn point(&mut self, point: Point) {
        let Point(x, y) = point;
        while let Some(place) = self.grid.get(self.values.len()).filter(|place| **place <= x) {
            self.values.push(match self.last {
                _ if *place == x => y,
                Some(Point(from, before)) => between(before, y, share(*place, from, x)),
                None => f64::NAN,
            });
        }
        self.last = Some(point);
    }
}

fn percentiles(grid: Vec<f64>, columns: &[Vec<f64>]) -> Option<Band> {
    let mut band = Band::default();
    for (i, x) in grid.into_iter().enumerate() {
        let mut values: Vec<f64> =
            columns.iter().filter_map(|column| column.get(i).copied()).filter(|y| !y.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        let enough = values.len() >= NEEDED;
        // No band before the first place that enough runs reach,
        if !enough && band.x.is_empty() {
            continue;
        }
        let of = |share: f64| enough.then(|| percentile(&values, share)).flatten();
        band.x.push(x);
        band.p10.push(of(0.1));
        band.p50.push(of(0.5));
        band.p90.push(of(0.9));
        band.runs.push(values.len() as u32);
    }
    // nor after the last.
    let end = band.p50.iter().rposition(Option::is_some)? + 1;
    band.x.truncate(end);
    band.p10.truncate(end);
    band.p50.truncate(end);
    band.p90.truncate(end);
    band.runs.truncate(end);
    Some(band)
}

/// Percentile of sorted values by definition 7 of Hyndman and Fan: linear interpolation between neighbours.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = (sorted.len().checked_sub(1)?) as f64 * share;
    let below = at.floor();
    let low = *sorted.get(below as usize)?;
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    Some(between(low, high, at - below))
}

#[cfg(test)]
mod tests;
