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
    /// Remediations, by id (r-…) or at least eight characters of it after the r-. All are looked at before one is answered.
    #[arg(required_unless_present_any = ["incident", "interactive"], value_name = "ID")]
    pub(super) ids: Vec<String>,

    /// All that is held of this incident, by its id (i-…) or that of one of its remediations.
    #[arg(long, value_name = "ID", conflicts_with = "ids")]
    pub(super) incident: Option<String>,

    /// Go through what is held, one after another: show each in short, and ask. Each answer is recorded at once.
    #[arg(long, short)]
    pub(super) interactive: bool,

    /// The reason, for the ledger. With --interactive it is asked for where it is not given.
    #[arg(long, value_name = "TEXT", value_parser = a_text, required_unless_present = "interactive")]
    pub(super) reason: Option<String>,

    #[command(flatten)]
    pub(super) signer: Signer,
}

impl Args {
    /// The reason; clap sees to it that there is one, unless each answer has its own.
    pub(super) fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}

#[derive(Debug, clap::Args)]
pub struct DoneArgs {
    /// Remediations, by id (r-…) or at least eight characters of it after the r-.
    #[arg(required = true, value_name = "ID")]
    pub(super) ids: Vec<String>,

    #[command(flatten)]
    pub(super) signed: Signed,
}

/// Who answers, and why.
#[derive(Debug, clap::Args)]
pub struct Signed {
    /// The reason, for the ledger.
    #[arg(long, value_name = "TEXT", value_parser = a_text)]
    pub(super) reason: String,

    #[command(flatten)]
    pub(super) signer: Signer,
}

/// Who answers.
#[derive(Debug, clap::Args)]
pub struct Signer {
    /// Your name, for the record [default: your AWS identity with --aws-identity, else your login name]. With --hub your
    /// AWS identity is recorded instead.
    #[arg(long, value_name = "NAME", value_parser = a_text)]
    by: Option<String>,

    /// Also record whose AWS credentials these are (asks STS).
    #[arg(long)]
    aws_identity: bool,
}

impl Signer {
    /// The name that an answer on the hub's host is given under, before any look at AWS.
    ///
    /// # Errors
    /// When nobody is named, and the operating system knows no name.
    pub fn name(&self) -> Result<String, BadInput> {
        let name = self.by.clone().or_else(service::login_name);
        name.ok_or_else(|| BadInput("--by NAME is missing: your name, for the record".to_owned()))
    }

    /// Refuses a name over a hub: there the identity is the caller's, and a name is not for them to give.
    ///
    /// # Errors
    /// When one was given.
    pub fn over_a_hub(&self) -> Result<(), BadInput> {
        let flag = match (&self.by, self.aws_identity) {
            (Some(_), _) => "--by",
            (_, true) => "--aws-identity",
            (None, false) => return Ok(()),
        };
        let text = format!("{flag} cannot be used with --hub: who signs the request is who answers");
        Err(BadInput(text))
    }

    /// The answer, without any look at AWS.
    ///
    /// # Errors
    /// When nobody answers for it.
    pub fn unproved(&self, reason: &str) -> Result<Answer, BadInput> {
        Ok(Answer {
            by: self.name()?,
            reason: reason.to_owned(),
            os_user: service::os_user(),
            aws_identity: None,
            identity: None,
            judged: None,
        })
    }

    /// The answer as it is recorded.
    ///
    /// # Errors
    /// When nobody answers for it, or AWS does not say whose credentials these are.
    pub async fn answer(&self, reason: &str, config: &Config, ledger: &Ledger) -> anyhow::Result<Answer> {
        let mut answer = self.unproved(reason)?;
        if self.aws_identity {
            let identity = aws_identity(config, ledger).await?;
            if self.by.is_none() {
                answer.by.clone_from(&identity);
            }
            answer.aws_identity = Some(identity);
        }
        Ok(answer)
    }
}

impl Signed {
    /// The reason, over a hub.
    ///
    /// # Errors
    /// When a name was given, which is not for them to give.
    pub fn over_a_hub(&self) -> Result<&str, BadInput> {
        self.signer.over_a_hub().map(|()| self.reason.as_str())
    }

    /// The name that an answer on the hub's host is given under.
    ///
    /// # Errors
    /// As those of [`Signer::name`].
    pub fn name(&self) -> Result<String, BadInput> {
        self.signer.name()
    }
}

/// The answer as it is recorded.
///
/// # Errors
/// As those of [`Signer::answer`].
pub async fn signed(
    signed: &Signed,
    config: &Config,
    ledger: &Ledger,
    judged: Option<i64>,
) -> anyhow::Result<Answer> {
    let answer = signed.signer.answer(&signed.reason, config, ledger).await?;
    Ok(Answer { judged, ..answer })
}

/// A name or a reason: it says something, and not too much.
pub(super) fn a_text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a text".to_owned()),
        text if text.chars().count() > 1000 => Err("expected at most 1,000 characters".to_owned()),
        text => Ok(text.to_owned()),
    }
}

pub fn run(args: &Args, kind: Kind, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    args.signer.name()?;
    let reader = Reader::open(&config.ledger)?;
    let ids = match &args.incident {
        Some(incident) => desk::held_of(&reader, incident)?,
        None => args.ids.clone(),
    };
    answer(&reader, &ids, (&args.signer, args.reason()), kind, config, screen)
}

pub fn run_done(args: &DoneArgs, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let Signed { signer, reason } = &args.signed;
    answer(&Reader::open(&config.ledger)?, &args.ids, (signer, reason), Kind::Done, config, screen)
}

fn answer(
    reader: &Reader,
    ids: &[String],
    (signer, reason): (&Signer, &str),
    kind: Kind,
    config: &Config,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    signer.name()?;
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
        let done = match signer.answer(reason, config, &ledger).await {
            Ok(given) => answer_all(&given, kind, &remediations, config, &ledger, screen).await,
            Err(error) => Err(error),
        };
        ledger.close();
        done
    })
}

/// One answer, recorded and shown. `false` when others must approve it as well.
///
/// # Errors
/// The text that says why it is not recorded, or that the ledger cannot be used.
pub(super) async fn record(
    ledger: &Ledger,
    remediation: &Remediation,
    kind: Kind,
    given: &Answer,
    screen: &Screen,
) -> anyhow::Result<Result<bool, String>> {
    let (answer, missing) = match desk::record(ledger, remediation, kind, given).await {
        Ok(Recorded::Yes(answer)) => (answer, 0),
        Ok(Recorded::Counted { answer, missing }) => (answer, missing),
        Ok(Recorded::Late(text)) => return Ok(Err(text)),
        Err(error) if error.is_refusal() => return Ok(Err(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let word = kind.word();
    let left = (missing > 0).then_some(missing);
    let line = serde_json::json!({
        "remediation": remediation.id, word: answer, "approvals_missing": left,
    });
    screen.item("items", &line)?;
    let target = &remediation.target;
    screen.prose(format!(
        "{}  {}: {} in {}",
        styled(BOLD, &remediation.id),
        word.replace('_', " "),
        target.principal(),
        target.account
    ));
    if missing > 0 {
        let text = format!("    Still held: {} must approve it as well.", counted(missing, "other person"));
        screen.line(text.replace("other persons", "other people"));
    }
    if let (Kind::Approve, Some((code, why))) = (kind, remediation.held_why())
        && !code.is_for_approval()
    {
        screen.prose(format!("    It will be held again as long as this is so: {}", clean(why)));
    }
    Ok(Ok(missing == 0))
}

/// Says who carries out what is approved.
pub(super) fn say_who_acts(config: &Config, screen: &Screen) {
    screen.prose(match Lock::holder(&config.ledger) {
        Some(holder) => format!(
            "The running service ({}) acts on it within two seconds; `rescind show` has the outcome.",
            clean(&holder)
        ),
        None => "Nothing acts on this ledger now: `rescind run` or `rescind run --once` carries it out."
            .to_owned(),
    });
}

async fn answer_all(
    given: &Answer,
    kind: Kind,
    remediations: &[Remediation],
    config: &Config,
    ledger: &Ledger,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let (mut refused, mut waits) = (Vec::new(), false);
    for remediation in remediations {
        match record(ledger, remediation, kind, given, screen).await? {
            Ok(is_answered) => waits |= !is_answered,
            Err(why) => refused.push((remediation.id.as_str(), why)),
        }
    }
    if kind == Kind::Approve && refused.len() < remediations.len() {
        say_who_acts(config, screen);
    }
    if refused.is_empty() {
        return Ok(if waits { Exit::NeedsPerson } else { Exit::Done });
    }
    // Where one answer is recorded, it is not so that nothing was changed.
    if refused.len() == remediations.len() {
        let all: Vec<String> = refused.into_iter().map(|(_, why)| why).collect();
        return Err(BadInput(all.join("\n")).into());
    }
    for (id, why) in &refused {
        screen.item("items", &serde_json::json!({ "remediation": id, "refused": why }))?;
        screen.prose(format!("{}  {}", styled(BAD, "NOT recorded:"), clean(why)));
    }
    let (done, all) = (remediations.len() - refused.len(), remediations.len());
    screen.line(format!("Recorded {done} of {all} answers."));
    Ok(Exit::NeedsPerson)
}

async fn aws_identity(config: &Config, ledger: &Ledger) -> Result<String, ServiceError> {
    Ok(service::hub(config, ledger).await?.identity().arn.clone())
}
