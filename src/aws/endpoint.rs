//! Where a service of AWS answers: in its region, or where the environment says.

use crate::ident::{Partition, Region};
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The endpoint that the environment or the profile names for a service (`AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`),
/// as the SDK finds it. `service_id` is the service's id in AWS's models: `STS`, `EC2`, `SecurityHub`.
pub(super) fn configured(config: &SdkConfig, service_id: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().ok()?;
    let of_service = config.service_config().and_then(|service| service.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// A variant of an endpoint, as `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub fips: bool,
    pub dual_stack: bool,
}

impl Variant {
    /// The plain endpoint.
    pub const PLAIN: Self = Self { fips: false, dual_stack: false };

    /// What the environment or the profile asks for.
    pub fn of(config: &SdkConfig) -> Self {
        Self {
            fips: config.use_fips().unwrap_or_default(),
            dual_stack: config.use_dual_stack().unwrap_or_default(),
        }
    }
}

/// The endpoint of a service in a region (AWS General Reference, "Regional endpoints" and "Dual stack endpoints").
/// `name` is what it is called in hosts: `sts`, `ec2`.
pub(super) fn of_region(name: &str, region: &Region, variant: Variant) -> String {
    let partition = Partition::of_region(region);
    let domain = if variant.dual_stack { dual_stack_domain(partition) } else { domain(partition) };
    // EC2 in GovCloud has no endpoint of its own for FIPS 140: the plain one is such.
    let is_fips_anyway = name == "ec2" && partition == Partition::AwsUsGov && !variant.dual_stack;
    let fips = if variant.fips && !is_fips_anyway { "-fips" } else { "" };
    format!("https://{name}{fips}.{region}.{domain}")
}

/// The domain of a partition's endpoints.
pub(super) fn domain(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
        Partition::AwsCn => "amazonaws.com.cn",
        Partition::AwsEusc => "amazonaws.eu",
    }
}

fn dual_stack_domain(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws | Partition::AwsUsGov => "api.aws",
        Partition::AwsCn => "api.amazonwebservices.com.cn",
        Partition::AwsEusc => "api.amazonwebservices.eu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_those_of_the_partition_and_the_variant() {
        let (fips, dual_stack) =
            (Variant { fips: true, dual_stack: false }, Variant { fips: false, dual_stack: true });
        let both = Variant { fips: true, dual_stack: true };
        for (name, region, variant, expected) in [
            ("ec2", "eu-central-1", Variant::PLAIN, "https://ec2.eu-central-1.amazonaws.com"),
            ("securityhub", "cn-north-1", Variant::PLAIN, "https://securityhub.cn-north-1.amazonaws.com.cn"),
            ("sts", "eusc-de-east-1", Variant::PLAIN, "https://sts.eusc-de-east-1.amazonaws.eu"),
            ("ec2", "us-east-1", fips, "https://ec2-fips.us-east-1.amazonaws.com"),
            ("ec2", "us-gov-east-1", fips, "https://ec2.us-gov-east-1.amazonaws.com"),
            ("securityhub", "us-gov-east-1", fips, "https://securityhub-fips.us-gov-east-1.amazonaws.com"),
            ("ec2", "us-east-1", dual_stack, "https://ec2.us-east-1.api.aws"),
            ("ec2", "us-gov-east-1", both, "https://ec2-fips.us-gov-east-1.api.aws"),
            ("ec2", "cn-north-1", both, "https://ec2-fips.cn-north-1.api.amazonwebservices.com.cn"),
        ] {
            let region = region.parse().expect("legal");
            assert_eq!(of_region(name, &region, variant), expected);
        }
    }
}
