//! What stands in the ledger of a scene.

use super::{POLICY, Scene};
use serde_json::Value;

impl Scene {
    /// All entries, as they stand in the file.
    pub fn entries(&self) -> Vec<Value> {
        let connection = rusqlite::Connection::open(self.path("ledger.db")).expect("a ledger");
        let mut statement = connection.prepare("SELECT body FROM entries ORDER BY seq").expect("entries");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        rows.map(|body| serde_json::from_slice(&body.expect("a body")).expect("JSON")).collect()
    }

    /// How many entries there are by now of which this is so; none when there is no table yet.
    pub fn count(&self, condition: &str) -> usize {
        let connection = rusqlite::Connection::open(self.path("ledger.db")).expect("a file");
        let sql = format!("SELECT count(*) FROM entries WHERE {condition}");
        let count = connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        usize::try_from(count.unwrap_or(0)).expect("a count")
    }

    pub fn entries_of(&self, kind: &str) -> Vec<Value> {
        self.entries().into_iter().filter(|entry| entry["kind"] == kind).collect()
    }

    /// The codes of the entries of a kind, in order.
    pub fn codes(&self, kind: &str) -> Vec<String> {
        let of = |entry: &Value| entry["data"]["code"].as_str().expect("a code").to_owned();
        self.entries_of(kind).iter().map(of).collect()
    }

    /// A remediation, or the one that a finding led to, as `show -o json` has it.
    #[track_caller]
    pub fn shown(&self, id: &str) -> Value {
        self.rescind(&["show", id, "-o", "jsonl"]).code(0).json_document()
    }

    /// The decision about a finding, the latest one.
    #[track_caller]
    pub fn decision(&self, finding: &str) -> Value {
        let mut decisions = self.entries_of("decision");
        decisions.retain(|entry| entry["finding"] == finding);
        decisions.pop().unwrap_or_else(|| panic!("no decision about {finding}"))["data"].clone()
    }

    /// The kinds of the steps of the only remediation, without the calls.
    #[track_caller]
    pub fn steps(&self) -> Vec<String> {
        let entries = self.entries();
        let mut ids: Vec<&Value> = entries.iter().filter_map(|e| e.get("remediation")).collect();
        ids.sort_by_key(ToString::to_string);
        ids.dedup();
        assert_eq!(ids.len(), 1, "expected one remediation");
        // Those that lead from one state to another.
        let is_step =
            |e: &&Value| e["kind"] != "call" && e["kind"] != "impact" && e.get("remediation").is_some();
        let steps = entries.iter().filter(is_step);
        steps.map(|e| e["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// The text of our policy on a role, as its account's operator sees it.
    pub fn policy_on(&self, account: &str, role: &str) -> Option<Value> {
        let text = crate::thief::Thief::operator(self, account).role_policy(role, POLICY)?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }
}

/// The cutoff that a revoke document sets.
pub fn cutoff(document: &Value) -> &str {
    document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"].as_str().expect("a cutoff")
}
