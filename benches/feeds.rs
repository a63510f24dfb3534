//! From event to deny, against the time that AWS itself takes: a stub that answers each call after 50 ms.
//!
//! `cargo bench --bench feeds -- deny`, `-- drain [FINDINGS ACCOUNTS]`, `-- handle [LINES]`; without a word all of them.
//! The bound of each is taken in the same run: a bare HTTP client that makes the same number of calls.

#![allow(clippy::print_stdout, clippy::cast_precision_loss)] // it is for reading

mod stub;

use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use stub::Stub;
use stub::bare::{bare, bare_at_once};

const LATENCY: Duration = Duration::from_millis(50);
const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const CONCURRENCY: usize = 32;

/// The round trips of a deny: AssumeRole, the reads side by side, PutRolePolicy.
const ROUND_TRIPS: usize = 3;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse().ok());
    match words.first().map(String::as_str) {
        Some("deny") => deny(),
        Some("drain") => drain(number(1).unwrap_or(500), number(2).unwrap_or(100)),
        Some("handle") => handle(number(1).unwrap_or(200_000)),
        _ => {
            deny();
            drain(500, 100);
            handle(200_000);
        }
    }
}

// --- the service

struct Service {
    process: Child,
    _directory: tempfile::TempDir,
}

impl Service {
    /// A service that polls once an hour and whose first polls are done with.
    fn start(stub: &Stub) -> Self {
        let directory = configured();
        let mut process =
            command(stub, directory.path(), &["run", "--log", "warn"]).spawn().expect("it starts");
        let mut log = BufReader::new(process.stderr.take().expect("piped"));
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        let polled = |stub: &Stub| stub.calls().get("ListFindings").copied().unwrap_or(0);
        while polled(stub) < REGIONS.len() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(4 * LATENCY);
        Self { process, _directory: directory }
    }

    /// The most memory that it had, in MiB.
    fn peak(&self) -> f64 {
        peak(self.process.id())
    }
}

impl Service {
    /// The processor time that it took, in seconds.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
        (ticks(11) + ticks(12)) / 100.0
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configured() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let text = format!(
        "mode = \"enforce\"\nlisten = \"\"\npoll_interval = \"1h\"\nconcurrency = {CONCURRENCY}\nregions = {REGIONS:?}\n\
         [events]\nqueue = \"{}\"\n[budget]\naccount_per_hour = 100000\norganization_per_hour = 100000\n\
         [member]\nexternal_id = \"0123456789abcdef\"\n",
        stub::identity::QUEUE_URL
    );
    std::fs::write(directory.path().join("rescind.toml"), text).expect("written");
    directory
}

fn command(stub: &Stub, directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescind"));
    command
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("AWS_ENDPOINT_URL", stub.url())
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn peak(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

// --- the measures

/// One event on an idle service: from the moment it is in the queue to the moment the deny takes effect.
fn deny() {
    let stub = Stub::start(LATENCY, 50, &REGIONS);
    let service = Service::start(&stub);
    let mut took = Vec::new();
    let mut bounds = Vec::new();
    for number in 0..21 {
        let finding = stub.theft(number, "web");
        stub.event(&finding);
        let queued = stub.queued_at().last().expect("queued").1;
        while stub.denied_at().len() <= number {
            std::thread::sleep(Duration::from_millis(1));
        }
        let denied = stub.denied_at()[number].1;
        took.push(denied.duration_since(queued).as_secs_f64());
        // Half of the receive, four calls, of which the last takes effect halfway: four round trips.
        bounds.push(bare(&stub.url(), 1 + ROUND_TRIPS).as_secs_f64());
    }
    let (took, bound) = (median(took), median(bounds));
    println!(
        "event to deny         {:>7.1} ms   bound (4 round trips) {:>7.1} ms   {:.2} of it   (median of 21; peak {:.0} MiB)",
        took * 1e3,
        bound * 1e3,
        took / bound,
        service.peak()
    );
}

/// Many events at once: from the first one in the queue to the last deny.
fn drain(findings: usize, accounts: usize) {
    let stub = Stub::start(LATENCY, accounts, &REGIONS);
    let service = Service::start(&stub);
    let ids: Vec<String> = (0..findings)
        .map(|number| stub.theft(number % accounts, &format!("role-{}", number / accounts)))
        .collect();
    let begun = Instant::now();
    for id in &ids {
        stub.event(id);
    }
    while stub.denied_at().len() < findings {
        std::thread::sleep(Duration::from_millis(2));
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "{} of {findings}: {:?}",
            stub.denied_at().len(),
            stub.calls()
        );
    }
    let last = stub.denied_at().iter().map(|(_, at)| *at).max().expect("some");
    let took = last.duration_since(begun).as_secs_f64();
    let calls = stub.calls();
    let theory = findings as f64 * ROUND_TRIPS as f64 * LATENCY.as_secs_f64() / CONCURRENCY as f64;
    let bound = bare_at_once(&stub.url(), findings, ROUND_TRIPS, CONCURRENCY).as_secs_f64();
    println!(
        "{findings} events, {accounts} accounts {took:>7.2} s    bound (3 round trips each, {CONCURRENCY} at once) {bound:>6.2} s (in theory {theory:.2})   {:.2} of it   (peak {:.0} MiB)",
        took / bound,
        service.peak()
    );
    println!("  calls until then: {calls:?}; rescind's processor time {:.2} s", service.cpu());
}

/// A long export: memory, and findings a second.
fn handle(lines: usize) {
    let stub = Stub::start(Duration::ZERO, 2, &REGIONS);
    let directory = configured();
    let template = include_str!("stub/finding.json");
    let one: serde_json::Value = serde_json::from_str(template).unwrap_or_else(|_| serde_json::json!({}));
    let mut file =
        std::io::BufWriter::new(std::fs::File::create(directory.path().join("long.jsonl")).expect("made"));
    for number in 0..lines {
        let mut finding = one.clone();
        finding["id"] = serde_json::json!(format!("{number:032x}"));
        finding["accountId"] = serde_json::json!("200000000000");
        finding["region"] = serde_json::json!(REGIONS[0]);
        for key in ["createdAt", "updatedAt"] {
            finding[key] = serde_json::json!("2026-01-01T00:00:00.000Z");
        }
        finding["service"]["eventFirstSeen"] = serde_json::json!("2026-01-01T00:00:00.000Z");
        finding["service"]["eventLastSeen"] = serde_json::json!("2026-01-01T00:00:00.000Z");
        writeln!(file, "{finding}").expect("written");
    }
    drop(file);
    let begun = Instant::now();
    let mut process = command(&stub, directory.path(), &["handle", "long.jsonl"]).spawn().expect("it starts");
    let mut out = process.stdout.take().expect("piped");
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let mut highest: f64 = 0.0;
    while process.try_wait().expect("a state").is_none() {
        highest = highest.max(peak(process.id())).max(highest);
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "handle, {lines} lines   {took:>7.1} s, {:.0} findings a second, each recorded and decided   (peak {highest:.0} MiB)",
        lines as f64 / took
    );
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
