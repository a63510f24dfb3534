//! Browsers: whose session a cookie is of, and the way to the login for who has none.

use super::Caller;
use crate::chain::chain;
use crate::identity::Identity;
use crate::remediation::RequestRefused;
use crate::safe::short_line;
use crate::web::access::Access;
use crate::web::app::App;
use crate::web::identity::{LoginError, Logins, Member, OwnCookie, Refreshed, is_path_of_ours};
use crate::web::peer::Origin;
use crate::web::problem::Problem;
use crate::web::refused;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use openidconnect::RefreshToken;
use std::sync::Arc;
use url::form_urlencoded;

/// Maximum number of groups that are shown to somebody who may do nothing.
const GROUPS_SHOWN: usize = 20;

/// Maximum length of such a group, in characters.
const LONGEST_GROUP: usize = 80;

/// Whose session the request's cookie is of; none when it has none, or it is over.
pub(super) async fn caller(parts: &Parts, app: &Arc<App>, origin: Origin) -> Option<Result<Caller, Problem>> {
    let logins = app.identities.logins.as_ref()?;
    let id = OwnCookie::Session.of(&parts.headers, logins.is_secure())?;
    let mut member = logins.sessions.find(&id, Timestamp::now())?;
    if let Some(token) = member.ask.take() {
        member = asked(app, logins, &id, token, member.identity).await?;
    }
    let Member { identity, groups, form_token, .. } = member;
    let access = Access::of(&app.current().web.grants, &identity, &groups);
    if access.highest().is_none() {
        let problem = no_access(app, &identity, &groups);
        let request = format!("{} {}", parts.method, parts.uri.path());
        refused::record(app, refusal(origin, request, &problem, Some(identity), None)).await;
        return Some(Err(problem));
    }
    let site = parts.headers.get("sec-fetch-site");
    let is_sent = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    Some(Ok(Caller { identity: Some(identity), access, is_sent, form_token: Some(form_token) }))
}

/// The session after the provider was asked about its person; none when the provider does not know them any more. A
/// provider that does not answer ends nothing.
async fn asked(
    app: &Arc<App>,
    logins: &Logins,
    id: &str,
    token: RefreshToken,
    identity: Identity,
) -> Option<Member> {
    let (its_app, its_id) = (Arc::clone(app), id.to_owned());
    // A token can count only once, so what the provider answers is kept also when nobody waits for it.
    let task = tokio::spawn(async move {
        let Some(logins) = &its_app.identities.logins else { return };
        let subject = match &identity {
            Identity::Oidc { subject, .. } => subject.as_str(),
            Identity::Aws { .. } => return,
        };
        match logins.provider.refresh(&token, subject).await {
            Refreshed::Known { person, refresh } => logins.sessions.renew(&its_id, person, refresh),
            Refreshed::Refused(error) => {
                tracing::info!("the session of {identity} ends: {}", chain(&error));
                logins.sessions.end(&its_id);
            }
            Refreshed::Unknown(error) => {
                tracing::warn!("whether the provider still knows {identity} is not known: {}", chain(&error));
            }
        }
    });
    let _ = task.await;
    logins.sessions.find(id, Timestamp::now())
}

/// Somebody is known, and may do nothing: with the groups that the provider named, so that what is missing can be seen.
pub(in crate::web) fn no_access(app: &App, identity: &Identity, groups: &[String]) -> Problem {
    let detail = format!("{identity} is logged in, and may do nothing here");
    let claim = app.config.web.oidc.as_ref().map_or("groups", |oidc| oidc.groups_claim.as_str());
    let more = groups.len().saturating_sub(GROUPS_SHOWN);
    let named: Vec<String> = groups
        .iter()
        .take(GROUPS_SHOWN)
        .map(|group| format!("`{}`", short_line(&group.replace('`', "'"), LONGEST_GROUP)))
        .collect();
    let what_to_do = if named.is_empty() {
        format!(
            "The ID token has no group in its claim `{claim}`. The provider must put it there, under the name of `groups_claim`; or \
             `web.access` names the person by `subjects`."
        )
    } else {
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "The claim `{claim}` has the groups {}{more}. `web.access` names none of them, and not the person by `subjects`.",
            named.join(", ")
        )
    };
    Problem::new(StatusCode::FORBIDDEN, "no_access", detail).with(&what_to_do)
}

/// A refusal, as the ledger has it.
pub(in crate::web) fn refusal(
    origin: Origin,
    request: String,
    problem: &Problem,
    identity: Option<Identity>,
    claim: Option<String>,
) -> RequestRefused {
    RequestRefused {
        identity,
        claim,
        from: origin.address.to_canonical().to_string(),
        request,
        code: problem.code.clone(),
        why: problem.detail.clone(),
        more: 0,
    }
}

/// What is refused because of an error of a login; none when the error is not about a person.
pub(in crate::web) fn claim_of(error: LoginError) -> Option<String> {
    match error {
        LoginError::BadToken { claim, .. } => claim,
        _ => None,
    }
}

/// Whether it is a browser that shows what it gets to a person.
pub(in crate::web) fn shows_pages(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts
        .flat_map(|text| text.split(','))
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html")))
}

/// Where a browser that asks for a page logs in, if nobody is logged in with it.
pub(super) fn to_login(app: &App, parts: &Parts, found: &Result<Caller, Problem>) -> Option<String> {
    app.identities.logins.as_ref()?;
    let path = parts.uri.path();
    let is_own = ["/v1", "/login", "/logout", "/logged-out"].iter().any(|own| path.starts_with(own));
    let is_unknown = found.as_ref().is_err_and(|problem| problem.code == "unauthenticated");
    if is_own || !is_unknown || parts.method != Method::GET || !shows_pages(&parts.headers) {
        return None;
    }
    let to = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let to = if is_path_of_ours(to) { to } else { "/" };
    Some(format!("/login?to={}", form_urlencoded::byte_serialize(to.as_bytes()).collect::<String>()))
}
