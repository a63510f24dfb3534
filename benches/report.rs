//! Reports of a large ledger: entries a second and the most memory, for CSV and JSON lines.
//!
//! `cargo bench --bench report -- [ENTRIES]` makes the ledger first, in a process of its own; each report too is
//! made by a process of its own, so that its memory is nobody else's. SideTable each: the `csv` crate and
//! serde_json, writing what was read from the report before, and reading nothing from a ledger.

#![allow(clippy::print_stdout, clippy::cast_precision_loss)] // it is for reading

use rescind::ledger::{Append, Ledger, Reader};
use rescind::remediation::{Draft, Entry, Event, Selection};
use rescind::report::{Format, Prepared, write};
use rusqlite::Connection;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// A ledger that rescind wrote.
const TEMPLATE: &str = "tests/it/ledgers/fixed.db";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.first().map(String::as_str) {
        Some("make") => make(Path::new(&words[1]), words[2].parse().expect("a number")),
        Some("csv") => report(Path::new(&words[1]), Format::Csv),
        Some("jsonl") => report(Path::new(&words[1]), Format::Jsonl),
        Some("bounds") => bounds(Path::new(&words[1])),
        number => all(number.and_then(|number| number.parse().ok()).unwrap_or(1_000_000)),
    }
}

fn all(entries: usize) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let this = std::env::current_exe().expect("this program");
    for entries in [entries / 10, entries] {
        let path = directory.path().join(format!("{entries}.db"));
        let done = Command::new(&this).arg("make").arg(&path).arg(entries.to_string()).status();
        assert!(done.expect("it runs").success());
        for format in ["csv", "jsonl", "bounds"] {
            let done = Command::new(&this).arg(format).arg(&path).status();
            assert!(done.expect("it runs").success());
        }
    }
}

/// One remediation with all that belongs to it, over and over.
fn make(path: &Path, entries: usize) {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join(TEMPLATE);
    let connection =
        Connection::open(format!("file:{}?immutable=1", template.display())).expect("the template");
    let sql = "SELECT body FROM entries WHERE remediation IS NOT NULL
               OR seq = (SELECT min(seq) FROM entries WHERE kind = 'finding') ORDER BY seq";
    let mut statement = connection.prepare(sql).expect("entries");
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
    let story: Vec<Draft> = rows
        .map(|body| serde_json::from_slice::<Entry>(&body.expect("a body")).expect("an entry"))
        .map(|Entry { subject, event, .. }| Draft { subject, event })
        .collect();
    let ledger = Ledger::open(path).expect("a ledger");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let count = entries / story.len();
    for first in (0..count).step_by(200) {
        let entries = (first..(first + 200).min(count)).flat_map(|number| numbered(&story, number)).collect();
        runtime.block_on(ledger.append(Append { entries, ..Append::default() })).expect("written");
    }
    ledger.close();
}

fn numbered(story: &[Draft], number: usize) -> Vec<Draft> {
    let mut entries = story.to_vec();
    let id = format!("{number:032x}");
    let mut this = None;
    for entry in &mut entries {
        entry.subject.finding = entry.subject.finding.as_ref().map(|_| id.clone());
        entry.subject.remediation = entry.subject.remediation.as_ref().map(|_| format!("r-{number:012x}"));
        match &mut entry.event {
            Event::Finding { finding, .. } => {
                finding.id.clone_from(&id);
                this = Some(finding.occurrence());
            }
            Event::Decision { occurrence, .. } => {
                occurrence.clone_from(this.as_ref().expect("a finding first"));
            }
            _ => {}
        }
    }
    entries
}

fn report(path: &Path, format: Format) {
    let reader = Reader::open(path).expect("a ledger");
    let begun = Instant::now();
    let prepared =
        Prepared::new(&reader, Selection::default(), jiff::Timestamp::UNIX_EPOCH).expect("prepared");
    let mut out = std::io::BufWriter::with_capacity(1 << 16, Counted(0));
    let count = write(&prepared, format, &mut out, &mut |_, _| {}).expect("written");
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = out.into_inner().expect("written").0;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    // Hundredths of a second, in user mode and in the system (proc(5)).
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: Vec<f64> = stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    let (user, system) = (ticks.first().unwrap_or(&0.0) / 100.0, ticks.last().unwrap_or(&0.0) / 100.0);
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!(
        "{:>6} of {:>8} entries ({count} remediations, {:.0} MB out): {seconds:.2} s ({user:.2} s CPU, {system:.2} s system), {:>7.0} entries/s, at most {memory}",
        format.name(),
        prepared.head.entries,
        bytes as f64 / 1e6,
        prepared.head.entries as f64 / seconds,
    );
}

/// What the libraries take to write as much, from memory.
fn bounds(path: &Path) {
    let reader = Reader::open(path).expect("a ledger");
    let text = |format| {
        let prepared =
            Prepared::new(&reader, Selection::default(), jiff::Timestamp::UNIX_EPOCH).expect("prepared");
        let mut out = Vec::new();
        write(&prepared, format, &mut out, &mut |_, _| {}).expect("written");
        out
    };
    let from = text(Format::Csv);
    let rows: Vec<csv::ByteRecord> =
        csv::Reader::from_reader(&from[..]).byte_records().collect::<Result<_, _>>().expect("rows");
    drop(from);
    let begun = Instant::now();
    let mut out = csv::Writer::from_writer(std::io::BufWriter::with_capacity(1 << 16, Counted(0)));
    for row in &rows {
        out.write_byte_record(row).expect("written");
    }
    out.flush().expect("written");
    bound("csv crate", rows.len(), begun.elapsed().as_secs_f64());
    drop(rows);
    let from = text(Format::Jsonl);
    let lines: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&from).into_iter().collect::<Result<_, _>>().expect("lines");
    drop(from);
    let begun = Instant::now();
    let mut out = std::io::BufWriter::with_capacity(1 << 16, Counted(0));
    for line in &lines {
        serde_json::to_writer(&mut out, line).expect("written");
    }
    bound("serde_json", lines.len(), begun.elapsed().as_secs_f64());
}

fn bound(name: &str, count: usize, seconds: f64) {
    println!("{name:>10}, the same text from memory: {count} rows or lines in {seconds:.3} s");
}

#[derive(Debug)]
struct Counted(u64);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
