//! Segment files: encoding bars as Parquet, and reading them back.
//!
//! Columns: `time` (microseconds, UTC), `open`, `high`, `low`, `close`, `volume` (64-bit floats), in time order,
//! compressed with zstd. Only `volume` can be null, when the source does not know it. The metadata holds symbol,
//! timeframe, source and whether the bars are synthetic.

use crate::bars::{Bar, Timeframe};
use crate::range::Range;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use protocol::Time;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// Metadata of a segment.
#[derive(Clone, Debug)]
pub struct Label {
    pub symbol: String,
    pub timeframe: Timeframe,
    /// Name of the source.
    pub source: String,
    pub synthetic: bool,
}

/// Error of reading or encoding a segment.
#[derive(Debug, Error)]
pub enum SegmentError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("not a valid Parquet file: {0}")]
    Parquet(#[from] ParquetError),
    #[error("its data is not readable: {0}")]
    Arrow(#[from] ArrowError),
    #[error("its columns are not the time, open, high, low, close and volume that Signalbox writes")]
    OtherColumns,
}

const PRICES: [&str; 4] = ["open", "high", "low", "close"];

/// Bars per decoded batch: bounds memory, and is large enough to be fast.
const BATCH: usize = 8_192;

fn schema() -> Schema {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![Field::new("time", time, false)];
    fields.extend(PRICES.map(|name| Field::new(name, DataType::Float64, false)));
    fields.push(Field::new("volume", DataType::Float64, true));
    Schema::new(fields)
}

/// Encodes bars, which must be in time order, as a Parquet file.
///
/// # Errors
/// If the encoder fails, which would be a bug.
pub fn encode(bars: &[Bar], label: &Label) -> Result<Vec<u8>, SegmentError> {
    let schema = Arc::new(schema());
    let column = |field: fn(&Bar) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(bars.iter().map(field)))
    };
    let times = TimestampMicrosecondArray::from_iter_values(bars.iter().map(|b| b.time.micros()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        column(|b| b.open),
        column(|b| b.high),
        column(|b| b.low),
        column(|b| b.close),
        Arc::new(bars.iter().map(|b| b.volume).collect::<Float64Array>()),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let note = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![
            note("symbol", &label.symbol),
            note("timeframe", label.timeframe.as_str()),
            note("source", &label.source),
            note("synthetic", if label.synthetic { "true" } else { "false" }),
            note("writer", concat!("signalbox ", env!("CARGO_PKG_VERSION"))),
        ]))
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::with_capacity(bars.len() * 24 + 4096), schema, Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

/// Number of bars in a segment file. Reads only the footer.
///
/// # Errors
/// If the file does not exist or is not a segment.
pub fn rows(path: &Path) -> Result<u64, SegmentError> {
    Ok(open(path)?.metadata().file_metadata().num_rows().max(0) as u64)
}

/// Whether the bars of a segment file are synthetic. Reads only the footer.
///
/// # Errors
/// If the file does not exist or is not a segment.
pub fn synthetic(path: &Path) -> Result<bool, SegmentError> {
    let builder = open(path)?;
    let notes = builder.metadata().file_metadata().key_value_metadata();
    let marked = |note: &KeyValue| note.key == "synthetic" && note.value.as_deref() == Some("true");
    Ok(notes.is_some_and(|notes| notes.iter().any(marked)))
}

/// Passes the bars within the range to `take`, in chunks, in time order.
///
/// # Errors
/// If the file does not exist or is not a segment.
pub fn scan(path: &Path, range: Range, mut take: impl FnMut(&[Bar])) -> Result<(), SegmentError> {
    let mut bars = Vec::with_capacity(BATCH);
    for batch in open(path)?.with_batch_size(BATCH).build()? {
        let batch = batch?;
        let times = batch
            .column(0)
            .as_primitive_opt::<TimestampMicrosecondType>()
            .ok_or(SegmentError::OtherColumns)?
            .values();
        let floats =
            |at: usize| batch.column(at).as_primitive_opt::<Float64Type>().ok_or(SegmentError::OtherColumns);
        let mut prices: [&[f64]; 4] = [&[]; 4];
        for (i, column) in prices.iter_mut().enumerate() {
            *column = floats(i + 1)?.values();
        }
        let [open, high, low, close] = prices;
        let volume = floats(PRICES.len() + 1)?;
        bars.clear();
        for (i, micros) in times.iter().enumerate() {
            let time = Time::from_micros(*micros);
            if range.contains(time) {
                bars.push(Bar {
                    time,
                    open: open[i],
                    high: high[i],
                    low: low[i],
                    close: close[i],
                    volume: volume.is_valid(i).then(|| volume.value(i)),
                });
            }
        }
        if !bars.is_empty() {
            take(&bars);
        }
    }
    Ok(())
}

/// All bars of the file within the range, as stored.
#[cfg(test)]
pub fn read(path: &Path, range: Range) -> Result<Vec<Bar>, SegmentError> {
    let mut all = Vec::new();
    scan(path, range, |bars| all.extend_from_slice(bars))?;
    Ok(all)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, SegmentError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let ours = schema();
    let fields = builder.schema().fields();
    let same = fields.len() == ours.fields().len()
        && fields
            .iter()
            .zip(ours.fields())
            .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
    if same { Ok(builder) } else { Err(SegmentError::OtherColumns) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label() -> Label {
        Label { symbol: "MSFT".into(), timeframe: Timeframe::M1, source: "csv".into(), synthetic: true }
    }

    fn bars(n: i64) -> Vec<Bar> {
        (0..n)
            .map(|i| Bar {
                time: Time::from_micros(1_700_000_000_000_000 + i * 60_000_000),
                open: 1.5 + i as f64,
                high: 3.0 + i as f64,
                low: 1.0,
                close: 2.25,
                volume: (i % 3 > 0).then_some(i as f64),
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_segment_reads_back_bit_by_bit(
            rows in proptest::collection::vec((1i64..100, any::<[f64; 4]>(), any::<Option<f64>>()), 0..300)
        ) {
            let mut time = 0;
            let bars: Vec<Bar> = rows.iter().map(|(step, v, volume)| {
                time += step * 1_000_001;
                Bar { time: Time::from_micros(time), open: v[0], high: v[1], low: v[2], close: v[3], volume: *volume }
            }).collect();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.parquet");
            std::fs::write(&path, encode(&bars, &label()).unwrap()).unwrap();
            prop_assert_eq!(rows_of(&path), bars.len() as u64);
            let back = read(&path, Range::default()).unwrap();
            let bits = |b: &Bar| (b.time, [b.open, b.high, b.low, b.close].map(f64::to_bits), b.volume.map(f64::to_bits));
            prop_assert_eq!(back.iter().map(bits).collect::<Vec<_>>(), bars.iter().map(bits).collect::<Vec<_>>());
        }
    }

    fn rows_of(path: &Path) -> u64 {
        rows(path).unwrap()
    }

    #[test]
    fn only_the_requested_range_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let bars = bars(20_000);
        std::fs::write(&path, encode(&bars, &label()).unwrap()).unwrap();
        let range = Range { from: Some(bars[9_000].time), to: Some(bars[17_000].time) };
        assert_eq!(read(&path, range).unwrap(), bars[9_000..17_000]);
    }

    #[test]
    fn the_file_records_its_content_and_that_it_is_synthetic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, encode(&bars(3), &label()).unwrap()).unwrap();
        let file = open(&path).unwrap();
        let said = file.metadata().file_metadata().key_value_metadata().unwrap().clone();
        let of = |key: &str| said.iter().find(|kv| kv.key == key).and_then(|kv| kv.value.clone()).unwrap();
        assert_eq!(of("symbol"), "MSFT");
        assert_eq!(of("timeframe"), "1m");
        assert_eq!(of("synthetic"), "true");
        assert!(of("writer").starts_with("signalbox "));
    }

    #[test]
    fn a_truncated_or_foreign_file_is_an_error_without_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let whole = encode(&bars(100), &label()).unwrap();
        for bytes in [&whole[..whole.len() / 2], b"PAR1", b"", b"not parquet at all"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(read(&path, Range::default()).is_err());
        }
        assert!(matches!(rows(&folder.path().join("none")), Err(SegmentError::Io(_))));
    }

    #[test]
    fn a_segment_from_before_unknown_volumes_is_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let strict = Schema::new(
            schema().fields().iter().map(|f| f.as_ref().clone().with_nullable(false)).collect::<Vec<_>>(),
        );
        let number = |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![value])) };
        let time = TimestampMicrosecondArray::from(vec![1_700_000_000_000_000]).with_timezone("UTC");
        let columns: Vec<ArrayRef> =
            vec![Arc::new(time), number(1.0), number(2.0), number(0.5), number(1.5), number(7.0)];
        let batch = RecordBatch::try_new(Arc::new(strict), columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        std::fs::write(&path, writer.into_inner().unwrap()).unwrap();
        let bars = read(&path, Range::default()).unwrap();
        assert_eq!((bars.len(), bars[0].close, bars[0].volume), (1, 1.5, Some(7.0)));
    }
}
