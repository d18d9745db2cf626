//! End-to-end loads with a fake host that can cancel at any check and fill the disk.

use super::super::bars::{Bar, Range, at};
use super::super::config::TextOptions;
use super::super::segment;
use super::report::Report;
use super::*;
use form::Form;
use host_kit::CancellationToken;
use proptest::prelude::*;
use protocol::results::LoadResult;
use protocol::{LogLevel, Point, Time};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

mod changed;
mod cut;
mod days;
mod instruments;
mod order;

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

    async fn told(&self, params: Value) -> protocol::Failure {
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
        parquet.flat_map(|f| segment::read(f, Range::default()).unwrap()).collect()
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

#[tokio::test]
async fn what_is_loaded_is_what_the_file_has() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
    assert_eq!((result.rows, result.rows_written, result.rejected_count), (1500, 1500, 0));
    assert_eq!(result.first, Some(at("2019-07-01T00:00:00Z")));
    let files: Vec<_> = result.segments.iter().map(|s| (s.file.as_str(), s.rows)).collect();
    assert_eq!(files, [("2019.parquet", 368), ("2020.parquet", 732), ("2021.parquet", 400)]);
    let bars = bench.bars("files/A/1h");
    assert_eq!(bars.len(), 1500);
    assert_eq!((bars[1499].volume, bars[7].high, bars[7].close), (Some(1499.0), 22.0, 12.0));
    let notes: Vec<_> = notebook.0.checkpoints.lock().unwrap().iter().map(|(n, _)| n.clone()).collect();
    assert_eq!(
        notes,
        ["1 of 3 segments, 368 rows", "2 of 3 segments, 1,100 rows", "3 of 3 segments, 1,500 rows"]
    );
    assert_eq!(notebook.0.done.lock().unwrap().last(), Some(&1500));
    assert!(!notebook.0.points.lock().unwrap().is_empty(), "a quick load has its one point");
    assert!(notebook.log().contains("Wrote 2020.parquet: 732 rows"), "{}", notebook.log());
}

#[tokio::test]
async fn rejected_rows_are_counted_with_their_reason_and_the_rest_is_loaded() {
    let bench = Bench::new();
    let bad = "2019-07-06T00:00:00Z,10,8,9,9,1\n2019-07-06T00:00:00,10,20,9,11,1\nx\n2019-07-05T12:00:00Z,10,20,9,11,1\n";
    bench.csv("A_1h.csv", &format!("{}{bad}{}", text(0..10), &text(20..30)[HEADER.len()..]));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
    assert_eq!((result.rows, result.rejected_count), (20, 4));
    let reasons: Vec<_> = result.rejected.iter().map(|r| (r.reason.as_str(), r.rows)).collect();
    assert_eq!(reasons, [("wrong_columns", 1), ("no_zone", 1), ("high_below_low", 1), ("duplicate_time", 1)]);
    assert_eq!(result.rejected[2].example, "line 12: high 8 is below low 9");
    assert!(notebook.log().contains("Rejected 1 row: no_zone, first at line 13"), "{}", notebook.log());
}

#[tokio::test]
async fn files_that_hold_nothing_of_use_are_told_apart() {
    let bench = Bench::new();
    let told = async |text: &str, more: Value| {
        bench.csv("A_1h.csv", text);
        bench.told(params(more)).await
    };
    assert!(told(HEADER, json!({})).await.message.contains("no rows for A 1h"));
    let naive = text(0..50).replace("00000Z", "00000");
    let failure = told(&naive, json!({})).await;
    assert!(
        failure.message.contains(
            "None of the 50 rows of A 1h are usable. 50 were rejected as no_zone, the first at line 2"
        ),
        "{}",
        failure.message
    );
    assert!(failure.hint.contains("zone"));
    let failure = told(&text(0..50), json!({"start": "2024-01-01"})).await;
    assert!(failure.message.contains("The source has 2019-07-01"), "{}", failure.message);
    assert!(!bench.set("files/A/1h").join("2019.parquet").exists(), "nothing was written");
    bench.told(params(json!({"symbol": "B"}))).await;
    assert!(!bench.set("files/B").exists(), "a symbol that is not there leaves no folder");
}

#[tokio::test]
async fn tail_brings_only_what_is_newer() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..400));
    bench.load(params(json!({"mode": "tail"}))).await;
    // Stored bars stay, even if the source changed them.
    bench.csv("A_1h.csv", &text(0..900).replace(",10,", ",10.5,"));
    let result = bench.load(params(json!({"mode": "tail"}))).await;
    assert_eq!((result.rows, result.rows_written), (900, 500));
    let bars = bench.bars("files/A/1h");
    assert_eq!((bars[399].open, bars[400].open), (10.0, 10.5));
    let again = bench.load(params(json!({"mode": "tail"}))).await;
    assert_eq!((again.rows, again.rows_written), (900, 0));
}

#[tokio::test]
async fn backfill_brings_older_bars_lost_segments_and_holes_and_nothing_newer() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(500..1500));
    bench.load(params(json!({}))).await;
    fs::remove_file(bench.set("files/A/1h/2020.parquet")).unwrap();
    bench.csv("A_1h.csv", &text(0..1600));
    let result = bench.load(params(json!({"mode": "backfill"}))).await;
    assert_eq!((result.rows, result.rows_written), (1500, 1100));
    let before = fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap();
    let again = bench.load(params(json!({"mode": "backfill"}))).await;
    assert_eq!((again.rows, again.rows_written), (1500, 0));
    let after = fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap();
    assert_eq!(before, after, "a segment with nothing new is not written");
}

#[tokio::test]
async fn full_replaces_all_or_just_the_asked_for_range() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    bench.load(params(json!({}))).await;
    bench.csv("A_1h.csv", &text(0..1500).replace(",10,", ",10.5,"));
    let result = bench.load(params(json!({"start": "2019-12-01", "end": "2020-01-31"}))).await;
    assert_eq!((result.rows, result.rows_written), (1500, 124));
    let bars = bench.bars("files/A/1h");
    let changed: Vec<_> = bars.iter().filter(|b| b.open == 10.5).map(|b| b.time).collect();
    assert_eq!(changed.len(), 124);
    assert_eq!((changed[0], changed[123]), (at("2019-12-01T00:00:00Z"), at("2020-01-31T12:00:00Z")));
    // The source lost 2021, so a full load removes it too.
    bench.csv("A_1h.csv", &text(0..1000));
    let result = bench.load(params(json!({}))).await;
    assert_eq!((result.rows, result.segments.len()), (1000, 2));
}

#[tokio::test]
async fn a_cancelled_load_leaves_finished_segments_and_says_so_in_its_checkpoint() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let mut n = 0;
    let notebook = loop {
        let notebook = Notebook::cancelling_after(n);
        let ended = bench.run(&notebook, params(json!({})), None).await;
        assert_eq!(ended, Err(WorkError::Cancelled));
        if notebook.0.checkpoints.lock().unwrap().len() == 2 {
            break notebook;
        }
        n += 1;
    };
    assert_eq!(bench.bars("files/A/1h").len(), 1100);
    let (note, state) = notebook.last_checkpoint().unwrap();
    assert_eq!(note, "2 of 5 segments, 1,100 rows");
    let resumed = Notebook::new();
    let before = fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap();
    let result = bench.run(&resumed, params(json!({})), Some(state)).await.unwrap();
    assert_eq!((result.rows, result.rows_written), (3000, 3000));
    assert_eq!(
        resumed.0.done.lock().unwrap().first(),
        Some(&1100),
        "progress begins where the checkpoint was"
    );
    assert_eq!(fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap(), before);
    assert!(resumed.log().contains("Resuming after 2 segments"), "{}", resumed.log());
}

#[tokio::test]
async fn what_was_changed_since_the_checkpoint_is_not_trusted() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    let notebook = Notebook::new();
    bench.run(&notebook, params(json!({})), None).await.unwrap();
    let (_, state) = notebook.last_checkpoint().unwrap();

    // One segment is lost, another replaced by a file of the same length.
    let folder = bench.set("files/A/1h");
    fs::remove_file(folder.join("2019.parquet")).unwrap();
    let resumed = Notebook::new();
    let result = bench.run(&resumed, params(json!({})), Some(state.clone())).await.unwrap();
    assert_eq!((result.rows, result.rows_written), (1500, 1500));
    assert!(
        resumed.log().contains("Segments changed since the previous attempt: 2019.parquet"),
        "{}",
        resumed.log()
    );

    // The source itself changed.
    bench.csv("A_1h.csv", &text(0..1500).replace(",10,", ",10.5,"));
    let resumed = Notebook::new();
    bench.run(&resumed, params(json!({})), Some(state)).await.unwrap();
    assert!(resumed.log().contains("The source changed"), "{}", resumed.log());
    assert!(bench.bars("files/A/1h").iter().all(|b| b.open == 10.5));

    // Checkpoint of another version.
    let resumed = Notebook::new();
    bench.run(&resumed, params(json!({})), Some(json!({"version": 99}))).await.unwrap();
    assert!(resumed.log().contains("This version can't read the checkpoint"));
}

#[tokio::test]
async fn a_full_disk_keeps_what_is_finished_and_a_resume_goes_on() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let notebook = Notebook::new();
    let ended =
        bench.run_on(Arc::new(SmallDisk(AtomicU64::new(2))), &notebook, params(json!({})), None).await;
    let Err(WorkError::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.message.starts_with("The disk of "), "{}", failure.message);
    assert!(
        failure.message.ends_with("is full. Completed and kept: 2 of 5 segments, 1,100 rows."),
        "{}",
        failure.message
    );
    assert!(failure.hint.contains("resume"));
    assert_eq!(bench.bars("files/A/1h").len(), 1100);
    let (_, state) = notebook.last_checkpoint().unwrap();
    let result = bench.run(&Notebook::new(), params(json!({})), Some(state)).await.unwrap();
    assert_eq!(result.rows, 3000);
}

/// Server that promises a megabyte, sends the text, and closes the connection.
async fn breaks_off_after(text: String) -> SourceConfig {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let template = format!("http://{}/{{symbol}}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{text}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    SourceConfig::Http { name: "web".into(), template, options: TextOptions::default() }
}

/// Server that sends one answer per connection, and closes it.
async fn answers(answers: Vec<String>) -> SourceConfig {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let template = format!("http://{}/{{symbol}}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    SourceConfig::Http { name: "web".into(), template, options: TextOptions::default() }
}

/// Response with a Content-Length that fits.
fn with_length(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_resume_is_offered_only_where_something_was_finished() {
    for (bars, hint) in [(300, "Start the load again."), (600, "Resume: completed segments are kept")] {
        let mut bench = Bench::new();
        bench.config.sources.push(breaks_off_after(text(0..bars)).await);
        let told = bench.told(params(json!({"source": "web"}))).await;
        assert!(told.message.contains("closed the connection"), "{}", told.message);
        assert!(told.hint.starts_with(hint), "{bars}: {}", told.hint);
    }
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let full = Arc::new(SmallDisk(AtomicU64::new(0)));
    let ended = bench.run_on(full, &Notebook::new(), params(json!({})), None).await;
    let Err(WorkError::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.hint.ends_with("then start the load again."), "{}", failure.hint);
}

#[tokio::test]
async fn an_answer_that_may_be_cut_removes_nothing_that_is_stored() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let template = format!("http://{}/{{symbol}}", listener.local_addr().unwrap());
    let whole = text(0..300);
    let within_a_line = whole[..whole.len() - 3000].rfind('\n').unwrap() - 3;
    let cut = whole[..within_a_line].to_owned();
    tokio::spawn(async move {
        for body in [whole, cut] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes()).await;
        }
    });
    let mut bench = Bench::new();
    bench.config.sources.push(SourceConfig::Http {
        name: "web".into(),
        template,
        options: TextOptions::default(),
    });
    assert_eq!(bench.load(params(json!({"source": "web"}))).await.rows, 300);
    let told = bench.told(params(json!({"source": "web"}))).await;
    assert!(told.message.contains("may be truncated"), "{}", told.message);
    assert_eq!(bench.bars("web/A/1h").len(), 300);
}

#[tokio::test]
async fn a_load_says_in_its_log_how_the_file_was_read() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", "Gmt time;Open;High;Low;Close\n04.03.2024 09:00:00.000;1,5;2;1;1,5\n");
    let notebook = Notebook::new();
    bench.run(&notebook, params(json!({})), None).await.unwrap();
    let log = notebook.log();
    assert!(log.contains("Format dukascopy, time zone UTC (dukascopy)"), "{log}");
    assert!(log.contains("Decimal comma detected") && log.contains("volume is unknown"), "{log}");
}

#[tokio::test]
async fn a_data_set_has_one_load_at_a_time() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..10));
    let request = bench.request(params(json!({})));
    let set =
        super::super::dataset::DataSet::new(&bench.config.folder, "files", request.symbol, request.timeframe);
    let claim = set.claim().unwrap();
    let failure = bench.told(params(json!({}))).await;
    assert!(failure.message.starts_with("Another load of A 1h"), "{}", failure.message);
    drop(claim);
    assert_eq!(bench.load(params(json!({}))).await.rows, 10);
}

#[tokio::test]
async fn synthetic_data_is_marked_wherever_it_goes() {
    let bench = Bench::new();
    let request =
        bench.request(json!({"symbol": "DEMO", "source": "synthetic", "timeframe": "5m", "years": 0.5}));
    let notebook = Notebook::new();
    let result =
        run::load(notebook.clone(), &bench.config.folder, Arc::new(LocalDisk), request, None).await.unwrap();
    assert_eq!(result.tags, ["synthetic"]);
    assert_eq!(result.document["synthetic"], true);
    let result: LoadResult = serde_json::from_value(result.document).unwrap();
    assert_eq!(result.rows, bench.bars("synthetic/DEMO/5m").len() as u64);
    assert_eq!((result.gap_count, result.rejected_count, result.quality.completeness), (0, 0, Some(1.0)));
    let totals = notebook.0.totals.lock().unwrap();
    assert_eq!(totals.first(), Some(&Some(result.rows)), "the total is known from the start");
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_rows_a_second_is_kept() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    let start = tokio::time::Instant::now();
    bench.load(params(json!({"rows_per_second": 500}))).await;
    let seconds = start.elapsed().as_secs_f64();
    assert!((2.95..3.5).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn the_form_of_the_kind_offers_the_sources_and_symbols_that_there_are() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", "");
    bench.csv("BRK.B_1d.csv", "");
    let kind = DataLoad::new(bench.config.clone()).unwrap().kind();
    let form = Form::from_schema(&kind.params).unwrap();
    let field = |name: &str| form.fields.iter().find(|f| f.name == name).unwrap();
    assert_eq!(field("symbol").examples, ["A", "BRK.B"]);
    assert!(form.fields.iter().all(|f| !f.help.is_empty()), "every field has its help");
    let required: Vec<_> = form.fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    assert_eq!(required, ["symbol"]);
    let filled = form.check(&json!({"symbol": "A"})).unwrap();
    // Seed and years apply to synthetic bars only.
    let expected = json!({"symbol": "A", "timeframe": "1h", "source": "files", "mode": "full"});
    assert_eq!(filled, expected);
    assert_eq!(kind.summary.fill(&filled), "A 1h · files · full");
    let errors = form
        .check(&json!({"symbol": "A", "source": "web", "mode": "x", "start": "soon", "years": 0}))
        .unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
    serde_json::from_value::<LoadParams>(filled).unwrap();
}

#[tokio::test]
async fn health_names_the_folder_that_is_missing() {
    let bench = Bench::new();
    let mut config = bench.config.clone();
    config.sources.push(SourceConfig::Csv {
        name: "gone".into(),
        folder: bench.root.path().join("gone"),
        options: TextOptions::default(),
    });
    let checks = DataLoad::new(config).unwrap().health().await;
    let states: Vec<_> = checks.iter().map(|c| (c.name.as_str(), c.ok)).collect();
    assert_eq!(states, [("data folder", true), ("source files", true), ("source gone", false)]);
    assert!(checks[2].message.starts_with("Cannot read "));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    /// A load that is cancelled and resumed at any points ends like an uninterrupted one.
    #[test]
    fn cancelled_and_resumed_anywhere_a_load_ends_as_an_uninterrupted_one(
        cancels in proptest::collection::vec(0u64..40, 1..6), synthetic: bool, mode in 0usize..3, stored: bool
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mode = ["full", "tail", "backfill"][mode];
            let (params, below) = if synthetic {
                (json!({"symbol": "A", "source": "synthetic", "timeframe": "30m", "mode": mode, "years": 0.6}), "synthetic/A/30m")
            } else {
                (params(json!({"mode": mode})), "files/A/1h")
            };
            let mut ends = Vec::new();
            for cancels in [&[][..], &cancels[..]] {
                let bench = Bench::new();
                if stored {
                    // Bars are already stored.
                    bench.csv("A_1h.csv", &text(900..1300));
                    let mut first = params.clone();
                    first["mode"] = json!("full");
                    first["start"] = json!("2025-08-20");
                    first["end"] = json!("2025-09-12");
                    if !synthetic {
                        first.as_object_mut().unwrap().retain(|key, _| key != "start" && key != "end");
                    }
                    bench.load(first).await;
                }
                // Rejected rows lie on both sides of segment boundaries.
                let source = text(0..3000).replace("2021-01-02T00:00:00.000000Z", "2020-12-30T00:00:00Z").replace("2020-01-01T00", "2019-12-31T00").replace("2021-12-31T12:00:00.000000Z", "2021-12-31T12:00:00.000000").replace("2021-01-01T12:00:00.000000Z,10", "2021-01-01T12:00:00.000000Z,x");
                bench.csv("A_1h.csv", &source);
                let mut resume = None;
                let mut cancels = cancels.iter().map(|checks| Notebook::cancelling_after(*checks));
                let mut result = loop {
                    let notebook = cancels.next().unwrap_or_else(Notebook::new);
                    match bench.run(&notebook, params.clone(), resume.clone()).await {
                        Err(WorkError::Cancelled) => {}
                        Ok(result) => break result,
                        Err(e) => panic!("{e}"),
                    }
                    resume = notebook.last_checkpoint().map(|(_, state)| state).or(resume);
                };
                result.folder = String::new();
                ends.push((bench.bars(below), result));
            }
            prop_assert_eq!(&ends[0].0, &ends[1].0);
            prop_assert_eq!(&ends[0].1, &ends[1].1);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn bars_whose_volume_is_not_known_are_loaded_and_counted() {
    let bench = Bench::new();
    let without: String = text(0..40)
        .lines()
        .enumerate()
        .map(|(i, line)| match (i, line.rsplit_once(',')) {
            (0, _) | (_, None) => format!("{line}\n"),
            (_, Some((rest, _))) => format!("{rest},{}\n", ["-1", "", "NaN"][i % 3]),
        })
        .collect();
    let no_column =
        text(0..40).lines().map(|l| l.rsplit_once(',').unwrap().0.to_owned() + "\n").collect::<String>();
    for text in [without, no_column] {
        bench.csv("A_1h.csv", &text);
        let notebook = Notebook::new();
        let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
        assert_eq!((result.rows, result.rejected_count), (40, 0));
        assert_eq!((result.quality.unknown_volume, result.quality.zero_volume), (40, 0));
        assert!(bench.bars("files/A/1h").iter().all(|b| b.volume.is_none()));
        assert!(notebook.log().contains("Volume unknown for all 40 bars"), "{}", notebook.log());
    }
}

/// Real files next to the project, if they exist.
fn shared() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.join("MSFT_1h.csv").exists() {
        return Some(data);
    }
    println!("skipped: there is no folder of real market data beside the project");
    None
}

#[tokio::test]
async fn real_files_are_loaded_wholly() {
    let Some(data) = shared() else { return };
    let bench = Bench::on(tempfile::tempdir().unwrap(), data.clone());
    for (symbol, timeframe) in [("MSFT", "1h"), ("MSFT", "1m"), ("NVDA", "1h"), ("GOOGL", "1d")] {
        let text = fs::read_to_string(data.join(format!("{symbol}_{timeframe}.csv"))).unwrap();
        let lines: Vec<&str> = text.lines().skip(1).filter(|l| !l.trim().is_empty()).collect();
        let notebook = Notebook::new();
        let started = std::time::Instant::now();
        let result =
            bench.run(&notebook, json!({"symbol": symbol, "timeframe": timeframe}), None).await.unwrap();
        let took = started.elapsed();
        assert_eq!(result.rows, lines.len() as u64);
        assert_eq!(result.rejected_count, 0);
        if (symbol, timeframe) == ("MSFT", "1h") {
            assert_eq!(result.rows, 20_758);
        }
        // Values as parsed by an independent reader.
        let bars = bench.bars(&format!("files/{symbol}/{timeframe}"));
        for (bar, line) in bars.iter().zip(&lines) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(bar.time, at(&fields[0].replace(' ', "T")));
            let values: Vec<f64> = fields[1..6].iter().map(|f| f.parse().unwrap()).collect();
            assert_eq!([bar.open, bar.high, bar.low, bar.close, bar.volume.unwrap()], values[..]);
        }
        println!("{symbol} {timeframe} in {took:?}\n{}", notebook.log());
        let request = bench.request(json!({"symbol": symbol, "timeframe": timeframe}));
        let set = super::super::dataset::DataSet::new(
            &bench.config.folder,
            "files",
            request.symbol,
            request.timeframe,
        );
        let started = std::time::Instant::now();
        let candles = candles::candles(&set, Range::default(), 1_000).unwrap().unwrap();
        println!("{} candles of {} bars in {:?}", candles.t.len(), candles.bars, started.elapsed());
        assert_eq!(candles.bars, result.rows);
        let gaps: Vec<_> = result.gaps.iter().map(|g| format!("{} .. {} {}", g.from, g.to, g.bars)).collect();
        println!("{}\n{:?}", gaps.join("\n"), result.quality);
    }
}

#[tokio::test]
async fn a_source_that_is_asked_again_says_so_in_the_log() {
    let mut bench = Bench::new();
    let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n".to_owned();
    bench.config.sources.push(answers(vec![busy, with_length(&text(0..300))]).await);
    let notebook = Notebook::new();
    bench.run(&notebook, params(json!({"source": "web"})), None).await.unwrap();
    let note = "Source 'web' returned 503 Service Unavailable, next try in 0.0 s (2 of 3)";
    assert!(notebook.log().contains(note), "{}", notebook.log());
}

#[tokio::test]
async fn a_preview_says_whether_a_zone_is_needed_and_counts_rows() {
    let bench = Bench::new();
    let row = "1,2,1,1,5\n";
    for (text, zone, expected) in [
        (
            format!("time,open,high,low,close,volume\n1709562600,{row}"),
            "",
            "not needed: times since 1970 are UTC",
        ),
        (
            format!("time,open,high,low,close,volume\n1709562600,{row}"),
            "Asia/Tokyo",
            "Asia/Tokyo (selected) is not used: times since 1970 are UTC",
        ),
        (
            format!("time,open,high,low,close,volume\n2024-03-04T09:30:00-05:00,{row}"),
            "",
            "not needed: each time has its zone",
        ),
        (
            format!("time,open,high,low,close,volume\n2024-03-04 09:30,{row}"),
            "Asia/Tokyo",
            "Asia/Tokyo (selected)",
        ),
    ] {
        bench.csv("A_30m.csv", &text);
        let request = bench.request(params(json!({"timeframe": "30m", "time_zone": zone})));
        let preview = source::preview(&request).await;
        let fact = |label: &str| preview.facts.iter().find(|f| f.label == label).unwrap().value.as_str();
        assert_eq!((fact("Time zone"), fact("Rows")), (expected, "1 row"));
    }
}
