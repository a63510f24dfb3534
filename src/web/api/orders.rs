//! Orders: what would be done, and to do it.

use super::change::Change;
use super::document::Document;
use crate::desk::{OrderAsked, PlanDocument};
use crate::ident::AccountId;
use crate::web::act::{self, OrderGiven};
use crate::web::app::App;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::post_with;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/v1/revocations",
            post_with(order, |o| {
                o.id("revoke")
                    .summary("Order a revocation")
                    .response::<202, Document<OrderGiven>>()
                    .description("It goes through the same rules, opt-outs and budgets as a finding; GET /v1/findings/{id} has what was decided.")
            }),
        )
        .api_route("/v1/revocations/plan", post_with(plan, |o| o.id("plan").summary("What an order would do, looked up now in AWS")))
}

/// An order to revoke.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    /// The account that the role or user is in.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    account: AccountId,
    /// A role (web, role/web), an IAM user (user/alice), or an ARN of one or of a role's session.
    #[schemars(regex(
        pattern = r"^(arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:.+|(role|user)/.+|[A-Za-z0-9+=,.@_-]{1,64})$"
    ))]
    principal: String,
    /// Only this session of the role: its name, or AROA…:NAME.
    session: Option<String>,
    /// The access key that was stolen.
    #[schemars(regex(pattern = r"^A[KS]IA[A-Z0-9]{12,}$"))]
    key: Option<String>,
    /// When the theft began, if that is known.
    since: Option<Timestamp>,
    /// The address at which the thief was seen.
    #[schemars(with = "Option<String>", extend("anyOf" = [{"format": "ipv4"}, {"format": "ipv6"}, {"type": "null"}]))]
    address: Option<IpAddr>,
    /// The reason, for the ledger.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    reason: String,
}

impl OrderBody {
    fn asked(self) -> (OrderAsked, String) {
        let Self { account, principal, session, key, since, address, reason } = self;
        (OrderAsked { account, principal, session, key, since, address }, reason)
    }
}

async fn order(
    State(app): State<Arc<App>>,
    Change { caller, body }: Change<OrderBody>,
) -> Result<(StatusCode, Document<OrderGiven>), Problem> {
    let (asked, reason) = body.asked();
    let given = act::order(&app, &caller, &asked, &reason).await?;
    Ok((StatusCode::ACCEPTED, Document(given)))
}

async fn plan(
    State(app): State<Arc<App>>,
    Change { caller, body }: Change<OrderBody>,
) -> Result<Document<PlanDocument>, Problem> {
    let (asked, reason) = body.asked();
    act::plan_order(&app, &caller, &asked, &reason).await.map(Document)
}
