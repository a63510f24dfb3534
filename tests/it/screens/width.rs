//! The screens at 80 and 120 columns, as they are: nothing that people copy is broken, and nothing is wider than the
//! terminal.

use crate::scene::{BANK, BARE, Ran, SHOP, Scene};
use regex_lite::{Captures, Regex};
use std::collections::HashMap;
use std::fmt::Write;

/// A name as platform teams give them: 52 characters.
const LONG: &str = "payments-settlement-reconciliation-worker-production";

/// A night's work: a theft that was revoked, one that waits for an approval, one that cannot be carried out, and one
/// that was only seen.
fn night() -> (Scene, Vec<String>) {
    let scene = Scene::new();
    scene.watch();
    let _ = scene.theft(SHOP, "web");
    scene.poll_new().code(0);
    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(BANK, LONG);
    scene.poll_new().code(5);
    scene.configure("mode = \"enforce\"\n");
    let _ = scene.theft(BARE, "web");
    scene.poll_new().code(5);
    let list = scene.rescind(&["list", "-o", "jsonl"]).json();
    let ids = list.iter().map(|one| one["remediation"].as_str().expect("an id").to_owned()).collect();
    (scene, ids)
}

fn at(scene: &Scene, width: usize, args: &[&str]) -> Ran {
    let mut command = scene.command(args);
    command.env("COLUMNS", width.to_string());
    Ran::new(&command.output().expect("the binary runs"))
}

/// What varies, with something of the same length that does not.
fn masked(text: &str, scene: &Scene) -> String {
    let mut text = text.replace(&scene.directory.path().display().to_string(), "[scene]");
    for (pattern, start) in [
        (r"\br-[0-9a-f]{24}\b", "r-"),
        (r"\bi-[0-9a-f]{24}\b", "i-"),
        (r"\b(r-)[0-9a-f]{12}\b", "r-"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", ""),
        (r"\b[0-9a-f]{32}\b", ""),
        (r"\bASIA[A-Z0-9]{16}\b", "ASIA"),
        (r"\bAROA[A-Z0-9]{17}\b", "AROA"),
        (r"\bi-[0-9a-f]{17}\b", "i-"),
    ] {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let number = |found: &Captures| {
            let count = seen.len() + 1;
            let number = *seen.entry(found[0].to_owned()).or_insert(count);
            format!("{start}{number:0>width$}", width = found[0].len() - start.len())
        };
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, number).into_owned();
    }
    for (pattern, with) in [
        (r"\b20\d\d-\d\d-\d\d([ T])\d\d:\d\d:\d\d", "2026-11-30${1}03:00:00"),
        (r"\bo-[a-z0-9]{10}\b", "o-0000000000"),
        (r"\br-[a-z0-9]{4}\b", "r-0000"),
        (r"\b\d+(\.\d+)? (ms|s|min|h|d)\b", "[span]"),
        (r"(?m)(\[span\]( ago)?) {2,}", "$1  "),
        (r"Clock     [+-]", "Clock     ±"),
        (
            r"\b\d+ entries, \d+\.\d MiB; the last checkpoint covers \d+",
            "[n] entries, [n] MiB; the last checkpoint covers [n]",
        ),
        (r"(?m)^\d+( +20\d\d)", "[n]$1"),
        (r"\b(entry|pid|process) \d+", "$1 [n]"),
    ] {
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, with).into_owned();
    }
    text
}

/// Lines that are wider, but for those of one word: no name is broken.
fn too_wide(text: &str, width: usize) -> Vec<&str> {
    let is_broken = |line: &&str| line.trim_end().chars().count() > width && line.trim().contains(' ');
    text.lines().filter(is_broken).collect()
}

#[test]
fn screens_at_80_and_120_columns() {
    let (scene, ids) = night();
    let _ = scene.theft(SHOP, "batch");
    for width in [80, 120] {
        let mut text = String::new();
        for args in
            [&["list"][..], &["status"], &["show", &ids[0]], &["show", &ids[1]], &["plan"], &["doctor"]]
        {
            let ran = at(&scene, width, args);
            let _ = write!(text, "\n$ rescind {}\n{}{}", args.join(" "), ran.out, ran.err);
        }
        let text = masked(&text, &scene);
        insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(format!("screen_columns_{width}"), text);
        });
    }
}

#[test]
fn nothing_is_wider_than_a_terminal_of_80_columns() {
    let (scene, ids) = night();
    let mut wide = String::new();
    let see = |ran: Ran, args: &[&str], wide: &mut String| {
        // The log goes to standard error, and is no screen.
        let errors: Vec<&str> = ran.err.lines().filter(|line| !line.starts_with("20")).collect();
        for line in too_wide(&(ran.out + &errors.join("\n")), 80) {
            let _ = writeln!(wide, "{}: {line}", args.join(" "));
        }
    };
    let [revoked, held, blocked] = [&ids[0], &ids[1], &ids[2]];
    for args in [
        &["list"][..],
        &["list", "--decisions"],
        &["status"],
        &["show", revoked],
        &["show", held],
        &["show", blocked],
        &["explain", revoked],
        &["impact", revoked],
        &["incident", "list"],
        &["incident", "show", revoked],
        &["alerts"],
        &["opt-out", "list"],
        &["plan"],
        &["recheck"],
        &["run", "--once"],
        &["doctor"],
        &["run", "--once", "--backlog"],
        &["list", "--state", "blocked"],
        &["list", "--state", "released"],
    ] {
        see(at(&scene, 80, args), args, &mut wide);
    }
    assert!(wide.is_empty(), "{wide}");
}
