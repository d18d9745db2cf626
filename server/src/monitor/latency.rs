//! Latency of the server's requests to a host over time, in rows that all columns share.

use histogram::Histogram;
use history::Tallies;
use protocol::Time;
use protocol::latency::LatencyHistory;

/// Schema of the rows: each spans a factor of 1.41.
const ROW_SCHEMA: i8 = 1;

/// Requests by time and latency, in at most `width` columns. A column is as long as a slot of the tallies, or a
/// multiple.
pub fn latencies(tallies: &Tallies, (from, to): (i64, i64), width: usize) -> LatencyHistory {
    let slot = tallies.slot_seconds;
    // The first column may begin before the time, so one is spare.
    let full = i64::try_from(width.saturating_sub(1).max(1)).unwrap_or(i64::MAX);
    let column_seconds = (to - from).div_euclid(full.saturating_mul(slot)).saturating_add(1) * slot;
    let start = from.div_euclid(column_seconds) * column_seconds;
    let count = usize::try_from((to - start + column_seconds - 1).div_euclid(column_seconds)).unwrap_or(0);
    let mut columns: Vec<Option<Histogram>> = vec![None; count];
    for (second, tally) in &tallies.slots {
        let place = usize::try_from((second - start).div_euclid(column_seconds)).ok();
        let Some(column) = place.and_then(|place| columns.get_mut(place)) else { continue };
        column.get_or_insert_default().merge(&tally.values);
    }
    let known = columns.iter().flatten().filter(|column| !column.is_empty());
    let schema = known.map(Histogram::schema).fold(ROW_SCHEMA, i8::min);
    columns.iter_mut().flatten().for_each(|column| column.downscale(schema));
    let (lowest, highest) = ends(&columns);
    let rows = usize::try_from(highest - lowest + 1).unwrap_or(0);
    let bound = |index: i32| (f64::from(index) * (-f64::from(schema)).exp2()).exp2();
    let counts = |column: Histogram| {
        let mut counts = vec![0; rows];
        let (first, values) = column.indexed_buckets();
        for (index, value) in (first..).zip(values) {
            if let Some(count) = usize::try_from(index - lowest).ok().and_then(|row| counts.get_mut(row)) {
                *count = *value;
            }
        }
        // Too short to be measured.
        if let Some(shortest) = counts.first_mut() {
            *shortest += column.zeros();
        }
        counts
    };
    LatencyHistory {
        from: Time::from_micros(start.saturating_mul(1_000_000)),
        column_seconds: u32::try_from(column_seconds).unwrap_or(u32::MAX),
        bounds: if rows == 0 { Vec::new() } else { (lowest - 1..=highest).map(bound).collect() },
        columns: columns.into_iter().map(|column| column.map(counts)).collect(),
    }
}

/// Lowest and highest index of all buckets; the highest is below the lowest without any.
fn ends(columns: &[Option<Histogram>]) -> (i32, i32) {
    let ends = columns.iter().flatten().filter_map(|column| {
        let (first, values) = column.indexed_buckets();
        let last = first + i32::try_from(values.len()).ok()? - 1;
        (!values.is_empty()).then_some((first, last))
    });
    ends.reduce(|all, ends| (all.0.min(ends.0), all.1.max(ends.1))).unwrap_or((0, -1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Tally;
    use proptest::prelude::*;

    fn tally(latencies: &[f64]) -> Tally {
        let mut tally = Tally { seconds: 60.0, ..Tally::default() };
        latencies.iter().for_each(|latency| tally.values.record(*latency).unwrap());
        tally
    }

    #[test]
    fn each_minute_is_a_column_and_unknown_minutes_are_no_zeros() {
        let slots = vec![(600, tally(&[0.001, 0.001, 0.1])), (660, tally(&[])), (780, tally(&[0.002]))];
        let tallies = Tallies { slot_seconds: 60, slots };
        let read = latencies(&tallies, (610, 830), 60);
        assert_eq!((read.from, read.column_seconds), (Time::from_micros(600_000_000), 60));
        let sums: Vec<Option<u64>> =
            read.columns.iter().map(|column| column.as_ref().map(|rows| rows.iter().sum())).collect();
        assert_eq!(sums, [Some(3), Some(0), None, Some(1)]);
        assert_eq!(read.bounds.len(), read.columns[0].as_ref().unwrap().len() + 1);
        let row = read.bounds.windows(2).position(|row| row[0] < 0.1 && 0.1 <= row[1]).unwrap();
        assert_eq!(read.columns[0].as_ref().unwrap()[row], 1);
    }

    #[test]
    fn without_requests_there_are_no_rows() {
        let read = latencies(&Tallies { slot_seconds: 60, slots: Vec::new() }, (0, 600), 10);
        assert_eq!((read.bounds.len(), read.columns.iter().flatten().count()), (0, 0));
    }

    proptest! {
        /// No request is lost or counted twice, whatever the width, and each is between the bounds of its row.
        #[test]
        fn all_requests_are_counted_once(
            minutes in prop::collection::btree_map(0_i64..200, prop::collection::vec(0.000_05..30.0_f64, 0..6), 1..40),
            width in 1_usize..300,
        ) {
            let slots = minutes.iter().map(|(minute, values)| (minute * 60, tally(values))).collect();
            let read = latencies(&Tallies { slot_seconds: 60, slots }, (0, 12_000), width);
            prop_assert!(read.columns.len() <= width.max(2));
            let counted: u64 = read.columns.iter().flatten().flatten().sum();
            prop_assert_eq!(counted, minutes.values().map(|values| values.len() as u64).sum::<u64>());
            for (minute, values) in &minutes {
                let column = (minute * 60 / i64::from(read.column_seconds)) as usize;
                for value in values {
                    let row = read.bounds.windows(2).position(|row| row[0] < *value && *value <= row[1]);
                    let row = row.expect("each value has a row");
                    prop_assert!(read.columns[column].as_ref().unwrap()[row] > 0);
                }
            }
        }
    }
}
