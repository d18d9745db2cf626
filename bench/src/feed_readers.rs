//! Measures many readers of one stream of server-sent events: delivered events, deliveries per CPU second of the
//! serving processes, memory per idle reader, and the time until an event arrives.
//!
//!     feed-readers URL PID[,PID] READERS SECONDS
//!
//! An event that contains `called@` and a time (microseconds since 1970, 16 digits) was published at this time. Prints
//! one line of JSON. Linux only, because CPU time and memory are read from /proc.

use anyhow::{Context, bail};
use protocol::Time;
use signalbox_bench::Latencies;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Clock ticks per second of the CPU times in /proc; 100 on every current Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// One of this many readers measures when events arrive.
const TIMED_READERS: u64 = 20;
/// Digits of a time in microseconds since 1970.
const MICROS_DIGITS: usize = 16;

struct Counts {
    connected: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
    counting: AtomicBool,
    /// Milliseconds from publishing to arrival, of some readers.
    millis: Mutex<Vec<f64>>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, pids, readers, seconds] = args.as_slice() else {
        bail!("Usage: feed-readers URL PID[,PID] READERS SECONDS")
    };
    let readers: u64 = readers.parse()?;
    let seconds: f64 = seconds.parse()?;
    let pids: Vec<u32> = pids.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let rest = url.strip_prefix("http://").context("the URL must start with http://")?;
    let (authority, path) = rest.split_once('/').context("the URL must have a path")?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nAccept: text/event-stream\r\n\r\n");

    let before = memory(&pids)?;
    let counts = Arc::new(Counts {
        connected: AtomicU64::new(0),
        events: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        counting: AtomicBool::new(false),
        millis: Mutex::default(),
    });
    for n in 0..readers {
        let (authority, request, counts) = (authority.to_owned(), request.clone(), counts.clone());
        tokio::spawn(async move {
            let is_timed = n % TIMED_READERS == 0;
            if let Err(error) = read(&authority, &request, &counts, is_timed).await {
                eprintln!("reader {n}: {error:#}");
            }
        });
        if n % 50 == 49 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    while counts.connected.load(Ordering::Relaxed) < readers {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = memory(&pids)?;
    counts.counting.store(true, Ordering::Relaxed);
    let cpu = cpu(&pids)?;
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    counts.counting.store(false, Ordering::Relaxed);
    let cpu = self::cpu(&pids)? - cpu;
    let events = counts.events.load(Ordering::Relaxed);
    let millis = std::mem::take(&mut *counts.millis.lock().unwrap_or_else(PoisonError::into_inner));
    let answer = serde_json::json!({
        "latencies": Latencies::of(millis),
        "readers": readers,
        "seconds": seconds,
        "events_delivered": events,
        "events_per_second": events as f64 / seconds,
        "bytes_per_event": counts.bytes.load(Ordering::Relaxed) as f64 / (events.max(1)) as f64,
        "cpu_seconds": cpu,
        "events_per_cpu_second": events as f64 / cpu.max(1.0 / TICKS_PER_SECOND),
        "bytes_of_memory_per_reader": (after - before) as f64 / readers as f64,
    });
    println!("{answer}");
    Ok(())
}

async fn read(authority: &str, request: &str, counts: &Counts, is_timed: bool) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0u8; 32 << 10];
    let mut first = true;
    // Events are counted by the start of their id line. The last bytes of a read stay at the front of the buffer, so
    // that an id line split over two reads is counted, too.
    const ID_LINE: &[u8] = b"\nid: ";
    let mut kept = 0;
    loop {
        let n = stream.read(&mut buffer[kept..]).await?;
        if n == 0 {
            bail!("the stream ended");
        }
        if first {
            if !buffer.starts_with(b"HTTP/1.1 200") {
                bail!("{}", String::from_utf8_lossy(&buffer[..n.min(200)]));
            }
            first = false;
            counts.connected.fetch_add(1, Ordering::Relaxed);
        }
        let have = kept + n;
        let found = buffer[..have].windows(ID_LINE.len()).filter(|w| *w == ID_LINE).count() as u64;
        if counts.counting.load(Ordering::Relaxed) {
            counts.events.fetch_add(found, Ordering::Relaxed);
            counts.bytes.fetch_add(n as u64, Ordering::Relaxed);
            if is_timed {
                let now = Time::now().micros();
                let waits = published(&buffer[..have]).map(|at| (now - at) as f64 / 1_000.0);
                counts.millis.lock().unwrap_or_else(PoisonError::into_inner).extend(waits);
            }
        }
        kept = (ID_LINE.len() - 1).min(have);
        buffer.copy_within(have - kept..have, 0);
    }
}

/// Times at which these events were published. Leaves out a time that is split over two reads.
fn published(bytes: &[u8]) -> impl Iterator<Item = i64> {
    const MARK: &[u8] = b"called@";
    let marks = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    marks.filter_map(|(at, _)| {
        let digits = bytes.get(at + MARK.len()..at + MARK.len() + MICROS_DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
}

/// CPU time of the processes so far, user and system, in seconds.
fn cpu(pids: &[u32]) -> anyhow::Result<f64> {
    let mut ticks = 0.0;
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        for at in [11, 12] {
            ticks +=
                fields.get(at).and_then(|f| f.parse::<f64>().ok()).context("/proc/PID/stat lacks a field")?;
        }
    }
    Ok(ticks / TICKS_PER_SECOND)
}

/// Resident memory of the processes, in bytes.
fn memory(pids: &[u32]) -> anyhow::Result<i64> {
    let mut bytes = 0;
    for pid in pids {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line =
            status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("/proc/PID/status lacks VmRSS")?;
        bytes += line.trim().trim_end_matches("kB").trim().parse::<i64>()? * 1024;
    }
    Ok(bytes)
}
