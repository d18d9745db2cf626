//! File of /proc that stays open: reading it again costs one system call.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Size of the first buffer in bytes.
const INITIAL_BYTES: usize = 4096;
/// Largest size of a file that is read; larger ones count as unreadable.
const MAX_BYTES: usize = 4 << 20;

/// File whose content the kernel writes again for each read.
pub(crate) struct ProcFile {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl ProcFile {
    /// File at a path; opened when it is first read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: None, buffer: vec![0; INITIAL_BYTES] }
    }

    /// Current content. `None` if the file is missing, unreadable or no text.
    pub fn read(&mut self) -> Option<&str> {
        if self.file.is_none() {
            self.file = Some(File::open(&self.path).ok()?);
        }
        let length = match fill(self.file.as_ref()?, &mut self.buffer) {
            Some(length) => length,
            None => {
                // The file may be replaced, such as the one of a cgroup: opened again by the next read.
                self.file = None;
                return None;
            }
        };
        std::str::from_utf8(&self.buffer[..length]).ok()
    }
}

/// Reads from the start. A file that fills the buffer is read again with a larger one, because its content may change
/// between two reads.
fn fill(file: &File, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        let mut length = 0;
        loop {
            match file.read_at(&mut buffer[length..], length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        if length < buffer.len() {
            return Some(length);
        }
        if buffer.len() >= MAX_BYTES {
            return None;
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_larger_than_the_buffer_is_read_completely_and_a_changed_one_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stat");
        let mut file = ProcFile::new(&path);
        assert_eq!(file.read(), None, "it does not exist yet");
        let long = "x".repeat(3 * INITIAL_BYTES);
        std::fs::write(&path, &long).unwrap();
        assert_eq!(file.read(), Some(long.as_str()));
        std::fs::write(&path, "short").unwrap();
        assert_eq!(file.read(), Some("short"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(file.read(), None);
    }
}
