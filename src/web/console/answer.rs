//! A person's answer: the page on which they confirm it, and what is recorded then.

use super::advice::Advice;
use super::page::{Frame, back_to, html};
use super::question::Question;
use super::sent::Sent;
use super::words::Words;
use crate::config::WebRole;
use crate::desk::Kind;
use crate::web::act;
use crate::web::app::App;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "console/answer.html")]
struct AnswerPage {
    frame: Frame,
    id: String,
    principal: String,
    account: String,
    kind: &'static str,
    question: Question,
    reason: String,
}

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Problem> {
    let (kind, name) = match sent.text("kind") {
        "approve" => (Kind::Approve, "approve"),
        "reject" => (Kind::Reject, "reject"),
        "done" => (Kind::Done, "done"),
        other => return Err(Problem::invalid(format!("kind: {other:?}: there is no such answer"))),
    };
    let remediation = act::visible(&app, &sent.caller, &id).await?;
    act::require(&app, &sent.caller, WebRole::Approver, Some(&remediation.target.account)).await?;
    crate::desk::may_answer(&remediation, kind)?;
    let question = Question::of(&remediation, &app.current());
    let question = question.ok_or_else(|| Problem::invalid("there is nothing to answer"))?;
    if !sent.is_checked("confirmed") {
        let title = format!("Confirm: {name} {}", remediation.target.principal());
        return html(&AnswerPage {
            frame: Frame::of(&app, &sent.caller, "/remediations", title).still(),
            principal: remediation.target.principal(),
            account: remediation.target.account.to_string(),
            id: remediation.id,
            kind: name,
            question,
            reason: sent.text("reason").to_owned(),
        });
    }
    // What is approved is what was read.
    let plan = (kind == Kind::Approve).then(|| sent.text("plan").parse().unwrap_or_default());
    let answered =
        act::answer(&app, &sent.caller, &remediation.id, (kind, plan), sent.text("reason")).await?;
    let done = if answered.approvals_missing > 0 { "counted" } else { kind.word() };
    Ok(back_to(&format!("/remediations/{}", remediation.id), done))
}
