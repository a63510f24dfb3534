//! Which rule is for a finding: the first that matches. Indexed, so that a thousand rules cost
//! little more than one.

use crate::config::{Fields, Glob, Matches, Rule, built_in};
use crate::finding::Finding;
use crate::ident::AccountId;
use quamina::Quamina;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The rules in their order, the built-in ones last, ready to be asked.
#[derive(Clone)]
pub struct RuleIndex {
    rules: Arc<[Rule]>,
    /// All patterns in one automaton. A match is the rule's number.
    patterns: Option<Arc<Quamina<usize>>>,
    /// The first rule with a pattern: only those before it can decide without the event.
    first_pattern: usize,
    /// Rules whose types are all literal, by type in lower case.
    by_type: HashMap<String, Vec<usize>>,
    /// The other rules without a pattern.
    others: Vec<usize>,
}

/// What the rules say of a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ruling<'a> {
    /// This one is for it.
    Rule(&'a Rule),
    /// This one might be, and it cannot be told.
    Unclear(&'a Rule, &'static str),
    /// None is.
    None,
}

/// How a rule fits a finding.
enum Fit {
    Yes,
    No,
    Unclear(&'static str),
}

impl RuleIndex {
    /// Prepares the rules of a file.
    #[must_use]
    pub fn new(of_file: &[Rule]) -> Self {
        let rules: Arc<[Rule]> = of_file.iter().cloned().chain(built_in()).collect();
        let mut index = Self {
            first_pattern: rules.len(),
            by_type: HashMap::new(),
            others: Vec::new(),
            patterns: None,
            rules,
        };
        let mut patterns = Quamina::new();
        for (number, rule) in index.rules.iter().enumerate() {
            match &rule.matches {
                Matches::Pattern(pattern) => {
                    index.first_pattern = index.first_pattern.min(number);
                    // It was added to a matcher of its own when it was read.
                    if let Err(error) = patterns.add_pattern(number, pattern.as_str()) {
                        tracing::error!(rule = rule.name, %error, "its pattern cannot be used");
                    }
                }
                Matches::Fields(fields)
                    if !fields.types.is_empty() && fields.types.iter().all(Glob::is_literal) =>
                {
                    for kind in &fields.types {
                        index.by_type.entry(kind.as_str().to_ascii_lowercase()).or_default().push(number);
                    }
                }
                Matches::Fields(_) => index.others.push(number),
            }
        }
        if !patterns.is_empty() {
            index.patterns = Some(Arc::new(patterns));
        }
        index
    }

    /// The rule for a finding. `bus` is the account whose event bus would get the event.
    #[must_use]
    pub fn ruling(&self, finding: &Finding, bus: &AccountId) -> Ruling<'_> {
        let by_type = self.by_type.get(&finding.finding_type.to_ascii_lowercase());
        let by_type = by_type.into_iter().flatten().copied();
        // Both lists are in order, and short: the first that fits of each.
        let fits = |number: &usize| !matches!(self.fit(*number, finding), Fit::No);
        let (one, other) = (by_type.into_iter().find(fits), self.others.iter().copied().find(fits));
        let by_fields = one.into_iter().chain(other).min();
        let number = if by_fields.is_none_or(|number| number > self.first_pattern) {
            match self.by_pattern(finding, bus) {
                Ok(by_pattern) => by_fields.into_iter().chain(by_pattern).min(),
                Err(why) => return Ruling::Unclear(&self.rules[self.first_pattern], why),
            }
        } else {
            by_fields
        };
        let Some(number) = number else { return Ruling::None };
        let rule = &self.rules[number];
        match self.fit(number, finding) {
            Fit::Unclear(why) => Ruling::Unclear(rule, why),
            Fit::Yes | Fit::No => Ruling::Rule(rule),
        }
    }

    /// The first rule with a pattern that matches.
    fn by_pattern(&self, finding: &Finding, bus: &AccountId) -> Result<Option<usize>, &'static str> {
        let Some(patterns) = &self.patterns else { return Ok(None) };
        let event = finding
            .event(bus)
            .ok_or("the finding is too long to be kept, so its pattern cannot be evaluated")?;
        match patterns.matches_for_event(event.as_bytes()) {
            Ok(matched) => Ok(matched.into_iter().min()),
            Err(_) => Err("the matcher cannot read the finding, so its pattern cannot be evaluated"),
        }
    }

    fn fit(&self, number: usize, finding: &Finding) -> Fit {
        match &self.rules[number].matches {
            Matches::Pattern(_) => Fit::Yes,
            Matches::Fields(fields) => fit(fields, finding),
        }
    }

    /// The finding types that a rule could be for; none when that can be any.
    #[must_use]
    pub fn types(&self) -> Option<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for rule in self.rules.iter() {
            match &rule.matches {
                Matches::Pattern(pattern) => all.extend(pattern.types()?.iter().cloned()),
                Matches::Fields(fields) if fields.types.is_empty() => return None,
                Matches::Fields(fields) if fields.types.iter().all(Glob::is_literal) => {
                    all.extend(fields.types.iter().map(|kind| kind.as_str().to_owned()));
                }
                Matches::Fields(_) => return None,
            }
        }
        Some(all)
    }
}

fn fit(fields: &Fields, finding: &Finding) -> Fit {
    let of_type =
        fields.types.is_empty() || fields.types.iter().any(|kind| kind.matches(&finding.finding_type));
    let in_region = fields.regions.is_empty() || fields.regions.contains(&finding.region);
    let affiliated = finding.evidence.remote_account_affiliated == Some(true);
    if !of_type || !in_region || fields.affiliated.is_some_and(|wanted| wanted != affiliated) {
        return Fit::No;
    }
    match (fields.min_severity, finding.severity) {
        (Some(_), None) => Fit::Unclear("it asks for a severity, and the finding has none"),
        (Some(least), Some(severity)) if severity < least => Fit::No,
        _ => Fit::Yes,
    }
}

impl std::fmt::Debug for RuleIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleIndex").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}
