//! Reads both output streams of a command to their ends.

use crate::lines::Lines;
use crate::output_parser::{OutputParser, OutputSummary};
use crate::progress_sink::ProgressSink;
use crate::stream::Stream;
use host_kit::CancellationToken;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::Instant;

/// Chunk size: the capacity of a pipe.
const PORTION: usize = 64 * 1024;

/// Passes output to the parser until both streams end or `deaf` fires. A command that writes faster than it is read
/// blocks, as with any pipe. Memory holds one chunk and one line per stream.
pub(crate) async fn listen<E: ProgressSink>(
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    mut output_parser: OutputParser<E>,
    deaf: CancellationToken,
) -> OutputSummary {
    let mut out = Source::new(Stream::Out, out);
    let mut err = Source::new(Stream::Err, err);
    while out.pipe.is_some() || err.pipe.is_some() {
        tokio::select! {
            () = deaf.cancelled() => break,
            read = read(&mut out.pipe, &mut out.portion), if out.pipe.is_some() => out.take(read, &mut output_parser),
            read = read(&mut err.pipe, &mut err.portion), if err.pipe.is_some() => err.take(read, &mut output_parser),
        }
    }
    for source in [&mut out.rest, &mut err.rest] {
        let (stream, lines) = source;
        lines.finish(|piece| output_parser.feed(*stream, &piece, Instant::now()));
    }
    output_parser.finish()
}

/// Output stream.
struct Source<P> {
    pipe: Option<P>,
    portion: Vec<u8>,
    rest: (Stream, Lines),
}

impl<P> Source<P> {
    fn new(stream: Stream, pipe: Option<P>) -> Self {
        Self { pipe, portion: vec![0; PORTION], rest: (stream, Lines::default()) }
    }

    fn take<E: ProgressSink>(&mut self, read: usize, output_parser: &mut OutputParser<E>) {
        let (stream, lines) = &mut self.rest;
        lines.push(&self.portion[..read], |piece| output_parser.feed(*stream, &piece, Instant::now()));
        if read == 0 {
            self.pipe = None;
        }
    }
}

/// Reads a chunk. 0 means the end, or a read error.
async fn read<P: AsyncRead + Unpin>(pipe: &mut Option<P>, portion: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(portion).await.unwrap_or(0),
        None => 0,
    }
}
