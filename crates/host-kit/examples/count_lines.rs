//! Host with one kind: `text.count` counts the lines of all files in a folder. This is the program of docs/hosts.md.

use signalbox_host_kit::protocol::host::ResultDoc;
use signalbox_host_kit::protocol::{
    FieldError, KeyFigure, KindName, KindSpec, LogLevel, SeriesInfo, Summary,
};
use signalbox_host_kit::{CancellationToken, Context, Host, Work, WorkError, async_trait, params_schema};
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// Parameters of `text.count`. The form, its help and its checks are made from this struct.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Params {
    /// Folder with the files to count.
    pub folder: PathBuf,
    /// Largest number of files; empty for all.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub most: Option<u32>,
}

pub struct CountLines;

#[async_trait]
impl Work for CountLines {
    type Params = Params;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("text.count").expect("valid kind name"),
            title: "Count lines".into(),
            description: "Counts the lines of all files in a folder.".into(),
            summary: Summary("{folder}".into()),
            params: params_schema::<Params>(),
            phases: vec!["look".into(), "count".into()],
            series: vec![SeriesInfo {
                name: "lines".into(),
                title: "Lines so far".into(),
                unit: "lines".into(),
                x: "file".into(),
            }],
            resumable: true,
        }
    }

    // Checks what a schema can't express. The message appears at the field, before anything starts.
    fn check(&self, params: &Params) -> Result<(), Vec<FieldError>> {
        if params.folder.is_dir() {
            return Ok(());
        }
        let message = format!("There is no folder {} on this host.", params.folder.display());
        Err(vec![FieldError::new("folder", message)])
    }

    async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
        // Reading files blocks, so it runs on a blocking thread, with the context.
        let counting = tokio::task::spawn_blocking(move || count(&ctx, &params));
        counting.await.map_err(|e| WorkError::failed(e.to_string(), "This is a bug in the host."))?
    }
}

fn count(ctx: &Context, params: &Params) -> Result<ResultDoc, WorkError> {
    // Finding the files takes almost no time.
    ctx.phase_weights(&[0.0, 1.0]);
    ctx.phase(1, "look");
    let files = files_of(&params.folder, params.most)?;
    ctx.phase(2, "count");
    ctx.set_total("files", Some(files.len() as u64));
    // An earlier attempt may have left a checkpoint: number of files done, and their lines.
    let (done, mut lines) = match ctx.resume_from() {
        Some(checkpoint) => serde_json::from_value(checkpoint.state.clone()).unwrap_or((0, 0)),
        None => (0, 0),
    };
    for (n, file) in files.iter().enumerate().skip(done) {
        // Returns an error if cancelled, which ends the work.
        ctx.check()?;
        ctx.message(file.display().to_string());
        match lines_of(file) {
            Ok(counted) => lines += counted,
            Err(error) => ctx.log(LogLevel::Warn, format!("skipping {}: {error}", file.display())),
        }
        ctx.set_done(n as u64 + 1);
        ctx.point("lines", n as f64 + 1.0, lines as f64);
        ctx.checkpoint(format!("{} of {} files", n + 1, files.len()), serde_json::json!([n + 1, lines]))?;
    }
    let document = serde_json::json!({"files": files.len(), "lines": lines});
    let figures = vec![KeyFigure::new("Lines", lines as f64, "")];
    Ok(ResultDoc { document, figures, ..ResultDoc::default() })
}

fn files_of(folder: &Path, most: Option<u32>) -> Result<Vec<PathBuf>, WorkError> {
    let entries = std::fs::read_dir(folder).map_err(|e| {
        WorkError::failed(format!("{} can't be read: {e}.", folder.display()), "Check its permissions.")
    })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_file()).collect();
    // The checkpoint depends on a fixed order.
    files.sort();
    files.truncate(most.map_or(usize::MAX, |n| n as usize));
    Ok(files)
}

fn lines_of(file: &Path) -> std::io::Result<u64> {
    let mut lines = 0;
    for line in std::io::BufReader::new(std::fs::File::open(file)?).split(b'\n') {
        line?;
        lines += 1;
    }
    Ok(lines)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::builder("text-host", "1.0").capacity(4).work(CountLines).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:7310").await?;
    println!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.cancel();
        }
    });
    host.serve(listener, stop).await?;
    Ok(())
}
