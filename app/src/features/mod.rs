//! Features that several pages show.

pub mod curves;
