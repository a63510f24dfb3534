//! What somebody changes by the API or the console: whether they may, and what becomes of it.

use super::app::App;
use super::caller::Caller;
use super::problem::Problem;
use crate::config::WebRole;
use crate::desk::{
    self, AlertLine, DeskError, Kind, OrderAsked, PlanDocument, Recorded, ReleasePlan, WorksAgain,
};
use crate::finding::Ordered;
use crate::ident::AccountId;
use crate::incident::IncidentDoor;
use crate::ledger::{Ledger, Reader};
use crate::remediation::{Answer, CallScope, Cutoff, Impact, Remediation};
use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Maximum length of a reason, in characters.
const LONGEST_REASON: usize = 1000;

/// What became of an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Answered {
    /// Id of the remediation.
    pub remediation: String,
    /// The answer: `approved`, `rejected` or `done_by_hand`.
    pub answer: String,
    /// Who gave it, and why.
    pub given: Answer,
    /// How many more people must approve it.
    pub approvals_missing: usize,
}

/// An order that was recorded.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrderGiven {
    /// The order, as the finding that it became.
    pub ordered: OrderRecorded,
}

/// Where an order stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrderRecorded {
    /// Id of the finding that the order became.
    pub finding: String,
    /// Number of the ledger's entry that hands it in.
    pub entry: i64,
}

/// What a release takes back.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReleaseDocument {
    /// Id of the remediation.
    pub remediation: String,
    /// The principal.
    pub principal: String,
    /// The account that it is in.
    pub account: AccountId,
    /// Its name, for somebody to confirm: `web`, `user/alice`.
    pub name: String,
    /// What is written: the policy as it was found and as it is to be left.
    #[schemars(with = "serde_json::Value")]
    pub undo: crate::remediation::Undo,
    /// Somebody else changed it since. It is released only with `force`, and the change is lost.
    pub drift: bool,
    /// What rescind had written, where somebody else changed it since.
    pub written: Option<String>,
    /// Why nothing can be taken back, where what was changed is gone.
    pub gone: Option<String>,
    /// Other stolen keys that work again. It is released only with `attached`.
    pub other_keys: Vec<String>,
    /// What else works again, the stolen session included; null where nothing does.
    pub works_again: Option<WorksAgain>,
}

/// Whether a reason says something, and not too much.
fn reason(text: &str) -> Result<String, Problem> {
    match text.trim() {
        "" => Err(Problem::invalid("reason: expected a text")),
        text if text.chars().count() > LONGEST_REASON => {
            Err(Problem::invalid("reason: expected at most 1,000 characters"))
        }
        text => Ok(text.to_owned()),
    }
}

/// The answer of somebody whose identity is proved.
fn answer_of(caller: &Caller, why: &str) -> Result<Answer, Problem> {
    let Some(identity) = caller.identity.clone() else {
        let detail = "without an identity nobody changes anything: log in, or sign the request";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail));
    };
    Ok(Answer {
        by: identity.name().to_owned(),
        reason: reason(why)?,
        os_user: String::new(),
        aws_identity: None,
        identity: Some(identity),
        judged: None,
    })
}

/// Whether somebody has a role for an account; for every account where it is about none.
pub(super) async fn require(
    app: &App,
    caller: &Caller,
    role: WebRole,
    account: Option<&AccountId>,
) -> Result<(), Problem> {
    let access = caller.access.clone();
    let places = app.read(move |reader| access.places(reader).map_err(DeskError::from)).await?;
    let may = match account {
        Some(account) => places.allow(role, account),
        None => places.allow_everywhere(role),
    };
    if may {
        return Ok(());
    }
    let place = account.map_or_else(|| "for all accounts".to_owned(), |account| format!("for {account}"));
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", format!("you are not {role} {place}"))
        .with("`web.access` in the configuration says who may do what."))
}

/// The remediation that somebody may see; what they may not see is not there.
pub(super) async fn visible(app: &App, caller: &Caller, id: &str) -> Result<Remediation, Problem> {
    let (access, text) = (caller.access.clone(), id.to_owned());
    let found = app.read(move |reader| {
        if !text.starts_with("r-") {
            return Err(DeskError::Invalid(format!(
                "{text:?}: expected the id of a remediation, such as r-0123456789ab"
            )));
        }
        let places = access.places(reader)?;
        let id = desk::find_among(reader, &text, |account| places.show(Some(account)))?;
        Ok(reader.remediation(&id)?)
    });
    Ok(found.await?)
}

/// Answers what is held: with `plan`, only if the planned change is still that of this entry.
pub(super) async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    id: &str,
    (kind, plan): (Kind, Option<i64>),
    why: &str,
) -> Result<Answered, Problem> {
    let given = Answer { judged: plan, ..answer_of(caller, why)? };
    let remediation = visible(app, caller, id).await?;
    require(app, caller, WebRole::Approver, Some(&remediation.target.account)).await?;
    let id = remediation.id.clone();
    let recorded = app
        .write(async |ledger: &Ledger, reader: &Reader| {
            let remediation = desk::answerable(reader, &id, kind)?;
            desk::record(ledger, &remediation, kind, &given).await
        })
        .await?;
    let answered = |given, approvals_missing| Answered {
        remediation: remediation.id.clone(),
        answer: kind.word().to_owned(),
        given,
        approvals_missing,
    };
    match recorded {
        Recorded::Yes(given) => Ok(answered(given, 0)),
        Recorded::Counted { answer, missing } => Ok(answered(answer, missing)),
        Recorded::Late(text) => Err(DeskError::Conflict(text).into()),
    }
}

/// The impact of a remediation, looked up now: calls are made into the member account.
pub(super) async fn impact(app: &App, caller: &Caller, id: &str) -> Result<(Remediation, Impact), Problem> {
    caller.meant_it()?;
    let remediation = visible(app, caller, id).await?;
    require(app, caller, WebRole::Approver, Some(&remediation.target.account)).await?;
    let scope = CallScope {
        remediation: Some(remediation.id.clone()),
        finding: Some(remediation.finding.id.clone()),
    };
    let change = remediation.change.as_ref();
    let cutoff = change.map_or_else(|| Cutoff::at(Timestamp::now()), |change| change.cutoff);
    let impact = app
        .look(async |reconciler, _, _| {
            let (target, finding) = (&remediation.target, &remediation.finding.id);
            Ok(reconciler.evidence().impact(target, finding, cutoff, &scope).await)
        })
        .await?;
    match impact {
        Ok(Some(impact)) => Ok((remediation, impact)),
        Ok(None) => {
            let text = format!("{}: the impact can be looked up for roles only", remediation.id);
            Err(DeskError::Conflict(text).into())
        }
        Err(refusal) => Err(DeskError::Conflict(refusal.to_string()).into()),
    }
}

/// What a release of a remediation would take back.
pub(super) async fn plan_release(app: &App, caller: &Caller, id: &str) -> Result<ReleaseDocument, Problem> {
    caller.meant_it()?;
    let remediation = visible(app, caller, id).await?;
    desk::may_release(&remediation)?;
    let plan = app
        .look(async |reconciler, _: &Ledger, reader: &Reader| {
            match ReleasePlan::look(reconciler, reader, &remediation).await? {
                Ok(plan) => Ok(plan),
                Err(refusal) => Err(DeskError::Conflict(refusal.to_string())),
            }
        })
        .await?;
    Ok(ReleaseDocument {
        remediation: remediation.id.clone(),
        principal: remediation.target.principal(),
        account: remediation.target.account.clone(),
        name: remediation.target.name(),
        undo: plan.undo,
        drift: plan.drift.is_some(),
        written: plan.drift.and_then(|drift| drift.written),
        gone: plan.gone.map(|refusal| refusal.to_string()),
        other_keys: plan.other_keys,
        works_again: plan.works_again,
    })
}

/// Asks for the release of a remediation: with `force` over later changes of others, with `attached` for other keys too.
pub(super) async fn release(
    app: &App,
    caller: &Caller,
    id: &str,
    (force, attached): (bool, bool),
    why: &str,
) -> Result<ReleaseDocument, Problem> {
    let given = answer_of(caller, why)?;
    let account = visible(app, caller, id).await?.target.account;
    require(app, caller, WebRole::Operator, Some(&account)).await?;
    let plan = plan_release(app, caller, id).await?;
    let conflict = |code: &str, text: &str| Problem::new(StatusCode::CONFLICT, code, text);
    if plan.drift && !force {
        let text =
            "somebody else changed the policy since; with `force` it is released, and the change is lost";
        return Err(conflict("drift", text));
    }
    if !plan.other_keys.is_empty() && !attached {
        let text = format!(
            "it also handles other keys, which would work again: {}; with `attached` these are released as well",
            plan.other_keys.join(", ")
        );
        return Err(conflict("other_keys", &text));
    }
    let id = plan.remediation.clone();
    app.write(async |ledger: &Ledger, reader: &Reader| {
        let remediation = reader.remediation(&id)?;
        desk::may_release(&remediation)?;
        desk::ask_release(ledger, &remediation, (force, attached), given.clone()).await
    })
    .await?;
    Ok(plan)
}

/// Whom an order is for. The name of a session is completed by the role's id, which only IAM knows.
async fn whom(app: &App, asked: &OrderAsked, given: &Answer) -> Result<Ordered, Problem> {
    let desk::Principal { mut who, missing } = asked.principal()?;
    let (Ordered::Role { session, .. }, Some(missing)) = (&mut who, missing) else { return Ok(who) };
    *session = None;
    let planned = plan(app, asked, &who, given).await?;
    let Some(change) = planned.change else {
        let text = format!(
            "the session {missing:?} cannot be named in full: {}. Give AROA…:{missing}, with the role's id",
            planned.refused.unwrap_or(planned.reason)
        );
        return Err(DeskError::Conflict(text).into());
    };
    let Ordered::Role { name, .. } = who else { return Ok(who) };
    Ok(Ordered::Role { name, session: Some(format!("{}:{missing}", change.id)) })
}

async fn plan(app: &App, asked: &OrderAsked, who: &Ordered, given: &Answer) -> Result<PlanDocument, Problem> {
    let finding = asked.finding(who, given, app.config.home_region());
    let planned = app
        .look(async |reconciler, _: &Ledger, reader: &Reader| {
            let names = reader.account_names()?;
            Ok(PlanDocument::of(&reconciler.plan(finding.clone(), true).await?, &names))
        })
        .await?;
    Ok(planned)
}

/// What an order would do.
pub(super) async fn plan_order(
    app: &App,
    caller: &Caller,
    asked: &OrderAsked,
    why: &str,
) -> Result<PlanDocument, Problem> {
    let given = answer_of(caller, why)?;
    require(app, caller, WebRole::Operator, Some(&asked.account)).await?;
    let who = whom(app, asked, &given).await?;
    plan(app, asked, &who, &given).await
}

/// Orders a revocation. It goes through the same rules, opt-outs and budgets as a finding.
pub(super) async fn order(
    app: &App,
    caller: &Caller,
    asked: &OrderAsked,
    why: &str,
) -> Result<OrderGiven, Problem> {
    let given = answer_of(caller, why)?;
    require(app, caller, WebRole::Operator, Some(&asked.account)).await?;
    let who = whom(app, asked, &given).await?;
    let region = app.config.home_region().clone();
    let recorded = app
        .write(async |ledger: &Ledger, _: &Reader| desk::ask(ledger, asked, &who, &given, &region).await)
        .await?;
    let ordered = OrderRecorded { finding: recorded.finding.id, entry: recorded.entry };
    Ok(OrderGiven { ordered })
}

/// The incident that somebody may change: they have the role for each of its accounts.
async fn incident(app: &App, caller: &Caller, id: &str) -> Result<crate::incident::Incident, Problem> {
    let (access, text) = (caller.access.clone(), id.to_owned());
    let found = app
        .read(move |reader| {
            let places = access.places(reader)?;
            let id = desk::incident_among(reader, &text, |account| places.show(Some(account)))?;
            let incident = desk::incident_of(reader, &id)?;
            let mut members = incident.remediations.iter();
            let may = members.all(|one| places.allow(WebRole::Approver, &one.account));
            Ok::<_, DeskError>((incident, may))
        })
        .await?;
    let (incident, may) = found;
    if may {
        return Ok(incident);
    }
    let detail = "you are not approver for every account of this incident";
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
}

/// Records that doors of an incident are closed.
pub(super) async fn close_doors(
    app: &App,
    caller: &Caller,
    id: &str,
    doors: &[String],
    why: &str,
) -> Result<Vec<IncidentDoor>, Problem> {
    let given = answer_of(caller, why)?;
    if doors.is_empty() {
        return Err(Problem::invalid("doors: expected at least one"));
    }
    let incident = incident(app, caller, id).await?;
    let closed = app
        .write(async |ledger: &Ledger, reader: &Reader| {
            desk::close_doors(reader, ledger, &incident, doors, &given).await
        })
        .await?;
    Ok(closed)
}

/// Asks that CloudTrail is read for what is held of an incident. Gives the ids of the remediations.
pub(super) async fn pursue(app: &App, caller: &Caller, id: &str, why: &str) -> Result<Vec<String>, Problem> {
    let given = answer_of(caller, why)?;
    let incident = incident(app, caller, id).await?;
    let waiting = app
        .write(async |ledger: &Ledger, reader: &Reader| {
            desk::ask_pursuit(reader, ledger, &incident, &given).await
        })
        .await?;
    Ok(waiting.into_iter().map(|one| one.id).collect())
}

/// Records that somebody has seen to an alert.
pub(super) async fn acknowledge(
    app: &App,
    caller: &Caller,
    alert: i64,
    why: &str,
) -> Result<AlertLine, Problem> {
    let given = answer_of(caller, why)?;
    let access = caller.access.clone();
    let (account, is_shown) = app
        .read(move |reader| {
            let account = desk::account_of_alert(reader, alert)?;
            let is_shown = access.places(reader)?.show(account.as_ref());
            Ok::<_, DeskError>((account, is_shown))
        })
        .await?;
    if !is_shown {
        return Err(Problem::not_found(format!("no entry with the number {alert} is an alert")));
    }
    require(app, caller, WebRole::Approver, account.as_ref()).await?;
    let line = app
        .write(async |ledger: &Ledger, reader: &Reader| {
            desk::acknowledge(reader, ledger, alert, &given).await
        })
        .await?;
    Ok(line)
}
