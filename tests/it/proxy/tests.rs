//! Each fault, against a server that answers with what it was asked.

use super::call::{Call, decoded};
use super::http::Message;
use super::listener::{Listener, locked};
use super::{Fault, Proxy, Which, civil};
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Answers each request with its own body, and keeps it.
struct Echo {
    got: Arc<Mutex<Vec<Message>>>,
    listener: Listener,
}

impl Echo {
    fn start() -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        let listener = Listener::start(move |mut stream| {
            let mut requests = BufReader::new(stream.try_clone().expect("a clone"));
            while let Ok(Some(request)) = Message::read(&mut requests) {
                let answer = Message::answer(200, "application/json", request.body.clone());
                locked(&kept).push(request);
                if answer.write(&mut stream).is_err() {
                    break;
                }
            }
        });
        Self { got, listener }
    }

    fn got(&self) -> usize {
        locked(&self.got).len()
    }
}

fn scene() -> (Echo, Proxy) {
    let echo = Echo::start();
    let proxy = Proxy::before(&echo.listener.url());
    (echo, proxy)
}

fn signed(service: &str, region: &str) -> (String, String) {
    let scope = format!("AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261121/{region}/{service}/aws4_request");
    ("Authorization".to_owned(), format!("{scope}, SignedHeaders=host, Signature=0"))
}

/// A call of a service with the query protocol.
fn query(operation: &str, more: &str) -> Message {
    let body = format!("Action={operation}&Version=2010-05-08&{more}");
    request("POST / HTTP/1.1", "iam", "us-east-1", &body)
}

fn request(first: &str, service: &str, region: &str, body: &str) -> Message {
    let date = civil::iso_seconds(civil::now()).replace(['-', ':'], "");
    let headers = vec![
        ("Host".to_owned(), "127.0.0.1".to_owned()),
        signed(service, region),
        ("X-Amz-Date".to_owned(), date),
        ("Content-Length".to_owned(), body.len().to_string()),
    ];
    Message { first: first.to_owned(), headers, body: body.as_bytes().to_vec() }
}

struct Client {
    stream: TcpStream,
}

impl Client {
    fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.url().trim_start_matches("http://")).expect("the proxy");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        Self { stream }
    }

    fn ask(&mut self, request: &Message) -> io::Result<Option<Message>> {
        request.write(&mut self.stream)?;
        Message::read(&mut BufReader::new(&self.stream))
    }

    #[track_caller]
    fn answered(&mut self, request: &Message) -> Message {
        self.ask(request).expect("it is answered").expect("an answer")
    }
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.body).into_owned()
}

#[test]
fn without_faults_everything_passes_on_one_connection() {
    let (echo, proxy) = scene();
    let mut client = Client::of(&proxy);
    for _ in 0..3 {
        let request = query("GetRole", "RoleName=web");
        assert_eq!(client.answered(&request).body, request.body);
    }
    let got = locked(&echo.got)[0].clone();
    assert_eq!(got.head(), query("GetRole", "RoleName=web").head(), "it passes as it came");
    let seen = &proxy.seen()[2];
    assert_eq!(
        (seen.service.as_str(), seen.operation.as_str(), seen.region.as_str(), &seen.fault, seen.status),
        ("iam", "GetRole", "us-east-1", &None, Some(200))
    );
    assert_eq!((seen.access_key.as_str(), proxy.injected()), ("ASIAEXAMPLE", 0));
}

#[test]
fn operations_are_found_as_each_protocol_has_them() {
    let mut json = request("POST / HTTP/1.1", "organizations", "us-east-1", "{}");
    json.set("X-Amz-Target", "AWSOrganizationsV20161128.ListAccounts");
    let requests = [
        (json, "ListAccounts"),
        (query("GetRole", ""), "GetRole"),
        (request("GET /detector?maxResults=50 HTTP/1.1", "guardduty", "us-east-1", ""), "ListDetectors"),
        (request("POST /detector/12/findings HTTP/1.1", "guardduty", "us-east-1", "{}"), "ListFindings"),
        (request("POST /detector/12/findings/get HTTP/1.1", "guardduty", "us-east-1", "{}"), "GetFindings"),
        (request("POST /listRegions HTTP/1.1", "account", "us-east-1", "{}"), "ListRegions"),
    ];
    for (request, operation) in requests {
        assert_eq!(Call::of(&request).expect("it is signed").operation, operation);
    }
}

#[test]
fn latency_delays_and_adds_up() {
    let (echo, proxy) = scene();
    proxy.always(Which::all(), Fault::Latency(Duration::from_millis(60)));
    proxy.always(Which::operation("GetRole"), Fault::Latency(Duration::from_millis(40)));
    let start = Instant::now();
    Client::of(&proxy).answered(&query("GetRole", ""));
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    assert_eq!((echo.got(), proxy.seen()[0].fault.as_deref()), (1, Some("Latency")));
}

#[test]
fn a_reset_comes_before_or_after_the_effect() {
    let (echo, proxy) = scene();
    proxy.once(Which::all(), Fault::ResetBefore);
    assert!(!matches!(Client::of(&proxy).ask(&query("GetRole", "")), Ok(Some(_))));
    assert_eq!(echo.got(), 0);
    proxy.once(Which::all(), Fault::ResetAfter);
    assert!(!matches!(Client::of(&proxy).ask(&query("GetRole", "")), Ok(Some(_))));
    assert_eq!(echo.got(), 1);
    assert_eq!(proxy.seen()[1].status, None);
    Client::of(&proxy).answered(&query("GetRole", ""));
    assert_eq!(proxy.injected(), 2);
}

#[test]
fn a_status_is_a_page_that_did_not_come_from_aws() {
    let (echo, proxy) = scene();
    proxy.times(2, Which::all(), Fault::Status(503));
    let mut client = Client::of(&proxy);
    for status in [503, 503, 200] {
        assert_eq!(client.answered(&query("GetRole", "")).status(), status);
    }
    assert_eq!(echo.got(), 1);
    assert_eq!(proxy.seen()[0].fault.as_deref(), Some("Status 503"));
}

#[test]
fn errors_are_in_the_protocol_of_the_service() {
    let (echo, proxy) = scene();
    proxy.always(Which::all(), Fault::Code(400, "Throttling"));
    let mut client = Client::of(&proxy);
    let xml = client.answered(&query("GetRole", ""));
    assert_eq!((xml.status(), xml.header("Content-Type")), (400, Some("text/xml")));
    assert!(text(&xml).contains("<Error><Type>Sender</Type><Code>Throttling</Code>"), "{}", text(&xml));
    for service in ["guardduty", "organizations", "sqs", "account"] {
        let json = client.answered(&request("POST / HTTP/1.1", service, "us-east-1", "{}"));
        assert_eq!(json.header("x-amzn-errortype"), Some("Throttling"));
        assert!(text(&json).starts_with(r#"{"__type":"Throttling""#), "{}", text(&json));
    }
    assert_eq!(echo.got(), 0);
    proxy.clear();
    proxy.once(Which::all(), Fault::CodeAfter(500, "ServiceFailure"));
    assert_eq!(client.answered(&query("PutRolePolicy", "")).status(), 500);
    assert_eq!(echo.got(), 1);
}

#[test]
fn a_truncated_answer_ends_in_the_middle() {
    let (echo, proxy) = scene();
    proxy.once(Which::all(), Fault::Truncated);
    let mut client = Client::of(&proxy);
    let request = query("GetRole", "RoleName=web");
    request.write(&mut client.stream).expect("sent");
    let mut got = String::new();
    client.stream.read_to_string(&mut got).expect("the end");
    let (head, body) = got.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains(&format!("content-length: {}", request.body.len())), "{head}");
    assert_eq!((body.len(), echo.got()), (request.body.len() / 2, 1));
}

#[test]
fn a_wrong_type_is_a_page_with_the_status_200() {
    let (echo, proxy) = scene();
    proxy.once(Which::all(), Fault::WrongType);
    let answer = Client::of(&proxy).answered(&query("GetRole", ""));
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("text/html")));
    assert!(text(&answer).starts_with("<html>") && echo.got() == 1);
}

#[test]
fn a_skewed_clock_refuses_what_was_signed_by_another() {
    let (echo, proxy) = scene();
    proxy.always(Which::all(), Fault::Skewed(3600));
    let mut client = Client::of(&proxy);
    let mut request = query("GetRole", "");
    let refused = client.answered(&request);
    assert!(text(&refused).contains("<Code>RequestTimeTooSkewed</Code>") && refused.status() == 403);
    let hour = &civil::http(civil::now() + 3_600_000)[..20];
    assert!(refused.header("date").is_some_and(|date| date.starts_with(hour)), "{refused:?}");
    assert_eq!(echo.got(), 0);
    let later = civil::iso_seconds(civil::now() + 3_600_000).replace(['-', ':'], "");
    request.set("X-Amz-Date", &later);
    let served = client.answered(&request);
    assert!(served.header("date").is_some_and(|date| date.starts_with(hour)) && served.status() == 200);
    // A difference of less than five minutes is only seen.
    proxy.clear();
    proxy.always(Which::all(), Fault::Skewed(-200));
    assert_eq!(client.answered(&query("GetRole", "")).status(), 200);
}

#[test]
fn what_hangs_goes_on_when_the_fault_is_cleared() {
    let (echo, proxy) = scene();
    proxy.always(Which::operation("GetRole"), Fault::Hang);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| Client::of(&proxy).answered(&query("GetRole", "")).status());
        std::thread::sleep(Duration::from_millis(150));
        assert!(!asked.is_finished() && echo.got() == 0);
        proxy.clear();
        assert_eq!(asked.join().expect("an answer"), 200);
    });
}

#[test]
fn what_hangs_is_dropped_with_its_client_and_with_the_proxy() {
    let (echo, proxy) = scene();
    proxy.always(Which::all(), Fault::Hang);
    let mut client = Client::of(&proxy);
    query("GetRole", "").write(&mut client.stream).expect("sent");
    drop(client);
    std::thread::sleep(Duration::from_millis(200));
    proxy.clear();
    proxy.always(Which::all(), Fault::Hang);
    let mut client = Client::of(&proxy);
    query("GetRole", "").write(&mut client.stream).expect("sent");
    while proxy.seen().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(proxy);
    assert!(!matches!(Message::read(&mut BufReader::new(&client.stream)), Ok(Some(_))));
    assert_eq!(echo.got(), 0);
}

#[test]
fn a_client_that_goes_is_gone_for_the_server_too() {
    let (closed, gone) = std::sync::mpsc::channel();
    let silent = Listener::start(move |mut stream| {
        let mut requests = BufReader::new(stream.try_clone().expect("a clone"));
        let _ = Message::read(&mut requests);
        // The end of the connection, while the answer is still awaited.
        let _ = closed.send(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
        let _ = stream.flush();
    });
    let proxy = Proxy::before(&silent.url());
    let mut client = Client::of(&proxy);
    query("GetRole", "").write(&mut client.stream).expect("sent");
    assert_eq!(
        gone.recv_timeout(Duration::from_millis(200)).map_err(|e| e.to_string()),
        Err("timed out waiting on channel".to_owned())
    );
    drop(client);
    assert!(gone.recv_timeout(Duration::from_secs(5)).expect("the server learns it"));
}

#[test]
fn faults_are_for_the_calls_that_match() {
    let (_echo, proxy) = scene();
    let of_account = Which::operation("AssumeRole").containing("arn:aws:iam::222222222222:role/");
    proxy.always(of_account, Fault::Status(500));
    proxy.always(Which::region("eu-west-1"), Fault::Status(501));
    proxy.always(Which::service("sqs").in_region("eu-central-1"), Fault::Status(502));
    let mut client = Client::of(&proxy);
    let mut status = |request: &Message| client.answered(request).status();
    assert_eq!(status(&query("AssumeRole", "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fx")), 500);
    assert_eq!(status(&query("AssumeRole", "RoleArn=arn%3Aaws%3Aiam%3A%3A333333333333%3Arole%2Fx")), 200);
    assert_eq!(status(&request("GET /detector HTTP/1.1", "guardduty", "eu-west-1", "")), 501);
    assert_eq!(status(&request("POST / HTTP/1.1", "sqs", "eu-central-1", "{}")), 502);
    assert_eq!(status(&request("POST / HTTP/1.1", "sqs", "us-east-1", "{}")), 200);
}

#[test]
fn chance_is_the_same_for_the_same_seed() {
    let names = |seed| {
        let (_echo, proxy) = scene();
        proxy.at_random(seed, 30, &[Fault::Status(503), Fault::Code(400, "Throttling")]);
        let mut client = Client::of(&proxy);
        for _ in 0..200 {
            client.answered(&query("GetRole", ""));
        }
        proxy.seen().into_iter().map(|seen| seen.fault).collect::<Vec<_>>()
    };
    let first = names(7);
    assert_eq!(first, names(7));
    assert_ne!(first, names(8));
    let faults = first.iter().flatten().count();
    assert!((40..=80).contains(&faults), "{faults}");
    assert!(first.contains(&Some("Code 400 Throttling".to_owned())));
}

#[test]
fn the_emulators_own_interface_is_never_touched() {
    let (echo, proxy) = scene();
    proxy.always(Which::all(), Fault::ResetBefore);
    let mut request = query("GetRole", "");
    request.first = "POST /emulator/roles HTTP/1.1".to_owned();
    assert_eq!(Client::of(&proxy).answered(&request).status(), 200);
    assert_eq!((proxy.seen().len(), echo.got()), (0, 1));
}

#[test]
fn sixty_four_connections_are_served_at_once() {
    let (echo, proxy) = scene();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let mut client = Client::of(&proxy);
                for _ in 0..50 {
                    assert_eq!(client.answered(&query("GetRole", "")).status(), 200);
                }
            });
        }
    });
    assert_eq!((echo.got(), proxy.seen().len()), (3200, 3200));
}

#[test]
fn times_are_read_and_written_as_aws_does() {
    let at = civil::parsed("2026-11-21T23:47:30.5Z").expect("a time");
    assert_eq!(at, 1_795_304_850_500);
    assert_eq!(civil::iso(at), "2026-11-21T23:47:30.500Z");
    assert_eq!(civil::http(at), "Sat, 21 Nov 2026 23:47:30 GMT");
    assert_eq!(civil::parsed("20261121T234730Z"), Some(at - 500));
    assert_eq!(civil::iso_seconds(951_782_400_000), "2000-02-29T00:00:00Z");
    assert_eq!(civil::parsed("yesterday"), None);
    assert_eq!(decoded("a%3Ab+c%zz%e4%2"), "a:b c%zz\u{fffd}%2");
}
