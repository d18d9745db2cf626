//! Settings of every HTTP client of Signalbox: to hosts, to the server, to sources of data, to webhooks.
//!
//! Knows: which certificates are trusted, which services are reached by a proxy, and why a connection failed, as
//! sentences. Must not know: what is requested, retries, limits of responses.
//!
//! [`builder`] and [`builder_for`] make clients of reqwest; [`Tls::client_config`] is for clients of hyper.
//! Certificates of the system are read when the first service shows its certificate, so a client of `http://` pays
//! nothing for them. A certificate that is not trusted ends the connection; nothing switches that off.

mod client;
mod error;
mod problem;
mod proxy;
mod tls;
mod verifier;

pub use client::{builder, builder_for};
pub use error::{causes, find, root_cause};
pub use problem::{TlsProblem, connect_problem, problem_of};
pub use proxy::{Proxies, ProxyFailed};
pub use tls::{Tls, TlsFileError, TlsFiles};
