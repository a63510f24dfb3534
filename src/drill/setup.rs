//! The setup of a drill: its role, and its own ledger and configuration.

use super::error::DrillError;
use crate::aws::{Hub, RoleFacts};
use crate::config::{Budget, Config, DrillRole, Mode, OptOuts, RemedyName, Sweep};
use crate::ident::AccountId;
use crate::policies::{self, Trusted};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// What a drill is held with.
pub struct Drill<'a> {
    /// The configuration. Its mode, rules, opt-outs and budgets do not count.
    pub config: &'a Config,
    pub hub: &'a Hub,
    pub account: AccountId,
    pub role: DrillRole,
    /// The operating system's user who runs the drill.
    pub os_user: String,
}

impl Drill<'_> {
    /// Only the hub may assume it: then nobody's sessions are revoked but the drill's own.
    pub(super) async fn nobody_elses(&self, facts: &RoleFacts) -> Result<(), DrillError> {
        let identity = self.hub.identity();
        let hub_role_arn = policies::role_of_caller(&identity.arn, identity.partition, &identity.account)
            .map_err(|error| DrillError::Asked(error.to_string()))?;
        let trusted = Trusted {
            hub_role_arn,
            organization: self.hub.organization_id().await?,
            external_id: self.config.member.external_id.clone(),
            source_identity: self.config.member.source_identity.clone(),
        };
        match policies::trust_difference(&trusted, facts.trust.as_deref()) {
            None => Ok(()),
            Some(differs) => Err(DrillError::Asked(format!(
                "the role {} is not only for drills, so no drill is held with it: whom it trusts is not as `rescind policies print member-trust` prints it: {differs}",
                facts.arn
            ))),
        }
    }

    /// Where the ledgers of drills are.
    pub(super) fn directory(config: &Config) -> PathBuf {
        config.ledger.parent().unwrap_or(Path::new("")).join("drills")
    }

    /// The ledger of a drill that begins now.
    pub(super) fn ledger_at(&self, now: Timestamp) -> Result<PathBuf, DrillError> {
        let directory = Self::directory(self.config);
        std::fs::create_dir_all(&directory)
            .map_err(|error| DrillError::Asked(format!("{}: {error}", directory.display())))?;
        Ok(directory.join(format!("{}-{}.db", now.strftime("%Y%m%dT%H%M%SZ"), self.account)))
    }

    /// Everything but the places and the keys is the drill's own.
    pub(super) fn config_with(&self, ledger: &Path) -> Config {
        Config {
            mode: Mode::Enforce,
            log: None,
            witness: None,
            cosigners: Vec::new(),
            rules: Vec::new(),
            remedies: vec![RemedyName::RoleSessions],
            opt_outs: OptOuts::default(),
            opt_outs_file: ledger.with_extension("opt-outs.toml"),
            opt_outs_named: false,
            protected: Vec::new(),
            account_tag: None,
            principal_tag: None,
            budget: Budget::unlimited(),
            channels: Vec::new(),
            events: None,
            folder: None,
            all_regions: false,
            listen: None,
            cloudtrail: false,
            sweep: Sweep::Off,
            ledger: ledger.to_owned(),
            ..self.config.clone()
        }
    }

    /// What takes a deny away without rescind.
    pub(super) fn by_hand(&self) -> String {
        format!(
            "aws iam delete-role-policy --role-name {} --policy-name {}   # with credentials for {}",
            self.role.name,
            crate::remediation::POLICY_NAME,
            self.account
        )
    }
}
