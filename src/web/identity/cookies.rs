//! The cookies of browsers: of a session, and of a login that was begun.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use jiff::SignedDuration;

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum OwnCookie {
    /// The session of somebody who is logged in.
    Session,
    /// A login that was begun in this browser.
    Login,
}

impl OwnCookie {
    /// Its name. With `__Host-` a browser takes it only encrypted, and from no other host of the domain.
    fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Session, true) => "__Host-rescind",
            (Self::Session, false) => "rescind",
            (Self::Login, true) => "__Host-rescind-login",
            (Self::Login, false) => "rescind-login",
        }
    }

    /// Its value in a request. Two of one name are read in two ways, so they are none.
    pub fn of(self, headers: &HeaderMap, is_secure: bool) -> Option<String> {
        let name = self.name(is_secure);
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut found = texts
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned());
        let (first, more) = (found.next(), found.next());
        first.filter(|value| more.is_none() && value.len() <= 64)
    }

    /// The header that gives it to a browser for this time; with none, that takes it away.
    pub fn set(self, value: &str, is_secure: bool, life: Option<SignedDuration>) -> Option<HeaderValue> {
        let seconds = life.map_or(0, |life| life.as_secs());
        let cookie = Cookie::build((self.name(is_secure), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_secure)
            .build();
        // The crate's own `Max-Age` is of a crate for times that we do not have.
        HeaderValue::from_str(&format!("{cookie}; Max-Age={seconds}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(texts: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(header::COOKIE, HeaderValue::from_str(text).expect("a header"));
        }
        headers
    }

    #[test]
    fn a_cookie_is_read_by_its_one_name() {
        let of = |texts: &[&str], is_secure| OwnCookie::Session.of(&headers(texts), is_secure);
        assert_eq!(of(&["a=b; __Host-rescind=x"], true).as_deref(), Some("x"));
        // What somebody set without encryption, or for another host of the domain, is not read over TLS.
        assert_eq!(of(&["rescind=x"], true), None);
        assert_eq!(of(&["__Host-rescind=x"], false), None);
        for two in [&["__Host-rescind=x; __Host-rescind=y"][..], &["__Host-rescind=x", "__Host-rescind=y"]] {
            assert_eq!(of(two, true), None, "{two:?}");
        }
        assert_eq!(of(&[&format!("rescind={}", "x".repeat(5000))], false), None);
    }

    #[test]
    fn a_cookie_is_for_no_script_and_no_other_site() {
        let set = |is_secure, life| OwnCookie::Session.set("x", is_secure, life).expect("a header");
        let hour = Some(SignedDuration::from_hours(1));
        assert_eq!(set(true, hour), "__Host-rescind=x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600");
        assert_eq!(set(false, None), "rescind=x; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }
}
