//! Series of a run: one row per bar, stored in binary, and downsampled for charts.

use crate::trading::Account;
use market_data::Bar;
use protocol::results::Columns;

/// Columns in storage order.
const NAMES: [&str; 4] = ["equity", "drawdown", "exposure", "buy_and_hold"];

/// Bytes per row: the time and each column, 8 bytes each, little-endian.
const ROW: usize = 8 * (1 + NAMES.len());

/// Values after one bar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Row<const N: usize = { NAMES.len() }> {
    /// Start of the bar, Unix time in seconds.
    pub(crate) t: i64,
    pub(crate) values: [f64; N],
}

impl Row {
    /// Equity of the strategy, and that of buy & hold.
    pub(crate) fn equities(&self) -> [f64; 2] {
        [self.values[0], self.values[3]]
    }
}

/// Drawdown: distance of the equity below its running maximum, as a share of it. The capital is the first maximum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawdown {
    peak: f64,
}

impl Drawdown {
    pub(crate) fn from(capital: f64) -> Self {
        Self { peak: capital }
    }

    /// Drawdown at this equity: 0 at a peak, negative otherwise.
    pub(crate) fn at(&mut self, equity: f64) -> f64 {
        self.peak = self.peak.max(equity);
        equity / self.peak - 1.0
    }
}

/// One row per bar, from the accounts of the strategy and of buy & hold.
pub(crate) fn rows(bars: &[Bar], capital: f64, accounts: &[Account], held: &[Account]) -> Vec<Row> {
    let mut drawdown = Drawdown::from(capital);
    let row = |((bar, account), held): ((&Bar, &Account), &Account)| Row {
        t: bar.time.micros().div_euclid(1_000_000),
        values: [account.equity, drawdown.at(account.equity), account.exposure(), held.equity],
    };
    bars.iter().zip(accounts).zip(held).map(row).collect()
}

/// Encodes rows for a file.
pub(crate) fn encode(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * ROW);
    for row in rows {
        out.extend(row.t.to_le_bytes());
        for value in row.values {
            out.extend(value.to_le_bytes());
        }
    }
    out
}

/// Decodes the rows of a file; `None` if it is not valid.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Row>> {
    let (words, rest) = bytes.as_chunks::<8>();
    let (rows, more) = words.as_chunks::<{ ROW / 8 }>();
    let whole = rest.is_empty() && more.is_empty();
    let row = |row: &[[u8; 8]; ROW / 8]| Row {
        t: i64::from_le_bytes(row[0]),
        values: std::array::from_fn(|i| f64::from_le_bytes(row[i + 1])),
    };
    whole.then(|| rows.iter().map(row).collect())
}

/// Downsamples time-ordered rows to at most `points` rows (at least 4).
///
/// The first and last rows are kept. Each bucket between them becomes two rows, at its first and middle bar. Each
/// column has its minimum and maximum of the bucket there, in their original order. So no peak of any column is lost,
/// and none moves by more than one bucket.
pub(crate) fn columns(rows: &[Row], points: usize) -> Columns {
    sampled(rows, &NAMES, points)
}

/// As [`columns`], for columns of these names.
pub(crate) fn sampled<const N: usize>(rows: &[Row<N>], names: &[&str; N], points: usize) -> Columns {
    let points = points.max(4);
    if rows.len() <= points {
        return gathered(rows, names, 1);
    }
    let inner = &rows[1..rows.len() - 1];
    let stretch = inner.len().div_ceil((points - 2) / 2);
    let mut out = vec![rows[0]];
    for stretch in inner.chunks(stretch) {
        out.extend(extremes(stretch));
    }
    out.push(rows[rows.len() - 1]);
    gathered(&out, names, stretch.div_ceil(2))
}

/// Minimum and maximum of each column; a single row for a single bar.
fn extremes<const N: usize>(stretch: &[Row<N>]) -> Vec<Row<N>> {
    let mut out = vec![stretch[0]];
    if stretch.len() > 1 {
        out.push(stretch[stretch.len() / 2]);
        for column in 0..N {
            let value = |i: &usize| stretch[*i].values[column];
            let by_value = |a: &usize, b: &usize| value(a).total_cmp(&value(b));
            let lowest = (0..stretch.len()).min_by(by_value).unwrap_or(0);
            let highest = (0..stretch.len()).max_by(by_value).unwrap_or(0);
            out[0].values[column] = value(&lowest.min(highest));
            out[1].values[column] = value(&lowest.max(highest));
        }
    }
    out
}

fn gathered<const N: usize>(rows: &[Row<N>], names: &[&str; N], bars_per_row: usize) -> Columns {
    let column = |(i, name): (usize, &&str)| ((*name).to_owned(), rows.iter().map(|r| r.values[i]).collect());
    Columns {
        t: rows.iter().map(|r| r.t).collect(),
        columns: names.iter().enumerate().map(column).collect(),
        bars_per_row: u32::try_from(bars_per_row).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_rows(values: Vec<[f64; 4]>) -> Vec<Row> {
        values.into_iter().enumerate().map(|(i, values)| Row { t: 1_000 + i as i64 * 60, values }).collect()
    }

    fn any_rows() -> impl Strategy<Value = Vec<Row>> {
        proptest::collection::vec(proptest::array::uniform4(-1e6f64..1e6), 0..700).prop_map(some_rows)
    }

    proptest! {
        #[test]
        fn a_stored_curve_reads_back(rows in any_rows()) {
            let bytes = encode(&rows);
            prop_assert_eq!(decode(&bytes), Some(rows));
            prop_assert_eq!(decode(&bytes[..bytes.len().saturating_sub(1)]).is_some(), bytes.is_empty());
        }

        #[test]
        fn downsampled_rows_keep_the_extremes_and_ends_of_every_column(rows in any_rows(), points in 0usize..200) {
            let few = columns(&rows, points);
            prop_assert!(few.t.len() <= points.max(4));
            prop_assert!(few.t.windows(2).all(|w| w[0] < w[1]));
            for (i, name) in NAMES.iter().enumerate() {
                let (all, kept) = (rows.iter().map(|r| r.values[i]).collect::<Vec<_>>(), &few.columns[*name]);
                prop_assert_eq!(kept.len(), few.t.len());
                prop_assert_eq!((all.first(), all.last()), (kept.first(), kept.last()));
                let highest = |v: &[f64]| v.iter().copied().fold(f64::MIN, f64::max);
                let lowest = |v: &[f64]| v.iter().copied().fold(f64::MAX, f64::min);
                prop_assert_eq!((highest(&all), lowest(&all)), (highest(kept), lowest(kept)));
            }
        }
    }

    #[test]
    fn a_drawdown_is_a_share_of_the_peak() {
        let mut drawdown = Drawdown::from(100.0);
        let curve = [90.0, 120.0, 60.0, 120.0].map(|e| drawdown.at(e));
        assert_eq!(curve, [90.0 / 100.0 - 1.0, 0.0, -0.5, 0.0]);
    }
}
