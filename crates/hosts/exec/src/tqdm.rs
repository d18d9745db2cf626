//! Tracks the tqdm bars of one stream.
//!
//! The outermost bar is the progress. If a bar restarts in its place (e.g. one per epoch), the total becomes unknown.
//! Inner bars go into the message. If they advance after the outermost bar has ended, the bars are parallel: their
//! counts are added, and the total is unknown. Numeric values after the rate become series over the bar's count.

use crate::bar::Bar;
use crate::divisor::Divisor;
use crate::report::Report;

/// Maximum depth of nested bars.
const MAX_DEPTH: usize = 16;
/// Number of advances of an inner bar after the end of the outermost one that show that they are parallel. One advance
/// may be drawn while both are erased, because a line is printed above them.
const PARALLEL_ADVANCES: u32 = 2;

/// Bars of one stream.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    /// Bars by nesting depth.
    slots: Vec<Option<Slot>>,
    /// Whether there was a nested bar, which makes partial states ambiguous.
    nested: bool,
    /// Whether the message is the position of an inner bar.
    inner_shown: bool,
    /// Whether the bars are parallel, not nested.
    parallel: bool,
}

#[derive(Debug)]
struct Slot {
    bar: Bar,
    /// Count of earlier bars in this place, after which its series continue.
    before: f64,
    /// Number of earlier bars in this place.
    earlier: u32,
    /// Whether the log has its last state.
    logged: bool,
    /// Erased, and maybe drawn again.
    wiped: bool,
    /// Drawn for the last time, above the others.
    closed: bool,
    /// Last x of its series: a bar is drawn more often than it advances.
    reported_x: Option<f64>,
    /// Divisor of its shortened numbers of bytes, once it is known.
    divisor: Option<Divisor>,
    /// Only its share was reported at first, because its count was not known.
    by_share: bool,
    /// Number of advances of an inner bar since the outermost bar has ended, while that was not drawn again.
    outlived: u32,
}

impl Slot {
    /// Whether the bar was complete, erased or drawn for the last time.
    fn ended(&self) -> bool {
        self.wiped || self.closed || self.logged || self.bar.complete()
    }
}

/// Effect of a bar state.
#[derive(Debug, Default)]
pub(crate) struct BarUpdate {
    pub report: Report,
    /// The total is not known any more.
    pub endless: bool,
    /// Last states of finished bars, for the log.
    pub log: Vec<String>,
}

impl Bars {
    /// Whether there was any bar.
    pub fn any(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Handles a bar state `up` lines below the outermost; `kept` means a newline followed.
    pub fn draw(&mut self, bar: Bar, up: usize, kept: bool) -> BarUpdate {
        let mut up = up.min(MAX_DEPTH - 1);
        let mut closes = false;
        if let Some(below) = self.closing(&bar).filter(|_| up == 0) {
            (up, closes) = (below, true);
        }
        self.nested |= up > 0;
        if up == 0 {
            self.slots.iter_mut().flatten().for_each(|slot| slot.outlived = 0);
        }
        let outlives = up > 0
            && !bar.complete()
            && self.slots.first().is_some_and(|outermost| outermost.as_ref().is_some_and(Slot::ended));
        if self.slots.len() <= up {
            self.slots.resize_with(up + 1, || None);
        }
        let mut drawn = BarUpdate::default();
        let slot = &mut self.slots[up];
        let divisor = bar.divisor().or(slot.as_ref().and_then(|slot| slot.divisor));
        let bar = divisor.map_or(bar.clone(), |divisor| bar.with(divisor));
        if let (Some(old), Some(divisor)) = (slot.as_mut(), divisor) {
            old.bar = old.bar.clone().with(divisor);
        }
        let new = Slot {
            bar: bar.clone(),
            before: 0.0,
            earlier: 0,
            logged: false,
            wiped: false,
            closed: false,
            reported_x: None,
            divisor,
            by_share: false,
            outlived: 0,
        };
        let mut slot_now = match slot.take() {
            Some(old) if is_another(&old, &bar) => {
                if !old.logged && !old.wiped {
                    drawn.log.push(old.bar.text);
                }
                let (before, earlier) = (old.before + old.bar.n, old.earlier + 1);
                Slot { before, earlier, reported_x: old.reported_x, by_share: old.by_share, ..new }
            }
            Some(old) if old.bar == bar && !kept => {
                // Redrawn without a change, maybe after a line was printed above it.
                if up > 0 && old.wiped {
                    drawn.report.message = Some(bar.in_words());
                    self.inner_shown = true;
                }
                *slot = Some(Slot { wiped: false, ..old });
                return drawn;
            }
            Some(old) => {
                let outlived = if outlives && bar.n > old.bar.n { old.outlived + 1 } else { 0 };
                Slot { bar: bar.clone(), wiped: false, divisor, outlived, ..old }
            }
            None => new,
        };
        let over = kept && (closes || up == 0 && bar.complete());
        if over && !slot_now.logged {
            slot_now.logged = true;
            drawn.log.push(bar.text.clone());
        }
        slot_now.closed |= closes;
        self.parallel |= slot_now.outlived >= PARALLEL_ADVANCES;
        let x = slot_now.before + bar.n;
        let goes_on = slot_now.reported_x.is_none_or(|reported_x| x > reported_x);
        let points = if goes_on { bar.postfix.clone() } else { Vec::new() };
        if !points.is_empty() {
            slot_now.reported_x = Some(x);
        }
        drawn.report = Report { points, step: Some(x), ..Report::default() };
        let inexact = bar.is_inexact();
        if up == 0 {
            drawn.endless = slot_now.earlier > 0 || bar.total.is_none() || self.parallel;
            if !inexact {
                drawn.report.set_done(bar.n);
                drawn.report.unit = Some(bar.unit.clone());
                if let Some(total) = bar.total.filter(|_| !drawn.endless) {
                    drawn.report.set_total(total);
                }
            }
            let was_by_share = slot_now.by_share;
            slot_now.by_share |= inexact;
            if slot_now.by_share && !drawn.endless {
                // The printed percentage is rounded.
                let most = if bar.complete() { 1.0 } else { 0.995 };
                drawn.report.progress = bar.share.map(|share| share.min(most));
            }
            if inexact || was_by_share {
                drawn.report.message = Some(if inexact { bar.in_words() } else { bar.desc.clone() });
            }
        }
        if up > 0 || slot_now.earlier > 0 {
            drawn.report.message = Some(bar.in_words());
        }
        self.inner_shown |= up > 0;
        *slot = Some(slot_now);
        if self.parallel {
            drawn.endless = true;
            (drawn.report.done, drawn.report.exact_done, drawn.report.unit) = (None, None, None);
            if let Some((done, unit)) = self.sum() {
                drawn.report.set_done(done);
                drawn.report.unit = Some(unit);
            }
        }
        if up == 0 && self.inner_shown && self.inner_ended() {
            // The outermost bar goes on without an inner one: its last position is no activity any more.
            self.inner_shown = false;
            drawn.report.message.get_or_insert_default();
        }
        drawn
    }

    /// Count of all bars, if they have the same unit.
    fn sum(&self) -> Option<(f64, String)> {
        let unit = &self.slots.iter().flatten().next()?.bar.unit;
        let same = self.slots.iter().flatten().all(|slot| slot.bar.unit == *unit && !slot.bar.is_inexact());
        let done = || self.slots.iter().flatten().map(|slot| slot.before + slot.bar.n).sum();
        same.then(|| (done(), unit.clone()))
    }

    /// Whether each inner bar was erased or drawn for the last time.
    fn inner_ended(&self) -> bool {
        self.slots.iter().skip(1).flatten().all(|slot| slot.wiped || slot.closed)
    }

    /// Depth of a bar that is drawn for the last time: tqdm draws it in place of the outermost bar, which then moves
    /// down.
    fn closing(&self, bar: &Bar) -> Option<usize> {
        let far = |slot: &Option<Slot>| {
            let slot = slot.as_ref().filter(|slot| !slot.closed && !slot.wiped)?;
            let same = slot.bar.desc == bar.desc && slot.bar.total == bar.total && slot.bar.unit == bar.unit;
            (same && bar.n >= slot.bar.n).then_some(bar.n - slot.bar.n)
        };
        let outermost = self.slots.first().and_then(far);
        let below = self.slots.iter().enumerate().skip(1).filter_map(|(at, slot)| Some((at, far(slot)?)));
        let (at, distance) = below.min_by(|a, b| a.1.total_cmp(&b.1))?;
        outermost.is_none_or(|outermost| distance < outermost).then_some(at)
    }

    /// Handles a partial state: only if it is certainly the outermost bar, complete and advancing.
    pub fn preview_bar(&mut self, bar: Bar) -> Option<BarUpdate> {
        let goes_on = match self.slots.first() {
            None => true,
            Some(Some(old)) => {
                old.bar.desc == bar.desc && old.bar.total == bar.total && old.bar.n <= bar.n && !old.closed
            }
            Some(None) => false,
        };
        (goes_on && !self.nested && bar.timed).then(|| self.draw(bar, 0, false))
    }

    /// Handles an erased bar: a finished inner bar, or any bar while a line is printed above it. Unless it is drawn
    /// again, it leaves no line.
    pub fn wipe(&mut self, up: usize) {
        if let Some(Some(slot)) = self.slots.get_mut(up) {
            slot.wiped = true;
        }
    }

    /// Last states of bars that were not logged.
    pub fn finish(&mut self) -> Vec<String> {
        let left = self.slots.drain(..).flatten().filter(|slot| !slot.logged && !slot.wiped);
        left.map(|slot| slot.bar.text).collect()
    }
}

/// Whether a state belongs to a new bar, whose count restarts. A total that grows or becomes unknown is the same bar.
fn is_another(old: &Slot, bar: &Bar) -> bool {
    old.closed && old.bar != *bar
        || bar.n < old.bar.n
        || (bar.total != old.bar.total && bar.desc != old.bar.desc)
}

#[cfg(test)]
mod tests;
