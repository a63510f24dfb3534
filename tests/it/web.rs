//! What a running service answers over HTTP, to whom.

use crate::scene::Scene;
use crate::service::{address, ask};
use crate::watching::Watching;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

const LISTENS: &str = "mode = \"enforce\"\npoll_interval = \"1h\"\nlisten = \"127.0.0.1:0\"\n";

/// The rows of a table in a page of the docs: what their first column has in backticks.
fn first_column(page: &str, header: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).expect("a page");
    let rows = text.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The names of metrics, without what a histogram adds to its own.
fn names(metrics: &str) -> BTreeSet<String> {
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_docs_is_there_from_the_start() {
    let scene = Scene::new();
    scene.configure(LISTENS);
    scene.hold("ListFindings", "before");
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    scene.held("ListFindings");
    let documented = first_column("service.md", "| metric |");
    assert!(documented.len() > 20, "{documented:?}");
    let in_docs: BTreeSet<String> =
        documented.iter().map(|name| name.split('{').next().unwrap_or_default().to_owned()).collect();
    // What is measured is there when it was measured once, and not every loop has begun yet.
    scene.wait(|| names(&ask(&format!("{url}/metrics")).1) == in_docs);
    let (status, metrics) = ask(&format!("{url}/metrics"));
    assert_eq!(status, 200);
    // What rises from nothing does not rise for Prometheus.
    let is_zero = |series: &str| metrics.lines().any(|line| line == format!("{series} 0"));
    let alerts = first_column("codes.md", "| code | meaning");
    assert!(alerts.len() > 20, "{alerts:?}");
    for code in alerts {
        assert!(is_zero(&format!("rescind_alerts_total{{code=\"{code}\"}}")), "{code}");
    }
    for series in [
        "rescind_decisions_total",
        "rescind_findings_seen_total{feed=\"poll\"}",
        "rescind_findings_undecodable_total",
        "rescind_seen_to_deny_seconds_count",
        "rescind_activity_to_seen_seconds_count",
        "rescind_retries_total{why=\"blocked\"}",
        "rescind_proofs_total{rung=\"simulated\"}",
        "rescind_queue_messages{state=\"waiting\"}",
        "rescind_remediations{state=\"held\"}",
        "rescind_budget_used",
    ] {
        assert!(is_zero(series), "{series} in\n{metrics}");
    }
    scene.release("ListFindings");
    assert_eq!(service.stop(), 0);
}

#[test]
fn nobody_can_hold_all_places() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(LISTENS);
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    let host = url.strip_prefix("http://").expect("an address");
    let connect = |begun: &[u8]| {
        let mut stream = TcpStream::connect(host).expect("it listens");
        let _ = stream.write_all(begun);
        stream
    };
    // Who says nothing, who does not finish, and who does not read the answer.
    let slow =
        [&b""[..], b"GET /metrics HTTP/1.1\r\nhost: x\r\n", b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"];
    let mut held: Vec<TcpStream> = slow.iter().cycle().take(600).map(|begun| connect(begun)).collect();
    for _ in 0..10 {
        assert_eq!(ask(&format!("{url}/healthz")), (200, "ok\n".to_owned()));
        held.push(connect(b""));
    }
    // A place is taken from who was there longest.
    let mut first = held.swap_remove(0);
    let mut rest = Vec::new();
    assert!(matches!(first.read_to_end(&mut rest), Ok(0) | Err(_)), "{rest:?}");
    assert_eq!(service.stop(), 0);
}

#[test]
fn a_body_that_is_long_or_does_not_come_takes_no_memory() {
    let scene = Scene::new();
    scene.watch();
    scene.configure(LISTENS);
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    let host = url.strip_prefix("http://").expect("an address");
    let answer = |length: usize, sent: usize| {
        let mut stream = TcpStream::connect(host).expect("it listens");
        let head = format!(
            "POST /v1/revocations HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let _ = stream.write_all(&vec![b' '; sent]);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(answer(33_000, 33_000), "413");
    // It is not waited for without end.
    assert_eq!(answer(30_000, 20_000), "408");
    assert_eq!(service.stop(), 0);
}
