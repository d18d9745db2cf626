//! Reports the news of a poll to the server.

use super::RunLocation;
use crate::poll::{PollResult, Position, Steps};
use host_kit::Context;
use jiff::civil::Date;
use protocol::LogLevel;
use serde_json::Value;

/// Maximum number of series of a run.
const MAX_SERIES: usize = 24;
/// Maximum number of log lines about unreadable parts.
const MAX_COMPLAINTS: usize = 8;

/// What was reported of a run in this attempt.
#[derive(Debug)]
pub(crate) struct Reporter {
    unit: &'static str,
    percent: f64,
    done: u64,
    total: Option<u64>,
    message: String,
    position: Position,
    /// Whether the service resumed the run: its progress is relative to the rest at that time.
    resumed: bool,
    /// First and last day of the data, if the order has them.
    days: Option<(Date, Date)>,
    /// Whether the server knows the counted unit.
    named: bool,
    series: Vec<String>,
    complaints: Vec<String>,
}

impl Reporter {
    pub fn new(ctx: &Context, unit: &'static str, order: &Value) -> Self {
        let day = |name: &str| order.get(name)?.as_str()?.parse::<Date>().ok();
        // For a backtest most services report only a percentage.
        let named = unit == "epochs";
        if named {
            ctx.set_total(unit, None);
        }
        Self {
            unit,
            percent: 0.0,
            done: 0,
            total: None,
            message: String::new(),
            position: Position::default(),
            resumed: false,
            days: day("start_date").zip(day("end_date")).filter(|(start, end)| start < end),
            named,
            series: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Reports what is known before the first poll.
    pub fn found(&mut self, place: &RunLocation) {
        self.resumed = place.resumed;
        self.position.first_epoch = place.first_epoch;
    }

    /// Position for the next poll.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Reports news, and returns whether there were any. Progress never goes backwards.
    pub fn report_poll(&mut self, ctx: &Context, poll: &PollResult) -> bool {
        self.report_problems(ctx, poll);
        if let Some(first) = poll.first_epoch {
            self.position.first_epoch = first;
        }
        let mut moved = self.epochs(ctx, poll);
        if let Some(cursor) = poll.cursor {
            self.position.cursor = cursor;
        }
        if poll.state.over() {
            // After the end some services report 0 of 0.
            self.done = self.done.max(poll.steps.done.unwrap_or_default());
            return moved;
        }
        let steps = &poll.steps;
        if let Some(total) = steps.total.filter(|total| Some(*total) != self.total && *total >= self.done) {
            (self.total, self.named) = (Some(total), true);
            ctx.set_total(self.unit, Some(total));
            ctx.set_done(self.done);
            moved = true;
        }
        if steps.message != self.message && !steps.message.is_empty() {
            self.message.clone_from(&steps.message);
            ctx.message(self.message.clone());
            moved = true;
        }
        if let Some(percent) = self.share(steps).filter(|percent| (self.percent..=100.0).contains(percent))
            && percent > self.percent
        {
            self.percent = percent;
            ctx.fraction(Some(percent / 100.0));
            moved = true;
        }
        // Epochs with metrics are complete, even if the message is a second old.
        let over = (self.unit == "epochs").then_some(self.position.next_epoch);
        if let Some(done) = steps.done.max(over).filter(|done| *done > self.done) {
            if !std::mem::replace(&mut self.named, true) {
                ctx.set_total(self.unit, self.total);
            }
            self.done = self.total.map_or(done, |total| done.min(total));
            ctx.set_done(self.done);
            moved = true;
        }
        self.position.moved |= moved;
        moved
    }

    /// Percentage of the total, 0 to 100.
    fn share(&self, steps: &Steps) -> Option<f64> {
        if !self.resumed || self.unit == "epochs" {
            return steps.percent;
        }
        let ((start, end), at) = (self.days?, steps.day?);
        let days = |from: Date, to: Date| f64::from(from.until(to).map_or(0, |span| span.get_days()));
        Some(100.0 * days(start, at) / days(start, end)).filter(|share| share.is_finite())
    }

    /// Epochs of a completed training: reported by metrics, or by the service if that is more.
    pub fn epochs_done(&self) -> u64 {
        if self.unit == "epochs" { self.position.next_epoch.max(self.done) } else { 0 }
    }

    /// Reports 100 % at the end: these services count from 0, so they end with "Epoch 19/20". After early stopping
    /// there are fewer epochs than planned.
    pub fn complete(&mut self, ctx: &Context) {
        let all = match self.position.next_epoch {
            0 => self.total.unwrap_or_default().max(self.done),
            drawn => drawn.max(self.done),
        };
        if self.total != Some(all) && all > 0 {
            ctx.set_total(self.unit, Some(all));
        }
        ctx.message("Completed");
        ctx.fraction(Some(1.0));
        if all > 0 {
            ctx.set_done(all);
        }
    }

    fn report_problems(&mut self, ctx: &Context, poll: &PollResult) {
        for unread in &poll.unread {
            let unread = unread.to_string();
            if self.complaints.len() < MAX_COMPLAINTS && !self.complaints.contains(&unread) {
                let text = format!("Ignoring an unreadable part of a response. {unread}.");
                ctx.log(LogLevel::Warn, text);
                self.complaints.push(unread);
            }
        }
    }

    fn epochs(&mut self, ctx: &Context, poll: &PollResult) -> bool {
        let mut moved = false;
        for epoch in &poll.epochs {
            if epoch.number < self.position.next_epoch {
                continue;
            }
            self.position.next_epoch = epoch.number + 1;
            moved = true;
            for (name, figure) in &epoch.figures {
                if !self.series.contains(name) {
                    if self.series.len() == MAX_SERIES {
                        continue;
                    }
                    self.series.push(name.clone());
                }
                // They count from 0; after the first epoch one epoch is done.
                ctx.point(name, self.position.next_epoch as f64, *figure);
            }
        }
        self.position.moved |= moved;
        moved
    }
}
