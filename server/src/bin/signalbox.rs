//! The program `signalbox`: runs the commands for a running server, and passes everything else (`serve`, `host`, help,
//! completion, invalid arguments) to `signalbox-server` in the same folder.
//!
//! There are two programs because the start of a program takes longer the larger it is: before `main`, the system
//! relocates every table of pointers, and the server has more than 100,000 pointers (docs/performance.md).

use clap::Parser;
use clap::error::ErrorKind;
use std::process::{Command, ExitCode};

/// Program for everything else, in the same folder.
const SERVER: &str = "signalbox-server";

#[derive(Parser)]
#[command(name = "signalbox", version)]
struct Cli {
    #[command(subcommand)]
    command: cli::Command,
}

fn main() -> ExitCode {
    if cli::complete::is_asked() {
        return pass_on(None);
    }
    match Cli::try_parse() {
        Ok(cli) => cli::execute(cli.command),
        Err(version) if version.kind() == ErrorKind::DisplayVersion => cli::explain(&version),
        Err(failure) => pass_on(Some(&failure)),
    }
}

/// Runs the server program with the same arguments. If it can't be started, prints the help or the wrong arguments
/// (`failure`) of a command that is in this program, or says what is missing.
fn pass_on(failure: Option<&clap::Error>) -> ExitCode {
    let (program, error) = match std::env::current_exe() {
        Ok(own) => {
            let program = own.with_file_name(SERVER);
            let mut command = Command::new(&program);
            command.args(std::env::args_os().skip(1)).env(cli::COMMAND_VERSION, env!("CARGO_PKG_VERSION"));
            match run(command) {
                Ok(exit) => return exit,
                Err(error) => (program, error),
            }
        }
        Err(error) => (SERVER.into(), error),
    };
    match failure {
        Some(failure) if failure.kind() != ErrorKind::InvalidSubcommand => cli::explain(failure),
        _ => {
            let error = anyhow::anyhow!(
                "{} can't be started: {error}. Commands such as `serve` need this program. Install it in the folder of \
                 `signalbox`, from the same version.",
                program.display()
            );
            cli::fail(&error, ExitCode::from(cli::TROUBLE))
        }
    }
}

/// Replaces this process with the command's; returns only if that fails.
#[cfg(unix)]
fn run(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    // Help names the program as the user called it.
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    Err(command.exec())
}

/// Runs the command and returns its exit code.
#[cfg(not(unix))]
fn run(mut command: Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
