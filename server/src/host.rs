//! `signalbox host`: the bundled hosts as a service.

use crate::config::TextArgs;
use crate::host_lock::HostLock;
use crate::host_tokens::TokenFile;
use crate::models::Trained;
use anyhow::Context;
use backtest_host::{BacktestConfig, BacktestRun};
use data_host::{DataConfig, DataLoad, SourceConfig, TextOptions};
use exec_host::{Launcher, Owner};
use host_kit::{Host, HostTokens};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use training_host::{ModelStore, TrainingConfig, TrainingRun};

/// Arguments of `signalbox host`.
#[derive(clap::Args)]
pub struct HostArgs {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, default_value = "127.0.0.1:7301", env = "SIGNALBOX_HOST_LISTEN")]
    listen: SocketAddr,
    /// Folder for data sets, models, results and checkpoints. Only one host at a time can use it [default: the folder
    /// `hosts` in the platform's data folder of signalbox]
    #[arg(long, env = "SIGNALBOX_HOST_DATA")]
    data: Option<PathBuf>,
    /// Folder with SYMBOL_TIMEFRAME.csv files to load from [default: csv in the folder of --data]
    #[arg(long, env = "SIGNALBOX_CSV")]
    csv: Option<PathBuf>,
    /// URL template of an HTTP source of CSV data, with {symbol}, {timeframe}, {start} and {end}
    #[arg(long, env = "SIGNALBOX_HTTP_SOURCE")]
    http_source: Option<String>,
    #[command(flatten)]
    texts: TextArgs,
    /// File (TOML) of commands to offer as kinds `exec.<name>`; see docs/exec.md
    #[arg(long, env = "SIGNALBOX_EXEC")]
    exec: Option<PathBuf>,
    /// Maximum number of parallel operations
    #[arg(long, default_value_t = 8)]
    capacity: u32,
    /// Token that the server must send. Addresses other than loopback require --token or --token-file
    #[arg(long, env = "SIGNALBOX_HOST_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// File with tokens, one per line, of which the server must send one. The host reads the file again when it changes
    #[arg(long, env = "SIGNALBOX_HOST_TOKEN_FILE", value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// Log each request: method, path, status, latency and client
    #[arg(long, env = "SIGNALBOX_HOST_ACCESS_LOG")]
    access_log: bool,
    /// File to which the host writes its URL once it is ready
    #[arg(long)]
    ready_file: Option<PathBuf>,
    /// Stop when standard input is closed, because the parent process is gone
    #[arg(long, hide = true)]
    with_parent: bool,
    /// The host was started by a server, which may end it
    #[arg(long, hide = true)]
    bundled: bool,
}

/// Runs the bundled hosts until asked to stop.
pub async fn host(args: HostArgs) -> anyhow::Result<()> {
    if args.token.is_none() && args.token_file.is_none() && !args.listen.ip().is_loopback() {
        anyhow::bail!(
            "{} is reachable from other machines, so anyone on the network could start operations. \
             Set a token with --token, --token-file or SIGNALBOX_HOST_TOKEN, or listen on 127.0.0.1",
            args.listen
        );
    }
    let data = args
        .data
        .or_else(|| crate::config::default_data().map(|d| d.join("hosts")))
        .context("no home folder found for the data. Set a folder with --data FOLDER")?;
    // Before the host announces itself, and before it waits for another one.
    let signal = crate::stop_signal();
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = signal => {}
            () = parent_gone(), if args.with_parent => {}
        }
        stopping.cancel();
    });
    // Before anything in the folder is touched.
    let lock = tokio::select! {
        lock = HostLock::take(&data, args.bundled) => lock?,
        () = stop.cancelled() => return Ok(()),
    };
    let owner = Owner::of(&lock.metadata()?);
    end_leftovers(owner.clone()).await?;
    let bars = data.join("bars");
    let load = DataLoad::new(DataConfig {
        folder: bars.clone(),
        sources: sources(&data, args.csv, args.http_source, args.texts.options()?),
    })?;
    let token_file = args.token_file.map(TokenFile::open).transpose()?;
    let tokens = match &token_file {
        Some(file) => Some(file.tokens()),
        None => args.token.map(|token| HostTokens::new([token])),
    };
    let models = data.join("models");
    let mut host = Host::builder("signalbox-host", env!("CARGO_PKG_VERSION"))
        .capacity(args.capacity)
        .tokens(tokens)
        .access_log(args.access_log)
        .checkpoints(data.join("checkpoints"))
        .watch_folder("data", &data)
        .work(load)
        .work(TrainingRun::new(TrainingConfig { bars: bars.clone(), models: models.clone() }))
        .work(BacktestRun::new(BacktestConfig {
            bars,
            results: data.join("backtests"),
            models: Some(Arc::new(Trained(ModelStore::new(models)))),
        }));
    for command in commands(args.exec.as_deref(), owner)? {
        host = host.work(command);
    }
    let host = host.build()?;
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!(
            "can't listen on {}. Another program may use that port; choose another port with --listen",
            args.listen
        )
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!(%url, instance = %host.instance(), "bundled hosts started");
    if let Some(path) = args.ready_file {
        crate::serve::write_ready(&path, &url)?;
    }
    if let Some(file) = token_file {
        tokio::spawn(file.reload(stop.clone()));
    }
    host.serve(listener, stop).await?;
    Ok(())
}

/// Ends processes of commands that were left running when a host was killed.
async fn end_leftovers(owner: Owner) -> anyhow::Result<()> {
    match tokio::task::spawn_blocking(move || owner.end_leftovers()).await? {
        Ok(0) => {}
        Ok(processes) => {
            tracing::warn!(
                processes,
                "killed processes of commands that were left running before this host started"
            )
        }
        Err(pids) => tracing::error!(
            ?pids,
            "processes of commands that were left running before this host started can't be killed; they are blocked in \
             the kernel, for example by an unresponsive drive"
        ),
    }
    Ok(())
}

/// Commands of a file; relative folders in it are relative to the file's folder.
fn commands(file: Option<&Path>, owner: Owner) -> anyhow::Result<Vec<exec_host::ExecWork>> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("can't read the commands in {shown}; check the path and the permissions of the file")
    })?;
    let mistake = || format!("{shown} is invalid; see docs/exec.md for the keys");
    let config = exec_host::ExecConfig::from_toml(&text).with_context(mistake)?;
    let folder = std::path::absolute(path)?.parent().map(Path::to_owned).unwrap_or_default();
    exec_host::works(&config, &folder, owner, Launcher::default()).with_context(mistake)
}

/// Data sources, with explicit ones first; even a new installation has data to load.
fn sources(
    data: &Path,
    csv: Option<PathBuf>,
    http: Option<String>,
    (of_csv, of_http): (TextOptions, TextOptions),
) -> Vec<SourceConfig> {
    let mut sources = Vec::new();
    let own_csv = csv.is_none();
    let folder = csv.unwrap_or_else(|| data.join("csv"));
    let csv = SourceConfig::Csv { name: "csv".into(), folder, options: of_csv };
    let synthetic = SourceConfig::Synthetic { name: "synthetic".into() };
    sources.push(if own_csv { synthetic.clone() } else { csv.clone() });
    sources.extend(http.map(|template| SourceConfig::Http {
        name: "http".into(),
        template,
        options: of_http,
    }));
    sources.push(if own_csv { csv } else { synthetic });
    sources
}

/// Returns when standard input ends.
async fn parent_gone() {
    use tokio::io::AsyncReadExt;
    let mut input = tokio::io::stdin();
    let mut buffer = [0u8; 64];
    while matches!(input.read(&mut buffer).await, Ok(n) if n > 0) {}
}
