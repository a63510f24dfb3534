//! Where STS answers: AWS's own endpoints, and the one that the environment names instead.

use super::endpoint::{self, Variant, domain};
use crate::ident::{Partition, Region};
use aws_config::SdkConfig;
use url::{Host, Url};

/// The global endpoint, of the partition `aws` alone.
pub const GLOBAL: &str = "https://sts.amazonaws.com";

/// The endpoint that the environment or the profile names for STS.
pub(super) fn configured(config: &SdkConfig) -> Option<Url> {
    Url::parse(&endpoint::configured(config, "STS")?).ok()
}

/// The endpoint of a region.
pub(super) fn of_region(region: &Region) -> String {
    endpoint::of_region("sts", region, Variant::PLAIN)
}

/// An endpoint of STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StsEndpoint {
    /// That of a region: signatures for it name this region.
    Regional(Region),
    /// The global one, or the one that the environment names: signatures name any region.
    Any,
}

/// Whether the scheme and the host of a URL, as they are written, are those of an STS endpoint of a partition, or of the
/// one that the environment names: that one also with its port, and without TLS on this machine.
///
/// The text is compared, and not what some parser makes of it: upper case, a port, a user or a dot at the end is another
/// text. None when it is not.
#[must_use]
pub fn recognize(base: &str, partition: Partition, other: Option<&Url>) -> Option<StsEndpoint> {
    if let Some(other) = other {
        let is_local = match other.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if base == other.origin().ascii_serialization() && (other.scheme() == "https" || is_local) {
            return Some(StsEndpoint::Any);
        }
    }
    if base == GLOBAL && partition == Partition::Aws {
        return Some(StsEndpoint::Any);
    }
    let host = base.strip_prefix("https://")?;
    let region = host.strip_prefix("sts.").or_else(|| host.strip_prefix("sts-fips."))?;
    let region = region.strip_suffix(domain(partition))?.strip_suffix('.')?;
    let parts: Vec<&str> = region.split('-').collect();
    let (number, words) = parts.split_last()?;
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if words.len() < 2 || !words.iter().all(is_word) || !is_number {
        return None;
    }
    let region: Region = region.parse().ok()?;
    let is_ours = Partition::of_region(&region) == partition && !Partition::is_of_none(&region);
    is_ours.then_some(StsEndpoint::Regional(region))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sts(base: &str) -> bool {
        recognize(base, Partition::Aws, None).is_some()
    }

    #[test]
    fn only_an_endpoint_of_sts_is_one() {
        for base in [
            GLOBAL,
            "https://sts.eu-central-1.amazonaws.com",
            "https://sts.ap-southeast-7.amazonaws.com",
            "https://sts-fips.us-east-1.amazonaws.com",
        ] {
            assert!(is_sts(base), "{base}");
        }
        for base in [
            "",
            "http://sts.us-east-1.amazonaws.com",
            "https://sts.us-east-1.amazonaws.com.evil.example",
            "https://sts.us-east-1.amazonaws.comevil.example",
            "https://sts.us-east-1.evilamazonaws.com",
            "https://evil.example#.amazonaws.com",
            "https://sts.us-east-1.amazonaws.com@evil.example",
            "https://user@sts.us-east-1.amazonaws.com",
            "https://sts.us-east-1.amazonaws.com:443",
            "https://sts.us-east-1.amazonaws.com.",
            "https://STS.us-east-1.amazonaws.com",
            "HTTPS://sts.us-east-1.amazonaws.com",
            "https://sts..amazonaws.com",
            "https://sts.-1.amazonaws.com",
            "https://sts.x.y-central-1.amazonaws.com",
            "https://sts.evil.amazonaws.com",
            "https://sts.eu-central-x.amazonaws.com",
            "https://stsx.us-east-1.amazonaws.com",
            "https://s3.us-east-1.amazonaws.com",
            "https://sts.us-east-1.amazonaws.com\\.evil.example",
            "https://sts.us-east-1%2eamazonaws.com",
            "https://sts.us-iso-east-1.amazonaws.com",
            "https://sts.us-gov-west-1.amazonaws.com",
            "https://sts.cn-north-1.amazonaws.com.cn",
            "https://sts.cn-north-1.amazonaws.com",
        ] {
            assert!(!is_sts(base), "{base}");
        }
    }

    #[test]
    fn each_partition_has_its_own() {
        for (region, partition) in [
            ("cn-north-1", Partition::AwsCn),
            ("us-gov-west-1", Partition::AwsUsGov),
            ("eusc-de-east-1", Partition::AwsEusc),
        ] {
            let region: Region = region.parse().expect("a region");
            let endpoint = of_region(&region);
            assert_eq!(
                recognize(&endpoint, partition, None),
                Some(StsEndpoint::Regional(region)),
                "{endpoint}"
            );
            assert_eq!(recognize(&endpoint, Partition::Aws, None), None);
            assert_eq!(recognize(GLOBAL, partition, None), None);
        }
    }

    #[test]
    fn the_one_that_the_environment_names_is_one_as_well() {
        let named = |endpoint: &str, base: &str| {
            let endpoint = Url::parse(endpoint).expect("a URL");
            recognize(base, Partition::Aws, Some(&endpoint)).is_some()
        };
        let private = "https://vpce-0abc.sts.eu-central-1.vpce.amazonaws.com";
        assert!(named(private, private));
        assert!(named("http://127.0.0.1:4566/", "http://127.0.0.1:4566"));
        assert!(!named("http://127.0.0.1:4566", "http://127.0.0.1:4567"));
        assert!(!named("http://127.0.0.1:4566", "http://127.0.0.1:4566@evil.example"));
        assert!(!named("http://sts.example", "http://sts.example"));
        // AWS's own count beside it.
        assert!(named(private, GLOBAL));
    }
}
