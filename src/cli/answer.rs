//! `rescind approve` and `rescind reject`: a person's answer to what is held.

use super::exit::BadInput;
use super::output::{BAD, BOLD, Screen, clean, styled};
use super::runtime::block_on;
use super::{Exit, show};
use crate::config::Config;
use crate::ledger::{Append, Ledger, LedgerError, Lock, Reader};
use crate::remediation::{Answer, Draft, Event, Remediation, State, Who};
use crate::replication::open_ledger;
use crate::service::{self, ServiceError};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remediations, by id (r-…) or at least four characters of it after the r-.
    #[arg(required_unless_present = "incident", value_name = "ID")]
    ids: Vec<String>,

    /// All that is held of this incident, by its id (i-…) or that of one of its remediations.
    #[arg(long, value_name = "ID", conflicts_with = "ids")]
    incident: Option<String>,

    #[command(flatten)]
    signed: Signed,
}

#[derive(Debug, clap::Args)]
pub struct DoneArgs {
    /// Remediations, by id (r-…) or at least four characters of it after the r-.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    signed: Signed,
}

/// Who answers, and why.
#[derive(Debug, clap::Args)]
pub struct Signed {
    /// Your name, for the record.
    #[arg(long, value_name = "NAME", value_parser = a_text)]
    by: String,

    /// The reason, for the ledger.
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    reason: String,

    /// Also record whose AWS credentials these are (asks STS).
    #[arg(long)]
    aws_identity: bool,
}

impl Signed {
    /// Their name and their reason.
    pub fn said(&self) -> (String, String) {
        (self.by.clone(), self.reason.clone())
    }
}

/// The answer as it is recorded.
pub async fn signed(
    signed: &Signed,
    config: &Config,
    ledger: &Ledger,
    judged: Option<i64>,
) -> Result<Answer, ServiceError> {
    let aws_identity = if signed.aws_identity { Some(aws_identity(config, ledger).await?) } else { None };
    let (by, reason) = (signed.by.clone(), signed.reason.clone());
    Ok(Answer { by, reason, os_user: service::os_user(), aws_identity, judged })
}

fn a_text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a text".to_owned()),
        text if text.chars().count() > 1000 => Err("expected at most 1,000 characters".to_owned()),
        text => Ok(text.to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Approve,
    Reject,
    /// A person has done by hand what rescind cannot.
    Done,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Done => "done_by_hand",
        }
    }
}

pub fn run(args: &Args, kind: Kind, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let ids = match &args.incident {
        Some(incident) => held_of(&reader, incident)?,
        None => args.ids.clone(),
    };
    answer(&reader, &ids, &args.signed, kind, config, screen)
}

pub fn run_done(args: &DoneArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    answer(&Reader::open(&config.ledger)?, &args.ids, &args.signed, Kind::Done, config, screen)
}

/// What is held of an incident, but for what only a person can do.
fn held_of(reader: &Reader, text: &str) -> anyhow::Result<Vec<String>> {
    let incident = super::incident::named(reader, text)?;
    let mut held = Vec::new();
    for id in reader.remediations_of(&incident)? {
        if reader.state(&id)? == State::Held && reader.remediation(&id)?.target.is_supported() {
            held.push(id);
        }
    }
    if held.is_empty() {
        return Err(BadInput(format!("{incident}: nothing of it is held that rescind can carry out")).into());
    }
    Ok(held)
}

fn answer(
    reader: &Reader,
    ids: &[String],
    signed: &Signed,
    kind: Kind,
    config: &Config,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    // All are looked at before one is answered.
    let mut remediations = Vec::new();
    for id in ids {
        let remediation = open(reader, id, kind)?;
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
    let mut late = Vec::new();
    for remediation in remediations {
        let judged = remediation.proposal.as_ref().map(|proposal| proposal.seq);
        let answer = Answer { judged, ..given.clone() };
        let event = match kind {
            Kind::Approve => Event::Approved(answer.clone()),
            Kind::Reject => Event::Rejected(answer.clone()),
            Kind::Done => Event::DoneByHand(answer.clone()),
        };
        let only_if = Some((remediation.id.clone(), remediation.state));
        let entries = vec![Draft { subject: remediation.subject(), event }];
        match ledger.append(Append { entries, only_if, ..Append::default() }).await {
            Err(LedgerError::Illegal(illegal)) => {
                let now = illegal.from.map(|state| state.to_string()).unwrap_or_default();
                late.push(format!(
                    "{} is {now} already: somebody else was faster, and nothing was recorded of it",
                    remediation.id
                ));
                continue;
            }
            done => done?,
        };
        let word = kind.word();
        screen.json(&serde_json::json!({ "remediation": remediation.id, word: answer }))?;
        let target = &remediation.target;
        screen.line(format!(
            "{}  {}: {} in {}",
            styled(BOLD, &remediation.id),
            word.replace('_', " "),
            target.principal(),
            target.account
        ));
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
        return Ok(Exit::Done);
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

/// The remediation, if it can be answered: it is held, or was rejected and somebody thinks better of it.
fn open(reader: &Reader, id: &str, kind: Kind) -> anyhow::Result<Remediation> {
    let remediation = show::named(reader, id)?;
    let (id, state) = (&remediation.id, remediation.state);
    let is_unsupported = matches!(remediation.target.who, Who::Unsupported { .. });
    if is_unsupported && kind == Kind::Approve {
        let text = format!(
            "{id}: rescind cannot do this. `rescind show {id}` has the manual steps; report them done with `rescind done {id}`"
        );
        return Err(BadInput(text).into());
    }
    match (state, &remediation.answer) {
        (State::Held | State::Rejected, _) if is_unsupported && kind == Kind::Done => Ok(remediation),
        (State::Held | State::Rejected, _) if kind == Kind::Done => {
            let text =
                format!("{id}: rescind can do this itself: `rescind approve {id}`, or `rescind reject {id}`");
            Err(BadInput(text).into())
        }
        (State::Held, _) if remediation.proposal.is_none() && kind == Kind::Approve => {
            let text = "the planned change is not determined yet: a service does that at its next poll, or `rescind run --once`";
            Err(BadInput(format!("{id}: {text}")).into())
        }
        (State::Held, _) => Ok(remediation),
        (State::Rejected | State::Superseded, _) if kind == Kind::Approve => Ok(remediation),
        (_, Some(given)) if remediation.approved_at().is_some() => {
            let text = format!(
                "{id} was approved by {} already, and is {state}: there is nothing to answer",
                given.answer.by
            );
            Err(BadInput(text).into())
        }
        _ => Err(BadInput(format!("{id} is {state}, not held: there is nothing to answer")).into()),
    }
}

async fn aws_identity(config: &Config, ledger: &Ledger) -> Result<String, ServiceError> {
    Ok(service::hub(config, ledger).await?.identity().arn.clone())
}
