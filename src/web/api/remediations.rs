//! Remediations: read, answered, released.

use super::change::Change;
use super::document::{Document, Items, unless_it_is_known};
use crate::config::WebRole;
use crate::desk::{self, DecisionLine, DeskError, Kind, RemediationLine, Shown};
use crate::ident::AccountId;
use crate::ledger::PageWanted;
use crate::remediation::{Impact, Rung, State as Stands};
use crate::web::act::{self, Answered, ReleaseDocument};
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    let reading = ApiRouter::new()
        .api_route(
            "/v1/remediations",
            get_with(list, |o| o.id("remediations").summary("The remediations, the latest first")),
        )
        .api_route(
            "/v1/remediations/{id}",
            get_with(show, |o| o.id("remediation").summary("A remediation in full")),
        )
        .api_route(
            "/v1/decisions",
            get_with(decisions, |o| {
                o.id("decisions").summary("Each finding with what was decided, the latest first")
            }),
        )
        .api_route(
            "/v1/findings/{id}",
            get_with(finding, |o| o.id("finding").summary("What was decided about a finding, each time")),
        )
        .layer(from_fn(unless_it_is_known));
    ApiRouter::new()
        .merge(reading)
        .api_route(
            "/v1/remediations/{id}/impact",
            get_with(impact, |o| o.id("impact").summary("The impact, looked up now in AWS")),
        )
        .api_route(
            "/v1/remediations/{id}/release-plan",
            get_with(release_plan, |o| {
                o.id("release_plan").summary("What a release would take back, looked up now in AWS")
            }),
        )
        .api_route(
            "/v1/remediations/{id}/approve",
            post_with(approve, |o| o.id("approve").summary("Approve what is held")),
        )
        .api_route(
            "/v1/remediations/{id}/reject",
            post_with(reject, |o| o.id("reject").summary("Reject what is held")),
        )
        .api_route(
            "/v1/remediations/{id}/done",
            post_with(done, |o| o.id("done").summary("Report done by hand what rescind cannot do")),
        )
        .api_route(
            "/v1/remediations/{id}/release",
            post_with(release, |o| {
                o.id("release").summary("Release a remediation").response::<202, Document<ReleaseDocument>>()
            }),
        )
}

/// Which remediations are listed. Several states or proofs are separated by commas.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only in these states.
    #[schemars(with = "Option<Vec<Stands>>", length(min = 1))]
    state: Option<String>,
    /// Only with these proofs.
    #[schemars(with = "Option<Vec<Rung>>", length(min = 1))]
    proof: Option<String>,
    /// Only in these accounts, by their ids or names. Several are separated by commas.
    account: Option<String>,
    /// Only what was decided at this time or later, such as 2026-11-30T12:00:00Z.
    #[schemars(with = "Option<Timestamp>")]
    since: Option<String>,
    /// Only about findings that are at least so severe: 1 to 10.
    #[schemars(with = "Option<f64>", range(min = 0, max = 10))]
    severity: Option<String>,
    /// Only of this incident.
    incident: Option<String>,
    /// Only with this text in the principal's name, in the account, or at the beginning of the id.
    text: Option<String>,
    #[serde(flatten)]
    page: PageAsked,
}

/// Which page is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageAsked {
    /// Maximum number of items: 1 to 500. The default is 50.
    #[schemars(with = "Option<u16>", range(min = 1, max = 500))]
    pub limit: Option<String>,
    /// The `next` of the page before.
    #[schemars(with = "Option<i64>", range(min = 1))]
    pub cursor: Option<String>,
}

impl PageAsked {
    pub fn most(&self) -> Result<usize, Problem> {
        let Some(text) = &self.limit else { return Ok(50) };
        let most = text.parse().ok().filter(|most| (1..=500).contains(most));
        most.ok_or_else(|| Problem::invalid(format!("limit: {text:?}: expected 1 to 500")))
    }

    pub fn before(&self) -> Result<Option<i64>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let before = text.parse().ok().filter(|before| *before > 0);
        before
            .map(Some)
            .ok_or_else(|| Problem::invalid(format!("cursor: {text:?}: expected the `next` of a page")))
    }
}

/// A list of names, separated by commas.
fn named<T: FromStr>(key: &str, text: Option<&String>) -> Result<Vec<T>, Problem> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let read = |name: &str| {
        name.trim().parse().map_err(|_| Problem::invalid(format!("{key}: {name:?}: there is no such name")))
    };
    text.split(',').map(read).collect()
}

fn time(key: &str, text: Option<&String>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &String| {
        let problem = || format!("{key}: {text:?}: expected a time such as 2026-11-30T12:00:00Z");
        text.parse().map_err(|_| Problem::invalid(problem()))
    };
    text.map(read).transpose()
}

fn severity(text: Option<&String>) -> Result<Option<f64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (0.0..=10.0).contains(number));
    let number = number.ok_or_else(|| Problem::invalid(format!("severity: {text:?}: expected 0 to 10")));
    number.map(Some)
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Document<Items<RemediationLine>>, Problem> {
    let (most, before) = (wanted.page.most()?, wanted.page.before()?);
    let mut page = PageWanted {
        states: named::<Stands>("state", wanted.state.as_ref())?,
        proofs: named::<Rung>("proof", wanted.proof.as_ref())?,
        accounts: None,
        in_accounts: Vec::new(),
        since: time("since", wanted.since.as_ref())?,
        severity: severity(wanted.severity.as_ref())?,
        incident: wanted.incident,
        text: wanted.text,
        before,
    };
    let items = app
        .read(move |reader| {
            page.accounts = caller.access.places(reader)?.shown();
            let names = reader.account_names()?;
            for text in wanted.account.iter().flat_map(|text| text.split(',')) {
                let found = names.find(text.trim());
                page.in_accounts.extend(found.iter().map(ToString::to_string));
                // What is no account has no remediation.
                page.in_accounts.extend(found.is_empty().then(|| text.to_owned()));
            }
            let (known_until, found) = (reader.last_time()?, reader.latest(&page, most)?);
            let line = |id: &String| Ok(RemediationLine::of(&reader.remediation(id)?, known_until, &names));
            let items = found.ids.iter().map(line).collect::<Result<Vec<_>, DeskError>>()?;
            Ok::<_, DeskError>(Items { items, next: found.next })
        })
        .await?;
    Ok(Document(items))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Document<Shown>, Problem> {
    let id = find(&app, &caller, &id).await?;
    Ok(Document(app.read(move |reader| Shown::read(reader, &id)).await?))
}

/// The id of the remediation that a text names: by its own id, or by its finding's.
async fn find(app: &App, caller: &Caller, text: &str) -> Result<String, Problem> {
    let (access, wanted) = (caller.access.clone(), text.to_owned());
    let found = app
        .read(move |reader| {
            let places = access.places(reader)?;
            desk::find_among(reader, &wanted, |account| places.show(Some(account)))
        })
        .await?;
    Ok(found)
}

async fn decisions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageAsked>,
) -> Result<Document<Items<DecisionLine>>, Problem> {
    let (most, before) = (page.most()?, page.before()?);
    let items = app
        .read(move |reader| {
            let places = caller.access.places(reader)?;
            let is_shown = |account: Option<&AccountId>| places.show(account);
            let (items, next) = desk::latest_decisions(reader, before, most, is_shown)?;
            Ok::<_, DeskError>(Items { items, next })
        })
        .await?;
    Ok(Document(items))
}

async fn finding(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Document<Items<DecisionLine>>, Problem> {
    let text = id.clone();
    let lines = app
        .read(move |reader| {
            let places = caller.access.places(reader)?;
            let all = reader.occurrences_of(&text)?;
            let names = reader.account_names()?;
            let lines = all.iter().map(|one| desk::decision_line(one, &names));
            let is_it = |line: &DecisionLine| {
                line.finding.as_deref() == Some(text.as_str()) && places.show(line.account.as_ref())
            };
            Ok::<_, DeskError>(lines.filter(is_it).collect::<Vec<_>>())
        })
        .await?;
    if lines.is_empty() {
        return Err(Problem::not_found(format!("no finding has the id {id:?}")));
    }
    Ok(Document(Items::all(lines)))
}

/// The impact of a remediation.
#[derive(Serialize, JsonSchema)]
struct ImpactDocument {
    /// Id of the remediation.
    remediation: String,
    /// What the deny means for whom.
    impact: Impact,
}

async fn impact(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Document<ImpactDocument>, Problem> {
    let (remediation, impact) = act::impact(&app, &caller, &id).await?;
    Ok(Document(ImpactDocument { remediation: remediation.id, impact }))
}

async fn release_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Document<ReleaseDocument>, Problem> {
    let account = act::visible(&app, &caller, &id).await?.target.account;
    act::require(&app, &caller, WebRole::Approver, Some(&account)).await?;
    act::plan_release(&app, &caller, &id).await.map(Document)
}

/// Why something is done.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// The reason, for the ledger.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub reason: String,
}

/// How something is approved.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Approve {
    /// The reason, for the ledger.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    reason: String,
    /// Number of the entry with the planned change that was read. If another is planned by now, nothing is recorded.
    #[serde(default)]
    plan: Option<i64>,
}

async fn approve(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    change: Change<Approve>,
) -> Result<Document<Answered>, Problem> {
    let Change { caller, body } = change;
    act::answer(&app, &caller, &id, (Kind::Approve, body.plan), &body.reason).await.map(Document)
}

async fn reject(
    app: State<Arc<App>>,
    id: Path<String>,
    change: Change<Why>,
) -> Result<Document<Answered>, Problem> {
    answer(app, id, change, Kind::Reject).await
}

async fn done(
    app: State<Arc<App>>,
    id: Path<String>,
    change: Change<Why>,
) -> Result<Document<Answered>, Problem> {
    answer(app, id, change, Kind::Done).await
}

async fn answer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    change: Change<Why>,
    kind: Kind,
) -> Result<Document<Answered>, Problem> {
    let Change { caller, body } = change;
    act::answer(&app, &caller, &id, (kind, None), &body.reason).await.map(Document)
}

/// How something is released.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    /// The reason, for the ledger.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    reason: String,
    /// Also when somebody else changed the policy since: their change is lost.
    #[serde(default)]
    force: bool,
    /// Also for the other stolen keys that the remediation handles.
    #[serde(default)]
    attached: bool,
}

async fn release(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    change: Change<ReleaseBody>,
) -> Result<(StatusCode, Document<ReleaseDocument>), Problem> {
    let Change { caller, body } = change;
    let plan = act::release(&app, &caller, &id, (body.force, body.attached), &body.reason).await?;
    Ok((StatusCode::ACCEPTED, Document(plan)))
}
