//! Which EC2 instances run with a role.
//!
//! An instance has an instance profile, and a profile has a role: first the role's profiles, then
//! in each region the instances that have one of them.

use super::listed::Listed;
use super::member::MemberSession;
use super::record::recorded;
use crate::ident::{AccountId, Region, RoleName};
use crate::remediation::{CallError, Instance};
use futures::FutureExt;

#[cfg(feature = "ec2")]
use super::record::Observer;
use crate::safe::short_line;
#[cfg(feature = "ec2")]
use aws_sdk_ec2 as ec2;

/// Maximum number of values in one filter (EC2 API Reference, "Using filtering").
const MOST_PROFILES: usize = 200;

/// Maximum number of pages of a list that are read. EC2 gives up to 1,000 instances a page, and fewer where
/// it filters.
const MOST_PAGES: usize = 20;

/// Longer than any tag (256) or id.
#[cfg(feature = "ec2")]
const LONGEST: usize = 300;

impl MemberSession {
    /// ListInstanceProfilesForRole: the ARNs of the instance profiles that have the role, at most 200.
    ///
    /// # Errors
    /// As the call's: `NotFound` when there is no such role.
    pub async fn profiles_of_role(&self, role: &RoleName) -> Result<Listed<String>, CallError> {
        let (mut profiles, mut page) = (Listed::new(), None);
        for _ in 0..MOST_PAGES {
            let request = self
                .iam
                .list_instance_profiles_for_role()
                .role_name(role.as_str())
                .max_items(100)
                .set_marker(page)
                .send()
                .boxed();
            let answer = recorded(&*self.sink, self.call("ListInstanceProfilesForRole"), request).await?;
            profiles.items.extend(answer.instance_profiles.into_iter().map(|profile| profile.arn));
            page = answer.marker.filter(|marker| answer.is_truncated && !marker.is_empty());
            if page.is_none() || profiles.items.len() >= MOST_PROFILES {
                break;
            }
        }
        profiles.cut_short = page.is_some() || profiles.items.len() > MOST_PROFILES;
        profiles.items.truncate(MOST_PROFILES);
        Ok(profiles)
    }

    /// DescribeInstances: those in a region that have one of the instance profiles and are not
    /// terminated.
    ///
    /// # Errors
    /// As the call's. A region that is not enabled for the account is an error too.
    #[cfg(feature = "ec2")]
    pub async fn instances(
        &self,
        region: &Region,
        profile_arns: &[String],
    ) -> Result<Listed<Instance>, CallError> {
        let config = ec2::config::Builder::from(&self.config)
            .region(ec2::config::Region::new(region.to_string()))
            .interceptor(Observer::default())
            .build();
        let client = ec2::Client::from_conf(config);
        let profiles = profile_arns.iter().take(MOST_PROFILES).map(|arn| literal(arn)).collect();
        let filters = vec![
            filter("iam-instance-profile.arn", profiles),
            filter(
                "instance-state-name",
                ["pending", "running", "shutting-down", "stopping", "stopped"].map(str::to_owned).into(),
            ),
        ];
        let (mut instances, mut page) = (Listed::new(), None);
        for _ in 0..MOST_PAGES {
            let request = client
                .describe_instances()
                .set_filters(Some(filters.clone()))
                // Those that EKS and others manage are hidden from an account that wants it so.
                .include_managed_resources(true)
                .max_results(1000)
                .set_next_token(page)
                .send()
                .boxed();
            let call = self.call_in(region, "ec2", "DescribeInstances");
            let answer = recorded(&*self.sink, call, request).await?;
            for reservation in answer.reservations.unwrap_or_default() {
                let owner = reservation.owner_id.and_then(|id| id.parse().ok());
                let owner: AccountId = owner.unwrap_or_else(|| self.account.clone());
                for instance in reservation.instances.unwrap_or_default() {
                    match read(&instance, &owner, region) {
                        Some(instance) => instances.items.push(instance),
                        None => instances.unreadable += 1,
                    }
                }
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(instances);
            }
        }
        instances.cut_short = true;
        Ok(instances)
    }
}

#[cfg(feature = "ec2")]
fn filter(name: &str, values: Vec<String>) -> ec2::types::Filter {
    ec2::types::Filter::builder().name(name).set_values(Some(values)).build()
}

/// A filter's value that stands for itself only. The path of a profile may have `*`, `?` and `\`.
#[cfg(feature = "ec2")]
fn literal(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// What is kept of an instance; none when it has no id.
#[cfg(feature = "ec2")]
fn read(instance: &ec2::types::Instance, account: &AccountId, region: &Region) -> Option<Instance> {
    let tag = |key| {
        let tag = instance.tags().iter().find(|tag| tag.key() == Some(key))?;
        tag.value().filter(|value| !value.is_empty()).map(|value| short_line(value, LONGEST))
    };
    let state = instance.state().and_then(|state| state.name());
    Some(Instance {
        id: short_line(instance.instance_id()?, LONGEST),
        name: tag("Name"),
        state: state.map_or_else(|| "unknown".to_owned(), |name| short_line(name.as_str(), LONGEST)),
        account: account.clone(),
        region: region.clone(),
        vpc: instance.vpc_id().filter(|id| !id.is_empty()).map(|id| short_line(id, LONGEST)),
        auto_scaling_group: tag("aws:autoscaling:groupName"),
    })
}

#[cfg(all(test, feature = "ec2"))]
mod tests {
    use super::*;
    use ec2::types::{InstanceState, InstanceStateName, Tag};

    fn places() -> (AccountId, Region) {
        ("111122223333".parse().expect("legal"), "eu-central-1".parse().expect("legal"))
    }

    #[test]
    fn an_instance_is_read_with_its_name_and_group() {
        let (account, region) = places();
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let state = InstanceState::builder().name(InstanceStateName::Running).build();
        let instance = ec2::types::Instance::builder()
            .instance_id("i-0123456789abcdef0")
            .state(state)
            .vpc_id("vpc-1")
            .tags(tag("Name", &"x".repeat(1000)))
            .tags(tag("aws:autoscaling:groupName", "shop"))
            .build();
        let read = read(&instance, &account, &region).expect("it has an id");
        assert_eq!(read.name.map(|name| name.chars().count()), Some(LONGEST));
        assert_eq!(read.state, "running");
        assert_eq!(read.vpc.as_deref(), Some("vpc-1"));
        assert_eq!(read.auto_scaling_group.as_deref(), Some("shop"));
    }

    #[test]
    fn an_instance_with_an_id_only_is_one_and_without_it_is_none() {
        let (account, region) = places();
        let bare = ec2::types::Instance::builder().instance_id("i-1").build();
        let bare = read(&bare, &account, &region).expect("it has an id");
        assert_eq!((bare.name, bare.vpc, bare.state.as_str()), (None, None, "unknown"));
        assert_eq!(read(&ec2::types::Instance::builder().build(), &account, &region), None);
    }

    #[test]
    fn a_profile_in_an_odd_path_stands_for_itself() {
        let arn = r"arn:aws:iam::111122223333:instance-profile/a*?\b/web";
        assert_eq!(literal(arn), r"arn:aws:iam::111122223333:instance-profile/a\*\?\\b/web");
    }
}
