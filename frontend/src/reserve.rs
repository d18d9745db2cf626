//! Room in the module's data for the splitter, which moves the data of each part into that part.
//!
//! The parts' data is aligned, so all of it together is longer than before. The splitter only moves it if it still fits
//! into the space of the module's data; otherwise all texts and tables are in the shared part. These values take up
//! space there and are used by no function, so the splitter leaves them out.

use std::sync::atomic::AtomicU64;

/// Among the constants, whose parts take some kilobytes more. Not zero: zeros are not stored in the module.
#[used]
static CONSTANTS: [u64; 4096] = [1; 4096];

/// Among the variables with an initial value.
#[used]
static VARIABLES: [AtomicU64; 128] = [const { AtomicU64::new(1) }; 128];
