//! Limit for a server of event streams: writes the same event to each open connection, one after the other, and does
//! nothing else. Serves as the peer of the benchmark `readers`.
//!
//!     bare-writer RATE BYTES
//!
//! - RATE: events per second.
//! - BYTES: size of an event.
//!
//! Prints its URL. Each event contains the time at which its first write began.

use anyhow::bail;
use protocol::Time;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Response to each request.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

#[expect(clippy::disallowed_methods, reason = "the program has no runtime, and no test")]
fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [rate, bytes] = args.as_slice() else { bail!("Usage: bare-writer RATE BYTES") };
    let (rate, bytes): (f64, usize) = (rate.parse()?, bytes.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/", listener.local_addr()?);
    let connections: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let accepted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if let Ok(connection) = answered(connection) {
                accepted.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
        }
    });
    let began = Instant::now();
    for n in 1_u32.. {
        let due = began + Duration::from_secs_f64(f64::from(n) / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut event = format!("\nid: {n}\ndata: called@{} ", Time::now().micros()).into_bytes();
        event.resize(bytes.max(event.len() + 1), b'x');
        if let Some(end) = event.last_mut() {
            *end = b'\n';
        }
        // A reader that has gone is not written to again.
        connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain_mut(|connection| connection.write_all(&event).is_ok());
    }
    Ok(())
}

/// Reads a request and begins the response.
fn answered(mut connection: TcpStream) -> std::io::Result<TcpStream> {
    connection.set_nodelay(true)?;
    let mut request = [0; 1024];
    // The reader sends its short request at once.
    let _ = connection.read(&mut request)?;
    connection.write_all(HEAD)?;
    Ok(connection)
}
