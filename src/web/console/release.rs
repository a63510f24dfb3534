//! The release of a remediation: what it takes back, and the order for it.

use super::page::{Frame, back_to, html};
use super::policy::Diff;
use super::sent::Sent;
use super::words::Words;
use crate::config::WebRole;
use crate::web::act::{self, ReleaseDocument};
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "console/release.html")]
struct ReleasePage {
    frame: Frame,
    plan: ReleaseDocument,
    account: String,
    /// What is typed to confirm it.
    name: String,
    policy: String,
    diff: Diff,
    /// What somebody else changed since.
    drift: Option<Diff>,
    foreign: Option<Diff>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let remediation = act::visible(&app, &caller, &id).await?;
    let target = &remediation.target;
    act::require(&app, &caller, WebRole::Operator, Some(&target.account)).await?;
    let plan = act::plan_release(&app, &caller, &remediation.id).await?;
    let (undo, policy) = (&plan.undo, plan.undo.policy());
    let (found, leave) = (undo.found.as_deref(), undo.leave.as_deref());
    let title = format!("Release {} in {}", target.principal(), target.account);
    let page = ReleasePage {
        frame: Frame::of(&app, &caller, "/remediations", title).still(),
        account: plan.account.to_string(),
        name: plan.name.clone(),
        diff: Diff::of(policy.clone(), found, leave),
        drift: plan.drift.then(|| Diff::of(policy.clone(), plan.written.as_deref(), found)),
        foreign: undo.foreign.as_deref().map(|text| Diff::of(policy.clone(), Some(text), None)),
        policy,
        plan,
    };
    html(&page)
}

pub(super) async fn release(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Problem> {
    let remediation = act::visible(&app, &sent.caller, &id).await?;
    let name = remediation.target.name();
    if sent.text("name") != name {
        let detail = format!("the name that you typed is not {name:?}: nothing was released");
        return Err(Problem::invalid(detail));
    }
    let over = (sent.is_checked("force"), sent.is_checked("attached"));
    act::release(&app, &sent.caller, &remediation.id, over, sent.text("reason")).await?;
    Ok(back_to(&format!("/remediations/{}", remediation.id), "released"))
}
