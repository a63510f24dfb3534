//! The decision: one check after the other.

use super::chain::Chain;
use super::instructions::what_to_do;
use super::{
    Decision, Facts, HoldReason, ObserveReason, Placed, PlacementNeeded, Policy, Ruling, SkipReason, Source,
    Stage, Verdict, most_cautious, reason,
};
use crate::config::{Mode, OptOut};
use crate::finding::{Finding, RoleTarget};
use crate::ledger::{InForce, State};
use crate::org::{AccountState, Placement};
use crate::remedy::Target;

/// Decides about one occurrence of a finding.
///
/// # Errors
/// When the decision depends on where the account stands, and that is not given.
pub fn decide(finding: &Finding, policy: &Policy, facts: Facts<'_>) -> Result<Decision, PlacementNeeded> {
    let mut triage = Triage {
        finding,
        policy,
        facts,
        chain: Chain::default(),
        rule: None,
        opt_outs: Vec::new(),
        placed: false,
    };
    let verdict = match triage.verdict()? {
        Ok(verdict) => verdict,
        Err(reason) => Verdict::Skip(reason),
    };
    let Triage { chain, rule, opt_outs, placed, .. } = triage;
    let what_to_do = match &verdict {
        Verdict::Skip(reason) => what_to_do(reason, finding, facts.now),
        _ => None,
    };
    Ok(Decision {
        checks: chain.close(format!("{}: {verdict}", verdict.name())),
        verdict,
        what_to_do,
        rule,
        opt_outs,
        organization_read_at: facts.organization.read_at,
        placement_read_at: facts.placement.at().filter(|_| placed).map(|p| p.read_at),
    })
}

/// The opt-outs that apply, and key and value of the account's tag.
type SaidThere<'a> = (Vec<&'a OptOut>, Option<(&'a str, &'a str)>);

/// One decision in the making.
struct Triage<'a> {
    finding: &'a Finding,
    policy: &'a Policy,
    facts: Facts<'a>,
    chain: Chain,
    rule: Option<String>,
    opt_outs: Vec<String>,
    placed: bool,
}

impl<'a> Triage<'a> {
    /// The checks in the order of the reasons: what the finding is comes before whose it is, that
    /// before what may be done there, and that before what was done already.
    fn verdict(&mut self) -> Result<Result<Verdict, SkipReason>, PlacementNeeded> {
        let said = match self.what_it_is() {
            Ok(said) => said,
            Err(reason) => return Ok(Err(reason)),
        };
        let role = match self.whose_it_is() {
            Ok(role) => role,
            Err(reason) => return Ok(Err(reason)),
        };
        let (mode, why) = self.what_may_be_done(&role, said)?;
        Ok(self.what_is_done(role, mode, why))
    }

    /// Real, and of a kind that a rule is for. Gives what the rule says.
    fn what_it_is(&mut self) -> Result<(Mode, HoldReason), SkipReason> {
        self.chain.begin("sample");
        if self.finding.sample {
            return Err(SkipReason::Sample);
        }
        self.chain.pass("no");
        self.chain.begin("archived");
        if self.finding.archived {
            return Err(SkipReason::Archived);
        }
        self.chain.pass("no");
        self.chain.begin("rule");
        let installation = (self.policy.mode, HoldReason::Said(Source::Installation));
        let said = match self.policy.rules.ruling(self.finding, &self.policy.hub_account) {
            Ruling::None => return Err(SkipReason::NoRule(self.finding.finding_type.clone())),
            Ruling::Rule(rule) => {
                self.rule = Some(rule.name.clone());
                if let Some(mode) = rule.mode {
                    self.chain.pass(format!("{}: {mode}", rule.name));
                    more_cautious(installation, (mode, HoldReason::Said(Source::Rule(rule.name.clone()))))
                } else {
                    self.chain.pass(format!("{}: as the installation", rule.name));
                    installation
                }
            }
            Ruling::Unclear(rule, why) => {
                self.rule = Some(rule.name.clone());
                self.chain.pass(format!("{}: unclear: {why}", rule.name));
                let unclear = HoldReason::Unclear { rule: rule.name.clone(), why: why.to_owned() };
                more_cautious(installation, (Mode::Approve, unclear))
            }
        };
        Ok(said)
    }

    /// The role to act on, in an account of ours, of late, and not protected.
    fn whose_it_is(&mut self) -> Result<RoleTarget, SkipReason> {
        let (finding, policy, facts) = (self.finding, self.policy, self.facts);
        self.chain.begin("principal");
        let principal = finding.principal.as_ref().ok_or(SkipReason::NoPrincipal)?;
        let role = principal.role().map_err(|error| SkipReason::NotARole(error.to_string()))?;
        if role.name.key().starts_with("awsservicerolefor") {
            return Err(SkipReason::ServiceLinkedRole(role.name));
        }
        if role.name.key().starts_with("awsreservedsso_") {
            return Err(SkipReason::IdentityCenterRole(role.name));
        }
        let is_hub_role = finding.account == policy.hub_account
            && policy.hub_role.as_deref().is_some_and(|hub| hub.eq_ignore_ascii_case(role.name.as_str()));
        if is_hub_role || role.name.key() == policy.remediation_role.key() {
            return Err(SkipReason::OwnRole(role.name));
        }
        self.chain.pass(format!("role {}", role.name));

        self.chain.begin("age");
        let approved = match facts.stage {
            Stage::Approved(at) => at,
            Stage::New | Stage::Begin => finding.last_seen(),
        };
        let age = facts.now.duration_since(finding.last_seen().max(approved));
        if age > policy.max_finding_age {
            return Err(SkipReason::TooOld { age, max: policy.max_finding_age });
        }
        self.chain.pass(format!("last seen {} ago", reason::span(age)));

        self.chain.begin("account");
        match facts.organization.account(&finding.account).map(|account| &account.state) {
            None => return Err(SkipReason::UnknownAccount(finding.account.clone())),
            Some(AccountState::Active) => self.chain.pass(format!("{}: ACTIVE", finding.account)),
            Some(state) => return Err(SkipReason::AccountNotActive(state.to_string())),
        }

        // The finding does not tell the role's path: it is looked at again when the path is known.
        self.chain.begin("protected");
        let arn = policy.partition.role_arn(&finding.account, role.name.as_str());
        if let Some(pattern) = policy.protects(&arn) {
            return Err(SkipReason::Protected { role: role.name, pattern: pattern.to_string() });
        }
        self.chain.pass("no");
        Ok(role)
    }

    /// The most cautious of installation, rule, opt-outs and the account's tag; and which of them it
    /// is: the first, when several say the same.
    fn what_may_be_done(
        &mut self,
        role: &RoleTarget,
        said: (Mode, HoldReason),
    ) -> Result<(Mode, HoldReason), PlacementNeeded> {
        let facts = self.facts;
        self.chain.begin("opt-outs and account tag");
        // Where nothing is changed anyway, nothing has to be known.
        if said.0 == Mode::Off || (said.0 >= Mode::Observe && matches!(facts.placement, Placed::Unreadable)) {
            self.chain.pass("not looked at: nothing is changed anyway");
            return Ok(said);
        }
        let (placement, mut said) = (facts.placement.at(), said);
        let unreadable = matches!(facts.placement, Placed::Unreadable);
        let (applying, tag) = match self.what_is_said_there(role, placement) {
            Ok(said_there) => said_there,
            // A person has judged it without knowing it either.
            Err(_) if unreadable && matches!(facts.stage, Stage::Approved(_)) => {
                self.chain.pass("not readable, and approved");
                return Ok(said);
            }
            Err(PlacementNeeded(what)) if unreadable => {
                self.chain.pass(format!("{what} cannot be read"));
                return Ok(more_cautious(said, (Mode::Approve, HoldReason::Unplaced(what))));
            }
            Err(needed) => return Err(needed),
        };
        self.placed = placement.is_some();
        self.opt_outs = applying.iter().map(|opt_out| opt_out.name.clone()).collect();
        let mut found: Vec<String> = applying.iter().map(|o| format!("{}: {}", o.name, o.mode)).collect();
        if let Some(opt_out) = most_cautious(&applying) {
            let source = Source::OptOut { name: opt_out.name.clone(), owner: opt_out.owner.clone() };
            said = more_cautious(said, (opt_out.mode, HoldReason::Said(source)));
        }
        if let Some((key, value)) = tag {
            found.push(format!("tag {key} = {}", crate::ident::quoted(value)));
            said = more_cautious(said, of_tag(key, value));
        }
        self.chain.pass(if found.is_empty() { "none applies".to_owned() } else { found.join(", ") });
        Ok(said)
    }

    /// The opt-outs that apply, and the account's tag.
    fn what_is_said_there(
        &self,
        role: &RoleTarget,
        placement: Option<&'a Placement>,
    ) -> Result<SaidThere<'a>, PlacementNeeded> {
        let policy = self.policy;
        let applying = policy.opt_outs.applying(self.finding, &role.name, placement, self.facts.now)?;
        let Some(key) = &policy.account_tag else { return Ok((applying, None)) };
        let placement = placement.ok_or_else(|| PlacementNeeded(format!("the account's tag {key}")))?;
        Ok((applying, placement.tags.get(key).map(|value| (key.as_str(), value.as_str()))))
    }

    /// What is done in this mode, unless what was done already takes care of it.
    fn what_is_done(&mut self, role: RoleTarget, mode: Mode, why: HoldReason) -> Result<Verdict, SkipReason> {
        let (policy, facts) = (self.policy, self.facts);
        self.chain.begin("earlier remediations");
        if mode != Mode::Off {
            self.uncovered(&role, mode)?;
        }
        self.chain.pass("none takes care of it");
        let target = Target {
            partition: policy.partition,
            account: self.finding.account.clone(),
            role: role.name,
            role_id: role.id,
        };
        let remediation = remediation_id(self.finding);
        self.chain.begin("mode");
        match mode {
            Mode::Off => return Err(SkipReason::Said(source_of(why))),
            Mode::Observe => {
                return Ok(Verdict::Observe { target, why: ObserveReason::Said(source_of(why)) });
            }
            Mode::Approve | Mode::Enforce => {}
        }
        if let Stage::Approved(at) = facts.stage {
            self.chain.pass(format!("{mode}, approved {}", at.strftime("%Y-%m-%d %H:%M:%SZ")));
            self.chain.begin("approval");
            return Ok(Verdict::Remediate { remediation, target });
        }
        if let (Stage::New, Some(since)) = (facts.stage, facts.before_watch) {
            self.chain.pass(mode.to_string());
            self.chain.begin("first run");
            return Ok(Verdict::Observe { target, why: ObserveReason::FirstRun { since } });
        }
        if mode == Mode::Approve {
            return self.hold(remediation, target, why);
        }
        self.chain.pass("enforce");
        if facts.stage == Stage::New {
            self.chain.begin("first run");
            self.chain.pass("no");
            self.chain.begin("budget");
            if let Err(tripped) = facts.spending.allows(&target.account, &policy.budget, facts.now) {
                return self.hold(remediation, target, HoldReason::Budget(tripped));
            }
            self.chain.pass("not used up");
        }
        self.chain.begin("decision");
        Ok(Verdict::Remediate { remediation, target })
    }

    /// A person is asked; once, when the same role waits for the same reason already.
    fn hold(&self, remediation: String, target: Target, why: HoldReason) -> Result<Verdict, SkipReason> {
        let facts = self.facts;
        let asked = |earlier: &&InForce| {
            let reason = earlier.held.as_ref().map(|(code, rule)| (code.as_str(), rule.as_deref()));
            earlier.state == State::Held
                && earlier.is_for(target.role_id.as_ref())
                && reason == Some((why.code(), self.rule.as_deref()))
        };
        match facts.history.iter().find(asked) {
            Some(earlier) if facts.stage == Stage::New && self.finding.last_seen() <= facts.now => {
                Err(SkipReason::AwaitingApproval { remediation: earlier.remediation.clone() })
            }
            _ => Ok(Verdict::Hold { remediation, target, why }),
        }
    }

    /// Whether no earlier remediation of the role takes care of these sessions.
    fn uncovered(&self, role: &RoleTarget, mode: Mode) -> Result<(), SkipReason> {
        let (last_seen, now) = (self.finding.last_seen(), self.facts.now);
        for earlier in self.facts.history {
            if !earlier.is_for(role.id.as_ref()) {
                continue;
            }
            let remediation = earlier.remediation.clone();
            // A token that was in use before the cutoff was issued before the cutoff.
            if let Some(cutoff) = earlier.has_revoked(last_seen) {
                return Err(SkipReason::AlreadyRevoked { remediation, cutoff });
            }
            match earlier.covering_cutoff() {
                // Its change is made, or may be: the cutoff will not move any more.
                Some(cutoff)
                    if earlier.state.has_fixed_cutoff()
                        && cutoff.covers(last_seen)
                        && mode <= Mode::Approve =>
                {
                    return Err(SkipReason::UnderWay { remediation });
                }
                // It will begin after this moment, and so will its cutoff lie after it.
                _ if earlier.state.is_to_begin() && last_seen <= now && mode <= Mode::Approve => {
                    return Err(SkipReason::UnderWay { remediation });
                }
                _ => {}
            }
        }
        Ok(())
    }
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
        HoldReason::Unclear { rule, .. } => Source::Rule(rule),
        HoldReason::OddTag { key, value } => Source::Tag { key, value },
        HoldReason::Budget(_) | HoldReason::Unplaced(_) => Source::Installation,
    }
}

/// The id of the remediation that an occurrence leads to. The same occurrence always gives
/// the same id.
fn remediation_id(finding: &Finding) -> String {
    let digest = crate::digest::sha256(finding.occurrence().as_bytes());
    format!("r-{}", &digest[..12])
}
