//! For tests of TLS: a CA of its own that issues certificates into files, and TLS in front of a service on loopback.
//! Not shipped. All of it panics instead of returning errors.

mod ca;
mod front;

pub use ca::{Ca, Certificate, Validity};
pub use front::{TlsFront, server_config};
