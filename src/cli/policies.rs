//! `rescind policies print`: the IAM documents that rescind is deployed with.

use super::Exit;
use super::exit::BadInput;
use super::output::Screen;
use super::runtime::block_on;
use crate::aws::Hub;
use crate::config::{Config, ConfigError, RemedyName, SigningKey};
use crate::ident::AccountId;
use crate::policies::{self, Delegate, Trusted};
use crate::replication::open_ledger;
use crate::service;
use clap::{Subcommand, ValueEnum};
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a document, filled in from rescind.toml.
    Print(Print),
}

/// The document to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    /// What the remediation role may do, in each account.
    MemberRole,
    /// Who may assume it. It has the external id in it.
    MemberTrust,
    /// What the hub's role may do.
    HubRole,
    /// The managed policy that denies everything to whom it is attached, as each account has it.
    Quarantine,
    /// The SCP that keeps others from the remediation role and from the quarantine, and disturbs nobody else.
    Seal,
    /// The SCP that in addition keeps others from all inline policies and access keys.
    Guard,
    /// What the role for drills may do.
    DrillRole,
    /// The organization's delegation for the remedy `organization_deny`: who may write SCPs for its accounts.
    OrganizationDeny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Remedy {
    /// Revoke the sessions of roles.
    #[value(name = "role_sessions")]
    RoleSessions,
    /// Keys and sessions of IAM users.
    #[value(name = "user_keys")]
    UserKeys,
}

#[derive(Debug, clap::Args)]
struct Print {
    document: Document,

    /// Remedies that the remediation role is for [default: those that rules of rescind.toml have].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "REMEDY")]
    remedies: Vec<Remedy>,

    /// Only what a role needs that denies by the quarantine and writes nothing (remedy = "quarantine").
    #[arg(long, conflicts_with = "remedies")]
    contain_only: bool,

    /// Only the inline policy of this name: `Rescind` or `RescindUsers`. Several are printed as one.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// The hub's role, with its path [default: the role whose credentials these are].
    #[arg(long, value_name = "ARN")]
    hub_role: Option<String>,

    /// The organization's id, `o-…` [default: asked of AWS].
    #[arg(long, value_name = "ID")]
    organization: Option<String>,

    /// The account that manages the organization [default: asked of AWS]. For `organization-deny`.
    #[arg(long, value_name = "ACCOUNT")]
    management_account: Option<AccountId>,

    /// Who may still change roles: ARN patterns, several times for several. For `seal` and `guard`.
    #[arg(long = "deployer", value_name = "ARN")]
    deployers: Vec<String>,
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let What::Print(print) = &args.what;
    let config = config()?;
    let member = config.member.path_and_name();
    let drill = config.drill.as_ref().map(crate::config::DrillRole::path_and_name);
    let document = match print.document {
        Document::MemberRole => print.member_role(&config)?,
        Document::MemberTrust => {
            let trusted = print.trusted(&config)?;
            print.name_hub(screen, &trusted.hub_role_arn);
            policies::member_trust(&trusted)
        }
        Document::HubRole => {
            let table = config.log.as_ref().map(|log| log.table.as_str());
            let bucket = config.witness.as_ref().map(|witness| witness.bucket.as_str());
            let key = match &config.signing_key {
                SigningKey::Kms(arn) => Some(arn.of_key()),
                SigningKey::File(_) => None,
            };
            let (remedies, back, key) = (config.all_remedies(), config.write_back, key.as_deref());
            policies::hub_role(&member, drill.as_deref(), &remedies, back, table, bucket, key)
        }
        Document::OrganizationDeny => {
            let delegate = print.delegate(&config)?;
            print.name_hub(screen, &delegate.hub_role_arn);
            policies::organization_delegation(&delegate)
        }
        Document::Quarantine => policies::quarantine(),
        Document::Seal => policies::organization_seal(&member, print.deployers()?),
        Document::Guard => policies::organization_guard(&member, print.deployers()?),
        Document::DrillRole => match &drill {
            Some(role) => policies::drill_role(role),
            None => {
                return Err(BadInput("rescind.toml names no role for drills: `drill.role`".to_owned()).into());
            }
        },
    };
    let text = if screen.is_text() {
        serde_json::to_string_pretty(&document)?
    } else {
        serde_json::to_string(&document)?
    };
    Screen::raw(&text);
    Ok(Exit::Done)
}

impl Print {
    fn deployers(&self) -> Result<&[String], BadInput> {
        if self.deployers.is_empty() {
            let text = "--deployer is required: without one, nobody could deploy the remediation role again. For example --deployer 'arn:*:iam::*:role/stacksets-exec-*'";
            return Err(BadInput(text.to_owned()));
        }
        Ok(&self.deployers)
    }

    fn member_role(&self, config: &Config) -> Result<Value, BadInput> {
        let remedies = match (self.remedies.is_empty(), self.remedies.contains(&Remedy::UserKeys)) {
            _ if self.contain_only => vec![RemedyName::Quarantine],
            (true, _) => config.named_remedies(),
            (false, true) => vec![RemedyName::RoleSessions, RemedyName::UserKeys],
            (false, false) => vec![RemedyName::RoleSessions],
        };
        let all = policies::member_role(&config.member.path_and_name(), &remedies);
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let mut wanted =
            all.iter().filter(|(name, _)| self.policy.as_deref().is_none_or(|policy| policy == *name));
        let Some((_, first)) = wanted.next() else {
            let text = format!("--policy: expected one of {}", names.join(", "));
            return Err(BadInput(text));
        };
        let mut document = first.clone();
        if let Some(Value::Array(statements)) = document.get_mut("Statement") {
            statements.extend(wanted.filter_map(|(_, more)| more["Statement"].as_array()).flatten().cloned());
        }
        Ok(document)
    }

    /// Whom a member trusts.
    fn trusted(&self, config: &Config) -> anyhow::Result<Trusted> {
        let (hub_role_arn, organization) = match (&self.hub_role, &self.organization) {
            (Some(hub_role), Some(organization)) => (hub_role.clone(), organization.clone()),
            _ => ask(config, async |hub| Ok((self.hub_role(hub)?, self.organization(hub).await?)))?,
        };
        Ok(Trusted {
            hub_role_arn,
            organization,
            external_id: config.member.external_id.clone(),
            source_identity: config.member.source_identity.clone(),
        })
    }

    /// To whom the organization delegates.
    fn delegate(&self, config: &Config) -> anyhow::Result<Delegate> {
        match (&self.hub_role, &self.organization, &self.management_account) {
            (Some(hub_role), Some(organization), Some(management)) => Ok(Delegate {
                hub_role_arn: hub_role.clone(),
                organization: organization.clone(),
                management: management.clone(),
            }),
            _ => ask(config, async |hub| {
                Ok(Delegate {
                    hub_role_arn: self.hub_role(hub)?,
                    organization: self.organization(hub).await?,
                    management: self.management(hub).await?,
                })
            }),
        }
    }

    fn hub_role(&self, hub: &Hub) -> Result<String, BadInput> {
        if let Some(given) = &self.hub_role {
            return Ok(given.clone());
        }
        let identity = hub.identity();
        let role = policies::role_of_caller(&identity.arn, identity.partition, &identity.account);
        role.map_err(|why| BadInput(format!("{why}: name the hub's role with --hub-role")))
    }

    async fn organization(&self, hub: &Hub) -> Result<String, BadInput> {
        if let Some(given) = &self.organization {
            return Ok(given.clone());
        }
        let id = hub.organization_id().await;
        id.map_err(|error| BadInput(format!("{error}: name the organization with --organization")))
    }

    async fn management(&self, hub: &Hub) -> Result<AccountId, BadInput> {
        if let Some(given) = &self.management_account {
            return Ok(given.clone());
        }
        let organization = hub.organization().await;
        let (_, management) = organization
            .map_err(|error| BadInput(format!("{error}: name the account with --management-account")))?;
        Ok(management)
    }

    /// Says which role a document is for, where nobody has named one.
    fn name_hub(&self, screen: &Screen, hub_role_arn: &str) {
        if self.hub_role.is_none() {
            screen.aside(&format!(
                "The hub's role is taken to be {hub_role_arn}, whose credentials these are; --hub-role names another."
            ));
        }
    }
}

/// What AWS answers to the hub.
fn ask<T>(config: &Config, question: impl AsyncFnOnce(&Hub) -> Result<T, BadInput>) -> anyhow::Result<T> {
    block_on(async {
        let ledger = open_ledger(config)?;
        let hub = service::hub(config, &ledger).await?;
        let answer = question(&hub).await?;
        ledger.close();
        Ok(answer)
    })
}
