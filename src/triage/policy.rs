//! What the configuration has to say, ready to be asked.

use super::{OptOutIndex, RuleIndex, Ruling};
use crate::config::{
    Budget, Config, Contain, EXFILTRATION_RULE, Glob, LateTags, Mode, OptOuts, Pursue, Sweep, WhenContested,
};
use crate::finding::Finding;
use crate::ident::{AccountId, Partition, RoleName};
use crate::org::Snapshot;
use jiff::SignedDuration;

/// What the configuration has to say.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What may be done at most.
    pub mode: Mode,
    /// Which findings are acted on.
    pub rules: RuleIndex,
    /// Credentials last seen longer ago are left alone.
    pub max_finding_age: SignedDuration,
    /// The remediation role's name, in every account.
    pub remediation_role: RoleName,
    /// The account that rescind runs in.
    pub hub_account: AccountId,
    /// The role that the hub runs as, if it is a role.
    pub hub_role: Option<String>,
    /// The partition everything is in.
    pub partition: Partition,
    /// Where less may be done than `mode` says.
    pub opt_outs: OptOutIndex,
    /// The tag by which an account says the same.
    pub account_tag: Option<String>,
    /// The tag by which a role or user says the same.
    pub principal_tag: Option<String>,
    /// What becomes of a tag that was set when the theft had been seen already.
    pub late_tags: LateTags,
    /// Roles that are never revoked.
    pub protected: Vec<Glob>,
    /// How much may be done without asking.
    pub budget: Budget,
    /// A deny in force is looked at again at least so often.
    pub recheck_interval: std::time::Duration,
    /// How long a deny must have been in place before the quarantine beside it is lifted; zero for none.
    pub quarantine: jiff::SignedDuration,
    /// How long a contested deny must stay in place before it is called revoked.
    pub settles: jiff::SignedDuration,
    /// What is done about a deny that somebody takes away again and again, where its rule says nothing.
    pub contested: WhenContested,
    /// What is done about sessions that were opened with stolen credentials, where a rule says nothing.
    pub pursue: Pursue,
    /// What of that which a thief made is denied as well, where a rule says nothing.
    pub contain: Vec<Contain>,
    /// What becomes of a deny that nothing needs any more.
    pub sweep: Sweep,
    /// CloudTrail is asked for traces.
    pub cloudtrail: bool,
}

impl Policy {
    /// From the configuration and the hub's own identity.
    #[must_use]
    pub fn new(config: &Config, hub: &crate::ident::HubIdentity) -> Self {
        Self {
            mode: config.mode,
            rules: RuleIndex::new(&config.rules, &config.remedies),
            max_finding_age: config.max_finding_age,
            remediation_role: config.member.role_name.clone(),
            hub_account: hub.account.clone(),
            hub_role: hub.role_name().map(str::to_owned),
            partition: hub.partition,
            opt_outs: OptOutIndex::new(&config.opt_outs),
            account_tag: config.account_tag.clone(),
            principal_tag: config.principal_tag.clone(),
            late_tags: config.late_tags,
            protected: config.protected.clone(),
            budget: config.budget.clone(),
            recheck_interval: config.recheck_interval,
            quarantine: config.quarantine,
            settles: config.settles,
            contested: config.contested,
            pursue: config.pursue,
            contain: config.contain.clone(),
            sweep: config.sweep,
            cloudtrail: config.cloudtrail,
        }
    }

    /// The same with other opt-outs.
    #[must_use]
    pub fn with_opt_outs(&self, opt_outs: &OptOuts) -> Self {
        Self { opt_outs: OptOutIndex::new(opt_outs), ..self.clone() }
    }

    /// The same with what a running service takes over: not the remediation role, as which it goes on
    /// to enter the members.
    #[must_use]
    pub fn reloaded(
        &self,
        config: &Config,
        opt_outs: Option<&OptOuts>,
        hub: &crate::ident::HubIdentity,
    ) -> Self {
        let opt_outs = opt_outs.map_or_else(|| self.opt_outs.clone(), OptOutIndex::new);
        Self { opt_outs, remediation_role: self.remediation_role.clone(), ..Self::new(config, hub) }
    }

    /// What the rules say of a finding. One that follows from stolen credentials goes by the rule that led to those; when
    /// that is gone, by one that the configuration cannot take away, and a person is asked.
    #[must_use]
    pub fn ruling(&self, finding: &Finding, organization: &Snapshot) -> Ruling<'_> {
        let Some(derived) = finding.derived() else {
            return self.rules.ruling(finding, &self.hub_account, organization.is_within(finding));
        };
        if let Some(rule) = derived.rule.as_deref().and_then(|name| self.rules.named(name)) {
            return Ruling::Rule(rule);
        }
        match self.rules.named(EXFILTRATION_RULE) {
            Some(rule) => Ruling::Unclear(rule, "the rule that led to the stolen credentials is gone"),
            None => Ruling::None,
        }
    }

    /// What is done about a contested deny to which the rule of this name led.
    #[must_use]
    pub fn when_contested(&self, rule: Option<&str>) -> WhenContested {
        let of_rule = rule.and_then(|name| self.rules.named(name)).and_then(|rule| rule.contested);
        of_rule.unwrap_or(self.contested)
    }

    /// What is done about the sessions that were opened with credentials to which the rule of this name led.
    #[must_use]
    pub fn pursue(&self, rule: Option<&str>) -> Pursue {
        let of_rule = rule.and_then(|name| self.rules.named(name)).and_then(|rule| rule.pursue);
        if self.cloudtrail { of_rule.unwrap_or(self.pursue) } else { Pursue::Off }
    }

    /// Whether such a thing is denied as well when it was made with credentials to which the rule of this name led.
    #[must_use]
    pub fn contains(&self, rule: Option<&str>, what: Contain) -> bool {
        let of_rule = rule.and_then(|name| self.rules.named(name)).and_then(|rule| rule.contain.as_ref());
        of_rule.unwrap_or(&self.contain).contains(&what)
    }

    /// The mode that the rule of this name has of its own.
    #[must_use]
    pub fn mode_of_rule(&self, rule: Option<&str>) -> Option<Mode> {
        rule.and_then(|name| self.rules.named(name)).and_then(|rule| rule.mode)
    }

    /// The pattern by which a role is protected, if one does.
    #[must_use]
    pub fn protects(&self, role_arn: &str) -> Option<&Glob> {
        self.protected.iter().find(|pattern| pattern.matches(role_arn))
    }
}
