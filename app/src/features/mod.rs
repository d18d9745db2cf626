//! Features that several pages show.

pub mod curves;
pub mod params;
