//! Host that reports progress at a fixed interval; each report contains the time of its call. The benchmarks compare
//! that time with the time at which the page or a reader of the feed gets the report.

use host_kit::Host;
use signalbox_bench::tick::Tick;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let host =
        Host::builder("ticking-host", env!("CARGO_PKG_VERSION")).capacity(100_000).work(Tick).build()?;
    let listener = TcpListener::bind(&listen).await?;
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
