//! Which rule is for a finding: the first that matches. Indexed by type, so that a thousand rules cost
//! little more than one.

use super::Types;
use crate::config::{Approval, EventPattern, Fields, Glob, Matches, RemedyName, Rule, built_in};
use crate::finding::{Finding, ORDER_TYPE, Order};
use crate::ident::{AccountId, Region, quoted};
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// The rules in their order, the built-in ones last, ready to be asked.
#[derive(Debug, Clone)]
pub struct RuleIndex {
    rules: Arc<[Rule]>,
    /// Rules that can only be for certain types, by type in lower case.
    by_type: HashMap<String, Vec<usize>>,
    /// Rules that can be for any type.
    others: Vec<usize>,
}

/// What the rules say of a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ruling<'a> {
    /// This one is for it.
    Rule(&'a Rule),
    /// This one might be, and the finding leaves open whether; with what it leaves open.
    Unclear(&'a Rule, &'static str),
    /// No rule is for it.
    None,
}

/// Why a pattern cannot be evaluated.
const TOO_LONG: &str = "the finding is too long to be kept, so its pattern cannot be evaluated";

/// A rule that is for a finding's type, and not for the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// Name of the rule.
    pub rule: String,
    /// What of it the finding does not have, such as `asks for a severity of at least 7, and this has 2`.
    pub why: String,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} is for this type, but {}", quoted(&self.rule), self.why)
    }
}

/// How a rule fits a finding.
enum Fit {
    Yes,
    No,
    Unclear(&'static str),
}

impl RuleIndex {
    /// Prepares the rules of a file, with the remedies of the built-in ones.
    #[must_use]
    pub fn new(of_file: &[Rule], remedies: &[RemedyName]) -> Self {
        let rules: Arc<[Rule]> = of_file.iter().cloned().chain(built_in(remedies)).collect();
        let (mut by_type, mut others) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            match types(rule) {
                None => others.push(number),
                Some(types) => {
                    let types: BTreeSet<String> =
                        types.iter().map(|kind| kind.to_ascii_lowercase()).collect();
                    for kind in types {
                        by_type.entry(kind).or_default().push(number);
                    }
                }
            }
        }
        Self { rules, by_type, others }
    }

    /// The rule with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// The most that any rule asks for, where it is not clear which one is for a finding.
    #[must_use]
    pub fn strictest(&self) -> Approval {
        self.rules.iter().map(|rule| rule.approval).fold(Approval::default(), Approval::stricter)
    }

    /// The rule for a finding. `bus` is the account whose event bus would get the event; `within` says that
    /// the call came from an account of the same organization.
    #[must_use]
    pub fn ruling(&self, finding: &Finding, bus: &AccountId, within: bool) -> Ruling<'_> {
        let by_type = self.by_type.get(&finding.finding_type.to_ascii_lowercase());
        let by_type = by_type.map_or(&[][..], Vec::as_slice);
        let event = OnceCell::new();
        // Both lists are in order: the first that fits of each, and of these the first.
        let first = |numbers: &[usize]| {
            let each = numbers
                .iter()
                .map(|number| (*number, fit(&self.rules[*number], finding, bus, within, &event)));
            each.into_iter().find(|(_, fit)| !matches!(fit, Fit::No))
        };
        let one = first(by_type);
        let before = one
            .as_ref()
            .map_or(self.others.len(), |(number, _)| self.others.partition_point(|other| other < number));
        match first(&self.others[..before]).or(one) {
            Some((number, Fit::Unclear(why))) => Ruling::Unclear(&self.rules[number], why),
            Some((number, _)) => Ruling::Rule(&self.rules[number]),
            None => Ruling::None,
        }
    }

    /// The first rule that is for the finding's type, and asks for something else that the finding does not have. `within`
    /// says that the call came from an account of the same organization.
    #[must_use]
    pub fn near_miss(&self, finding: &Finding, within: bool) -> Option<NearMiss> {
        self.rules.iter().find_map(|rule| {
            let why = match &rule.matches {
                Matches::Fields(fields) if is_of_product(fields, finding) && is_of_type(fields, finding) => {
                    kept_by(fields, finding, within)
                }
                Matches::Pattern(pattern) if pattern.types()?.contains(&finding.finding_type.as_str()) => {
                    vec!["another part of its pattern does not match".to_owned()]
                }
                _ => return None,
            };
            (!why.is_empty()).then(|| NearMiss { rule: rule.name.clone(), why: why.join("; it ") })
        })
    }

    /// Which types of findings a rule could be for.
    #[must_use]
    pub fn types(&self) -> Types {
        let mut wanted = Types::default();
        for rule in self.rules.iter() {
            match &rule.matches {
                Matches::Pattern(pattern) if pattern.is_of_security_hub() => {
                    wanted.all |= pattern.may_be_of_guardduty();
                    wanted.hub_patterns.push(pattern.clone());
                }
                Matches::Pattern(pattern) => match pattern.types() {
                    None => wanted.all = true,
                    Some(types) => wanted.exact.extend(types.into_iter().map(str::to_owned)),
                },
                // Nobody has to be asked for what comes from elsewhere.
                Matches::Fields(fields) if !fields.products.is_empty() => {
                    wanted.products.extend(fields.products.iter().cloned());
                }
                Matches::Fields(fields) if fields.types.is_empty() => wanted.all = true,
                Matches::Fields(fields) => {
                    let (exact, families) =
                        fields.types.iter().partition::<Vec<_>, _>(|kind| kind.is_literal());
                    // What is ordered does not come from GuardDuty.
                    let exact = exact.into_iter().map(Glob::as_str).filter(|kind| *kind != ORDER_TYPE);
                    wanted.exact.extend(exact.map(str::to_owned));
                    wanted.families.extend(families.into_iter().cloned());
                }
            }
        }
        wanted
    }
}

/// The only types that a rule can be for; none when it does not say so exactly.
fn types(rule: &Rule) -> Option<Vec<&str>> {
    match &rule.matches {
        Matches::Pattern(pattern) => pattern.types(),
        Matches::Fields(fields) if fields.types.is_empty() => None,
        Matches::Fields(fields) => {
            fields.types.iter().map(|kind| kind.is_literal().then(|| kind.as_str())).collect()
        }
    }
}

fn fit(
    rule: &Rule,
    finding: &Finding,
    bus: &AccountId,
    within: bool,
    event: &OnceCell<Option<Value>>,
) -> Fit {
    match &rule.matches {
        Matches::Fields(fields) => fits(fields, finding, within),
        Matches::Pattern(pattern) if pattern.is_of_security_hub() && finding.product().is_none() => {
            through_hub(pattern, finding, bus)
        }
        Matches::Pattern(pattern) if !pattern.is_of_security_hub() && finding.product().is_some() => Fit::No,
        Matches::Pattern(pattern) => {
            let event = event.get_or_init(|| finding.event(bus));
            match event {
                Some(event) if pattern.matches(event) => Fit::Yes,
                Some(_) => Fit::No,
                // No event is like a person's order.
                None if finding.cause.order().is_some_and(Order::is_by_person) => Fit::No,
                None => Fit::Unclear(TOO_LONG),
            }
        }
    }
}

fn is_of_type(fields: &Fields, finding: &Finding) -> bool {
    fields.types.is_empty() || fields.types.iter().any(|kind| kind.matches(&finding.finding_type))
}

fn is_in_region(fields: &Fields, finding: &Finding) -> bool {
    fields.regions.is_empty() || fields.regions.contains(&finding.region)
}

/// What a rule asks for and a finding of its type does not have.
fn kept_by(fields: &Fields, finding: &Finding, within: bool) -> Vec<String> {
    let severity = match (fields.min_severity, finding.severity) {
        (Some(least), Some(severity)) if severity < least => {
            Some(format!("asks for a severity of at least {least}, and this has {severity}"))
        }
        _ => None,
    };
    let region = (!is_in_region(fields, finding)).then(|| {
        let regions: Vec<&str> = fields.regions.iter().map(Region::as_str).collect();
        format!("is for {}, and this is of {}", regions.join(", "), finding.region)
    });
    let affiliated = fields.affiliated.filter(|wanted| *wanted != within).map(|wanted| {
        let (asked, is) = if wanted { ("calls", "is not one") } else { ("calls that do not come", "does") };
        format!("is for {asked} from an account of the organization, and this {is}")
    });
    [severity, region, affiliated].into_iter().flatten().collect()
}

/// A rule is for GuardDuty's findings, and for people's orders, or it names other products.
fn is_of_product(fields: &Fields, finding: &Finding) -> bool {
    match finding.product() {
        Some(product) => fields.products.iter().any(|named| named.matches(product)),
        None => fields.products.is_empty(),
    }
}

/// How a pattern of Security Hub's events fits a finding of GuardDuty's: the same finding, whichever way it came.
fn through_hub(pattern: &EventPattern, finding: &Finding, bus: &AccountId) -> Fit {
    if !finding.cause.is_guardduty() || !pattern.may_be_of_guardduty() {
        return Fit::No;
    }
    let Some(events) = finding.hub_events(bus) else { return Fit::Unclear(TOO_LONG) };
    let fits = events.map(|event| pattern.matches_known(&event));
    if fits.contains(&Some(true)) {
        return Fit::Yes;
    }
    if fits.contains(&None) {
        return Fit::Unclear("its pattern asks for what only Security Hub knows of the finding");
    }
    Fit::No
}

fn fits(fields: &Fields, finding: &Finding, within: bool) -> Fit {
    let is_for =
        is_of_product(fields, finding) && is_of_type(fields, finding) && is_in_region(fields, finding);
    if !is_for || fields.affiliated.is_some_and(|wanted| wanted != within) {
        return Fit::No;
    }
    match (fields.min_severity, finding.severity) {
        (Some(_), None) => Fit::Unclear("it asks for a severity, and the finding has none"),
        (Some(least), Some(severity)) if severity < least => Fit::No,
        _ => Fit::Yes,
    }
}
