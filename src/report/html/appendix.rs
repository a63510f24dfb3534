//! What proves a remediation: the ids of its calls, and the ways of its entries to the signed root.

use super::shown::Shown;
use crate::ledger::Paths;
use crate::ledger::tree::Hash;
use crate::report::remediation::RemediationReport;
use crate::report::scan::ReportError;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "report/appendix.html")]
pub(super) struct AppendixPage<'a> {
    s: &'a RemediationReport,
    account: String,
    proof: Proof,
}

impl<'a> AppendixPage<'a> {
    pub fn of(report: &'a RemediationReport, proof: Proof) -> Self {
        let account = Shown::account(&report.account, report.account_name.as_deref());
        Self { s: report, account, proof }
    }
}

/// The ways of all entries of a remediation to the root. They share most of it.
#[derive(Default)]
pub(super) struct Proof {
    size: u64,
    /// The entry, its leaf hash, and which hashes are on its way, from the leaf upwards.
    entries: Vec<(i64, String, String)>,
    nodes: Vec<(usize, String)>,
}

impl Proof {
    /// Of the entries of a remediation among the first `size`, which are signed for.
    pub fn of(report: &RemediationReport, size: u64, paths: &Paths<'_>) -> Result<Self, ReportError> {
        let mut proof = Self { size, ..Self::default() };
        let mut numbers: HashMap<Hash, usize> = HashMap::new();
        for seq in report.entries().into_iter().filter(|seq| seq.unsigned_abs() <= size) {
            let (leaf, path) = paths.of(seq)?;
            let mut way = Vec::with_capacity(path.len());
            for node in path {
                let next = numbers.len() + 1;
                let number = *numbers.entry(node).or_insert_with(|| {
                    proof.nodes.push((next, BASE64.encode(node)));
                    next
                });
                way.push(number.to_string());
            }
            proof.entries.push((seq, BASE64.encode(leaf), way.join(" ")));
        }
        Ok(proof)
    }
}
