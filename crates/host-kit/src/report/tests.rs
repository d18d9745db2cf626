//! Tests of reports: order, batches and limits.

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

fn last_progress(report: &Report) -> Vec<HostEventBody> {
    let Read::Records(records) = report.feed.read(0, usize::MAX, usize::MAX) else { panic!("held") };
    records.iter().map(|r| serde_json::from_slice::<HostEvent>(r.json()).unwrap().body).collect()
}

#[test]
fn the_first_message_is_sent_at_once_and_the_last_before_a_state_change() {
    let report = report();
    report.measure(|meter, now| meter.items("rows", Some(1_000), now));
    assert_eq!(last_progress(&report).len(), 1);
    for done in 1..=1_000 {
        report.measure(|meter, now| meter.done(done, now));
    }
    report.record(HostEventBody::Stopped);
    let bodies = last_progress(&report);
    let [.., HostEventBody::Progress { progress }, HostEventBody::Stopped] = bodies.as_slice() else {
        panic!("progress, then the change: {bodies:?}")
    };
    assert_eq!(progress.done, 1_000);
}

#[test]
fn a_message_and_the_following_count_are_one_record() {
    let report = report();
    report.update(|meter| meter.message("the first".into()));
    assert!(last_progress(&report).is_empty());
    report.measure(|meter, now| meter.done(1, now));
    let bodies = last_progress(&report);
    let [HostEventBody::Progress { progress }] = bodies.as_slice() else { panic!("one: {bodies:?}") };
    assert_eq!((progress.done, progress.message.as_str()), (1, "the first"));
}

#[tokio::test]
async fn messages_without_counts_are_sent_too() {
    let report = report();
    let mut news = report.feed.follow(0);
    let message_sent = async {
        report.update(|meter| meter.message("alone".into()));
        news.changed().await;
    };
    tokio::select! {
        () = message_sent => {}
        never = report.flush_loop() => match never {},
    }
    assert!(
        matches!(&last_progress(&report)[0], HostEventBody::Progress { progress } if progress.message == "alone")
    );
}

#[test]
fn many_points_and_lines_are_sent_in_order_in_bounded_batches() {
    let report = report();
    for i in 0..5_000 {
        report.point("loss", f64::from(i), 1.0);
        report.log(LogLevel::Info, &"x".repeat(100));
    }
    report.record(HostEventBody::Stopped);
    let (mut xs, mut ns) = (Vec::new(), Vec::new());
    for body in last_progress(&report) {
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
    report.record(HostEventBody::Stopped);
    let (mut logged, mut points) = (Vec::new(), Vec::new());
    for body in last_progress(&report) {
        match body {
            HostEventBody::Log { lines } => logged.extend(lines),
            HostEventBody::Points { series } => points.extend(series.into_iter().flat_map(|s| s.points)),
            _ => {}
        }
    }
    assert!(logged.len() == 1 && logged[0].text.contains("NaN"), "{logged:?}");
    let [one, two, three] = points.as_slice() else { panic!("{points:?}") };
    assert!(one.0 == 1.0 && one.1.is_nan() && two.0 == 2.0 && two.1.is_nan());
    assert_eq!(*three, Point(3.0, 0.5));
}

#[tokio::test]
async fn rapid_updates_are_sent_after_the_minimum_interval() {
    let report = report();
    let mut fourth = report.feed.follow(3);
    let all_sent = async {
        report.measure(|meter, now| meter.done(1, now));
        report.measure(|meter, now| meter.done(2, now));
        report.log(LogLevel::Info, "one");
        report.log(LogLevel::Info, "two");
        fourth.changed().await;
    };
    tokio::select! {
        () = all_sent => {}
        never = report.flush_loop() => match never {},
    }
    let bodies = last_progress(&report);
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
