//! Programs: who signed a GetCallerIdentity for this hub and this request.
//!
//! A program sends a presigned URL of STS (`Authorization: Rescind-AWS …`). Three headers are signed with it that are not in
//! it: the hub's address, the digest of the request, and a number that no other proof has. The hub computes them itself and
//! sends them to STS with the URL, so that STS checks the signature over them. A proof for another hub or another request
//! has another signature.

use super::browser::refusal;
use super::{BodyDigest, Caller};
use crate::aws::{
    CallerCheck, HUB_HEADER, NONCE_HEADER, NotIdentified, ProofFor, REQUEST_HEADER, SCHEME, request_digest,
};
use crate::identity::{Identity, principal_of};
use crate::web::access::Access;
use crate::web::app::App;
use crate::web::identity::{BadProof, NotNew, Proof, claimed_key};
use crate::web::peer::Origin;
use crate::web::problem::Problem;
use crate::web::refused;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use std::sync::Arc;

/// Who signed the request; none when it has no proof.
pub(super) async fn caller(parts: &Parts, app: &Arc<App>, origin: Origin) -> Option<Result<Caller, Problem>> {
    let mut all = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (first, more) = (all.next()?, all.next());
    let (scheme, proof) = first.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    if !app.limits.allows_login(origin.address) {
        let text = "too many proofs of identity from this address";
        return Some(Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", text)
            .with("Wait a second, and sign the request again.")));
    }
    // Padding is left out, but some encoders write it.
    let url = URL_SAFE_NO_PAD.decode(proof.trim_end_matches('=')).ok();
    let url = url.and_then(|bytes| String::from_utf8(bytes).ok());
    let found = match &url {
        Some(url) if more.is_none() => identify(url, parts, app).await,
        _ => Err(malformed("Authorization: expected one, with the presigned URL in base64url")),
    };
    let key = url.as_deref().and_then(claimed_key);
    let request = || format!("{} {}", parts.method, parts.uri.path());
    Some(match found {
        Ok(identity) => {
            let access = Access::of(&app.current().web.grants, &identity, &[]);
            if access.highest().is_some() {
                return Some(Ok(Caller {
                    identity: Some(identity),
                    access,
                    is_sent: false,
                    form_token: None,
                }));
            }
            let text = format!("{} may do nothing here", identity.name());
            let problem = Problem::new(StatusCode::FORBIDDEN, "no_access", text).with(&format!(
                "`web.access` in the configuration says who may do what: `arns = [\"{}\"]`.",
                principal_of(identity.name())
            ));
            refused::record(app, refusal(origin, request(), &problem, Some(identity), None)).await;
            Err(problem)
        }
        Err(problem) => {
            if let Some(key) = key {
                refused::record(app, refusal(origin, request(), &problem, None, Some(key))).await;
            }
            Err(problem)
        }
    })
}

async fn identify(url: &str, parts: &Parts, app: &App) -> Result<Identity, Problem> {
    let proofs = &app.identities.proofs;
    let home = app.config.home_region();
    let check = proofs.check.get_or_try_init(|| CallerCheck::load(home)).await.map_err(|error| {
        tracing::error!("nobody can prove who they are with AWS credentials: {error}");
        unreachable("the hub cannot ask STS; the log of the service says why")
    })?;
    let (what, partition) = (proof_for(parts, app)?, app.config.partition());
    // AWS's clock, where something acts here: signatures are made and checked by it.
    let now = app.shared.actor().map_or_else(Timestamp::now, |actor| actor.reconciler.now());
    let proof = Proof::read(url, partition, check.endpoint(), now).map_err(|error| match error {
        BadProof::Malformed(_) => malformed(&error.to_string()),
        BadProof::TooOld | BadProof::Ahead => expired(&error.to_string()),
    })?;
    proofs.nonces.take(&what.nonce, proof.until, now).map_err(|error| match error {
        NotNew::Used => unauthorized("proof_replayed", "the proof was used before")
            .with("Sign each request anew, with a new X-Rescind-Nonce."),
        NotNew::Full => {
            let text = "so many proofs were used within a minute that no other one can be remembered";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", text).with("Wait a minute.")
        }
    })?;
    let answer = check.ask(proof.url, &what, partition).await;
    if answer.is_err() {
        proofs.nonces.give_back(&what.nonce);
    }
    let caller = answer.map_err(|error| match error {
        NotIdentified::Unreachable => unreachable("STS gave the hub no usable answer"),
        NotIdentified::Expired => expired(&error.to_string()),
        NotIdentified::Signature => for_another_hub(
            &app_address(app),
            "STS says that the signature does not match: it is for another hub or another request, or forged",
        ),
        NotIdentified::Refused => unauthorized("proof_refused", &error.to_string())
            .with("Check the credentials with `aws sts get-caller-identity`."),
    })?;
    Ok(Identity::Aws { arn: caller.arn, user_id: caller.user_id })
}

/// What a proof of this request must be for.
fn proof_for(parts: &Parts, app: &App) -> Result<ProofFor, Problem> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let nonce = single(&parts.headers, NONCE_HEADER)?.unwrap_or_default();
    if nonce.len() != 32 || !nonce.bytes().all(is_hex) {
        return Err(malformed("X-Rescind-Nonce: expected 128 bits in hexadecimal, in small letters"));
    }
    let hub = app_address(app);
    // Neither is needed: the hub computes both itself.
    if single(&parts.headers, HUB_HEADER)?.is_some_and(|sent| sent != hub) {
        return Err(for_another_hub(&hub, "X-Rescind-Hub names another hub"));
    }
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let Some(BodyDigest(body)) = parts.extensions.get() else {
        return Err(Problem::unavailable("the request has no digest"));
    };
    let request = request_digest(parts.method.as_str(), target, body);
    if single(&parts.headers, REQUEST_HEADER)?.is_some_and(|sent| sent != request) {
        return Err(malformed("X-Rescind-Request is not the digest of this request"));
    }
    Ok(ProofFor { hub, nonce: nonce.to_owned(), request })
}

/// The hub's address, as proofs have it: that of the configuration, or the one that is listened on.
fn app_address(app: &App) -> String {
    let web = &app.config.web;
    if let Some(url) = &web.url {
        return url.origin().ascii_serialization();
    }
    let scheme = if web.tls.is_some() { "https" } else { "http" };
    let bound = app.address().map(|address| match address.ip() {
        ip if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        _ => address.to_string(),
    });
    let url = format!("{scheme}://{}", bound.unwrap_or_default());
    url::Url::parse(&url).map_or(url, |url| url.origin().ascii_serialization())
}

/// A header that stands there once at most.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut all = headers.get_all(name).iter();
    let (first, more) = (all.next(), all.next());
    match (first.map(|value| value.to_str()), more) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text)),
        _ => Err(malformed(&format!("{name}: expected one"))),
    }
}

fn unauthorized(code: &str, text: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, text)
}

fn malformed(text: &str) -> Problem {
    unauthorized("proof_malformed", text).with("docs/programs.md has the form of a proof.")
}

fn expired(text: &str) -> Problem {
    unauthorized("proof_expired", text)
        .with("Check this machine's clock and the credentials, and sign again.")
}

fn for_another_hub(hub: &str, text: &str) -> Problem {
    unauthorized("proof_for_another_hub", text).with(&format!(
        "Sign for {hub}: it is the address of `web.url`, or else that which the service listens on."
    ))
}

fn unreachable(text: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "sts_unreachable", text).with("Try again in some seconds.")
}
