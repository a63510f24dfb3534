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
        // The latest one is what our proxy saw; what stands before it, the one who asks may have written.
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<IpAddr> =
            forwarded.flat_map(|text| text.split(',')).filter_map(|text| text.trim().parse().ok()).collect();
        let address = hops.iter().rev().find(|hop| !web.trusts(**hop)).or(hops.first()).copied();
        let Some(address) = address else { return own };
        let scheme = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        let is_secure = scheme.and_then(|text| text.rsplit(',').next()).map(str::trim) == Some("https");
        Self { address, by_proxy: true, is_secure }
    }

    /// The program that asks runs on this machine, and nobody stands behind it.
    pub fn is_this_machine(self) -> bool {
        !self.by_proxy && self.address.to_canonical().is_loopback()
    }
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
