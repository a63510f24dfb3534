//! What a run of the binary gave.

use serde_json::Value;
use std::process::Output;

/// What a run of the binary gave.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn new(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Asserts that standard output or standard error says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.out.contains(text) || self.err.contains(text);
        assert!(said, "wanted: {text}\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// What a poll or `handle` counted (`-o jsonl`).
    #[track_caller]
    pub fn summary(&self) -> Value {
        let summary = self.json().into_iter().find_map(|line| line.get("summary").cloned());
        summary.unwrap_or_else(|| panic!("no summary\n{}\n{}", self.out, self.err))
    }

    /// Asserts what became of the findings (`-o jsonl`): this, and nothing else. How many alerts were raised and how
    /// many findings were seen before is compared where it is named.
    #[track_caller]
    pub fn counts(self, mut expected: Value) -> Self {
        let mut counted = self.summary();
        let is_beside = |name: &str| ["alerts", "put_off", "seen_before"].contains(&name);
        let is_compared = |name: &String| !is_beside(name) || expected.get(name).is_some();
        counted.as_object_mut().expect("an object").retain(|name, count| *count != 0 && is_compared(name));
        expected.as_object_mut().expect("an object").retain(|_, count| *count != 0);
        assert_eq!(counted, expected, "\n--- out\n{}", self.out);
        self
    }

    /// Asserts that a line of JSON bears this code: of a decision, a refusal, an alert or a check.
    #[track_caller]
    pub fn has_code(self, code: &str) -> Self {
        fn has(value: &Value, code: &str) -> bool {
            match value {
                Value::Object(fields) => {
                    ["code", "held_code"].iter().any(|key| fields.get(*key).is_some_and(|one| one == code))
                        || fields.values().any(|one| has(one, code))
                }
                Value::Array(all) => all.iter().any(|one| has(one, code)),
                _ => false,
            }
        }
        assert!(self.json().iter().any(|line| has(line, code)), "wanted: {code}\n--- out\n{}", self.out);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json_document(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON")
    }

    /// Standard output as JSON lines.
    pub fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}
