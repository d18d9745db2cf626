//! The band of earlier runs: curves of their own x, brought onto one grid, and the percentiles at each place of it.
//! Pure: it is handed curves point by point, twice over, and holds no more of a run than the grid is long.
//! docs/baseline.md has the formulas and their source.

use protocol::band::{NEEDED, between};
use protocol::{Band, Point};

/// So many runs at most, the newest.
pub(crate) const MOST: u32 = 50;
/// So many places has the grid at most.
pub(crate) const GRID: usize = 500;

/// The band of so many runs; `curve` hands over the points of one. `None` where nowhere enough of them reach.
/// Which run comes first makes no difference.
///
/// # Errors
/// That of `curve`.
pub(crate) fn band<E>(
    runs: usize,
    mut curve: impl FnMut(usize, &mut dyn FnMut(Point)) -> Result<(), E>,
) -> Result<Option<Band>, E> {
    let mut xs = Distinct::default();
    let mut spans: Vec<(f64, f64)> = Vec::with_capacity(runs);
    for run in 0..runs {
        let mut rising = Rising::default();
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
        let (mut rising, mut onto) = (Rising::default(), Onto::new(&grid));
        curve(run, &mut |point| {
            if rising.takes(point) {
                onto.point(point);
            }
        })?;
        columns.push(onto.values);
    }
    Ok(percentiles(grid, &columns))
}

/// Takes the points of a curve that go on in x and are numbers.
struct Rising(f64);

impl Default for Rising {
    fn default() -> Self {
        Self(f64::NEG_INFINITY)
    }
}

impl Rising {
    fn takes(&mut self, Point(x, y): Point) -> bool {
        let takes = x.is_finite() && y.is_finite() && x > self.0;
        if takes {
            self.0 = x;
        }
        takes
    }
}

/// Every x that any run has, in order, as long as they fit into a grid.
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
            self.too_many = self.xs.len() > GRID;
        }
    }
}

/// Where the band is looked at: at every x of the runs where there are few enough, else at places evenly apart.
/// From the first to the last x that enough runs can reach.
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
    let mut places: Vec<f64> = (0..GRID).map(|n| between(from, to, n as f64 / (GRID - 1) as f64)).collect();
    places.dedup();
    Some(places)
}

/// One curve on the grid: its value where it has a point, on the straight line between two, and none before its
/// first and after its last.
struct Onto<'a> {
    grid: &'a [f64],
    values: Vec<f64>,
    last: Option<Point>,
}

impl<'a> Onto<'a> {
    fn new(grid: &'a [f64]) -> Self {
        Self { grid, values: Vec::with_capacity(grid.len()), last: None }
    }

    fn point(&mut self, point: Point) {
        let Point(x, y) = point;
        while let Some(place) = self.grid.get(self.values.len()).filter(|place| **place <= x) {
            self.values.push(match self.last {
                _ if *place == x => y,
                Some(Point(from, before)) => between(before, y, (place - from) / (x - from)),
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
        // Before the first place that enough runs reach there is nothing to be said.
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
    // Nor after the last.
    let end = band.p50.iter().rposition(Option::is_some)? + 1;
    band.x.truncate(end);
    band.p10.truncate(end);
    band.p50.truncate(end);
    band.p90.truncate(end);
    band.runs.truncate(end);
    Some(band)
}

/// The percentile of values in rising order, by definition 7 of Hyndman and Fan: on the straight line between the
/// two values next to it.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = (sorted.len().checked_sub(1)?) as f64 * share;
    let below = at.floor();
    let low = *sorted.get(below as usize)?;
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    Some(between(low, high, at - below))
}

#[cfg(test)]
mod tests;
