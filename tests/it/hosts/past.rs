//! What has happened in an organization, from a ledger's entries and from the emulator's own log of calls.

use super::host::say;
use crate::scene::{POLICY, cutoff};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A change or a look at the policy with which a role is revoked.
struct Call {
    /// Its number in the emulator's log.
    number: u64,
    key: String,
    role: String,
    /// Of what was put; none of a look.
    cutoff: Option<Timestamp>,
}

pub struct Past<'a> {
    entries: &'a [Value],
    /// Those that took effect, in order.
    calls: Vec<Call>,
}

impl<'a> Past<'a> {
    pub fn of(entries: &'a [Value], calls: &[Value]) -> Self {
        Self { entries, calls: calls.iter().filter_map(Call::read).collect() }
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.entries.iter().filter(move |entry| entry["kind"] == kind)
    }

    /// Each has one finding and one decision, and there are no others.
    pub fn has_each_theft_once(&self, mut thefts: Vec<&str>) {
        thefts.sort_unstable();
        for kind in ["finding", "decision"] {
            let mut found: Vec<_> =
                self.of_kind(kind).map(|entry| entry["finding"].as_str().expect("an id")).collect();
            found.sort_unstable();
            assert!(found == thefts, "{} of kind {kind} for {} thefts", found.len(), thefts.len());
        }
    }

    pub fn has_one_remediation_for_each_principal_and_cutoff(&self) {
        // The latest intent of a remediation is the one that was carried out.
        let last: BTreeMap<_, _> = self
            .of_kind("intent")
            .map(|entry| (entry["remediation"].as_str().expect("an id"), entry))
            .collect();
        let mut cutoffs = BTreeSet::new();
        for (remediation, intent) in &last {
            let change = &intent["data"]["change"]["cutoff"];
            assert!(change.is_string(), "{intent}");
            let one = format!("{} {} {change}", intent["account"], intent["principal"]);
            assert!(cutoffs.insert(one.clone()), "{remediation} is not the only one for {one}");
        }
        assert!(!cutoffs.is_empty());
    }

    /// The hosts' clocks were set, and more than one of them wrote.
    pub fn has_times_that_are_apart(&self, seconds: i64) {
        let times = self.entries.iter().map(|entry| {
            entry["time"].as_str().expect("a time").parse::<Timestamp>().expect("a time").as_second()
        });
        let (first, last) = (times.clone().min().expect("entries"), times.max().expect("entries"));
        assert!(last - first >= seconds, "{} s", last - first);
    }

    pub fn moves_no_cutoff_back(&self) {
        let mut latest: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for (call, cutoff) in self.puts() {
            if let Some(before) = latest.insert(&call.role, cutoff) {
                assert!(before <= cutoff, "call {}: {} from {before} to {cutoff}", call.number, call.role);
            }
        }
        assert!(!latest.is_empty());
    }

    /// Nothing is changed whose intent is not in the log.
    pub fn puts_only_what_was_intended(&self) {
        let intended: BTreeSet<_> = self
            .of_kind("intent")
            .map(|entry| {
                let text = |value: &'a Value| value.as_str().expect("a text");
                let role = format!("{}/{}", text(&entry["account"]), text(&entry["principal"]));
                (role, text(&entry["data"]["change"]["cutoff"]).parse::<Timestamp>().expect("a time"))
            })
            .collect();
        for (call, cutoff) in self.puts() {
            let is_intended = intended.contains(&(call.role.clone(), cutoff));
            assert!(is_intended, "call {}: {cutoff} on {} was not intended", call.number, call.role);
        }
    }

    /// Whoever put a cutoff that was there had looked before it was: the answer to a put of its own was lost, or
    /// another's came in between.
    pub fn puts_again_only_what_was_not_there(&self) {
        let (mut first, mut again) = (BTreeMap::<(&str, Timestamp), u64>::new(), 0);
        for (call, cutoff) in self.puts() {
            let there = *first.entry((&call.role, cutoff)).or_insert(call.number);
            if there == call.number {
                continue;
            }
            again += 1;
            let mut looks = self.calls.iter().filter(|look| look.cutoff.is_none() && look.role == call.role);
            let look = looks.rfind(|look| look.key == call.key && look.number < call.number);
            assert!(
                look.is_some_and(|look| look.number < there),
                "call {} puts what call {there} had put on {}",
                call.number,
                call.role
            );
        }
        say(&format!("{} cutoffs were put, {again} of them again", first.len()));
    }

    fn puts(&self) -> impl Iterator<Item = (&Call, Timestamp)> {
        self.calls.iter().filter_map(|call| Some((call, call.cutoff?)))
    }
}

impl Call {
    fn read(call: &Value) -> Option<Self> {
        let (params, status) = (&call["params"], call["status"].as_u64()?);
        if params["PolicyName"] != POLICY {
            return None;
        }
        let cutoff = match call["operation"].as_str()? {
            "PutRolePolicy" if status == 200 => {
                let document = params["PolicyDocument"].as_str().expect("a document");
                let document: Value = serde_json::from_str(document).expect("JSON");
                Some(cutoff(&document).parse().expect("a time"))
            }
            "GetRolePolicy" => None,
            _ => return None,
        };
        let role = format!("{}/{}", call["account"].as_str()?, params["RoleName"].as_str()?);
        Some(Self {
            number: call["n"].as_u64()?,
            key: call["access_key_id"].as_str()?.to_owned(),
            role,
            cutoff,
        })
    }
}
