//! Pressure of the machine, for waits that the kernel does not count per process.

use crate::parse;
use crate::proc_file::ProcFile;

/// Time in which some task of the machine waited, in seconds since its start.
pub(crate) struct MachinePressure {
    memory: ProcFile,
    io: ProcFile,
}

impl Default for MachinePressure {
    fn default() -> Self {
        let file = |name: &str| ProcFile::new(format!("/proc/pressure/{name}"));
        Self { memory: file("memory"), io: file("io") }
    }
}

impl MachinePressure {
    /// Time in which some task waited for memory; `None` if the kernel does not measure it.
    pub fn memory(&mut self) -> Option<f64> {
        some(&mut self.memory)
    }

    /// Time in which some task waited for a disk.
    pub fn io(&mut self) -> Option<f64> {
        some(&mut self.io)
    }
}

/// Seconds in which some task waited, of a pressure file.
pub(crate) fn some(file: &mut ProcFile) -> Option<f64> {
    Some(parse::pressure(file.read()?).some? as f64 / 1e6)
}
