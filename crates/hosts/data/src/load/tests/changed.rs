//! Sources that change during the read.

use super::*;

/// Prices identify the version of the file.
fn at_price(bars: std::ops::Range<i64>, price: u32) -> String {
    let [high, low] = [price + 1, price - 1];
    let row = |i: i64| {
        let time = at("2019-07-01T00:00:00Z").plus_micros(i * 12 * 3_600_000_000);
        format!("{time},{price},{high},{low},{price},5\n")
    };
    HEADER.to_owned() + &bars.map(row).collect::<String>()
}

/// Writes a file with an old timestamp, because file system clocks are coarse.
fn write_long_ago(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
}

/// Changes the source when a message arrives, a limited number of times.
#[derive(Clone)]
struct Meddler {
    notebook: Notebook,
    when: &'static str,
    left: Arc<AtomicU64>,
    what: Arc<dyn Fn() + Send + Sync>,
}

impl Meddler {
    fn new(when: &'static str, times: u64, what: impl Fn() + Send + Sync + 'static) -> Self {
        Self { notebook: Notebook::new(), when, left: Arc::new(AtomicU64::new(times)), what: Arc::new(what) }
    }
}

impl Report for Meddler {
    fn token(&self) -> &CancellationToken {
        self.notebook.token()
    }
    fn phase(&self, index: u32, name: &str) {
        self.notebook.phase(index, name);
    }
    fn phase_weights(&self, weights: &[f64]) {
        self.notebook.phase_weights(weights);
    }
    fn items(&self, unit: &str, total: Option<u64>) {
        self.notebook.items(unit, total);
    }
    fn done(&self, done: u64) {
        self.notebook.done(done);
    }
    fn message(&self, text: String) {
        let left = self.left.load(Ordering::SeqCst);
        if left > 0 && text.starts_with(self.when) {
            self.left.store(left - 1, Ordering::SeqCst);
            (self.what)();
        }
    }
    fn point(&self, series: &str, x: f64, y: f64) {
        self.notebook.point(series, x, y);
    }
    fn log(&self, level: LogLevel, text: String) {
        Report::log(&self.notebook, level, text);
    }
    fn checkpoint(&self, note: String, state: Value) -> bool {
        Report::checkpoint(&self.notebook, note, state)
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_written_during_the_load_stores_nothing() {
    for mode in ["full", "tail", "backfill"] {
        for when in ["Writing 2019", "Reading 2020", "Reading 2023"] {
            let bench = Bench::new();
            let path = bench.root.path().join("csv/A_1h.csv");
            write_long_ago(&path, &at_price(0..3000, 100));
            let (to, text) = (path.clone(), at_price(0..3000, 200));
            let meddler = Meddler::new(when, 1, move || fs::write(&to, &text).unwrap());
            let request = bench.request(params(json!({"mode": mode})));
            let ended = run::load(meddler.clone(), &bench.config.folder, Arc::new(LocalDisk), request, None)
                .await
                .unwrap();
            let result: LoadResult = serde_json::from_value(ended.document).unwrap();
            assert_eq!((result.rows, result.rows_written), (3000, 3000), "{mode}, {when}");
            assert!(bench.bars("files/A/1h").iter().all(|b| b.close == 200.0), "{mode}, {when}");
            let log = meddler.notebook.log();
            assert!(log.contains("changed during the read"), "{mode}, {when}: {log}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_truncated_during_the_load_removes_no_stored_bar() {
    let bench = Bench::new();
    let path = bench.root.path().join("csv/A_1h.csv");
    write_long_ago(&path, &at_price(0..3000, 100));
    bench.load(params(json!({}))).await;
    let to = path.clone();
    let meddler = Meddler::new("Reading 2020", 1, move || fs::write(&to, "").unwrap());
    let request = bench.request(params(json!({})));
    let ended = run::load(meddler, &bench.config.folder, Arc::new(LocalDisk), request, None).await;
    let Err(WorkError::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.message.ends_with("A_1h.csv is empty."), "{}", failure.message);
    assert_eq!(bench.bars("files/A/1h").len(), 3000);

    // A file that is rewritten during each read fails the load and removes nothing.
    write_long_ago(&path, &at_price(0..3000, 100));
    let (to, written) = (path.clone(), AtomicU64::new(0));
    let meddler = Meddler::new("Reading 2020", 99, move || {
        let rows = 2_000 - written.fetch_add(1, Ordering::SeqCst) as i64;
        fs::write(&to, at_price(0..rows, 100)).unwrap();
    });
    let request = bench.request(params(json!({})));
    let ended = run::load(meddler, &bench.config.folder, Arc::new(LocalDisk), request, None).await;
    let Err(WorkError::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.message.contains("changed during the read, 3 times"), "{}", failure.message);
    assert_eq!(bench.bars("files/A/1h").len(), 3000);
}

#[tokio::test(start_paused = true)]
async fn a_file_replaced_during_the_load_is_read_again() {
    let bench = Bench::new();
    let path = bench.root.path().join("csv/A_1h.csv");
    write_long_ago(&path, &at_price(0..2000, 100));
    let (to, text) = (path.clone(), at_price(0..2500, 200));
    let meddler = Meddler::new("Reading 2020", 1, move || {
        fs::write(to.with_extension("new"), &text).unwrap();
        fs::rename(to.with_extension("new"), &to).unwrap();
    });
    let request = bench.request(params(json!({})));
    run::load(meddler, &bench.config.folder, Arc::new(LocalDisk), request, None).await.unwrap();
    let bars = bench.bars("files/A/1h");
    assert!(bars.len() == 2500 && bars.iter().all(|b| b.close == 200.0));
}
