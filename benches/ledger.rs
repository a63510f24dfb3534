//! The ledger against the bounds: appends against raw rusqlite, `ledger verify` against sha2.
//!
//! `cargo bench --bench ledger -- append`, `-- verify [ENTRIES]`, `-- grow [ENTRIES]`, `-- make ENTRIES LEDGER [REMEDIATIONS]`, `-- file LEDGER`
//! (verify it); without a word the first two. Each measure and its bound are taken in turn, in the same run, on the same disk.

#![allow(clippy::print_stdout, clippy::cast_precision_loss)] // it is for reading

#[path = "common/story.rs"]
mod story;
#[path = "common/years.rs"]
mod years;

use rescind::audit::{Keys, verify};
use rescind::ledger::{Append, Ledger, Reader};
use rescind::remediation::Draft;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::{Duration, Instant};
use story::Story;
use years::Years;

const MIGRATION: &str = include_str!("../migrations/01-ledger/up.sql");

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = words.get(1).and_then(|word| word.parse().ok());
    match words.first().map(String::as_str) {
        Some("append") => append(),
        Some("verify") => verified(number.unwrap_or(1_000_000)),
        Some("make") => {
            let (path, entries) = (Path::new(words.get(2).expect("a file")), number.unwrap_or(1_000_000));
            match words.get(3).and_then(|word| word.parse().ok()) {
                None => made(path, entries),
                Some(remediations) => made_of_years(path, entries, remediations),
            }
        }
        Some("file") => file(Path::new(words.get(1).expect("a file"))),
        Some("grow") => grow(number.unwrap_or(10_000_000)),
        _ => {
            append();
            verified(1_000_000);
        }
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

/// Fills a ledger up to so many entries, many to a commit.
fn fill(ledger: &Ledger, story: &Story, from: usize, to: usize) {
    runtime().block_on(async {
        let each = story.entries.len();
        for first in (from / each..to / each).step_by(200) {
            let entries =
                (first..(first + 200).min(to / each)).flat_map(|number| story.one(number)).collect();
            ledger.append(Append { entries, ..Append::default() }).await.expect("written");
        }
    });
}

// --- appends

/// The same tables and pragmas with nothing of ours around them, triggers neither.
fn raw_connection(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a database");
    connection.execute_batch(MIGRATION).expect("the same tables");
    let triggers =
        "DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete; DROP TRIGGER entries_in_order;";
    connection.execute_batch(triggers).expect("raw has none");
    connection.pragma_update(None, "journal_mode", "wal").expect("wal");
    connection.pragma_update(None, "synchronous", "full").expect("full");
    connection
}

fn raw(connection: &Connection, batch: usize, count: usize, body: &[u8]) -> Duration {
    let sql = "INSERT INTO entries (time, kind, remediation, finding, account, region, principal, body, leaf_hash)
               VALUES ('2026-11-22T00:00:00.000Z', 'call', 'r-2fb355288a05', ?1, '222222222222', 'eu-central-1', NULL, ?2, ?3)";
    let (finding, hash) = ("0123456789abcdef0123456789abcdef", [7_u8; 32]);
    let begun = Instant::now();
    for _ in 0..count / batch {
        connection.execute_batch("BEGIN IMMEDIATE").expect("begun");
        for _ in 0..batch {
            connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute(params![finding, body, hash]))
                .expect("inserted");
        }
        connection.execute_batch("COMMIT").expect("committed");
    }
    begun.elapsed()
}

/// On a runtime as the service has it.
fn ours(ledger: &Ledger, callers: usize, count: usize, call: &Draft) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let begun = Instant::now();
    runtime.block_on(async {
        let callers = (0..callers).map(|_| {
            let (ledger, call) = (ledger.clone(), call.clone());
            tokio::spawn(async move {
                for _ in 0..count / callers {
                    ledger.append(call.clone()).await.expect("written");
                }
            })
        });
        futures::future::join_all(callers).await;
    });
    begun.elapsed()
}

fn append() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let story = Story::read();
    // A remediation first: calls belong to one.
    let ledger = Ledger::open(&directory.path().join("ledger.db")).expect("a ledger");
    let mut first = story.one(1);
    first.truncate(2);
    runtime().block_on(ledger.append(Append { entries: first, ..Append::default() })).expect("written");
    let mut call = story.call();
    call.subject.remediation = Some(format!("r-{:012x}", 1));
    let body = serde_json::to_vec(&call.event).expect("JSON");
    let body = [body.as_slice(), &[b' '; 150]].concat();

    println!("durable appends of one call record ({} bytes)", body.len());
    let bare = raw_connection(&directory.path().join("raw.db"));
    let mut single = 0.0;
    for (callers, count) in [(1, 300), (64, 64 * 300)] {
        let (mut bound, mut measure) = (Vec::new(), Vec::new());
        for _ in 0..9 {
            bound.push(count as f64 / raw(&bare, callers, count, &body).as_secs_f64());
            measure.push(count as f64 / ours(&ledger, callers, count, &call).as_secs_f64());
        }
        let (bound, measure) = (median(bound), median(measure));
        let ratio = measure / bound * 100.0;
        println!("{callers:>4} caller(s): {measure:>8.0}/s, raw rusqlite {bound:>8.0}/s: {ratio:.0} %");
        if callers == 1 {
            single = measure;
        } else {
            println!("      group commit: {:.1} times one caller", measure / single);
        }
    }
    ledger.close();
}

// --- verify

fn verified(entries: usize) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = directory.path().join("ledger.db");
    made(&path, entries);
    file(&path);
}

/// Makes a ledger.
fn made(path: &Path, entries: usize) {
    let ledger = Ledger::open(path).expect("a ledger");
    fill(&ledger, &Story::read(), 0, entries);
    ledger.close();
}

/// Makes a ledger with so many remediations among its entries.
fn made_of_years(path: &Path, entries: usize, remediations: usize) {
    const AT_ONCE: usize = 50;
    let (ledger, years) = (Ledger::open(path).expect("a ledger"), Years::read());
    runtime().block_on(async {
        for first in (0..remediations).step_by(AT_ONCE) {
            let numbers = first..(first + AT_ONCE).min(remediations);
            let entries = numbers.flat_map(|number| years.one(number, entries / remediations)).collect();
            ledger.append(Append { entries, ..Append::default() }).await.expect("written");
        }
        let alerts = ledger.reader().and_then(|reader| reader.of_kind("alert")).expect("alerts");
        ledger
            .append(Append { entries: Years::seen_to(&alerts), ..Append::default() })
            .await
            .expect("written");
    });
    ledger.close();
}

/// Verifies a ledger that is there.
fn file(path: &Path) {
    let connection = Connection::open(path).expect("a ledger");
    let mut statement = connection.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
    let bodies: Vec<Vec<u8>> = rows.collect::<Result<_, _>>().expect("bodies");
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!("verify {} entries, {:.0} MB", bodies.len(), bytes as f64 / 1e6);
    let (mut bound, mut measure) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let begun = Instant::now();
        for body in &bodies {
            std::hint::black_box(Sha256::digest(body));
        }
        bound.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let found = verify(path, &[], Keys::default(), &mut |_, _| {}).expect("readable");
        measure.push(begun.elapsed().as_secs_f64());
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(usize::try_from(found.entries).ok(), Some(bodies.len()));
    }
    let (bound, measure) = (median(bound), median(measure));
    println!("  sha2 alone {bound:.3} s, verify {measure:.3} s: {:.0} %", bound / measure * 100.0);
}

// --- growing

fn grow(entries: usize) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = directory.path().join("ledger.db");
    let ledger = Ledger::open(&path).expect("a ledger");
    let (story, step) = (Story::read(), (entries / 10).max(1));
    println!("a ledger that grows: appends as they come (fill), single calls, point lookups");
    for from in (0..entries).step_by(step) {
        let begun = Instant::now();
        fill(&ledger, &story, from, from + step);
        let filled = begun.elapsed();
        let reader = Reader::open(&path).expect("a ledger");
        let last = reader.last().expect("a number");
        let begun = Instant::now();
        let (mut at, count) = (12_345_u64, 20_000_u32);
        for _ in 0..count {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let seq = i64::try_from(at >> 33).unwrap_or(0) % last + 1;
            std::hint::black_box(reader.entry(seq).expect("an entry"));
        }
        let looked = begun.elapsed() / count;
        println!(
            "{last:>10} entries: {:>7.0} appends/s, {:>6.1} µs a lookup",
            step as f64 / filled.as_secs_f64(),
            looked.as_secs_f64() * 1e6
        );
    }
    ledger.close();
    let begun = Instant::now();
    let found = verify(&path, &[], Keys::default(), &mut |_, _| {}).expect("readable");
    println!("verified {} entries in {:.1} s", found.entries, begun.elapsed().as_secs_f64());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("  most memory at any time (with filling): {}", line.trim_start_matches("VmHWM:").trim());
    }
}
