//! Series of a command: checks that x increases, and limits the number of points.

use crate::progress_sink::ProgressSink;
use crate::rate_limit::RateLimit;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use tokio::time::Instant;

/// Maximum number of series of an operation.
const MAX_SERIES: usize = 64;
/// Burst and rate limit of points.
const BURST: u32 = 20_000;
const PER_SECOND: u32 = 1_000;

/// Series of one attempt.
#[derive(Debug)]
pub(crate) struct Curves {
    rate_limit: RateLimit,
    /// Last x of each series, and whether a dropped point was reported.
    known: BTreeMap<String, (f64, bool)>,
    too_many: bool,
    too_fast: bool,
}

impl Curves {
    pub fn new(now: Instant) -> Self {
        Self {
            rate_limit: RateLimit::new(BURST, PER_SECOND, now),
            known: BTreeMap::new(),
            too_many: false,
            too_fast: false,
        }
    }

    /// Adds a point at x, or one step after the last point.
    ///
    /// # Errors
    /// Why the point was dropped, as a log line; only the first time for each reason.
    pub fn point(
        &mut self,
        sink: &mut impl ProgressSink,
        name: &str,
        x: Option<f64>,
        y: f64,
        now: Instant,
    ) -> Result<(), String> {
        let full = self.known.len() >= MAX_SERIES;
        let (last, complained) = match self.known.entry(name.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if full => {
                return once(&mut self.too_many, || {
                    format!(
                        "'{name}' would be series number {}, but an operation can have at most {MAX_SERIES} series. This \
                         series and further new ones are dropped.",
                        MAX_SERIES + 1
                    )
                });
            }
            Entry::Vacant(free) => free.insert((f64::NEG_INFINITY, false)),
        };
        let x = x.unwrap_or(if last.is_finite() { *last + 1.0 } else { 1.0 });
        if x <= *last {
            let last = *last;
            return once(complained, || {
                format!(
                    "Dropped a point of '{name}': step {x} is not after step {last}. Make 'step' increase over \
                     the whole run, or omit 'step': then the host numbers the points."
                )
            });
        }
        if !self.rate_limit.pass(now) {
            return once(&mut self.too_fast, || {
                format!(
                    "The command reports more than {PER_SECOND} points per second over all its series. The host drops \
                     the excess points."
                )
            });
        }
        if x.is_finite() {
            *last = x;
        }
        sink.point(name, x, y);
        Ok(())
    }
}

fn once(reported: &mut bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if std::mem::replace(reported, true) { Ok(()) } else { Err(what()) }
}
