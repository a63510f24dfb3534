//! One gigabyte of exported findings: decoded, and by bounds beside it that do less.
//!
//! `cargo bench --bench decode -- [MEGABYTES]` writes JSON lines as GuardDuty exports them to S3, one finding on
//! each, and reads the file three times in turn: as rescind does, by serde_json into any value, and by serde_json
//! into a type with just the fields that rescind takes from a finding.

#![allow(clippy::print_stdout, clippy::cast_precision_loss)] // it is for reading
#![allow(dead_code, clippy::struct_field_names)] // the fields of the bound are read by nobody

use rescind::finding::Findings;
use serde::Deserialize;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

const TEMPLATE: &str = include_str!("stub/finding.json");
const ROUNDS: usize = 3;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let megabytes = words.first().and_then(|word| word.parse().ok()).unwrap_or(1_000);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = directory.path().join("findings.jsonl");
    let lines = export(&path, megabytes * 1_000_000).expect("written");
    for round in 1..=ROUNDS {
        let ours = seconds(|| assert_eq!(decoded(&path), lines));
        let value = seconds(|| assert_eq!(read::<serde_json::Value>(&path), lines));
        let same = seconds(|| assert_eq!(read::<Wire>(&path), lines));
        let speed = |seconds: f64| megabytes as f64 / seconds;
        println!(
            "{round}: {lines} findings, {megabytes} MB: rescind {:.0} MB/s ({:.0} findings/s); serde_json into any value {:.0} MB/s ({:.0} %), \
             into the fields {:.0} MB/s ({:.0} %)",
            speed(ours),
            lines as f64 / ours,
            speed(value),
            100.0 * value / ours,
            speed(same),
            100.0 * same / ours,
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("at most {}", status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim());
}

/// Writes lines until there are so many bytes; gives how many.
fn export(path: &Path, bytes: usize) -> std::io::Result<usize> {
    let value: serde_json::Value = serde_json::from_str(TEMPLATE)?;
    let fixed = [
        ("${ACCOUNT}", "111122223333"),
        ("${HUB}", "999988887777"),
        ("${REGION}", "eu-central-1"),
        ("${DETECTOR}", "0123456789abcdef0123456789abcdef"),
        ("${ROLE}", "web"),
        ("${ACCESS_KEY}", "ASIATHIEF00000000001"),
        ("${PRINCIPAL}", "AROAEXAMPLEEXAMPLE12:i-00000000000000001"),
        ("${INSTANCE}", "i-00000000000000001"),
        ("${TYPE}", "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"),
        ("${AT}", "2026-11-22T10:00:00.000Z"),
    ];
    let template = fixed.iter().fold(value.to_string(), |text, (name, value)| text.replace(name, value));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut lines) = (0, 0);
    while written < bytes {
        lines += 1;
        let line = template.replace("${ID}", &format!("{lines:032x}"));
        writeln!(out, "{line}")?;
        written += line.len() + 1;
    }
    out.flush()?;
    Ok(lines)
}

fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn open(path: &Path) -> BufReader<File> {
    BufReader::with_capacity(1 << 16, File::open(path).expect("the export"))
}

fn decoded(path: &Path) -> usize {
    let findings = Findings::of(open(path)).expect("readable");
    findings.map(|line| line.iter().filter(|one| black_box(one).is_ok()).count()).sum()
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> usize {
    let (mut input, mut line, mut lines) = (open(path), Vec::new(), 0);
    while input.read_until(b'\n', &mut line).expect("readable") > 0 {
        black_box(serde_json::from_slice::<T>(&line).expect("JSON"));
        line.clear();
        lines += 1;
    }
    lines
}

/// What rescind takes from a finding, as text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    account_id: String,
    region: String,
    r#type: String,
    updated_at: String,
    created_at: Option<String>,
    severity: Option<f64>,
    title: Option<String>,
    resource: Resource,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    access_key_details: Option<AccessKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessKey {
    access_key_id: Option<String>,
    principal_id: Option<String>,
    user_name: Option<String>,
    user_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    archived: Option<bool>,
    count: Option<u64>,
    event_first_seen: Option<String>,
    event_last_seen: Option<String>,
    action: Option<Action>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    aws_api_call_action: Option<ApiCall>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiCall {
    api: Option<String>,
    service_name: Option<String>,
    error_code: Option<String>,
    remote_ip_details: Option<RemoteIp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RemoteIp {
    ip_address_v4: Option<String>,
    country: Option<Country>,
    organization: Option<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Country {
    country_name: Option<String>,
}

#[derive(Deserialize)]
struct Organization {
    org: Option<String>,
    isp: Option<String>,
}
