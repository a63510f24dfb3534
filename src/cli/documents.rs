//! The documents that `-o json` gives, one for each command, and their schemas in docs/schema/commands.

use super::plan::PlanCounts;
use super::summary::Counts;
use crate::desk::{AlertLine, DecisionLine, IncidentLine, Picture, PlanDocument, RemediationLine, Shown};
use crate::doctor::Diagnosis;
use crate::ident::AccountId;
use crate::incident::Incident;
use crate::remediation::{Answer, Impact};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Items, the latest last; an alert and an incident the latest first.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Items<T> {
    items: Vec<T>,
}

/// The latest items, the latest last.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Latest<T> {
    items: Vec<T>,
    /// There are earlier ones, which `--limit` leaves out.
    more: bool,
}

/// An error in words.
#[derive(Serialize, JsonSchema)]
struct Failed {
    error: String,
}

/// What cannot be read.
#[derive(Serialize, JsonSchema)]
struct Unreadable {
    undecodable: Value,
}

/// What would be done.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Plan {
    items: Vec<PlanDocument>,
    /// Regions and feeds that could not be read.
    errors: Vec<Failed>,
    /// Inputs that cannot be read.
    undecodable: Vec<Unreadable>,
    summary: PlanCounts,
}

/// A finding that was recorded before this run.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are those of the document")]
struct SeenBefore {
    /// Id of the finding.
    seen_before: String,
    account: AccountId,
    account_name: Option<String>,
    /// Number of the entry that recorded it.
    entry: i64,
    /// What was decided, in words.
    decision: String,
    code: Option<String>,
    remediation: Option<String>,
    state: Option<String>,
}

/// What a run did.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Run {
    /// The remediations that the run was about, as they are now.
    remediations: Vec<RemediationLine>,
    /// Entries of the ledger that are about no remediation: findings that were skipped or observed, alerts, what could not
    /// be read.
    entries: Vec<Value>,
    seen_before: Vec<SeenBefore>,
    /// Number of findings that no rule is for, by their types.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_rule: Option<BTreeMap<String, usize>>,
    summary: Counts,
    /// How many findings `handle` gave to a running service.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_in: Option<usize>,
    /// Who acts on them: `service` or `next_start`.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_up_by: Option<String>,
}

/// What is in force, and what a recheck did.
#[derive(Serialize, JsonSchema)]
struct Recheck {
    denies_in_force: usize,
    /// The denies that are in force now.
    denies: Vec<RemediationLine>,
    remediations: Vec<RemediationLine>,
    entries: Vec<Value>,
    seen_before: Vec<SeenBefore>,
    summary: Counts,
}

/// Whether everything is in place.
#[derive(Serialize, JsonSchema)]
struct Doctor {
    #[serde(flatten)]
    diagnosis: Diagnosis,
    /// Nothing is wrong that would keep a theft from being revoked.
    green: bool,
    /// Number of pairs of account and region in which a theft is seen and can be revoked.
    covered: usize,
    /// Number of all such pairs.
    pairs: usize,
    /// Number of pairs for which AWS did not answer.
    unknown: usize,
}

/// An opt-out, and whether it applies.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are those of the document")]
struct OptOut {
    opt_out: Value,
    applies: bool,
    days_left: Option<i64>,
}

/// The impact of a remediation.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImpactOf {
    remediation: String,
    impact: Impact,
}

/// What was decided about an occurrence, with each check.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Explained {
    /// The entry that recorded it.
    seen: Value,
    /// The entry with the decision.
    decision: Option<Value>,
}

/// An answer that was recorded, under its name, or that was not.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answered {
    remediation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_by_hand: Option<Answer>,
    /// Number of people who must approve it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approvals_missing: Option<usize>,
    /// Why it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

fn of<T: JsonSchema>(command: &str) -> Schema {
    // What is written, not what is read: a field with a default is there all the same.
    let mut generator =
        SchemaGenerator::new(schemars::generate::SchemaSettings::draft2020_12().for_serialize());
    let mut schema = generator.root_schema_for::<T>();
    schema.insert("title".to_owned(), format!("rescind {command} -o json").into());
    schema
}

fn documents() -> Vec<(&'static str, Schema)> {
    vec![
        ("list", of::<Latest<RemediationLine>>("list")),
        ("list-decisions", of::<Latest<DecisionLine>>("list --decisions")),
        ("show", of::<Shown>("show")),
        ("status", of::<Picture>("status")),
        ("plan", of::<Plan>("plan")),
        ("run", of::<Run>("run --once")),
        ("recheck", of::<Recheck>("recheck")),
        ("alerts", of::<Items<AlertLine>>("alerts")),
        ("incident-list", of::<Items<IncidentLine>>("incident list")),
        ("incident-show", of::<Incident>("incident show")),
        ("doctor", of::<Doctor>("doctor")),
        ("explain", of::<Items<Explained>>("explain")),
        ("impact", of::<ImpactOf>("impact")),
        ("answers", of::<Items<Answered>>("approve, reject, done")),
        ("opt-out-list", of::<Items<OptOut>>("opt-out list")),
    ]
}

#[test]
fn the_schemas_in_docs_are_those_of_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/commands");
    for (command, schema) in documents() {
        let path = folder.join(format!("{command}.schema.json"));
        let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("RESCIND_WRITE_SCHEMAS").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &text).expect("written");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        let path = path.display();
        assert!(there == text, "{path} is old: RESCIND_WRITE_SCHEMAS=1 cargo test writes it anew");
    }
}
