//! The launcher itself: a process with one thread that restricts itself, and then becomes the command.

use super::launch::ARGUMENT;
use super::message::{Failure, Part, Reply, Request};
use super::{capabilities, files, network, system_calls};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Runs the request on standard input. Returns only if no program has begun.
pub(super) fn run() -> ExitCode {
    let (mut channel, request) = match request() {
        Ok(Some(request)) => request,
        // The host gave up.
        Ok(None) => return ExitCode::FAILURE,
        Err(e) => {
            let _ = writeln!(io::stderr(), "signalbox: only the exec host starts '{ARGUMENT}': {e}");
            return ExitCode::FAILURE;
        }
    };
    let reply = match begin(request) {
        Ok(()) => Reply::Possible,
        Err(failure) => Reply::Failed(failure),
    };
    // Without a host, the reply has no reader.
    let _ = serde_json::to_vec(&reply).map(|reply| channel.write_all(&reply));
    ExitCode::FAILURE
}

/// Takes the socket off standard input, which becomes empty, and reads the request.
fn request() -> io::Result<Option<(UnixStream, Request)>> {
    use rustix::fs::{FileType, fstat};
    let input = rustix::stdio::stdin();
    if FileType::from_raw_mode(fstat(input)?.st_mode) != FileType::Socket {
        return Err(io::Error::other("standard input is not a socket"));
    }
    // Closed when the program begins.
    let mut channel = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(input, 3)?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    let mut request = Vec::new();
    channel.read_to_end(&mut request)?;
    if request.is_empty() {
        return Ok(None);
    }
    Ok(Some((channel, serde_json::from_slice(&request)?)))
}

/// Applies all restrictions. The order matters: paths are opened with the permissions of the host, namespaces need
/// capabilities, and each later step is possible within the limits of the earlier ones.
fn begin(Request { rules, program }: Request) -> Result<(), Failure> {
    let failed = |part| move |why: String| Failure::new(part, why);
    let files = files::ruleset(&rules, program.as_ref().map(|program| program.path.as_os_str()))
        .map_err(failed(Part::Files))?;
    let filters =
        system_calls::filters(rules.network, rules.unix_sockets).map_err(failed(Part::SystemCalls))?;
    network::restrict(rules.network).map_err(failed(Part::Network))?;
    capabilities::remove().map_err(|e| Failure::new(Part::Capabilities, e))?;
    files::restrict(files).map_err(failed(Part::Files))?;
    for filter in filters {
        seccompiler::apply_filter(&filter).map_err(|e| Failure::new(Part::SystemCalls, e))?;
    }
    let Some(program) = program else { return Ok(()) };
    if let Some(bytes) = program.address_space {
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        setrlimit(Resource::As, limit).map_err(|e| Failure::new(Part::Launcher, e))?;
    }
    let error = Command::new(&program.path).args(program.args).env_clear().envs(program.env).exec();
    Err(Failure::new(Part::Program, error))
}
