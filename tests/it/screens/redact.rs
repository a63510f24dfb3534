//! Takes out of a screen what is another at each run. What was the same before is the same afterwards.

use crate::scene::Scene;
use regex_lite::{Captures, Regex};
use std::collections::HashMap;

/// What varies, in the order in which it is taken out, and what stands there instead.
const VARYING: [(&str, &str); 24] = [
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[request]"),
    (r"\b[0-9a-f]{64}\b", "[sha256]"),
    (r"\br-[0-9a-f]{6}:", "r-[id]:"),
    (r"[A-Za-z0-9+/]{60,}={0,2}", "[signature]"),
    (r"[A-Za-z0-9+/]{43}=", "[root]"),
    (r"\.[0-9a-f]{8}\.retired", ".[key].retired"),
    (r"(?m)^\d+$", "[n]"),
    (r"\b20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "[time]"),
    (r"\b20[2-9]\d-\d\d-\d\d\b", "[date]"),
    (r"\b20\d{6}T\d{6}Z\b", "[moment]"),
    (r"-inum \d+", "-inum [n]"),
    (r"127\.0\.0\.1:\d{2,5}\b", "127.0.0.1:[port]"),
    (r"gone \d+ times since \d\d:\d\d:\d\dZ", "gone [n] times since [time]"),
    (r"([Ii]n force for) \d+ of \d+ seconds", "$1 [n] of [n] seconds"),
    (r"\b(\d+h )?(\d+m )?\d+(\.\d+)? ?(ms|s|h|m|min|d|KB|MB|kB)\b( ago)?", "[span]"),
    (r"(\[span\]|-) {2,}\d{1,2}(\.\d)? %", "$1  [share]"),
    (r"\b(process|pid|uid) \d+", "$1 [number]"),
    (r"\bo-[a-z0-9]{10}\b", "[organization]"),
    (r"\b([Ee]ntry|covers|over) \d+", "$1 [n]"),
    (r"\b\d+ entries\b", "[n] entries"),
    (r#""entry": \d+"#, "\"entry\": [n]"),
    (r"\brescind-[0-9a-f]{12}-\d+", "rescind-[log]-[n]"),
    (r"Clock +[+-]", "Clock  ±"),
    (r"\bEntries \d+ to \d+", "Entries [n] to [n]"),
];

/// What is known by its name: the same one has the same number. Of an id, its beginning may stand for it.
const NAMED: [(&str, &str, usize); 9] = [
    (r"\bi-(?:[0-9a-f]{24}|[0-9a-f]{12})\b", "incident-", 14),
    (r"\br-[0-9a-f]{12,24}\b", "r-", 8),
    (r"\brescind/[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", "key-", usize::MAX),
    (r"\brescind/[0-9a-f]{16}", "log-", usize::MAX),
    (r"\b[0-9a-f]{32}\b", "finding-", usize::MAX),
    (r"\bASIA[A-Z0-9]{16}\b", "ASIA-", usize::MAX),
    (r"\bAKIA[A-Z0-9]{16}\b", "AKIA-", usize::MAX),
    (r"\bAROA[A-Z0-9]{17}\b", "AROA-", usize::MAX),
    (r"\bi-[0-9a-f]{17}\b", "i-", usize::MAX),
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

pub fn redacted(text: &str, scene: &Scene) -> String {
    let directory = scene.directory.path().display().to_string();
    let mut text = text.replace(&directory, "[scene]").replace(env!("CARGO_PKG_VERSION"), "[version]");
    for (varying, name, length) in NAMED {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let number = |found: &Captures| {
            let count = seen.len() + 1;
            let known: String = found[0].chars().take(length).collect();
            format!("{name}{}", *seen.entry(known).or_insert(count))
        };
        text = pattern(varying).replace_all(&text, number).into_owned();
    }
    for (varying, name) in VARYING {
        text = pattern(varying).replace_all(&text, name).into_owned();
    }
    text = pattern(r"\(\S+, uid \[number\]\)").replace_all(&text, "([user], uid [number])").into_owned();
    lines(&text)
}

/// Columns are as wide as what stands in them; and what goes on side by side ends in any order.
fn lines(text: &str) -> String {
    let (gap, entry) = (pattern(r"(\S) {3,}"), pattern(r"^ *\d+ {2,}\[time\]"));
    let (mut out, mut beside): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let line = entry.replace(line, "[entry]  [time]");
        let is_document = line.starts_with("  + ") || line.starts_with("  - ");
        let line = if is_document { line } else { gap.replace_all(&line, "$1  ").into_owned().into() };
        let line = line.trim_end().to_owned();
        let is_call = line.starts_with("[entry]") && line.ends_with("[request])");
        if is_call || line.starts_with("[time] ") {
            beside.push(line);
        } else {
            beside.sort_unstable();
            out.append(&mut beside);
            out.push(line);
        }
    }
    beside.sort_unstable();
    out.append(&mut beside);
    out.join("\n") + "\n"
}
