//! Durable, atomic writes of files and folders: a reader sees the old content or the new one, never a part.

mod atomic_file;
mod folder;

pub use atomic_file::{AtomicFile, PART};
pub use folder::{probe, replace_folder};
