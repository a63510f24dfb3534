//! `/login`, `/login/callback` and `/logout`: people come from the OpenID provider, and go.

mod page;

use super::access::Access;
use super::app::App;
use super::caller::{Caller, claim_of, no_access, proves_form, refusal};
use super::identity::{
    LIFE, LoginError, Logins, Member, OwnCookie, Vouched, is_path_of_ours, oauth_code, random,
};
use super::peer::Origin;
use super::problem::Problem;
use super::refused;
use crate::chain::chain;
use crate::ledger::Append;
use crate::remediation::{Draft, Event, LoggedIn, Subject};
use crate::safe::line;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;
use page::{LoginPage, answer};
use serde::Deserialize;
use std::sync::Arc;
use url::form_urlencoded;

/// The routes.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/login", get(login))
        .route("/login/callback", get(callback))
        .route("/logout", post(logout))
        .route("/logged-out", get(logged_out))
}

fn logins(app: &App) -> Result<&Logins, Problem> {
    app.identities.logins.as_ref().ok_or_else(|| {
        Problem::not_found("nobody can log in: the configuration has no OpenID provider")
            .with("Set `web.oidc`.")
    })
}

fn throttled(app: &App, origin: Origin) -> Result<(), Problem> {
    if app.limits.allows_login(origin.address) {
        return Ok(());
    }
    let detail = "too many logins from this address";
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).with("Wait a minute."))
}

#[derive(Deserialize)]
struct To {
    to: Option<String>,
}

async fn login(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    Query(To { to }): Query<To>,
    headers: HeaderMap,
) -> Response {
    let begun = begin(&app, origin, to, &headers).await;
    begun.unwrap_or_else(|problem| answer(&headers, problem, "/"))
}

async fn begin(
    app: &App,
    origin: Origin,
    to: Option<String>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let logins = logins(app)?;
    throttled(app, origin)?;
    let to = to.unwrap_or_else(|| "/".to_owned());
    if !is_path_of_ours(&to) {
        return Err(Problem::invalid("to: expected the path of a page of this console, such as /incidents"));
    }
    if !logins.is_host(headers) {
        let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        return Ok(Redirect::to(&format!("{}login?to={to}", logins.url)).into_response());
    }
    let begun = logins.provider.begin().await.map_err(|error| problem_of(&error))?;
    let now = Timestamp::now();
    // Several pages of one browser log in at the same time.
    let browser = OwnCookie::Login.of(headers, logins.is_secure());
    let browser = match browser.filter(|browser| logins.pending.has(browser, now)) {
        Some(browser) => browser,
        None => random().map_err(|_| Problem::unavailable("the system gives no random numbers"))?,
    };
    let address = begun.address.to_string();
    logins.pending.add((&browser, origin.address), begun, to, now);
    let mut response = Redirect::to(&address).into_response();
    set(&mut response, OwnCookie::Login.set(&browser, logins.is_secure(), Some(LIFE)));
    Ok(response)
}

/// What the provider sends a browser back with.
#[derive(Deserialize)]
struct Returned {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn callback(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    Query(returned): Query<Returned>,
    headers: HeaderMap,
) -> Response {
    // Whoever is refused comes to the page that they wanted when they log in again.
    let mut to = "/".to_owned();
    let finished = finish(&app, origin, returned, &headers, &mut to).await;
    finished.unwrap_or_else(|problem| answer(&headers, problem, &to))
}

async fn finish(
    app: &Arc<App>,
    origin: Origin,
    returned: Returned,
    headers: &HeaderMap,
    to: &mut String,
) -> Result<Response, Problem> {
    let logins = logins(app)?;
    throttled(app, origin)?;
    let browser = OwnCookie::Login.of(headers, logins.is_secure());
    let pending = browser.zip(returned.state.as_deref());
    let pending = pending.and_then(|(browser, state)| logins.pending.take(state, &browser, Timestamp::now()));
    let Some(pending) = pending else {
        let detail =
            "this login was not begun in this browser, is finished already, or took more than 10 minutes";
        let problem = Problem::new(StatusCode::BAD_REQUEST, "unknown_login", detail).with("Log in again.");
        return Err(logged(origin, problem));
    };
    to.clone_from(&pending.to);
    if let Some(error) = returned.error {
        let detail = format!("the OpenID provider did not log you in ({})", oauth_code(&error));
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "login_refused", detail).with("Log in again.");
        return Err(logged(origin, problem));
    }
    let Some(code) = returned.code else {
        return Err(Problem::invalid("code: the OpenID provider sends one with each login"));
    };
    let iss = returned.iss.as_deref();
    let request = || "GET /login/callback".to_owned();
    let vouched = match logins.provider.finish(code, iss, &pending.nonce, pending.verifier).await {
        Ok(vouched) => vouched,
        Err(error) => {
            let problem = problem_of(&error);
            return Err(match claim_of(error) {
                Some(claim) => {
                    refused::record(app, refusal(origin, request(), &problem, None, Some(claim))).await;
                    problem
                }
                None => logged(origin, problem),
            });
        }
    };
    let identity = vouched.person.identity.clone();
    let access = Access::of(&app.current().web.grants, &identity, &vouched.person.groups);
    let Some(role) = access.highest() else {
        let problem = no_access(app, &identity, &vouched.person.groups);
        refused::record(app, refusal(origin, request(), &problem, Some(identity), None)).await;
        return Err(problem);
    };
    let from = origin.address.to_canonical().to_string();
    tracing::info!("logged in: {} as {role}, from {from}", line(&identity.to_string()));
    record(app, LoggedIn { identity, from, role: Some(role.to_string()) }).await;
    logged_in(logins, vouched, &pending.to, headers)
}

fn logged_in(logins: &Logins, vouched: Vouched, to: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    // Who was logged in with this browser before is not any more.
    if let Some(before) = OwnCookie::Session.of(headers, logins.is_secure()) {
        logins.sessions.end(&before);
    }
    let begun = logins.sessions.begin(vouched, Timestamp::now());
    let id = begun.map_err(|_| Problem::unavailable("the system gives no random numbers"))?;
    let mut response = Redirect::to(to).into_response();
    set(&mut response, OwnCookie::Session.set(&id, logins.is_secure(), Some(logins.sessions.life())));
    Ok(response)
}

/// Notes in the log why somebody is not logged in; the ledger has only those who are named.
fn logged(origin: Origin, problem: Problem) -> Problem {
    let from = origin.address.to_canonical();
    tracing::warn!(code = problem.code, "a login from {from} is refused: {}", line(&problem.detail));
    problem
}

/// Who answers what is in the ledger with each answer. So a ledger that cannot be written keeps nobody out who wants to see why.
async fn record(app: &App, logged_in: LoggedIn) {
    let entries = vec![Draft { subject: Subject::default(), event: Event::LoggedIn(logged_in) }];
    let append = Append { entries, ..Append::default() };
    if let Err(error) = app.write(async move |ledger, _| Ok(ledger.append(append).await.map(drop)?)).await {
        tracing::error!("somebody logged in, and that cannot be recorded: {error}");
    }
}

#[derive(Deserialize)]
struct LogoutForm {
    form_token: Option<String>,
}

async fn logout(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    Form(form): Form<LogoutForm>,
) -> Response {
    let Some(logins) = &app.identities.logins else { return Redirect::to("/").into_response() };
    let id = OwnCookie::Session.of(&headers, logins.is_secure());
    // Also of somebody who may do nothing by now.
    let member = id.as_deref().and_then(|id| logins.sessions.find(id, Timestamp::now()));
    let Some(Member { identity, form_token, .. }) = member else {
        return Redirect::to("/logged-out").into_response();
    };
    let (identity, form_token) = (Some(identity), Some(form_token));
    let caller = Caller { identity, access: Access::default(), is_sent: false, form_token };
    let given = headers.get("x-rescind-form").and_then(|value| value.to_str().ok());
    if let Err(problem) = proves_form(&caller, &headers, given.or(form.form_token.as_deref())) {
        return answer(&headers, problem, "/");
    }
    let who = caller.identity.as_ref().map(ToString::to_string).unwrap_or_default();
    tracing::info!("logged out: {}, from {}", line(&who), origin.address.to_canonical());
    let id_token = id.and_then(|id| logins.sessions.end(&id));
    let provider = match &id_token {
        Some(token) => logins.provider.logout(token).await,
        None => None,
    };
    // Browsers let a form lead to no other host: the policy of the page forbids it. So the page that it leads to does.
    let mut response = LoginPage::logged_out(provider.map(String::from)).response();
    set(&mut response, OwnCookie::Session.set("", logins.is_secure(), None));
    response
}

async fn logged_out() -> Response {
    LoginPage::logged_out(None).response()
}

fn problem_of(error: &LoginError) -> Problem {
    let again = "Log in again. If that does not help, the log of the service says more.";
    match error {
        LoginError::BadToken { why, .. } => {
            let detail = format!("the ID token of the OpenID provider is not valid: {why}");
            Problem::new(StatusCode::UNAUTHORIZED, "bad_token", detail).with(again)
        }
        LoginError::Refused(_) => {
            Problem::new(StatusCode::UNAUTHORIZED, "login_refused", error.to_string()).with(again)
        }
        LoginError::Secret(_) | LoginError::NoAnswer(_) | LoginError::NotOpenId(_) => {
            // What its causes say is about this host, and its configuration.
            tracing::error!("nobody can log in: {}", chain(error));
            let detail = "the OpenID provider cannot be used now";
            Problem::new(StatusCode::BAD_GATEWAY, "provider_unavailable", detail).with(again)
        }
    }
}

fn set(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    #[test]
    fn no_path_leads_to_another_host() {
        for ours in ["/", "/incidents/i-1?page=2", "/a//b", "/%2f/evil.example", "/@evil.example"] {
            assert!(is_path_of_ours(ours), "{ours}");
            let base = Url::parse("https://rescind.example.com").expect("a URL");
            assert_eq!(base.join(ours).expect("a URL").host_str(), base.host_str(), "{ours}");
        }
        let long = format!("/{}", "x".repeat(5000));
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/é",
            &long,
        ] {
            assert!(!is_path_of_ours(foreign), "{foreign}");
        }
    }
}
