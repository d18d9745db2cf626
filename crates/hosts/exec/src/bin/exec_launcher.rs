//! Launcher of sandboxed commands for tests of the exec host: not shipped. Hosts start their own program as a launcher.

use std::process::ExitCode;

fn main() -> ExitCode {
    signalbox_exec_host::Launcher::entered().unwrap_or(ExitCode::FAILURE)
}
