//! A proof as it comes: a presigned GetCallerIdentity, of which every part is checked before anything is sent.

use crate::aws::{LONGEST, SIGNED_HEADERS, StsEndpoint, recognize_sts};
use crate::ident::Partition;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use url::Url;

/// Maximum length of a presigned URL, in bytes. A session token takes up to 4,096 of them, encoded a little more.
const LONGEST_URL: usize = 12 * 1024;

/// Maximum time that a proof's date may lie ahead of this clock.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// The parameters of the query; the last one may be missing.
const PARAMETERS: [&str; 9] = [
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// A presigned GetCallerIdentity that is in order. Whether its signature is, only STS knows.
#[derive(Debug)]
pub(in crate::web) struct Proof {
    /// The URL, as it was checked and is sent.
    pub url: Url,
    /// The time until which it counts.
    pub until: Timestamp,
}

/// Why a proof is not sent to STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::web) enum BadProof {
    #[error("the proof is not in order: {0}")]
    Malformed(&'static str),
    #[error("the proof is older than its X-Amz-Expires")]
    TooOld,
    #[error("the proof's X-Amz-Date lies more than a minute ahead")]
    Ahead,
}

impl Proof {
    /// Reads a presigned URL strictly: what is not exactly so is refused.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(
        text: &str,
        partition: Partition,
        other: Option<&Url>,
        now: Timestamp,
    ) -> Result<Self, BadProof> {
        use BadProof::Malformed;
        if text.len() > LONGEST_URL {
            return Err(Malformed("it is too long"));
        }
        // Nothing in it is read in two ways: no fragment, no user, no backslash, no blank, no control character.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:/?=&%".contains(&byte);
        let is_address = |byte: u8| is_plain(byte) || b"[]".contains(&byte);
        let (base, query) =
            text.split_once("/?").ok_or(Malformed("it is no URL with the path / and a query"))?;
        if !base.bytes().all(is_address) || !query.bytes().all(|byte| is_plain(byte) && byte != b'?') {
            return Err(Malformed("it has a character that no presigned URL has"));
        }
        let endpoint = recognize_sts(base, partition, other);
        let endpoint = endpoint.ok_or(Malformed("it is for no STS endpoint of the hub's partition"))?;
        let values = parameters(query)?;
        let [action, version, algorithm, credential, date, expires, headers, signature, _] = &values;
        let is = |value: &Option<String>, expected: &str| value.as_deref() == Some(expected);
        if !is(action, "GetCallerIdentity") || !is(version, "2011-06-15") {
            return Err(Malformed("it is no GetCallerIdentity"));
        }
        if !is(algorithm, "AWS4-HMAC-SHA256") {
            return Err(Malformed("X-Amz-Algorithm: expected AWS4-HMAC-SHA256"));
        }
        if !is(headers, SIGNED_HEADERS) {
            return Err(Malformed("X-Amz-SignedHeaders: expected the four headers that are to be signed"));
        }
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !signature.as_deref().is_some_and(|text| text.len() == 64 && text.bytes().all(is_hex)) {
            return Err(Malformed("X-Amz-Signature: expected 64 hexadecimal digits"));
        }
        let date = date.as_deref().unwrap_or_default();
        let signed = time(date).ok_or(Malformed("X-Amz-Date: expected a time such as 20261130T120000Z"))?;
        let scope: Vec<&str> = credential.as_deref().unwrap_or_default().split('/').collect();
        let is_for = |named: &str| match &endpoint {
            StsEndpoint::Regional(region) => region.as_str() == named,
            StsEndpoint::Any => true,
        };
        let is_scope = matches!(scope[..], [key, day, named, "sts", "aws4_request"]
            if is_key(key) && date.starts_with(day) && day.len() == 8 && is_for(named));
        if !is_scope {
            return Err(Malformed(
                "X-Amz-Credential: expected a key, and the day and the region of the proof",
            ));
        }
        let seconds = expires.as_deref().filter(|text| text.len() <= 2 && !text.starts_with(['0', '+']));
        let seconds = seconds.and_then(|text| text.parse::<u16>().ok()).filter(|seconds| *seconds <= LONGEST);
        let seconds = seconds.ok_or(Malformed("X-Amz-Expires: expected 1 to 60"))?;
        let until = signed.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(signed);
        if now > until {
            return Err(BadProof::TooOld);
        }
        if signed.duration_since(now) > AHEAD {
            return Err(BadProof::Ahead);
        }
        let url = Url::parse(text).map_err(|_| Malformed("it is no URL"))?;
        // What is sent is what was checked.
        if url.as_str() != text {
            return Err(Malformed("it is not written as URLs are"));
        }
        Ok(Self { url, until })
    }
}

/// The values of the parameters, in their order. Each stands there once, and no other.
fn parameters(query: &str) -> Result<[Option<String>; 9], BadProof> {
    let mut values: [Option<String>; 9] = Default::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').ok_or(BadProof::Malformed("a parameter has no value"))?;
        let place = PARAMETERS.iter().position(|known| *known == name);
        let place = place.ok_or(BadProof::Malformed("it has a parameter that a proof does not have"))?;
        let decoded = percent_decode_str(value).decode_utf8();
        let decoded = decoded.map_err(|_| BadProof::Malformed("a parameter is no text"))?;
        if values[place].replace(decoded.into_owned()).is_some() {
            return Err(BadProof::Malformed("it has a parameter twice"));
        }
    }
    let is_whole = values.iter().rev().skip(1).all(Option::is_some);
    if is_whole { Ok(values) } else { Err(BadProof::Malformed("a parameter is missing")) }
}

/// A time as signatures have it.
fn time(text: &str) -> Option<Timestamp> {
    let is_form = |(place, byte): (usize, u8)| match place {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 16 || !text.bytes().enumerate().all(is_form) {
        return None;
    }
    let parsed = strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?.to_datetime().ok()?;
    parsed.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// Whether this has the form of an access key's id.
fn is_key(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The access key that a text claims to be signed with, however wrong the rest of it is.
pub(in crate::web) fn claimed_key(text: &str) -> Option<String> {
    let (_, behind) = text.get(..text.len().min(LONGEST_URL))?.split_once("X-Amz-Credential=")?;
    let key: String = behind.chars().take_while(char::is_ascii_alphanumeric).take(129).collect();
    is_key(&key).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-30T12:00:30Z";
    const GOOD: &str = "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261130%2Feu-central-1%2Fsts%2Faws4_request&X-Amz-Date=20261130T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-rescind-hub%3Bx-rescind-nonce%3Bx-rescind-request&X-Amz-Security-Token=IQoJ%2B%2F%3D&X-Amz-Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn read_at(text: &str, now: &str) -> Result<Proof, BadProof> {
        Proof::read(text, Partition::Aws, None, now.parse().expect("a time"))
    }

    #[test]
    fn a_proof_counts_from_a_minute_before_its_date_until_it_expires() {
        let proof = read_at(GOOD, NOW).expect("a proof");
        assert_eq!(proof.until, "2026-11-30T12:01:00Z".parse().expect("a time"));
        assert_eq!(proof.url.as_str(), GOOD);
        for (now, expected) in [
            ("2026-11-30T11:58:59Z", Some(BadProof::Ahead)),
            ("2026-11-30T11:59:00Z", None),
            ("2026-11-30T12:01:00Z", None),
            ("2026-11-30T12:01:01Z", Some(BadProof::TooOld)),
            ("2027-11-30T12:01:01Z", Some(BadProof::TooOld)),
        ] {
            assert_eq!(read_at(GOOD, now).err(), expected, "{now}");
        }
    }

    #[test]
    fn what_is_not_exactly_so_is_refused() {
        for (from, to) in [
            ("https://", "http://"),
            ("https://", "https://sts.us-east-1.amazonaws.com@"),
            ("https://", "//"),
            (".amazonaws.com/?", ".amazonaws.com.evil.example/?"),
            (".amazonaws.com/?", ".amazonaws.com:443/?"),
            (".amazonaws.com/?", ".amazonaws.com//?"),
            (".amazonaws.com/?", ".amazonaws.com/x/?"),
            (".amazonaws.com/?", ".amazonaws.com?"),
            (".amazonaws.com/?", ".amazonaws.com/?/?"),
            (".amazonaws.com/?", ".amazonaws.com/?&"),
            (".amazonaws.com/?", ".amazonaws.com/#/?"),
            (".amazonaws.com/?", ".amazonaws.com\\/?"),
            ("eu-central-1.amazonaws", "us-east-1.amazonaws"),
            ("sts.eu", "STS.eu"),
            ("Action=GetCallerIdentity", "Action=GetSessionToken"),
            ("Action=GetCallerIdentity", "Action=GetCallerIdentity&Action=GetCallerIdentity"),
            ("Action=GetCallerIdentity", "action=GetCallerIdentity"),
            ("Action=GetCallerIdentity&", ""),
            ("Action=", "Act%69on="),
            ("&Version=2011-06-15", ""),
            ("&Version=2011-06-15", "&Version"),
            ("Version=", "RoleArn=x&Version="),
            ("SHA256", "SHA1"),
            ("AKIAIOSFODNN7EXAMPLE", "akiaiosfodnn7example"),
            ("AKIAIOSFODNN7EXAMPLE", "A"),
            ("%2F20261130%2F", "%2F20261129%2F"),
            ("%2F20261130%2F", "%2F%2F"),
            ("%2Fsts%2F", "%2Fiam%2F"),
            ("%2Feu-central-1%2F", "%2Fus-east-1%2F"),
            ("X-Amz-Date=20261130T120000Z", "X-Amz-Date=20261130T126000Z"),
            ("X-Amz-Date=20261130T120000Z", "X-Amz-Date=2026-11-30T12:00Z"),
            ("X-Amz-Expires=60", "X-Amz-Expires=61"),
            ("X-Amz-Expires=60", "X-Amz-Expires=0"),
            ("X-Amz-Expires=60", "X-Amz-Expires=-1"),
            ("X-Amz-Expires=60", "X-Amz-Expires=%2B6"),
            ("X-Amz-Expires=60", "X-Amz-Expires="),
            ("host%3B", ""),
            ("x-rescind-request", "x-rescind-requests"),
            ("%3Bx-rescind-nonce", ""),
            ("X-Amz-Signature=0", "X-Amz-Signature="),
            ("X-Amz-Signature=0123456789a", "X-Amz-Signature=0123456789A"),
            ("X-Amz-Security-Token=IQoJ", "X-Amz-Security-Token=%ff"),
            ("IQoJ", "IQoJ\n"),
            ("IQoJ", "IQ oJ"),
            ("IQoJ", "IQoJ#"),
        ] {
            let changed = GOOD.replacen(from, to, 1);
            assert_ne!(changed, GOOD, "{from}");
            let error = read_at(&changed, NOW).expect_err(&changed);
            assert!(matches!(error, BadProof::Malformed(_)), "{changed}: {error}");
        }
        for garbage in
            ["", "/?", "https://", "\u{0}", "{}", "https://sts.amazonaws.com/?", &"a".repeat(20_000)]
        {
            assert!(matches!(read_at(garbage, NOW), Err(BadProof::Malformed(_))), "{garbage:.40}");
        }
    }

    #[test]
    fn a_key_that_is_claimed_is_read_from_what_is_wrong_otherwise() {
        assert_eq!(claimed_key(GOOD).as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
        let forged = "https://evil.example/?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE/x";
        assert_eq!(claimed_key(forged).as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
        for none in ["", "X-Amz-Credential=", "X-Amz-Credential=short", "AKIAIOSFODNN7EXAMPLE"] {
            assert_eq!(claimed_key(none), None, "{none}");
        }
    }
}
