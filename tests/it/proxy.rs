//! A proxy between rescind and the emulated organization that does to calls what networks and AWS do
//! to them: it delays, loses, cuts and garbles them, before or after they took effect.
//!
//! It passes requests on as they were signed. Those under `/emulator/` are never touched.

mod call;
mod civil;
mod fault;
mod http;
mod listener;
mod plan;
#[cfg(test)]
mod tests;

pub use fault::{Fault, Which};
pub use plan::Seen;

use call::Call;
use http::Message;
use listener::Listener;
use plan::{Chosen, Plan};
use std::io::{self, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// How often a wait for the emulator looks whether the client still waits.
const LOOK: Duration = Duration::from_millis(50);

/// The proxy. It is closed when it is dropped.
pub struct Proxy {
    plan: Arc<Plan>,
    listener: Listener,
}

impl Proxy {
    /// A proxy before `upstream`, a URL such as `http://127.0.0.1:1234`.
    pub fn before(upstream: &str) -> Self {
        let address = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let plan = Arc::new(Plan::default());
        let shared = Arc::clone(&plan);
        let listener = Listener::start(move |client| {
            let mut connection = Connection { client, upstream: None, address: &address, plan: &shared };
            // An error is that of a client or an emulator that is gone. Either learns it by the
            // other's connection being closed.
            let _ = connection.serve();
        });
        Self { plan, listener }
    }

    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// Does this to every call that matches. Latencies add up.
    pub fn always(&self, which: Which, fault: Fault) {
        self.plan.always(which, fault);
    }

    /// Does this to the next call that matches.
    pub fn once(&self, which: Which, fault: Fault) {
        self.times(1, which, fault);
    }

    /// Does this to the next calls that match. It goes before what is done always or at random.
    pub fn times(&self, times: usize, which: Which, fault: Fault) {
        self.plan.times(times, which, fault);
    }

    /// Does one of these to so many percent of the calls. The sequence depends on the seed alone.
    pub fn at_random(&self, seed: u64, percent: u32, faults: &[Fault]) {
        self.plan.at_random(seed, percent, faults);
    }

    /// Does nothing to calls any more, and lets those go that hang.
    pub fn clear(&self) {
        self.plan.clear();
    }

    /// The calls that came, in their order.
    pub fn seen(&self) -> Vec<Seen> {
        self.plan.seen()
    }

    /// To how many calls something was done.
    pub fn injected(&self) -> usize {
        self.seen().iter().filter(|seen| seen.fault.is_some()).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.plan.stop();
    }
}

/// What the client gets.
enum Reply {
    Whole(Message),
    Half(Message),
    Nothing,
}

/// A client's connection, and the emulator's that belongs to it.
struct Connection<'a> {
    client: TcpStream,
    upstream: Option<TcpStream>,
    address: &'a str,
    plan: &'a Plan,
}

impl Connection<'_> {
    fn serve(&mut self) -> io::Result<()> {
        let mut requests = BufReader::new(self.client.try_clone()?);
        while let Some(request) = Message::read(&mut requests)? {
            let more = match self.reply(&request)? {
                Reply::Whole(answer) => {
                    answer.write(&mut self.client)?;
                    !answer.closes()
                }
                Reply::Half(answer) => {
                    answer.write_up_to(answer.body.len() / 2, &mut self.client)?;
                    false
                }
                Reply::Nothing => false,
            };
            if !more || request.closes() {
                break;
            }
        }
        Ok(())
    }

    fn reply(&mut self, request: &Message) -> io::Result<Reply> {
        if request.target().starts_with("/emulator/") {
            return self.forward(request).map(Reply::Whole);
        }
        let call = Call::of(request).unwrap_or_default();
        let chosen = self.plan.arrived(&call, &request.body);
        let number = chosen.number;
        let reply = self.suffer(chosen, &call, request)?;
        if let Reply::Whole(answer) | Reply::Half(answer) = &reply {
            self.plan.answered(number, answer.status());
        }
        Ok(reply)
    }

    fn suffer(&mut self, chosen: Chosen, call: &Call, request: &Message) -> io::Result<Reply> {
        if !chosen.delay.is_zero() && !self.plan.delay(chosen.delay, || is_gone(&self.client)) {
            return Ok(Reply::Nothing);
        }
        let refused = |status, code| Ok(Reply::Whole(fault::error(&call.service, status, code)));
        match chosen.fault {
            Some(Fault::ResetBefore) => return Ok(Reply::Nothing),
            Some(Fault::Status(status)) => return Ok(Reply::Whole(fault::page(status))),
            Some(Fault::Code(status, code)) => return refused(status, code),
            Some(Fault::Skewed(seconds)) if fault::is_too_far(request, seconds) => {
                let answer = fault::error(&call.service, 403, "RequestTimeTooSkewed");
                return Ok(Reply::Whole(fault::dated(answer, seconds)));
            }
            Some(Fault::Hang) if !self.plan.hang(chosen.cleared, || is_gone(&self.client)) => {
                return Ok(Reply::Nothing);
            }
            _ => {}
        }
        let answer = self.forward(request)?;
        match chosen.fault {
            Some(Fault::ResetAfter) => Ok(Reply::Nothing),
            Some(Fault::CodeAfter(status, code)) => refused(status, code),
            Some(Fault::Truncated) => Ok(Reply::Half(answer)),
            Some(Fault::WrongType) => Ok(Reply::Whole(fault::page(200))),
            Some(Fault::Skewed(seconds)) => Ok(Reply::Whole(fault::dated(answer, seconds))),
            _ => Ok(Reply::Whole(answer)),
        }
    }

    /// The emulator's answer. It is never asked twice: that could take effect twice.
    fn forward(&mut self, request: &Message) -> io::Result<Message> {
        let mut upstream = match self.upstream.take() {
            Some(open) => open,
            None => connected(self.address)?,
        };
        request.write(&mut upstream)?;
        let patient = Patient { upstream: &upstream, client: &self.client, plan: self.plan };
        let answer = Message::read(&mut BufReader::new(patient))?.ok_or(ErrorKind::UnexpectedEof)?;
        if !answer.closes() {
            self.upstream = Some(upstream);
        }
        Ok(answer)
    }
}

fn connected(address: &str) -> io::Result<TcpStream> {
    let upstream = TcpStream::connect(address)?;
    upstream.set_nodelay(true)?;
    upstream.set_read_timeout(Some(LOOK))?;
    Ok(upstream)
}

/// Reads an answer for as long as somebody waits for it. A client that gives up is to be seen
/// at the emulator as well, which drops what it holds for it.
struct Patient<'a> {
    upstream: &'a TcpStream,
    client: &'a TcpStream,
    plan: &'a Plan,
}

impl Read for Patient<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut upstream = self.upstream;
        loop {
            match upstream.read(into) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.plan.stopped() || is_gone(self.client) {
                        return Err(ErrorKind::ConnectionAborted.into());
                    }
                }
                other => return other,
            }
        }
    }
}

/// The client has closed the connection.
fn is_gone(client: &TcpStream) -> bool {
    let looked = client.set_nonblocking(true).and_then(|()| client.peek(&mut [0]));
    let blocking = client.set_nonblocking(false);
    match looked {
        Ok(bytes) => bytes == 0 || blocking.is_err(),
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}
