//! What a host author uses: implement [`Work`], get the whole host contract served under `/host/v1`.
//!
//! Knows: starting an attempt once, capacity, cancelling for real, the event feed by stream and by long poll,
//! results, health. May not know: what any work does, where the server is, or that there is one.
//!
//! A host that counts down, complete:
//!
//! ```
//! use signalbox_host_kit::protocol::{KindName, KindSpec, Summary, host::ResultDoc};
//! use signalbox_host_kit::{CancellationToken, Context, Host, Work, WorkError, async_trait, params_schema};
//! use std::time::Duration;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Params {
//!     /// From where to count.
//!     #[schemars(range(min = 1, max = 1000))]
//!     from: u32,
//! }
//!
//! struct Countdown;
//!
//! #[async_trait]
//! impl Work for Countdown {
//!     type Params = Params;
//!
//!     fn kind(&self) -> KindSpec {
//!         KindSpec {
//!             name: KindName::new("demo.countdown").expect("area.verb"),
//!             title: "Count down".into(),
//!             description: "Counts down to zero, one each millisecond.".into(),
//!             summary: Summary("from {from}".into()),
//!             params: params_schema::<Params>(),
//!             phases: vec![],
//!             series: vec![],
//!             resumable: false,
//!         }
//!     }
//!
//!     async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
//!         ctx.set_total("ticks", Some(params.from.into()));
//!         for tick in 1..=params.from {
//!             ctx.check()?;
//!             tokio::time::sleep(Duration::from_millis(1)).await;
//!             ctx.set_done(tick.into());
//!         }
//!         Ok(ResultDoc { document: serde_json::json!({"ticks": params.from}), ..ResultDoc::default() })
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::builder("demo", "1.0").capacity(2).work(Countdown).build()?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let base = format!("http://{}/host/v1", listener.local_addr()?);
//! let shutdown = CancellationToken::new();
//! let serving = tokio::spawn(host.serve(listener, shutdown.clone()));
//! # let client = https_client::builder(&https_client::Tls::default()).build().unwrap();
//! # let id = signalbox_host_kit::protocol::OperationId::new();
//! # let start = serde_json::json!({"id": id, "attempt": 1, "kind": "demo.countdown", "params": {"from": 3}});
//! # let accepted = client.post(format!("{base}/operations")).json(&start).send().await?;
//! # assert_eq!(accepted.status(), 202);
//! # let (mut after, mut ended) = (0, false);
//! # while !ended {
//! #     let poll = client.get(format!("{base}/events?after={after}&wait=10s")).send().await?;
//! #     let feed: signalbox_host_kit::protocol::host::HostEvents = poll.json().await?;
//! #     after = feed.events.last().expect("something happens within 10 s").seq;
//! #     ended = feed.events.iter().any(|e| matches!(e.body, protocol::host::HostEventBody::Ended { .. }));
//! # }
//! # let result = client.get(format!("{base}/operations/{id}/result")).send().await?;
//! # assert_eq!(result.json::<serde_json::Value>().await?["document"]["ticks"], 3);
//! shutdown.cancel();
//! serving.await??;
//! # Ok(())
//! # }
//! ```

// Host authors read the docs, without the private items.
#![warn(missing_docs, rustdoc::private_intra_doc_links)]

mod access;
mod attempt;
mod attempt_samples;
mod cancelled_starts;
mod checkpoint_store;
mod checkpoints;
mod context;
mod every_second;
mod feed;
mod health;
mod host;
mod life;
mod measured;
mod meter;
mod parse;
mod registry;
mod report;
mod routes;
mod sampling;
mod shared;
mod stream;
mod tokens;
mod usage;
mod work;
mod work_error;

pub use atomic_file::AtomicFile;
pub use checkpoint_store::SavedFile;
pub use context::{CheckpointBuilder, CheckpointError, Context};
pub use every_second::EverySecond;
pub use health::can_write;
pub use host::{BuildError, Host, HostBuilder};
pub use http_wire::ApiError;
pub use measured::counted;
pub use tokens::HostTokens;
pub use work::{Work, params_schema};
pub use work_error::WorkError;

pub use async_trait::async_trait;
pub use protocol;
pub use resources::Reading;
pub use resources::usage::ThreadGuard;
pub use tokio_util::sync::CancellationToken;
