//! The band of earlier runs: between which values a curve ran before, where a point lies to it, and the rule that
//! ends an operation whose curve leaves it. docs/baseline.md tells what each of it means. Pure.

use crate::{Actor, FieldError, OperationId, Point, Time};
use serde::{Deserialize, Serialize};

/// A band needs so many earlier runs, and ends where fewer of them reach.
pub const NEEDED: usize = 5;
/// So many points in a row a rule may ask for, least and most.
pub const IN_A_ROW: (u32, u32) = (3, 1_000);

/// `GET /api/v1/operations/{id}/envelope`: the earlier runs of a curve, as a band.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Envelope {
    /// The curve that it is about.
    pub series: String,
    /// What the runs have in common with the operation.
    pub like: Like,
    /// The runs that it is made from, newest first; those that there are when they are too few.
    pub runs: Vec<OperationId>,
    /// So many runs it takes.
    pub needed: u32,
    /// Absent when there is none to be had; `why` says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// For a person; empty when there is a band.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// What earlier runs have in common with an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Like {
    /// Kind and title, and so the params that the title names.
    SameTitle,
    /// Only the kind.
    SameKind,
}

impl Like {
    /// `of the same title`
    pub fn as_words(self) -> &'static str {
        match self {
            Like::SameTitle => "of the same title",
            Like::SameKind => "of the same kind",
        }
    }
}

/// The tenth, the fiftieth and the ninetieth percentile of the runs that reach each x. Columns of one length.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Band {
    /// Rising.
    pub x: Vec<f64>,
    /// Absent, as are the others, where fewer runs reach than a band needs.
    pub p10: Vec<Option<f64>>,
    pub p50: Vec<Option<f64>>,
    pub p90: Vec<Option<f64>>,
    /// How many runs reach it.
    pub runs: Vec<u32>,
}

/// The band at one x.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slice {
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
    /// How many runs it is made from; between two places the smaller number of the two.
    pub runs: u32,
}

/// Where a point lies to the band.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On its edge as well.
    Inside,
    Above,
    Below,
}

/// On the straight line from one value to another, `share` of the way; never beyond either.
pub fn between(from: f64, to: f64, share: f64) -> f64 {
    (from + (to - from) * share).clamp(from.min(to), from.max(to))
}

impl Band {
    /// The band at an x, on straight lines between the places that it was made at; `None` where there is none.
    pub fn at(&self, x: f64) -> Option<Slice> {
        let next = self.x.partition_point(|known| *known < x);
        let after = self.slice(next)?;
        if self.x[next] == x {
            return Some(after);
        }
        let last = next.checked_sub(1)?;
        let before = self.slice(last)?;
        let share = (x - self.x[last]) / (self.x[next] - self.x[last]);
        let p50 = between(before.p50, after.p50, share);
        Some(Slice {
            // Rounding may not turn the three about.
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

    /// Where a point lies; `None` where there is no band, and for what is no number.
    pub fn place(&self, Point(x, y): Point) -> Option<Place> {
        let slice = self.at(x).filter(|_| y.is_finite())?;
        Some(match y {
            y if y > slice.p90 => Place::Above,
            y if y < slice.p10 => Place::Below,
            _ => Place::Inside,
        })
    }

    /// Where the newest point that can be judged lies, and how many in a row lie there.
    pub fn standing(&self, points: &[Point]) -> Option<(Place, u32)> {
        let mut places = points.iter().rev().filter_map(|point| self.place(*point));
        let newest = places.next()?;
        let more = places.take_while(|place| *place == newest).count();
        Some((newest, 1 + more as u32))
    }

    /// At most `wanted` of its places, first and last among them, each as it was.
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

/// Which way out of the band a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Above the p90.
    Above,
    /// Below the p10.
    Below,
    /// Either.
    Outside,
}

impl Side {
    pub const ALL: [Side; 3] = [Side::Above, Side::Below, Side::Outside];

    /// The word, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Above => "above",
            Side::Below => "below",
            Side::Outside => "outside",
        }
    }

    /// Above what, for a sentence.
    fn of(self) -> &'static str {
        match self {
            Side::Above => "above the p90",
            Side::Below => "below the p10",
            Side::Outside => "outside the p10 to p90",
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

/// `PUT /api/v1/operations/{id}/rule`: cancel when a curve is out of the band for so many points in a row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRule {
    /// The curve: `train_loss`.
    pub series: String,
    pub side: Side,
    /// 3 to 1,000.
    #[serde(default = "ten")]
    pub points: u32,
}

fn ten() -> u32 {
    10
}

impl SetRule {
    /// What is wrong with it, a message for each field.
    pub fn check(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        if self.series.is_empty() || self.series.len() > 200 {
            wrong.push(FieldError::new("series", "Name a curve of the operation, like train_loss."));
        }
        let (least, most) = IN_A_ROW;
        if !(least..=most).contains(&self.points) {
            let said = format!("Points in a row are a whole number from {least} to {most}.");
            wrong.push(FieldError::new("points", said));
        }
        wrong
    }
}

/// The rule that an operation has: it is cancelled when a curve leaves the band of earlier runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BandRule {
    pub series: String,
    pub side: Side,
    /// So many points in a row.
    pub points: u32,
    pub set_at: Time,
    pub set_by: Actor,
    pub like: Like,
    /// How many runs its band is made from. The band stays as it was when the rule was set.
    pub runs: u32,
    /// Why it has no band to go by, for a person, and so never cancels; empty when it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How many points in a row are out of the band just now.
    #[serde(default)]
    pub outside: u32,
    /// It has cancelled an attempt, and is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired: Option<Fired>,
}

/// When a rule cancelled, and for what.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fired {
    pub attempt: u32,
    pub at: Time,
    /// The x of the first of the points that were out of the band in a row.
    pub from_x: f64,
}

impl BandRule {
    /// A rule as a person wants it, with the band that it goes by.
    pub fn new(wanted: SetRule, envelope: &Envelope, set_by: Actor, set_at: Time) -> Self {
        let SetRule { series, side, points } = wanted;
        Self {
            series,
            side,
            points,
            set_at,
            set_by,
            like: envelope.like,
            runs: envelope.runs.len() as u32,
            why: envelope.why.clone(),
            outside: 0,
            fired: None,
        }
    }

    /// What it wants, to be set again.
    pub fn wanted(&self) -> SetRule {
        SetRule { series: self.series.clone(), side: self.side, points: self.points }
    }

    /// It has a band to go by, and has not cancelled yet.
    pub fn is_armed(&self) -> bool {
        self.why.is_empty() && self.fired.is_none()
    }

    /// `cancel when train_loss is above the p90 of 23 earlier runs of the same title for 10 points in a row`
    pub fn sentence(&self) -> String {
        let band = match self.why.is_empty() {
            true => format!("{} of {} earlier runs {}", self.side.of(), self.runs, self.like.as_words()),
            false => format!("{} of earlier runs", self.side.of()),
        };
        format!("cancel when {} is {band} for {} points in a row", self.series, self.points)
    }

    /// Why it cancelled: `train_loss was above the p90 of 23 earlier runs for 10 points, from epoch 340`.
    pub fn reason(&self, x: &str, from: f64) -> String {
        let from = if from.fract() == 0.0 { format!("{from:.0}") } else { format!("{from:.3}") };
        let from = match x {
            "" => format!("x {from}"),
            x if x.contains(' ') => format!("{from} {x}"),
            x => format!("{x} {from}"),
        };
        let Self { series, side, runs, points, .. } = self;
        format!("{series} was {} of {runs} earlier runs for {points} points, from {from}", side.of())
    }
}

/// Counts the points of one attempt that are out of the band in a row, in the order in which they come. A point
/// where there is no band counts for nothing: it neither adds to the row nor ends it.
#[derive(Clone, Debug)]
pub struct Watch {
    side: Side,
    points: u32,
    in_a_row: u32,
    from_x: f64,
    done: bool,
}

impl Watch {
    /// None so far.
    pub fn new(side: Side, points: u32) -> Self {
        Self { side, points: points.max(1), in_a_row: 0, from_x: f64::NAN, done: false }
    }

    /// Takes in one point. Says, once in its life, that so many in a row are out of the band now; after that it
    /// looks at nothing any more.
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

    /// How many in a row are out of the band.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// The x of the first of them.
    pub fn from_x(&self) -> f64 {
        self.from_x
    }
}

#[cfg(test)]
mod tests;
