//! An order to revoke: whom, what that would do, and then to do it.

use super::advice::Advice;
use super::page::{Frame, back_to, html};
use super::policy::Diff;
use super::sent::Sent;
use super::words::{Words, nested};
use crate::config::WebRole;
use crate::desk::{OrderAsked, PlanDocument, Principal};
use crate::finding::Ordered;
use crate::remediation::Means;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "console/revoke.html")]
struct RevokePage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "console/order.html")]
struct OrderPage {
    frame: Frame,
    plan: PlanDocument,
    /// What is typed to confirm it.
    name: String,
    kind: &'static str,
    /// It would be revoked without another answer.
    is_revoked: bool,
    /// It would be held, for somebody's approval.
    is_held: bool,
    diff: Option<Diff>,
    impact: Vec<(String, Vec<String>)>,
    /// What was asked for, for the next form.
    fields: Vec<(&'static str, String)>,
}

/// The fields of the form.
const FIELDS: [&str; 7] = ["account", "principal", "session", "key", "since", "address", "reason"];

pub(super) async fn page(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    if caller.access.highest() < Some(WebRole::Operator) {
        let detail = "you are not operator for any account";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
            .with("`web.access` in the configuration says who may do what."));
    }
    html(&RevokePage { frame: Frame::of(&app, &caller, "/revoke", "Revoke").still() })
}

fn asked(sent: &Sent) -> Result<OrderAsked, Problem> {
    let invalid = |name: &str, expected: &str| {
        Problem::invalid(format!("{name}: {:?}: expected {expected}", sent.text(name)))
    };
    let account =
        sent.text("account").parse().map_err(|_| invalid("account", "the 12 digits of an account"))?;
    let since = sent.some("since").map(|text| text.parse()).transpose();
    let address = sent.some("address").map(|text| text.parse()).transpose();
    Ok(OrderAsked {
        account,
        principal: sent.text("principal").to_owned(),
        session: sent.some("session"),
        key: sent.some("key"),
        since: since.map_err(|_| invalid("since", "a time such as 2026-11-21T23:47:00Z"))?,
        address: address.map_err(|_| invalid("address", "an IP address"))?,
    })
}

/// What is typed to confirm an order.
fn named(asked: &OrderAsked) -> Result<(&'static str, String), Problem> {
    let Principal { who, .. } = asked.principal()?;
    Ok(match who {
        Ordered::Role { name, .. } => ("role", name.to_string()),
        Ordered::User(name) => ("user", name.to_string()),
    })
}

pub(super) async fn plan(State(app): State<Arc<App>>, sent: Sent) -> Result<Response, Problem> {
    let asked = asked(&sent)?;
    let (kind, name) = named(&asked)?;
    let plan = act::plan_order(&app, &sent.caller, &asked, sent.text("reason")).await?;
    let change = plan.change.as_ref();
    let diff = change.map(|one| Diff::of(one.policy(), one.before.as_deref(), Some(&one.after)));
    let quarantines =
        !app.config.quarantine.is_zero() && change.is_some_and(|one| one.means != Means::Quarantine);
    let impact =
        plan.impact.as_ref().map(|impact| impact.lines_while(None, Some(quarantines))).unwrap_or_default();
    html(&OrderPage {
        frame: Frame::of(&app, &sent.caller, "/revoke", format!("Revoke {kind} {name}?")).still(),
        is_revoked: plan.decision == "remediate" && plan.refused.is_none(),
        is_held: plan.decision == "hold" && plan.refused.is_none(),
        name,
        kind,
        diff,
        impact: nested(&impact),
        fields: FIELDS.map(|field| (field, sent.text(field).to_owned())).into(),
        plan,
    })
}

pub(super) async fn order(State(app): State<Arc<App>>, sent: Sent) -> Result<Response, Problem> {
    let asked = asked(&sent)?;
    let (_, name) = named(&asked)?;
    if sent.text("name") != name {
        let detail = format!("the name that you typed is not {name:?}: nothing was ordered");
        return Err(Problem::invalid(detail));
    }
    act::order(&app, &sent.caller, &asked, sent.text("reason")).await?;
    Ok(back_to("/decisions", "ordered"))
}
