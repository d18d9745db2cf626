//! Baseline: the percentile band of past runs of a series, and the auto-cancel rule for operations that leave it. Pure;
//! defined in docs/baseline.md.

use crate::{Actor, FieldError, OperationId, Point, Time};
use serde::{Deserialize, Serialize};

/// Minimum number of past runs for a baseline, at each x.
pub const NEEDED: usize = 5;
/// Minimum and maximum of the consecutive points of a rule.
pub const IN_A_ROW: (u32, u32) = (3, 1_000);

/// `GET /api/v1/operations/{id}/baseline`: the baseline of a series.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Baseline {
    /// Name of the series.
    pub series: String,
    /// How the past runs were matched with the operation.
    pub like: Like,
    /// Past runs of the baseline, newest first. If there are too few for a baseline, the available ones.
    pub runs: Vec<OperationId>,
    /// Minimum number of runs for a baseline.
    pub needed: u32,
    /// Percentile band; absent if it is not available, for the reason in `why`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// Human-readable reason why there is no baseline; empty if there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How past runs are matched with an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Like {
    /// Same kind and title, and so the same values of the parameters in the title.
    SameTitle,
    /// Same kind only.
    SameKind,
}

impl Like {
    /// For a sentence: `with the same title`.
    pub fn as_words(self) -> &'static str {
        match self {
            Like::SameTitle => "with the same title",
            Like::SameKind => "of the same kind",
        }
    }
}

/// The 10th, 50th and 90th percentiles at each x. All columns have the same length.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Band {
    /// Ascending.
    pub x: Vec<f64>,
    /// Null, like `p50` and `p90`, where too few runs reach this x.
    pub p10: Vec<Option<f64>>,
    pub p50: Vec<Option<f64>>,
    pub p90: Vec<Option<f64>>,
    /// Number of runs that reach this x.
    pub runs: Vec<u32>,
}

/// Percentiles at one x.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slice {
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
    /// Number of runs; between two x values the smaller of the two numbers.
    pub runs: u32,
}

/// Position of a point relative to the band.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Inside the band or on its edge.
    Inside,
    Above,
    Below,
}

/// Linear interpolation between two values, clamped to them.
pub fn between(from: f64, to: f64, share: f64) -> f64 {
    let span = to - from;
    // The distance of two floats may be too large for a float.
    let value = if span.is_finite() { from + span * share } else { from * (1.0 - share) + to * share };
    value.clamp(from.min(to), from.max(to))
}

/// Position of x between two values, 0 to 1; the inverse of [`between`].
pub fn share(x: f64, from: f64, to: f64) -> f64 {
    if (to - from).is_finite() {
        return (x - from) / (to - from);
    }
    (x / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)
}

impl Band {
    /// Percentiles at an x, linearly interpolated. `None` where there is no band.
    pub fn at(&self, x: f64) -> Option<Slice> {
        let next = self.x.partition_point(|known| *known < x);
        let after = self.slice(next)?;
        if self.x[next] == x {
            return Some(after);
        }
        let last = next.checked_sub(1)?;
        let before = self.slice(last)?;
        let share = share(x, self.x[last], self.x[next]);
        let p50 = between(before.p50, after.p50, share);
        Some(Slice {
            // Rounding must not change the order of the percentiles.
            p10: between(before.p10, after.p10, share).min(p50),
            p50,
            p90: between(before.p90, after.p90, share).max(p50),
            runs: before.runs.min(after.runs),
        })
    }

    fn slice(&self, i: usize) -> Option<Slice> {
        let of = |column: &[Option<f64>]| column.get(i).copied().flatten();
        Some(Slice {
            p10: of(&self.p10)?,
            p50: of(&self.p50)?,
            p90: of(&self.p90)?,
            runs: *self.runs.get(i)?,
        })
    }

    /// Position of a point. `None` where there is no band, and for NaN and infinity.
    pub fn place(&self, Point(x, y): Point) -> Option<Place> {
        let slice = self.at(x).filter(|_| y.is_finite())?;
        Some(match y {
            y if y > slice.p90 => Place::Above,
            y if y < slice.p10 => Place::Below,
            _ => Place::Inside,
        })
    }

    /// Position of the latest point that can be compared, and the number of consecutive points at that position.
    pub fn standing(&self, points: &[Point]) -> Option<(Place, u32)> {
        let mut places = points.iter().rev().filter_map(|point| self.place(*point));
        let newest = places.next()?;
        let more = places.take_while(|place| *place == newest).count();
        Some((newest, 1 + more as u32))
    }

    /// Downsamples the band to at most `wanted` x values, including the first and the last.
    #[must_use]
    pub fn thinned(&self, wanted: usize) -> Self {
        let (len, wanted) = (self.x.len(), wanted.max(2));
        if len <= wanted {
            return self.clone();
        }
        let places: Vec<usize> = (0..wanted).map(|n| n * (len - 1) / (wanted - 1)).collect();
        let of = |column: &[Option<f64>]| places.iter().map(|i| column[*i]).collect();
        Self {
            x: places.iter().map(|i| self.x[*i]).collect(),
            p10: of(&self.p10),
            p50: of(&self.p50),
            p90: of(&self.p90),
            runs: places.iter().map(|i| self.runs[*i]).collect(),
        }
    }
}

/// Side of the percentile band that a rule watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Above the P90.
    Above,
    /// Below the P10.
    Below,
    /// Above the P90 or below the P10.
    Outside,
}

impl Side {
    pub const ALL: [Side; 3] = [Side::Above, Side::Below, Side::Outside];

    /// Name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Above => "above",
            Side::Below => "below",
            Side::Outside => "outside",
        }
    }

    /// Phrase for a sentence.
    fn of(self) -> &'static str {
        match self {
            Side::Above => "above the P90",
            Side::Below => "below the P10",
            Side::Outside => "outside the P10 to P90 range",
        }
    }

    fn takes(self, place: Place) -> bool {
        match place {
            Place::Inside => false,
            Place::Above => self != Side::Below,
            Place::Below => self != Side::Above,
        }
    }
}

/// `PUT /api/v1/operations/{id}/rule`: cancel when a series is outside the baseline for several consecutive points.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRule {
    /// Name of the series, such as `train_loss`.
    pub series: String,
    pub side: Side,
    /// Number of consecutive points outside the baseline at which the operation is cancelled, 3 to 1,000.
    #[serde(default = "ten")]
    pub points: u32,
}

fn ten() -> u32 {
    10
}

impl SetRule {
    /// Validates the rule. Returns an error for each invalid field.
    pub fn check(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        if self.series.is_empty() || self.series.len() > 200 {
            wrong.push(FieldError::new("series", "Enter a series of the operation, such as train_loss."));
        }
        let (least, most) = IN_A_ROW;
        if !(least..=most).contains(&self.points) {
            let message = format!("Points must be a whole number from {least} to {most}.");
            wrong.push(FieldError::new("points", message));
        }
        wrong
    }
}

/// Auto-cancel rule of an operation: cancels it when a series leaves the baseline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BandRule {
    pub series: String,
    pub side: Side,
    /// Number of consecutive points outside the baseline at which the rule cancels the attempt.
    pub points: u32,
    pub set_at: Time,
    pub set_by: Actor,
    pub like: Like,
    /// Number of runs in the baseline. The baseline is fixed when the rule is set.
    pub runs: u32,
    /// Human-readable reason why the rule has no baseline and so never cancels; empty if it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Current number of consecutive points outside the baseline.
    #[serde(default)]
    pub outside: u32,
    /// Set once the rule has cancelled an attempt. The rule does not fire again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired: Option<Fired>,
}

/// When and where a rule cancelled an attempt.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fired {
    pub attempt: u32,
    pub at: Time,
    /// The x of the first of the consecutive points outside the baseline.
    pub from_x: f64,
}

impl BandRule {
    /// Creates a rule from a request and a baseline.
    pub fn new(wanted: SetRule, baseline: &Baseline, set_by: Actor, set_at: Time) -> Self {
        let SetRule { series, side, points } = wanted;
        Self {
            series,
            side,
            points,
            set_at,
            set_by,
            like: baseline.like,
            runs: baseline.runs.len() as u32,
            why: baseline.why.clone(),
            outside: 0,
            fired: None,
        }
    }

    /// Request that sets the same rule again.
    pub fn wanted(&self) -> SetRule {
        SetRule { series: self.series.clone(), side: self.side, points: self.points }
    }

    /// True if the rule has a baseline and has not fired yet.
    pub fn is_armed(&self) -> bool {
        self.why.is_empty() && self.fired.is_none()
    }

    /// `cancel when 10 points in a row of train_loss are above the P90 of 23 past runs with the same title`
    pub fn sentence(&self) -> String {
        let band = match self.why.is_empty() {
            true => format!("{} of {} past runs {}", self.side.of(), self.runs, self.like.as_words()),
            false => format!("{} of past runs", self.side.of()),
        };
        format!("cancel when {} points in a row of {} are {band}", self.points, self.series)
    }

    /// Reason of the cancellation: `train_loss was above the P90 of 23 past runs for 10 points, from epoch 340`.
    pub fn reason(&self, x: &str, from: f64) -> String {
        let from = if from.fract() == 0.0 { format!("{from:.0}") } else { format!("{from:.3}") };
        let from = match x {
            "" => format!("x {from}"),
            x if x.contains(' ') => format!("{from} {x}"),
            x => format!("{x} {from}"),
        };
        let Self { series, side, runs, points, .. } = self;
        format!("{series} was {} of {runs} past runs for {points} points, from {from}", side.of())
    }
}

/// Counts the consecutive points of one attempt outside the baseline, in order of arrival. A point at an x without a
/// baseline is ignored: it neither extends nor ends the sequence.
#[derive(Clone, Debug)]
pub struct Watch {
    side: Side,
    points: u32,
    in_a_row: u32,
    from_x: f64,
    done: bool,
}

impl Watch {
    /// Counter that starts at 0.
    pub fn new(side: Side, points: u32) -> Self {
        Self { side, points: points.max(1), in_a_row: 0, from_x: f64::NAN, done: false }
    }

    /// Processes one point. Returns true once, when the number of consecutive points is reached; ignores all later
    /// points.
    pub fn judge(&mut self, band: &Band, point: Point) -> bool {
        if self.done {
            return false;
        }
        match band.place(point) {
            None => {}
            Some(place) if self.side.takes(place) => {
                if self.in_a_row == 0 {
                    self.from_x = point.0;
                }
                self.in_a_row += 1;
                self.done = self.in_a_row >= self.points;
            }
            Some(_) => self.in_a_row = 0,
        }
        self.done
    }

    /// Current number of consecutive points outside the baseline.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// The x of the first of these points.
    pub fn from_x(&self) -> f64 {
        self.from_x
    }
}

#[cfg(test)]
mod tests;
