//! Connection between an engine and its host that can be cut while both keep running.

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct FlakyConnection {
    pub address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl FlakyConnection {
    /// Opens a connection to the host, not cut at first.
    pub async fn to(host: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (whole, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(checkpoint_transfer(near, host, state.clone()));
            }
        });
        Self { address, whole }
    }

    /// Closes open connections and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn checkpoint_transfer(mut near: TcpStream, host: SocketAddr, mut whole: watch::Receiver<bool>) {
    if !*whole.borrow() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(host).await else { return };
    tokio::select! {
        // Either end closed it.
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = whole.wait_for(|whole| !*whole) => {}
    }
}
