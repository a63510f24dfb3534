//! `rescind approve` and `rescind reject`: a person's answer to what is held.

use super::Exit;
use super::exit::BadInput;
use super::output::{BAD, BOLD, Screen, clean, styled};
use super::runtime::block_on;
use crate::config::Config;
use crate::desk::{self, Kind, Recorded};
use crate::ledger::{Ledger, Lock, Reader};
use crate::plural::counted;
use crate::remediation::{Answer, Remediation};
use crate::replication::open_ledger;
use crate::service::{self, ServiceError};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remediations, by id (r-…) or at least four characters of it after the r-.
    #[arg(required_unless_present = "incident", value_name = "ID")]
    pub(super) ids: Vec<String>,

    /// All that is held of this incident, by its id (i-…) or that of one of its remediations.
    #[arg(long, value_name = "ID", conflicts_with = "ids")]
    pub(super) incident: Option<String>,

    #[command(flatten)]
    pub(super) signed: Signed,
}

#[derive(Debug, clap::Args)]
pub struct DoneArgs {
    /// Remediations, by id (r-…) or at least four characters of it after the r-.
    #[arg(required = true, value_name = "ID")]
    pub(super) ids: Vec<String>,

    #[command(flatten)]
    pub(super) signed: Signed,
}

/// Who answers, and why.
#[derive(Debug, clap::Args)]
pub struct Signed {
    /// Your name, for the record. With --hub your AWS identity is recorded instead.
    #[arg(long, value_name = "NAME", value_parser = a_text)]
    by: Option<String>,

    /// The reason, for the ledger.
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    reason: String,

    /// Also record whose AWS credentials these are (asks STS).
    #[arg(long)]
    aws_identity: bool,
}

impl Signed {
    /// The name that an answer on the hub's host is given under.
    pub fn name(&self) -> Result<&str, BadInput> {
        self.by
            .as_deref()
            .ok_or_else(|| BadInput("--by NAME is missing: your name, for the record".to_owned()))
    }

    /// The reason, where the identity is the caller's and a name is not for them to give.
    pub fn over_a_hub(&self) -> Result<&str, BadInput> {
        let flag = match (&self.by, self.aws_identity) {
            (Some(_), _) => "--by",
            (_, true) => "--aws-identity",
            (None, false) => return Ok(&self.reason),
        };
        let text = format!("{flag} cannot be used with --hub: who signs the request is who answers");
        Err(BadInput(text))
    }
}

/// The answer, without any look at AWS.
///
/// # Errors
/// When nobody answers for it.
pub fn unproved(signed: &Signed) -> Result<Answer, BadInput> {
    Ok(Answer {
        by: signed.name()?.to_owned(),
        reason: signed.reason.clone(),
        os_user: service::os_user(),
        aws_identity: None,
        identity: None,
        judged: None,
    })
}

/// The answer as it is recorded.
pub async fn signed(
    signed: &Signed,
    config: &Config,
    ledger: &Ledger,
    judged: Option<i64>,
) -> anyhow::Result<Answer> {
    let answer = unproved(signed)?;
    let aws_identity = if signed.aws_identity { Some(aws_identity(config, ledger).await?) } else { None };
    Ok(Answer { aws_identity, judged, ..answer })
}

fn a_text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a text".to_owned()),
        text if text.chars().count() > 1000 => Err("expected at most 1,000 characters".to_owned()),
        text => Ok(text.to_owned()),
    }
}

pub fn run(args: &Args, kind: Kind, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let ids = match &args.incident {
        Some(incident) => desk::held_of(&reader, incident)?,
        None => args.ids.clone(),
    };
    answer(&reader, &ids, &args.signed, kind, config, screen)
}

pub fn run_done(args: &DoneArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    answer(&Reader::open(&config.ledger)?, &args.ids, &args.signed, Kind::Done, config, screen)
}

fn answer(
    reader: &Reader,
    ids: &[String],
    signed: &Signed,
    kind: Kind,
    config: &Config,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    signed.name()?;
    // All are looked at before one is answered.
    let mut remediations = Vec::new();
    for id in ids {
        let remediation = desk::answerable(reader, id, kind)?;
        if !remediations.iter().any(|other: &Remediation| other.id == remediation.id) {
            remediations.push(remediation);
        }
    }
    block_on(async {
        let ledger = open_ledger(config)?;
        let done = answer_all(signed, kind, &remediations, config, &ledger, screen).await;
        ledger.close();
        done
    })
}

async fn answer_all(
    sign: &Signed,
    kind: Kind,
    remediations: &[Remediation],
    config: &Config,
    ledger: &Ledger,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let given = signed(sign, config, ledger, None).await?;
    let (mut late, mut waits) = (Vec::new(), false);
    for remediation in remediations {
        let (answer, missing) = match desk::record(ledger, remediation, kind, &given).await? {
            Recorded::Yes(answer) => (answer, 0),
            Recorded::Counted { answer, missing } => (answer, missing),
            Recorded::Late(text) => {
                late.push(text);
                continue;
            }
        };
        let word = kind.word();
        let left = (missing > 0).then_some(missing);
        screen.json(&serde_json::json!({
            "remediation": remediation.id, word: answer, "approvals_missing": left,
        }))?;
        let target = &remediation.target;
        screen.line(format!(
            "{}  {}: {} in {}",
            styled(BOLD, &remediation.id),
            word.replace('_', " "),
            target.principal(),
            target.account
        ));
        if missing > 0 {
            let text =
                format!("    Still held: {} must approve it as well.", counted(missing, "other person"));
            screen.line(text.replace("other persons", "other people"));
        }
        waits |= missing > 0;
        if let (Kind::Approve, Some((code, why))) = (kind, remediation.held_why())
            && !code.is_for_approval()
        {
            screen.prose(format!("    It will be held again as long as this is so: {}", clean(why)));
        }
    }
    if kind == Kind::Approve && late.len() < remediations.len() {
        screen.line(match Lock::holder(&config.ledger) {
            Some(holder) => format!(
                "The running service ({}) acts on it within two seconds; `rescind show` has the outcome.",
                clean(&holder)
            ),
            None => "Nothing acts on this ledger now: `rescind run` or `rescind run --once` carries it out."
                .to_owned(),
        });
    }
    if late.is_empty() {
        return Ok(if waits { Exit::NeedsPerson } else { Exit::Done });
    }
    // Where one answer is recorded, it is not so that nothing was changed.
    if late.len() == remediations.len() {
        return Err(BadInput(late.join("\n")).into());
    }
    screen.json(&serde_json::json!({ "not_recorded": late }))?;
    for text in &late {
        screen.line(format!("{}  {}", styled(BAD, "NOT recorded:"), clean(text)));
    }
    Ok(Exit::NeedsPerson)
}

async fn aws_identity(config: &Config, ledger: &Ledger) -> Result<String, ServiceError> {
    Ok(service::hub(config, ledger).await?.identity().arn.clone())
}
