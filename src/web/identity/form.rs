//! Whether a request that changes something was meant by whoever it says it is from.

use super::Caller;
use crate::web::problem::Problem;
use axum::http::{HeaderMap, StatusCode};

/// Whoever comes with a cookie also gives the token of their session: a page of somebody else does not know it. Who
/// signs each request needs none.
pub(in crate::web) fn proves_form(
    caller: &Caller,
    headers: &HeaderMap,
    given: Option<&str>,
) -> Result<(), Problem> {
    let Some(token) = &caller.form_token else { return Ok(()) };
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if given == Some(token.as_str()) && site.is_none_or(|site| matches!(site, "same-origin" | "none")) {
        return Ok(());
    }
    let detail = "the request does not come from a page of this console";
    Err(Problem::new(StatusCode::FORBIDDEN, "forged", detail).with("Load the page again, and try again."))
}
