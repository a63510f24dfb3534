//! Whether a request that changes something was meant by whoever it says it is from.

use super::Caller;
use crate::digest::sha256;
use crate::web::peer::host_of;
use crate::web::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};

/// Whoever comes with a cookie also gives the token of their session, from a page of ours: a page of somebody else does
/// not know it, and a browser says where a request comes from. Who signs each request needs none.
pub(in crate::web) fn proves_form(
    caller: &Caller,
    headers: &HeaderMap,
    given: Option<&str>,
) -> Result<(), Problem> {
    let Some(token) = &caller.form_token else { return Ok(()) };
    // Digests, so that how long it takes says nothing of the token.
    let is_theirs = given.is_some_and(|given| sha256(given.as_bytes()) == sha256(token.as_bytes()));
    if is_theirs && is_from_here(headers) {
        return Ok(());
    }
    let detail = "the request does not come from a page of this console";
    Err(Problem::new(StatusCode::FORBIDDEN, "forged", detail).with("Load the page again, and try again."))
}

/// Whether the request comes from a page of ours, as the browser says: by `Sec-Fetch-Site`, or else by `Origin`.
pub(in crate::web) fn is_from_here(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let host = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host.to_ascii_lowercase());
    host.is_some() && host == host_of(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::access::Access;
    use axum::http::HeaderName;

    #[test]
    fn a_form_needs_its_token_and_a_page_of_ours() {
        let caller = |token: Option<&str>| Caller {
            is_sent: false,
            identity: None,
            access: Access::reads_everything(),
            form_token: token.map(str::to_owned),
        };
        let proves = |given: Option<&str>, more: &[(&str, &str)]| {
            let mut headers =
                HeaderMap::from_iter([(header::HOST, "rescind.example.com".parse().expect("a value"))]);
            for (name, value) in more {
                let name: HeaderName = name.parse().expect("a name");
                headers.append(name, value.parse().expect("a value"));
            }
            proves_form(&caller(Some("token")), &headers, given).is_ok()
        };
        let own = ("origin", "https://rescind.example.com");
        assert!(proves(Some("token"), &[("sec-fetch-site", "same-origin")]));
        assert!(proves(Some("token"), &[own]));
        for bad in [None, Some(""), Some("other")] {
            assert!(!proves(bad, &[own]), "{bad:?}");
        }
        let foreign = [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://rescind.example.com.evil.example")],
            &[("sec-fetch-site", "cross-site"), own],
            &[("sec-fetch-site", "same-site"), own],
        ];
        for headers in foreign {
            assert!(!proves(Some("token"), headers), "{headers:?}");
        }
        // Who signs each request has no form.
        assert!(proves_form(&caller(None), &HeaderMap::new(), None).is_ok());
    }
}
