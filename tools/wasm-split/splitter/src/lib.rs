//! The splitter of `wasm_split_cli_support`, with small parts merged.
//!
//! The library makes a part of each set of users of a function. With the sections of this page, that are more than
//! 1,000 parts, most of them smaller than 2 kB. `build.rs` adds `merge.rs` to its source, which is compiled here.
#![allow(
    warnings,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "the source is that of a library"
)]

include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));
