//! `rescind health`: asks the running service whether it is alive, for a supervisor that restarts it if not.

use super::Exit;
use super::exit::BadInput;
use super::output::{BAD, GOOD, Screen, clean, folded, styled};
use super::runtime::block_on;
use crate::chain::chain;
use crate::config::ServicePlace;
use crate::service::Live;
use serde::Serialize;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Timeout of the whole question. It is less than what ECS and Docker give a health check.
const PATIENCE: Duration = Duration::from_secs(4);

/// Maximum number of bytes of an answer that are read.
const MOST: u64 = 64 * 1024;

/// Maximum width of a line, with its indent.
const WIDTH: usize = 80;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also check that it sees thefts: every feed was read, and none fails.
    #[arg(long)]
    ready: bool,
}

/// What the service said.
#[derive(Serialize)]
struct Health {
    healthy: bool,
    url: String,
    /// The status of its answer; none when there was no answer.
    status: Option<u16>,
    /// Why it is not healthy, a reason a line.
    reasons: Vec<String>,
}

pub fn run(args: &Args, place: &ServicePlace, screen: &Screen) -> anyhow::Result<Exit> {
    // Where it listens now, which may be another address than the file has since.
    let published = Live::of_holder(&place.ledger).and_then(|live| live.listen);
    let Some(address) = published.or(place.listen) else {
        let text = "`listen` is \"\" in the configuration: the service answers nowhere. Set listen = \"127.0.0.1:7434\" and start it again.";
        return Err(BadInput(text.to_owned()).into());
    };
    let path = if args.ready { "/readyz" } else { "/healthz" };
    let health = Health::ask(reachable(address), path, place.tls);
    screen.json(&health)?;
    for line in health.lines(args.ready) {
        screen.line(line);
    }
    Ok(if health.healthy { Exit::Done } else { Exit::NeedsPerson })
}

/// Who listens everywhere listens on the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Health {
    fn ask(address: SocketAddr, path: &str, tls: bool) -> Self {
        let url = format!("{}://{address}{path}", if tls { "https" } else { "http" });
        let answer = if tls {
            get_by_tls(&url)
        } else {
            get(address, path).map_err(|error| error.to_string()).and_then(|bytes| {
                read(&bytes).ok_or_else(|| "what answers there is not rescind: no HTTP".to_owned())
            })
        };
        match answer {
            Ok((status, _)) if status == 200 => {
                Self { healthy: true, url, status: Some(status), reasons: Vec::new() }
            }
            Ok((status, body)) => Self {
                healthy: false,
                url,
                status: Some(status),
                reasons: body.lines().filter(|line| !line.is_empty()).map(clean).collect(),
            },
            Err(why) => Self { healthy: false, url, status: None, reasons: vec![why] },
        }
    }

    /// What a person reads.
    fn lines(&self, ready: bool) -> Vec<String> {
        if self.healthy {
            let word = if ready { "sees thefts: every feed is read" } else { "alive" };
            return vec![format!("{}: {}", styled(GOOD, word), self.url)];
        }
        let what = match self.status {
            Some(status) => format!("answered {status}"),
            None => "no answer".to_owned(),
        };
        let word = if ready { "NOT READY" } else { "NOT HEALTHY" };
        let mut lines = vec![format!("{}: {what} at {}", styled(BAD, word), self.url)];
        lines.extend(self.reasons.iter().flat_map(|reason| folded(reason, "  ", WIDTH)));
        lines.push(match self.status {
            Some(_) => "`rescind status` shows what it is doing.".to_owned(),
            None => "Is the service running? See `rescind status`, and the service's log.".to_owned(),
        });
        lines
    }
}

/// The same with TLS. The certificate is for the name by which others know the service, and whoever answers on this
/// machine's own address is asked for nothing but a sign of life: it is not looked at.
fn get_by_tls(url: &str) -> Result<(u16, String), String> {
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|error| chain(&error))?;
    let asked = async {
        let answer = client.get(url).send().await?;
        let status = answer.status().as_u16();
        Ok::<_, reqwest::Error>((status, answer.text().await?))
    };
    block_on(async { Ok(asked.await) })
        .map_err(|error: anyhow::Error| error.to_string())?
        .map_err(|error| chain(&error.without_url()))
}

/// One GET, without a proxy: the service is on this machine.
fn get(address: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    // A timeout of zero would be refused.
    let left = || until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(left()))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let (mut answer, mut piece) = (Vec::new(), [0_u8; 4096]);
    let mut most = stream.take(MOST);
    loop {
        if until <= Instant::now() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        most.get_ref().set_read_timeout(Some(left()))?;
        match most.read(&mut piece) {
            Ok(0) => return Ok(answer),
            Ok(count) => answer.extend(piece.iter().take(count)),
            // So a timeout is called on some systems.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        }
    }
}

/// The status and the body of an answer.
fn read(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.lines().next()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    Some((words.next()?.parse().ok()?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_the_loopback_address() {
        for (listens, asked) in [
            ("127.0.0.1:7434", "127.0.0.1:7434"),
            ("0.0.0.0:7434", "127.0.0.1:7434"),
            ("[::]:7434", "[::1]:7434"),
            ("10.0.0.7:1", "10.0.0.7:1"),
        ] {
            assert_eq!(reachable(listens.parse().expect("an address")).to_string(), asked);
        }
    }

    #[test]
    fn only_http_is_an_answer() {
        let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n";
        assert_eq!(read(ok), Some((200, "ok\n".to_owned())));
        for bad in
            [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"\xff\xfe\r\n\r\n"]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn long_reasons_fit_on_a_screen_of_80_columns() {
        let reason = "GuardDuty eu-central-1: ".to_owned() + &"was not read for a long time, ".repeat(9);
        let health = Health {
            healthy: false,
            url: "http://127.0.0.1:7434/readyz".to_owned(),
            status: Some(503),
            reasons: vec![reason.clone()],
        };
        let lines = health.lines(true);
        assert!(lines.len() > 5);
        let wrapped: Vec<&str> = lines.iter().skip(1).map(String::as_str).collect();
        assert!(wrapped.iter().all(|line| line.chars().count() <= WIDTH), "{wrapped:#?}");
        let all = wrapped.join(" ");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(words(&all).starts_with(&words(&reason)));
    }
}
