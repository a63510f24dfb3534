//! Another endpoint of a service than AWS's own.

use crate::ident::quoted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The URL of an endpoint: http or https, a host, and perhaps a port and a path.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
pub(super) struct Endpoint(pub String);

impl TryFrom<String> for Endpoint {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if is_endpoint(&text) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{}: expected an http or https URL without a query, such as \"https://vpce-example.amazonaws.com\"",
                quoted(&text)
            ))
        }
    }
}

fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    // The colons of an IPv6 address stand within its brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_name = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && is_name(host),
    };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@');
    is_host && rest.chars().all(is_plain) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        for legal in [
            "https://dynamodb.eu-central-1.amazonaws.com",
            "http://127.0.0.1:8000/",
            "http://[::1]:8000",
            "http://[::1]",
            "https://vpce-1.dynamodb.example/a/path",
            "http://dynamodb_local:8000",
        ] {
            assert!(is_endpoint(legal), "{legal}");
        }
        for other in [
            "",
            "not a url",
            "dynamodb.eu-central-1.amazonaws.com",
            "ftp://a.example",
            "https://",
            "https:///a",
            "https://:8000",
            "https://a b",
            "https://a.example:port",
            "https://a.example:70000",
            "https://user@a.example",
            "https://a.example?b",
            "https://a.example/#b",
            "http://[::1",
            "http://[a]:8000",
        ] {
            assert!(!is_endpoint(other), "{other}");
        }
    }
}
