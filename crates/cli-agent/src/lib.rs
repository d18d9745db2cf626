//! Agent of the command line: a process of the user that keeps the connections to one server between commands, and a
//! copy of its newest operations that follows the feed.
//!
//! Knows: the socket and who may use it, the protocol on it, which answers the copy can give and how old they are. Must
//! not know: arguments, text for a terminal, the engine, the store.
//!
//! A command uses [`Agent`] as the transport of its client. [`serve()`] is the agent itself. Both find each other by a
//! [`Place`], which depends on the user, the server and how it is reached, the token and the build.

#![cfg(unix)]

mod answers;
mod caller;
mod feed;
mod place;
mod replica;
mod serve;
mod wire;

pub use caller::{Agent, Agents, Reads, status, stop};
pub use place::{Destination, Place, PlaceError, program, stops};
pub use serve::{Limits, ServeError, serve};
pub use wire::Status;
