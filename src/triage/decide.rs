//! The decision: one check after the other.

use super::earlier::uncovered;
use super::instructions::{by_hand, what_to_do};
use super::remedy_target::{RemedyTarget, remedy_target};
use super::trace::DecisionTrace;
use super::{
    Decision, DecisionContext, HoldReason, ObserveReason, PlacementNeeded, Policy, Ruling, SkipReason,
    Source, Stage, Undecided, Unsupported, Verdict, most_cautious, reason,
};
use crate::config::{Approval, LateTags, Mode, OptOut, Rule};
use crate::finding::{Cause, Finding, OrderedBy};
use crate::ident::AccountId;
use crate::org::{AccountState, Placement};
use crate::remediation::{Means, PriorRemediation, Recurrence, State, Target, Who};

/// Decides about one occurrence of a finding.
///
/// # Errors
/// When the decision depends on where the account stands, and the context does not say so.
pub fn decide(
    finding: &Finding,
    policy: &Policy,
    context: DecisionContext<'_>,
) -> Result<Decision, Undecided> {
    let mut triage = Triage {
        finding,
        policy,
        context,
        trace: DecisionTrace::default(),
        rule: None,
        approval: Approval::default(),
        recurrence: None,
        opt_outs: Vec::new(),
        late_tag: None,
        placed: false,
        needed: None,
    };
    let verdict = triage.verdict().unwrap_or_else(Verdict::Skip);
    let Triage { trace, rule, approval, recurrence, opt_outs, late_tag, placed, needed, .. } = triage;
    let what_to_do = match &verdict {
        Verdict::Skip(reason) => what_to_do(reason, finding),
        Verdict::Hold { why: HoldReason::Unsupported(why), .. } => Some(by_hand(why, finding, context.now)),
        _ => None,
    };
    let decision = Decision {
        checks: trace.close(format!("{}: {verdict}", verdict.name())),
        verdict,
        what_to_do,
        recurrence,
        rule,
        approval,
        opt_outs,
        late_tag,
        organization_read_at: context.organization.read_at,
        placement_read_at: context.placement.filter(|_| placed).map(|p| p.read_at),
    };
    match needed {
        None => Ok(decision),
        Some(needed) => Err(Undecided { needed, otherwise: Box::new(decision) }),
    }
}

/// The opt-outs that apply, and key and value of the account's tag.
type SaidThere<'a> = (Vec<&'a OptOut>, Option<(&'a str, &'a str)>);

/// One decision in the making.
struct Triage<'a> {
    finding: &'a Finding,
    policy: &'a Policy,
    context: DecisionContext<'a>,
    trace: DecisionTrace,
    rule: Option<String>,
    approval: Approval,
    recurrence: Option<Recurrence>,
    opt_outs: Vec<String>,
    late_tag: Option<String>,
    placed: bool,
    /// What of the placement would have to be known.
    needed: Option<PlacementNeeded>,
}

impl<'a> Triage<'a> {
    /// The checks in the order of the reasons: what the finding is comes before whose it is, that
    /// before what may be done there, and that before what was done already.
    fn verdict(&mut self) -> Result<Verdict, SkipReason> {
        let (rule, said) = self.what_it_is()?;
        let (target, hold) = self.whose_it_is(rule)?;
        let is_foreign = matches!(hold, Some(HoldReason::Unsupported(Unsupported::ForeignAccount(_))));
        let (mode, why) = if is_foreign { said } else { self.what_may_be_done(&target, said) };
        self.what_is_done(target, hold, mode, why)
    }

    /// Real, and of a kind that a rule is for. Gives what the rule says.
    fn what_it_is(&mut self) -> Result<(&'a Rule, (Mode, HoldReason)), SkipReason> {
        self.trace.begin("sample");
        if self.finding.sample {
            return Err(SkipReason::Sample);
        }
        self.trace.pass("no");
        self.trace.begin("archived");
        if self.finding.archived && !self.context.is_archived_here {
            return Err(SkipReason::Archived);
        }
        self.trace.pass(if self.finding.archived { "by rescind itself, as `write_back` says" } else { "no" });
        self.trace.begin("rule");
        let installation = (self.policy.mode, HoldReason::Said(Source::Installation));
        let policy: &'a Policy = self.policy;
        let (rule, said) = match policy.ruling(self.finding, self.context.organization) {
            Ruling::None => {
                let within = self.context.organization.is_within(self.finding);
                let (kind, near_miss) =
                    (self.finding.finding_type.clone(), policy.rules.near_miss(self.finding, within));
                return Err(SkipReason::NoRule { kind, near_miss });
            }
            Ruling::Rule(rule) => {
                (self.rule, self.approval) = (Some(rule.name.clone()), rule.approval);
                let said = if let Some(mode) = rule.mode {
                    self.trace.pass(format!("{}: {mode}", rule.name));
                    more_cautious(installation, (mode, HoldReason::Said(Source::Rule(rule.name.clone()))))
                } else {
                    self.trace.pass(format!("{}: as the installation", rule.name));
                    installation
                };
                (rule, said)
            }
            Ruling::Unclear(rule, why) => {
                (self.rule, self.approval) = (Some(rule.name.clone()), policy.rules.strictest());
                self.trace.pass(format!("{}: unclear: {why}", rule.name));
                let unclear = HoldReason::Unclear { rule: rule.name.clone(), why: why.to_owned() };
                (rule, more_cautious(installation, (Mode::Approve, unclear)))
            }
        };
        Ok((rule, self.by_cause(rule, said)))
    }

    /// What may be done, by what says that the credentials are stolen.
    fn by_cause(&mut self, rule: &Rule, said: (Mode, HoldReason)) -> (Mode, HoldReason) {
        match &self.finding.cause {
            Cause::GuardDuty => said,
            Cause::Pursuit(_) => {
                let pursue = self.policy.pursue(Some(&rule.name)).mode();
                self.trace.begin("pursuit");
                self.trace.pass(pursue.to_string());
                more_cautious(said, (pursue, HoldReason::Said(Source::Pursuit(rule.name.clone()))))
            }
            Cause::Order(order) => {
                self.trace.begin("order");
                match &order.from {
                    // Whom the mode or the rule asks for approval has just given it, unless others must give it.
                    OrderedBy::Person { by, .. } => {
                        self.trace.pass(format!("given by {}", crate::ident::quoted(by)));
                        let is_answered = said.0 == Mode::Approve && !rule.approval.asks_for_others();
                        if is_answered { (Mode::Enforce, said.1) } else { said }
                    }
                    OrderedBy::Product { product, path, .. } => {
                        self.trace.pass(format!("a finding of {} ({path})", crate::ident::quoted(product)));
                        // A product of AWS is who it says.
                        let is_aws = path.starts_with("aws/");
                        let product = if is_aws { product.clone() } else { format!("{product} ({path})") };
                        more_cautious(said, (Mode::Approve, HoldReason::OtherProduct { product }))
                    }
                }
            }
        }
    }

    /// Whom to act on, in an account of ours, of late, and not protected; and why a person has to be
    /// asked first, if so.
    fn whose_it_is(&mut self, rule: &Rule) -> Result<(Target, Option<HoldReason>), SkipReason> {
        let (finding, policy, context) = (self.finding, self.policy, self.context);
        self.trace.begin("principal");
        let RemedyTarget { who, means, hold } = remedy_target(finding, policy, rule)?;
        let (partition, account) = (policy.partition, finding.account.clone());
        let target = Target { partition, account, who, means };
        self.trace.pass(hold.as_ref().map_or_else(|| target.principal(), ToString::to_string));

        // What was decided to be done is harmless when it comes too late.
        let expires = finding.derived().and_then(|derived| derived.expires);
        if let (Some(end), Stage::New) = (expires, context.stage) {
            self.trace.begin("session");
            if end <= context.now {
                return Err(SkipReason::SessionEnded { at: end });
            }
            self.trace.pass(format!("ends {}", end.strftime("%Y-%m-%d %H:%M:%SZ")));
        }

        self.trace.begin("age");
        // An order is as old as it is, however late it is taken up.
        let seen = if finding.cause.order().is_some() { finding.updated_at } else { finding.last_seen() };
        let age = context.now.duration_since(match context.stage {
            Stage::Approved(at) => seen.max(at),
            Stage::New | Stage::Begin => seen,
        });
        // The end of a session that was opened is known: until then it is not too old.
        if finding.derived().is_none() && age > policy.max_finding_age {
            return Err(SkipReason::TooOld { age, max: policy.max_finding_age });
        }
        self.trace.pass(format!("last seen {} ago", reason::span(age)));

        self.trace.begin("account");
        match context.organization.account(&finding.account).map(|account| &account.state) {
            None => {
                let why = Unsupported::ForeignAccount(finding.account.clone());
                self.trace.pass(why.to_string());
                return Ok(unsupported(target, why));
            }
            Some(_) if binds_no_organization(&target, &context.organization.management) => {
                let why = Unsupported::ManagementAccount(finding.account.clone());
                self.trace.pass(why.to_string());
                return Ok(unsupported(target, why));
            }
            Some(AccountState::Active) => self.trace.pass(format!("{}: ACTIVE", finding.account)),
            Some(state) => return Err(SkipReason::AccountNotActive(state.to_string())),
        }

        // The finding does not have the path: it is looked at again when the path is known.
        self.trace.begin("protected");
        if let Some(pattern) = policy.protects(&target.arn()) {
            let (principal, pattern) = (target.principal(), pattern.to_string());
            return Err(SkipReason::Protected { principal, pattern });
        }
        self.trace.pass("no");
        Ok((target, hold))
    }

    /// The most cautious of installation, rule, opt-outs and the account's tag; and which of them it
    /// is: the first, when several say the same.
    fn what_may_be_done(&mut self, target: &Target, said: (Mode, HoldReason)) -> (Mode, HoldReason) {
        self.trace.begin("opt-outs and account tag");
        // Where nothing is changed anyway, nothing has to be known.
        if said.0 == Mode::Off {
            self.trace.pass("not checked: nothing is changed anyway");
            return said;
        }
        let (placement, mut said) = (self.context.placement, said);
        let (applying, tag) = match self.what_is_said_there(target, placement) {
            Ok(said_there) => said_there,
            Err(needed) => return self.without_placement(needed, said),
        };
        self.placed = placement.is_some();
        self.opt_outs = applying.iter().map(|opt_out| opt_out.name.clone()).collect();
        let mut found: Vec<String> = applying.iter().map(|o| format!("{}: {}", o.name, o.mode)).collect();
        if let Some(opt_out) = most_cautious(&applying) {
            let source = Source::OptOut { name: opt_out.name.clone(), owner: opt_out.owner.clone() };
            said = more_cautious(said, (opt_out.mode, HoldReason::Said(source)));
        }
        if let Some(late) = self.late_tag(placement) {
            found.push(format!("{late}: set when the theft had been seen already, does not count"));
            self.late_tag = Some(late);
        }
        if let Some((key, value)) = tag {
            found.push(format!("tag {key} = {}", crate::ident::quoted(value)));
            said = more_cautious(said, of_tag(key, value));
        }
        self.trace.pass(if found.is_empty() { "none applies".to_owned() } else { found.join(", ") });
        said
    }

    /// The same when it depends on something that the context does not say: a person is asked, unless that
    /// changes nothing or a person has judged it already.
    fn without_placement(&mut self, needed: PlacementNeeded, said: (Mode, HoldReason)) -> (Mode, HoldReason) {
        let what = needed.0.clone();
        self.needed = Some(needed);
        if said.0 >= Mode::Observe {
            self.trace.pass("not checked: nothing is changed anyway");
            return said;
        }
        if matches!(self.context.stage, Stage::Approved(_)) {
            self.trace.pass("not readable, and approved");
            return said;
        }
        self.trace.pass(format!("{what} cannot be read"));
        more_cautious(said, (Mode::Approve, HoldReason::Unplaced(what)))
    }

    /// The opt-outs that apply, and the account's tag.
    fn what_is_said_there(
        &self,
        target: &Target,
        placement: Option<&'a Placement>,
    ) -> Result<SaidThere<'a>, PlacementNeeded> {
        let policy = self.policy;
        let name = target.name();
        let applying = policy.opt_outs.applying(self.finding, &name, placement, self.context.now)?;
        let Some(key) = &policy.account_tag else { return Ok((applying, None)) };
        let placement = placement.ok_or_else(|| PlacementNeeded(format!("the account's tag {key}")))?;
        let value = self.counting(placement, key);
        Ok((applying, value.map(|value| (key.as_str(), value.as_str()))))
    }

    /// The value of the account's tag that counts: that from before the theft was seen, where it is known that somebody
    /// has asked for less since.
    fn counting(&self, placement: &'a Placement, key: &str) -> Option<&'a String> {
        let now = placement.tags.get(key);
        if self.policy.late_tags == LateTags::Count {
            return now;
        }
        let then = placement.tags_since(self.finding.first_sight()).get(key);
        let caution = |value: Option<&String>| value.map_or(Mode::Enforce, |value| mode_of_tag(value));
        if caution(now) > caution(then) { then } else { now }
    }

    /// The account's tag, where it does not count.
    fn late_tag(&self, placement: Option<&'a Placement>) -> Option<String> {
        let (key, placement) = (self.policy.account_tag.as_ref()?, placement?);
        let now = placement.tags.get(key)?;
        (self.counting(placement, key) != Some(now))
            .then(|| format!("the tag {key} = {}", crate::ident::quoted(now)))
    }

    /// What is done in this mode, unless what was done already takes care of it.
    fn what_is_done(
        &mut self,
        target: Target,
        hold: Option<HoldReason>,
        mode: Mode,
        why: HoldReason,
    ) -> Result<Verdict, SkipReason> {
        let (policy, context) = (self.policy, self.context);
        self.trace.begin("earlier remediations");
        if mode != Mode::Off {
            self.recurrence = uncovered(self.finding, &target, context.history, mode, context.now)?;
        }
        self.trace.pass(match &self.recurrence {
            None => "none covers it".to_owned(),
            Some(recurrence) => format!("{} should have ended this, and did not", recurrence.of),
        });
        let remediation = remediation_id(self.finding);
        self.trace.begin("mode");
        match mode {
            Mode::Off => return Err(SkipReason::Said(source_of(why))),
            Mode::Observe => {
                return Ok(Verdict::Observe { target, why: ObserveReason::Said(source_of(why)) });
            }
            Mode::Approve | Mode::Enforce => {}
        }
        let is_unsupported = matches!(target.who, Who::Unsupported { .. });
        if let (Stage::Approved(at), false) = (context.stage, is_unsupported) {
            self.trace.pass(format!("{mode}, approved {}", at.strftime("%Y-%m-%d %H:%M:%SZ")));
            self.trace.begin("approval");
            return Ok(self.remediate(remediation, target));
        }
        if let (Stage::New, Some(since)) = (context.stage, context.before_watch) {
            self.trace.pass(mode.to_string());
            self.trace.begin("first run");
            return Ok(Verdict::Observe { target, why: ObserveReason::FirstRun { since } });
        }
        let is_said_anyway = |why: &HoldReason| is_unsupported || matches!(why, HoldReason::Inferred { .. });
        if let Some(why) = hold.filter(|why| is_said_anyway(why) || mode == Mode::Enforce) {
            let is_foreign = matches!(why, HoldReason::Unsupported(Unsupported::ForeignAccount(_)));
            let verdict = self.hold(remediation, target, why)?;
            self.trace.pass(mode.to_string());
            self.trace.decided_by(if is_foreign { "account" } else { "principal" });
            return Ok(verdict);
        }
        if mode == Mode::Approve {
            return self.hold(remediation, target, why);
        }
        self.trace.pass("enforce");
        if context.stage == Stage::New {
            self.trace.begin("first run");
            self.trace.pass("no");
            self.trace.begin("budget");
            // Who opens sessions must not use up what is left for thefts.
            let budget =
                if self.finding.derived().is_some() { &policy.budget.half() } else { &policy.budget };
            if let Err(tripped) = context.usage.allows(&target.account, budget, context.here) {
                return self.hold(remediation, target, HoldReason::Budget(tripped));
            }
            self.trace.pass("not used up");
        }
        self.trace.begin("decision");
        Ok(self.remediate(remediation, target))
    }

    fn remediate(&self, remediation: String, target: Target) -> Verdict {
        Verdict::Remediate { remediation, target, cause: self.finding.cause.clone() }
    }

    /// A person is asked; once, when the same role waits for the same reason already.
    fn hold(&self, remediation: String, target: Target, why: HoldReason) -> Result<Verdict, SkipReason> {
        let context = self.context;
        let asked = |earlier: &&PriorRemediation| {
            let reason = earlier.held.as_ref().map(|(code, rule)| (*code, rule.as_deref()));
            earlier.state == State::Held
                && earlier.is_for(&target)
                && reason == Some((why.code(), self.rule.as_deref()))
        };
        match context.history.iter().find(asked) {
            Some(earlier) if context.stage == Stage::New && self.finding.last_seen() <= context.now => {
                Err(SkipReason::AwaitingApproval { remediation: earlier.remediation.clone() })
            }
            _ => Ok(Verdict::Hold { remediation, target, why }),
        }
    }
}

/// The same target as one that is left to a person.
fn unsupported(target: Target, why: Unsupported) -> (Target, Option<HoldReason>) {
    let RemedyTarget { who, means, hold } = RemedyTarget::unsupported(target.principal(), why);
    (Target { who, means, ..target }, hold)
}

/// Service control policies do not bind the management account (Organizations User Guide, "Service control policies").
fn binds_no_organization(target: &Target, management: &AccountId) -> bool {
    target.means == Means::ServiceControlPolicy && target.account == *management
}

/// The more cautious of two; the first when they are the same.
fn more_cautious(one: (Mode, HoldReason), other: (Mode, HoldReason)) -> (Mode, HoldReason) {
    if other.0 > one.0 { other } else { one }
}

/// What a tag of the account says.
fn of_tag(key: &str, value: &str) -> (Mode, HoldReason) {
    let (key, value) = (key.to_owned(), value.to_owned());
    match parsed_tag(&value) {
        Some(mode) => (mode, HoldReason::Said(Source::Tag { key, value })),
        None => (Mode::Approve, HoldReason::OddTag { key, value }),
    }
}

fn parsed_tag(value: &str) -> Option<Mode> {
    let value = value.trim().to_ascii_lowercase();
    [Mode::Enforce, Mode::Approve, Mode::Observe, Mode::Off]
        .into_iter()
        .find(|mode| mode.to_string() == value)
}

/// What an account may have done at most whose tag has this value. A value that is no mode is an
/// opt-out that cannot be read: a person is asked.
#[must_use]
pub fn mode_of_tag(value: &str) -> Mode {
    parsed_tag(value).unwrap_or(Mode::Approve)
}

/// Only what somebody said is more cautious than a hold.
fn source_of(why: HoldReason) -> Source {
    match why {
        HoldReason::Said(source) => source,
        HoldReason::Unclear { rule, .. }
        | HoldReason::NoSession { rule }
        | HoldReason::OrganizationDeny { rule } => Source::Rule(rule),
        HoldReason::OddTag { key, value } => Source::Tag { key, value },
        HoldReason::Unsupported(_)
        | HoldReason::Budget(_)
        | HoldReason::Doubtful { .. }
        | HoldReason::Inferred { .. }
        | HoldReason::Elsewhere { .. }
        | HoldReason::OtherProduct { .. }
        | HoldReason::Unplaced(_) => Source::Installation,
    }
}

/// The id of the remediation that an occurrence leads to: 96 bits of its hash, so that nobody can make
/// another occurrence with the same id. The same occurrence always gives the same id.
fn remediation_id(finding: &Finding) -> String {
    let digest = crate::digest::sha256(finding.occurrence().as_bytes());
    format!("r-{}", &digest[..24])
}
