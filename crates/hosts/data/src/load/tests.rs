//! End-to-end loads with a fake host that can cancel at any check and fill the disk.

use super::super::options::TextOptions;
use super::*;
use crate::at;
use crate::report::Report;
use form::Form;
use host_kit::CancellationToken;
use market_data::{Bar, Range, segment};
use proptest::prelude::*;
use protocol::results::LoadResult;
use protocol::{LogLevel, Point, Time};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

mod changed;
mod contents;
mod cut;
mod days;
mod instruments;
mod kind;
mod modes;
mod order;
mod previews;
mod real_files;
mod resume;
mod web;

/// Records the reports of a load, and cancels it at a chosen check.
#[derive(Clone)]
struct Notebook(Arc<Notes>);

struct Notes {
    token: CancellationToken,
    /// Checks until the cancel.
    checks_left: AtomicU64,
    logs: Mutex<Vec<String>>,
    checkpoints: Mutex<Vec<(String, Value)>>,
    done: Mutex<Vec<u64>>,
    totals: Mutex<Vec<Option<u64>>>,
    points: Mutex<Vec<Point>>,
}

impl Notebook {
    fn new() -> Self {
        Self::cancelling_after(u64::MAX)
    }

    fn cancelling_after(checks: u64) -> Self {
        Self(Arc::new(Notes {
            token: CancellationToken::new(),
            checks_left: AtomicU64::new(checks),
            logs: Mutex::default(),
            checkpoints: Mutex::default(),
            done: Mutex::default(),
            totals: Mutex::default(),
            points: Mutex::default(),
        }))
    }

    fn last_checkpoint(&self) -> Option<(String, Value)> {
        self.0.checkpoints.lock().unwrap().last().cloned()
    }

    fn log(&self) -> String {
        self.0.logs.lock().unwrap().join("\n")
    }
}

impl Report for Notebook {
    fn token(&self) -> &CancellationToken {
        &self.0.token
    }
    fn phase(&self, _: u32, _: &str) {}
    fn phase_weights(&self, _: &[f64]) {}
    fn items(&self, _: &str, total: Option<u64>) {
        self.0.totals.lock().unwrap().push(total);
    }
    fn done(&self, done: u64) {
        self.0.done.lock().unwrap().push(done);
    }
    fn message(&self, _: String) {
        self.count_down();
    }
    fn point(&self, _: &str, x: f64, y: f64) {
        self.0.points.lock().unwrap().push(Point(x, y));
    }
    fn log(&self, _: LogLevel, text: String) {
        self.0.logs.lock().unwrap().push(text);
    }
    fn checkpoint(&self, note: String, state: Value) -> bool {
        self.0.checkpoints.lock().unwrap().push((note, state));
        true
    }
    fn check(&self) -> Result<(), WorkError> {
        self.count_down();
        if self.0.token.is_cancelled() { Err(WorkError::Cancelled) } else { Ok(()) }
    }
}

impl Notebook {
    fn count_down(&self) {
        let left = self.0.checks_left.load(Ordering::SeqCst);
        self.0.checks_left.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 0 {
            self.0.token.cancel();
        }
    }
}

/// Disk that is full after this many files.
struct SmallDisk(AtomicU64);

impl Disk for SmallDisk {
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let room = self.0.load(Ordering::SeqCst);
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.store(room - 1, Ordering::SeqCst);
        LocalDisk.put(path, bytes)
    }
}

/// Temporary folder with CSV files and data sets.
struct Bench {
    root: tempfile::TempDir,
    config: DataConfig,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let csv = root.path().join("csv");
        fs::create_dir(&csv).unwrap();
        Self::on(root, csv)
    }

    fn on(root: tempfile::TempDir, csv: PathBuf) -> Self {
        let config = DataConfig {
            folder: root.path().join("sets"),
            sources: vec![
                SourceConfig::Csv { name: "files".into(), folder: csv, options: TextOptions::default() },
                SourceConfig::Synthetic { name: "synthetic".into() },
            ],
        };
        Self { root, config }
    }

    fn csv(&self, name: &str, text: &str) {
        fs::write(self.root.path().join("csv").join(name), text).unwrap();
    }

    fn request(&self, params: Value) -> Request {
        serde_json::from_value::<LoadParams>(params).unwrap().request(&self.config).unwrap()
    }

    async fn run_on(
        &self,
        disk: Arc<dyn Disk>,
        notebook: &Notebook,
        params: Value,
        resume: Option<Value>,
    ) -> Result<LoadResult, WorkError> {
        let request = self.request(params);
        let result = run::load(notebook.clone(), &self.config.folder, disk, request, resume).await?;
        assert_eq!(result.artifacts[0].name, "bars");
        Ok(serde_json::from_value(result.document).unwrap())
    }

    async fn run(
        &self,
        notebook: &Notebook,
        params: Value,
        resume: Option<Value>,
    ) -> Result<LoadResult, WorkError> {
        self.run_on(Arc::new(LocalDisk), notebook, params, resume).await
    }

    async fn load(&self, params: Value) -> LoadResult {
        self.run(&Notebook::new(), params, None).await.unwrap()
    }

    async fn failure_of(&self, params: Value) -> protocol::Failure {
        match self.run(&Notebook::new(), params, None).await {
            Err(WorkError::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn set(&self, below: &str) -> PathBuf {
        self.config.folder.join(below)
    }

    /// All stored bars, file by file.
    fn bars(&self, below: &str) -> Vec<Bar> {
        let mut files: Vec<_> = fs::read_dir(self.set(below)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let parquet = files.iter().filter(|f| f.extension().is_some_and(|e| e == "parquet"));
        assert!(files.iter().all(|f| f.extension().is_none_or(|e| e != "part")), "no torn file: {files:?}");
        let mut bars = Vec::new();
        for file in parquet {
            segment::scan(file, Range::default(), |read| bars.extend_from_slice(read)).unwrap();
        }
        bars
    }
}

const HEADER: &str = ",open,high,low,close,volume\n";

/// CSV with one bar per 12 hours from mid-2019 on.
fn text(bars: std::ops::Range<i64>) -> String {
    let start = at("2019-07-01T00:00:00Z");
    let mut text = HEADER.to_owned();
    for i in bars {
        let time = start.plus_micros(i * 12 * 3_600_000_000);
        text.push_str(&format!("{time},10,{},9,{},{i}\n", 20 + i % 5, 11 + i % 3));
    }
    text
}

fn params(more: Value) -> Value {
    let mut params = json!({"symbol": "A", "timeframe": "1h", "source": "files"});
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    params
}
