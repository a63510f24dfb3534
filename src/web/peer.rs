//! Where a request comes from.

use crate::config::WebSettings;
use axum::http::{HeaderMap, header};
use std::net::{IpAddr, SocketAddr};

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

/// Where a request comes from, as far as proxies are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// The address of whoever asks.
    pub address: IpAddr,
    /// It came through a proxy that is trusted.
    pub by_proxy: bool,
    /// It was encrypted on its way from there.
    pub is_secure: bool,
}

impl Origin {
    /// From the connection, and from what a trusted proxy says of it.
    pub fn of(web: &WebSettings, peer: Peer, headers: &HeaderMap) -> Self {
        let own = Self { address: peer.0.ip(), by_proxy: false, is_secure: web.tls.is_some() };
        if !web.trusts(own.address) {
            return own;
        }
        // The latest one is what our proxy saw; what stands before it, the one who asks may have written. Where one cannot
        // be read nothing before it counts. It is never this machine that asks.
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|text| text.split(',')).collect();
        let mut address = own.address;
        for hop in hops.iter().rev() {
            let Some(hop) = address_of(hop) else { break };
            address = hop;
            if !web.trusts(hop) {
                break;
            }
        }
        let scheme = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        let is_secure = scheme.and_then(|text| text.rsplit(',').next()).map(str::trim) == Some("https");
        Self { address, by_proxy: true, is_secure }
    }

    /// The program that asks runs on this machine, and nobody stands behind it.
    pub fn is_this_machine(self) -> bool {
        !self.by_proxy && self.address.to_canonical().is_loopback()
    }
}

/// The address of a hop, which some proxies write with its port.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

/// The host that a request names, with its port, in small letters.
pub(super) fn host_of(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(header::HOST).iter();
    let (first, more) = (all.next(), all.next());
    // Two of them are read in two ways.
    if more.is_some() {
        return None;
    }
    first.and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn whoever_comes_through_a_proxy_is_never_this_machine() {
        let trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8"].map(|text| text.parse().expect("a network"));
        let web = WebSettings { trusted_proxies: trusted_proxies.to_vec(), ..WebSettings::default() };
        let proxy = Peer(SocketAddr::from(([127, 0, 0, 1], 4711)));
        let of = |forwarded: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(text) = forwarded {
                headers.insert("x-forwarded-for", HeaderValue::from_str(text).expect("a value"));
            }
            let origin = Origin::of(&web, proxy, &headers);
            assert!(!origin.is_this_machine(), "{forwarded:?}");
            origin.address.to_string()
        };
        assert_eq!(of(None), "127.0.0.1");
        for (forwarded, address) in [
            ("198.51.100.7", "198.51.100.7"),
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
            ("203.0.113.9, 198.51.100.7:4711, 10.1.2.3", "198.51.100.7"),
            ("203.0.113.9, unknown", "127.0.0.1"),
            ("203.0.113.9, unknown, 10.1.2.3", "10.1.2.3"),
            ("127.0.0.1", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            assert_eq!(of(Some(forwarded)), address, "{forwarded}");
        }
        let direct = Origin::of(&WebSettings::default(), proxy, &HeaderMap::new());
        assert!(direct.is_this_machine());
    }
}
