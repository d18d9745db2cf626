//! Tells the server what a look shows that was not told before.

use crate::look::{Epoch, Look};
use host_kit::Context;
use protocol::LogLevel;

/// The most series that a run may draw.
const SERIES: usize = 24;

/// What was told of one run in this attempt.
#[derive(Debug)]
pub(crate) struct Teller {
    unit: &'static str,
    percent: f64,
    done: u64,
    total: Option<u64>,
    message: String,
    /// The number of the first epoch that was not told.
    next: u64,
    series: Vec<String>,
    complained: bool,
}

impl Teller {
    pub fn new(ctx: &Context, unit: &'static str) -> Self {
        ctx.items(unit, None);
        Self {
            unit,
            percent: 0.0,
            done: 0,
            total: None,
            message: String::new(),
            next: 0,
            series: Vec::new(),
            complained: false,
        }
    }

    /// The number of the first epoch that was not told.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Tells what is new, and says whether anything was. What runs backwards is not followed: the highest counts.
    pub fn tell(&mut self, ctx: &Context, look: &Look) -> bool {
        let mut moved = self.epochs(ctx, look);
        if look.stand.over() {
            // After the end some services say 0 of 0.
            return moved;
        }
        let steps = &look.steps;
        if let Some(total) = steps.total.filter(|total| Some(*total) != self.total && *total >= self.done) {
            self.total = Some(total);
            ctx.items(self.unit, Some(total));
            ctx.done(self.done);
            moved = true;
        }
        if steps.message != self.message && !steps.message.is_empty() {
            self.message.clone_from(&steps.message);
            ctx.message(self.message.clone());
            moved = true;
        }
        if let Some(percent) = steps.percent.filter(|percent| (self.percent..=100.0).contains(percent))
            && percent > self.percent
        {
            self.percent = percent;
            ctx.fraction(Some(percent / 100.0));
            moved = true;
        }
        if let Some(done) = steps.done.filter(|done| *done > self.done) {
            self.done = self.total.map_or(done, |total| done.min(total));
            ctx.done(self.done);
            moved = true;
        }
        moved
    }

    /// At the end all of it is done: "Epoch 19/20" is how these services count, from 0.
    pub fn complete(&mut self, ctx: &Context) {
        let all = self.total.unwrap_or_default().max(self.done).max(self.next);
        if self.total != Some(all) && all > 0 {
            ctx.items(self.unit, Some(all));
        }
        ctx.message("Completed");
        ctx.fraction(Some(1.0));
        ctx.done(all);
    }

    fn epochs(&mut self, ctx: &Context, look: &Look) -> bool {
        let epochs: &[Epoch] = match &look.epochs {
            Ok(epochs) => epochs,
            Err(unreadable) => {
                if !std::mem::replace(&mut self.complained, true) {
                    ctx.log(
                        LogLevel::Warn,
                        format!("The curves can't be read; the run is followed without them. {unreadable}."),
                    );
                }
                return false;
            }
        };
        let mut moved = false;
        for epoch in epochs {
            if epoch.number < self.next {
                continue;
            }
            self.next = epoch.number + 1;
            moved = true;
            for (name, figure) in &epoch.figures {
                if !self.series.contains(name) {
                    if self.series.len() == SERIES {
                        continue;
                    }
                    self.series.push(name.clone());
                }
                // They count from 0; after the first epoch one epoch is done.
                ctx.point(name, self.next as f64, *figure);
            }
        }
        moved
    }
}
