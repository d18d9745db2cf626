//! Reports of one attempt on their way into the feed: progress is reduced to the latest, points and log lines are
//! batched, and the order is kept.
//!
//! The first report after a pause is sent at once, on the reporting thread; reports shortly after it are sent together,
//! by [`Report::trail`], which the attempt's task drives.

use crate::feed::Feed;
use crate::meter::Meter;
use parking_lot::Mutex;
use protocol::host::HostEventBody;
use protocol::{LogLevel, LogLine, OperationId, Point, Points, Progress, Time};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Minimum time between progress records.
const PROGRESS_EVERY: Duration = Duration::from_millis(20);
/// Minimum time between batches of points and lines.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// Size at which a batch is sent at any time.
const BATCH_POINTS: usize = 1_000;
const BATCH_LINE_BYTES: usize = 64 * 1024;
/// Largest size of a log line; the rest is cut.
const LINE_BYTES: usize = 8 * 1024;
/// Largest size of names, messages and notes; the rest is cut.
const TEXT_BYTES: usize = 1024;
/// Number of series for which a value that is not a number is logged.
const COMPLAINTS: usize = 64;

/// Path of one attempt into the feed.
#[derive(Debug)]
pub(crate) struct Report {
    feed: Arc<Feed>,
    id: OperationId,
    attempt: u32,
    began: Instant,
    pending: Mutex<Pending>,
    /// Signals that something is waiting that was not before.
    waiting: Notify,
}

#[derive(Debug)]
struct Pending {
    meter: Meter,
    /// The meter differs from the feed.
    moved: bool,
    told: Option<Progress>,
    told_at: Option<Instant>,
    series: Vec<Points>,
    points: usize,
    lines: Vec<LogLine>,
    line_bytes: usize,
    last_line: u64,
    batch_at: Option<Instant>,
    complained: BTreeSet<String>,
}

impl Report {
    pub fn new(feed: Arc<Feed>, id: OperationId, attempt: u32, phases: u32, now: Instant) -> Self {
        let pending = Pending {
            meter: Meter::new(phases, now),
            moved: false,
            told: None,
            told_at: None,
            series: Vec::new(),
            points: 0,
            lines: Vec::new(),
            line_bytes: 0,
            last_line: 0,
            batch_at: None,
            complained: BTreeSet::new(),
        };
        Self { feed, id, attempt, began: now, pending: Mutex::new(pending), waiting: Notify::new() }
    }

    /// Time from which the attempt counts.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Latest progress in the feed.
    pub fn told(&self) -> Option<Progress> {
        self.pending.lock().told.clone()
    }

    /// Rate of the meter, in items per second.
    pub fn rate(&self) -> Option<f64> {
        self.pending.lock().meter.rate()
    }

    /// Changes the meter and reports it, now or within the next 20 ms.
    pub fn measure(&self, change: impl FnOnce(&mut Meter, Instant)) {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        change(&mut pending.meter, now);
        let waited = pending.moved;
        pending.moved = true;
        if pending.progress_due(now).is_some_and(|due| due <= now) {
            self.tell_progress(&mut pending, now);
        } else if !waited {
            self.waiting.notify_one();
        }
    }

    /// Changes only text: it is sent with the next count, which usually follows at once, or by itself when the
    /// attempt's task runs.
    pub fn remark(&self, change: impl FnOnce(&mut Meter)) {
        let mut pending = self.pending.lock();
        change(&mut pending.meter);
        if !std::mem::replace(&mut pending.moved, true) {
            self.waiting.notify_one();
        }
    }

    /// Adds a point to a series. A y that is not finite is a gap, which the log mentions once per series; a point
    /// without a valid x is dropped.
    pub fn point(&self, series: &str, x: f64, y: f64) {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        let waited = pending.batch_waits();
        let complains = !(x.is_finite() && y.is_finite())
            && pending.complained.len() < COMPLAINTS
            && pending.complained.insert(cut(series, TEXT_BYTES));
        if complains {
            let follows =
                if x.is_finite() { "the chart has gaps at such points" } else { "such points are dropped" };
            let text = format!(
                "A point of series {series} at x = {x} has y = {y}. Only finite numbers can be shown: {follows}."
            );
            pending.line(LogLevel::Warn, &text);
        }
        if x.is_finite() {
            let point = Point(x, if y.is_finite() { y } else { f64::NAN });
            match pending.series.iter_mut().find(|s| s.name == series) {
                Some(known) => known.points.push(point),
                None => pending.series.push(Points { name: cut(series, TEXT_BYTES), points: vec![point] }),
            }
            pending.points += 1;
        } else if !complains {
            return;
        }
        self.gathered(&mut pending, waited, now);
    }

    /// Adds a line to the log.
    pub fn log(&self, level: LogLevel, text: &str) {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        let waited = pending.batch_waits();
        pending.line(level, text);
        self.gathered(&mut pending, waited, now);
    }

    /// Reports something that must not overtake earlier reports.
    pub fn say(&self, body: HostEventBody) {
        self.say_with(|_| body);
    }

    /// Same, for a report that depends on the progress before it in the feed.
    pub fn say_with(&self, body: impl FnOnce(Option<&Progress>) -> HostEventBody) {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        if pending.moved {
            self.tell_progress(&mut pending, now);
        }
        self.tell_batch(&mut pending, now);
        self.feed.publish(self.id, self.attempt, body(pending.told.as_ref()));
    }

    /// Sends waiting reports when they are due, forever.
    pub async fn trail(&self) -> Infallible {
        loop {
            match self.tell_due() {
                Some(due) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        () = self.waiting.notified() => {}
                    }
                }
                None => self.waiting.notified().await,
            }
        }
    }

    /// Sends reports that are due; returns when the next one is.
    fn tell_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        if pending.progress_due(now).is_some_and(|due| due <= now) {
            self.tell_progress(&mut pending, now);
        }
        if pending.batch_due(now).is_some_and(|due| due <= now) {
            self.tell_batch(&mut pending, now);
        }
        [pending.progress_due(now), pending.batch_due(now)].into_iter().flatten().min()
    }

    fn gathered(&self, pending: &mut Pending, waited: bool, now: Instant) {
        let full = pending.points >= BATCH_POINTS || pending.line_bytes >= BATCH_LINE_BYTES;
        if full || pending.batch_due(now).is_some_and(|due| due <= now) {
            self.tell_batch(pending, now);
        } else if !waited {
            self.waiting.notify_one();
        }
    }

    fn tell_progress(&self, pending: &mut Pending, now: Instant) {
        let progress = pending.meter.progress(Time::now());
        pending.moved = false;
        pending.told_at = Some(now);
        pending.told = Some(progress.clone());
        self.feed.publish(self.id, self.attempt, HostEventBody::Progress { progress });
    }

    fn tell_batch(&self, pending: &mut Pending, now: Instant) {
        if !pending.batch_waits() {
            return;
        }
        pending.batch_at = Some(now);
        let lines = std::mem::take(&mut pending.lines);
        pending.line_bytes = 0;
        if !lines.is_empty() {
            self.feed.publish(self.id, self.attempt, HostEventBody::Log { lines });
        }
        let series = std::mem::take(&mut pending.series);
        pending.points = 0;
        if !series.is_empty() {
            self.feed.publish(self.id, self.attempt, HostEventBody::Points { series });
        }
    }
}

impl Pending {
    fn batch_waits(&self) -> bool {
        self.points > 0 || !self.lines.is_empty()
    }

    fn progress_due(&self, now: Instant) -> Option<Instant> {
        self.moved.then(|| self.told_at.map_or(now, |at| at + PROGRESS_EVERY))
    }

    fn batch_due(&self, now: Instant) -> Option<Instant> {
        self.batch_waits().then(|| self.batch_at.map_or(now, |at| at + BATCH_EVERY))
    }

    fn line(&mut self, level: LogLevel, text: &str) {
        self.last_line += 1;
        let text = cut(text, LINE_BYTES);
        self.line_bytes += text.len();
        self.lines.push(LogLine { n: self.last_line, at: Time::now(), level, text });
    }
}

/// The text, cut to a number of bytes with a mark if it is longer.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most - '…'.len_utf8());
    format!("{}…", &text[..end])
}

/// Text of a message, name or note, cut to the length that the page can use.
pub(crate) fn short(text: &str) -> String {
    cut(text, TEXT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Read;
    use event_log::RingLimits;
    use proptest::prelude::*;
    use protocol::InstanceId;
    use protocol::host::HostEvent;

    fn report() -> Report {
        let feed = Arc::new(Feed::new(InstanceId::new(), RingLimits { events: 100_000, bytes: 64 << 20 }));
        Report::new(feed, OperationId::new(), 1, 0, Instant::now())
    }

    fn told(report: &Report) -> Vec<HostEventBody> {
        let Read::Records(records) = report.feed.read(0, usize::MAX, usize::MAX) else { panic!("held") };
        records.iter().map(|r| serde_json::from_slice::<HostEvent>(r.json()).unwrap().body).collect()
    }

    #[test]
    fn the_first_message_is_sent_at_once_and_the_last_before_a_state_change() {
        let report = report();
        report.measure(|meter, now| meter.items("rows", Some(1_000), now));
        assert_eq!(told(&report).len(), 1);
        for done in 1..=1_000 {
            report.measure(|meter, now| meter.done(done, now));
        }
        report.say(HostEventBody::Stopped);
        let bodies = told(&report);
        let [.., HostEventBody::Progress { progress }, HostEventBody::Stopped] = bodies.as_slice() else {
            panic!("progress, then the change: {bodies:?}")
        };
        assert_eq!(progress.done, 1_000);
    }

    #[test]
    fn a_message_and_the_following_count_are_one_record() {
        let report = report();
        report.remark(|meter| meter.message("the first".into()));
        assert!(told(&report).is_empty());
        report.measure(|meter, now| meter.done(1, now));
        let bodies = told(&report);
        let [HostEventBody::Progress { progress }] = bodies.as_slice() else { panic!("one: {bodies:?}") };
        assert_eq!((progress.done, progress.message.as_str()), (1, "the first"));
    }

    #[tokio::test]
    async fn messages_without_counts_are_sent_too() {
        let report = report();
        let mut news = report.feed.follow(0);
        let told_it = async {
            report.remark(|meter| meter.message("alone".into()));
            news.changed().await;
        };
        tokio::select! {
            () = told_it => {}
            never = report.trail() => match never {},
        }
        assert!(
            matches!(&told(&report)[0], HostEventBody::Progress { progress } if progress.message == "alone")
        );
    }

    #[test]
    fn many_points_and_lines_are_sent_in_order_in_bounded_batches() {
        let report = report();
        for i in 0..5_000 {
            report.point("loss", f64::from(i), 1.0);
            report.log(LogLevel::Info, &"x".repeat(100));
        }
        report.say(HostEventBody::Stopped);
        let (mut xs, mut ns) = (Vec::new(), Vec::new());
        for body in told(&report) {
            match body {
                HostEventBody::Points { series } => {
                    assert!(series.len() == 1 && series[0].points.len() <= BATCH_POINTS);
                    xs.extend(series[0].points.iter().map(|p| p.0));
                }
                HostEventBody::Log { lines } => {
                    assert!(lines.len() <= BATCH_LINE_BYTES / 100 + 1);
                    ns.extend(lines.iter().map(|l| l.n));
                }
                _ => {}
            }
        }
        assert_eq!(xs, (0..5_000).map(f64::from).collect::<Vec<_>>());
        assert_eq!(ns, (1..=5_000).collect::<Vec<u64>>());
    }

    #[test]
    fn a_non_numeric_point_is_a_gap_and_reported_once() {
        let report = report();
        report.point("loss", 1.0, f64::NAN);
        report.point("loss", 2.0, f64::INFINITY);
        report.point("loss", f64::NAN, 2.0);
        report.point("loss", 3.0, 0.5);
        report.say(HostEventBody::Stopped);
        let (mut said, mut points) = (Vec::new(), Vec::new());
        for body in told(&report) {
            match body {
                HostEventBody::Log { lines } => said.extend(lines),
                HostEventBody::Points { series } => points.extend(series.into_iter().flat_map(|s| s.points)),
                _ => {}
            }
        }
        assert!(said.len() == 1 && said[0].text.contains("NaN"), "{said:?}");
        let [one, two, three] = points.as_slice() else { panic!("{points:?}") };
        assert!(one.0 == 1.0 && one.1.is_nan() && two.0 == 2.0 && two.1.is_nan());
        assert_eq!(*three, Point(3.0, 0.5));
    }

    #[tokio::test]
    async fn rapid_updates_are_sent_after_the_minimum_interval() {
        let report = report();
        let mut fourth = report.feed.follow(3);
        let told_all = async {
            report.measure(|meter, now| meter.done(1, now));
            report.measure(|meter, now| meter.done(2, now));
            report.log(LogLevel::Info, "one");
            report.log(LogLevel::Info, "two");
            fourth.changed().await;
        };
        tokio::select! {
            () = told_all => {}
            never = report.trail() => match never {},
        }
        let bodies = told(&report);
        assert!(matches!(&bodies[0], HostEventBody::Progress { progress } if progress.done == 1));
        assert!(matches!(&bodies[1], HostEventBody::Log { lines } if lines[0].text == "one"));
        assert!(matches!(&bodies[2], HostEventBody::Progress { progress } if progress.done == 2));
        assert!(matches!(&bodies[3], HostEventBody::Log { lines } if lines[0].text == "two"));
    }

    proptest! {
        #[test]
        fn a_text_is_cut_at_a_character_within_its_limit(text in "\\PC{0,80}", most in 3usize..60) {
            let cut = cut(&text, most);
            prop_assert!(cut.len() <= most);
            prop_assert!(cut == text || text.starts_with(cut.strip_suffix('…').unwrap()));
        }
    }
}
