//! For tests: the stored inputs of the fuzz targets.
//!
//! Each crate runs the inputs of its own targets in its tests. An input that once broke a parser is therefore tested
//! from then on, also where nobody fuzzes.

use std::fs;
use std::path::Path;

/// Calls `check` with each input of a target, which are the files in `fuzz/corpus/TARGET`.
///
/// # Panics
/// If there is no input, or `check` panics. The output of the test then ends with the name of the file.
pub fn each(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let input = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        println!("{}", file.display());
        check(&input);
    }
}
