//! A loopback listener with a thread for each connection. Dropping it closes the connections and
//! waits for their threads, so that nothing of one test reaches into the next.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Much less than a thread has by default: there can be hundreds of them.
const STACK: usize = 256 << 10;

/// Locks, also after another thread's panic: that test fails anyway.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A listener and its connections.
pub struct Listener {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on a free port, and calls `serve` in a thread of its own for each connection.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let stopped = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stopped);
        let accepting = std::thread::spawn(move || accept(&listener, &until, &Arc::new(serve)));
        Self { address, stopped, accepting: Some(accepting) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
    }
}

/// The open connections.
type Open = Arc<Mutex<HashMap<u64, TcpStream>>>;

fn accept<F: Fn(TcpStream) + Send + Sync + 'static>(
    listener: &TcpListener,
    stopped: &AtomicBool,
    serve: &Arc<F>,
) {
    let open = Open::default();
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 0.. {
        let Ok((stream, _)) = listener.accept() else { continue };
        if stopped.load(Ordering::SeqCst) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let Ok(handle) = stream.set_nodelay(true).and_then(|()| stream.try_clone()) else { continue };
        locked(&open).insert(number, handle);
        let (serve, registered) = (Arc::clone(serve), Registered { number, open: Arc::clone(&open) });
        let run = move || {
            let _registered = registered;
            serve(stream);
        };
        threads.push(Builder::new().stack_size(STACK).spawn(run).expect("a thread"));
    }
    for stream in locked(&open).values() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// A connection in the list. It is closed when its thread ends, however it ends.
struct Registered {
    number: u64,
    open: Open,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let stream = locked(&self.open).remove(&self.number);
        if let Some(stream) = stream {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
