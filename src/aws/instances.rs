//! Which EC2 instances run with a role.
//!
//! An instance has an instance profile, and a profile has a role: first the role's profiles, then
//! in each region the instances that have one of them.

use super::listed::Listed;
use super::member::MemberSession;
use super::record::recorded;
use super::signed::{Request, Service};
use crate::ident::{AccountId, Region, RoleName};
use crate::remediation::{CallError, Instance};
use crate::safe::short_line;
use aws_smithy_types::error::metadata::ErrorMetadata;
use futures::FutureExt;
use serde::Deserialize;

/// EC2 (EC2 API Reference, "Actions").
static EC2: Service = Service { id: "EC2", name: "ec2", version: "2016-11-15", refusal };

const DESCRIBE: &str = "DescribeInstances";

/// The states of an instance that is there.
const NOT_TERMINATED: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// Maximum number of values in one filter (EC2 API Reference, "Using filtering").
const MOST_PROFILES: usize = 200;

/// Maximum number of pages of a list that are read. EC2 gives up to 1,000 instances a page, and fewer where
/// it filters.
const MOST_PAGES: usize = 20;

/// Longer than any tag (256) or id.
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
    pub async fn instances(
        &self,
        region: &Region,
        profile_arns: &[String],
    ) -> Result<Listed<Instance>, CallError> {
        let (mut instances, mut page) = (Listed::new(), None);
        for _ in 0..MOST_PAGES {
            let request = Request {
                method: "POST",
                path: "/",
                content_type: "application/x-www-form-urlencoded",
                body: question(profile_arns, page.as_deref()).into_bytes(),
            };
            let call = self.call_in(region, "ec2", DESCRIBE);
            let request = EC2.call(&self.config, region, DESCRIBE, request, read_page);
            let answer = recorded(&*self.sink, call, request.boxed()).await?;
            for reservation in answer.reservations.items {
                let owner = reservation.owner.and_then(|id| id.parse().ok());
                let owner: AccountId = owner.unwrap_or_else(|| self.account.clone());
                for instance in reservation.instances.items {
                    match instance.read(&owner, region) {
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

/// The form that asks for a page of instances.
fn question(profile_arns: &[String], page: Option<&str>) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", DESCRIBE).append_pair("Version", EC2.version);
    let mut filter = |number: usize, name: &str, values: &mut dyn Iterator<Item = String>| {
        form.append_pair(&format!("Filter.{number}.Name"), name);
        for (position, value) in (1..).zip(values) {
            form.append_pair(&format!("Filter.{number}.Value.{position}"), &value);
        }
    };
    let mut profiles = profile_arns.iter().take(MOST_PROFILES).map(|arn| literal(arn));
    filter(1, "iam-instance-profile.arn", &mut profiles);
    filter(2, "instance-state-name", &mut NOT_TERMINATED.into_iter().map(str::to_owned));
    // Those that EKS and others manage are hidden from an account that wants it so.
    form.append_pair("IncludeManagedResources", "true").append_pair("MaxResults", "1000");
    if let Some(page) = page {
        form.append_pair("NextToken", page);
    }
    form.finish()
}

fn read_page(body: &[u8]) -> Result<Page, quick_xml::DeError> {
    quick_xml::de::from_reader(body)
}

/// EC2's words for an error: `<Response><Errors><Error><Code/><Message/>`.
fn refusal(_: Option<&str>, body: &[u8]) -> ErrorMetadata {
    #[derive(Deserialize)]
    struct Response {
        #[serde(rename = "Errors")]
        errors: Errors,
    }
    #[derive(Deserialize)]
    struct Errors {
        #[serde(rename = "Error")]
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        #[serde(rename = "Code")]
        code: Option<String>,
        #[serde(rename = "Message")]
        message: Option<String>,
    }
    let mut refused = ErrorMetadata::builder();
    if let Ok(Response { errors: Errors { error } }) = quick_xml::de::from_reader(body) {
        if let Some(code) = error.code {
            refused = refused.code(code);
        }
        if let Some(message) = error.message {
            refused = refused.message(message);
        }
    }
    refused.build()
}

/// An answer to DescribeInstances, as far as it is used (EC2 API Reference, "DescribeInstances").
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Page {
    #[serde(rename = "reservationSet")]
    reservations: Set<Reservation>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Set<T> {
    #[serde(rename = "item", default = "Vec::new")]
    items: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
struct Reservation {
    #[serde(rename = "ownerId")]
    owner: Option<String>,
    #[serde(rename = "instancesSet", default)]
    instances: Set<Described>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Described {
    instance_id: Option<String>,
    instance_state: Option<State>,
    vpc_id: Option<String>,
    tag_set: Set<Tag>,
}

#[derive(Debug, Deserialize)]
struct State {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

impl Described {
    /// What is kept of an instance; none when it has no id.
    fn read(self, account: &AccountId, region: &Region) -> Option<Instance> {
        let tag = |key| {
            let tag = self.tag_set.items.iter().find(|tag| tag.key.as_deref() == Some(key))?;
            tag.value.as_deref().filter(|value| !value.is_empty()).map(|value| short_line(value, LONGEST))
        };
        let state = self.instance_state.as_ref().and_then(|state| state.name.as_deref());
        Some(Instance {
            id: short_line(self.instance_id.as_deref().filter(|id| !id.is_empty())?, LONGEST),
            name: tag("Name"),
            state: short_line(state.unwrap_or("unknown"), LONGEST),
            account: account.clone(),
            region: region.clone(),
            vpc: self.vpc_id.as_deref().filter(|id| !id.is_empty()).map(|id| short_line(id, LONGEST)),
            auto_scaling_group: tag("aws:autoscaling:groupName"),
        })
    }
}

/// A filter's value that stands for itself only. The path of a profile may have `*`, `?` and `\`.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> (AccountId, Region) {
        ("111122223333".parse().expect("legal"), "eu-central-1".parse().expect("legal"))
    }

    fn page(reservations: &str) -> Page {
        let xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
                <requestId>8f7724cf-496f-496e-8fe3-example</requestId>{reservations}
            </DescribeInstancesResponse>"#
        );
        read_page(xml.as_bytes()).expect("it is a page")
    }

    #[test]
    fn an_instance_is_read_with_its_name_and_group() {
        let (account, region) = places();
        let page = page(&format!(
            "<reservationSet><item><reservationId>r-1</reservationId><ownerId>444455556666</ownerId><groupSet/>
             <instancesSet><item><instanceId>i-0123456789abcdef0</instanceId><imageId>ami-1</imageId>
             <instanceState><code>16</code><name>running</name></instanceState><vpcId>vpc-1</vpcId>
             <tagSet><item><key>Name</key><value>{}&lt;&amp;</value></item>
             <item><key>aws:autoscaling:groupName</key><value>shop</value></item></tagSet>
             </item></instancesSet></item></reservationSet><nextToken>more</nextToken>",
            "x".repeat(1000)
        ));
        assert_eq!(page.next_token.as_deref(), Some("more"));
        let reservation = page.reservations.items.into_iter().next().expect("there is one");
        assert_eq!(reservation.owner.as_deref(), Some("444455556666"));
        let instance = reservation.instances.items.into_iter().next().expect("there is one");
        let read = instance.read(&account, &region).expect("it has an id");
        assert_eq!(read.name.map(|name| name.chars().count()), Some(LONGEST));
        assert_eq!(read.state, "running");
        assert_eq!(read.vpc.as_deref(), Some("vpc-1"));
        assert_eq!(read.auto_scaling_group.as_deref(), Some("shop"));
    }

    #[test]
    fn an_instance_with_an_id_only_is_one_and_without_it_is_none() {
        let (account, region) = places();
        let page = page(
            "<reservationSet><item><instancesSet>
             <item><instanceId>i-1</instanceId><tagSet/><vpcId/></item><item><imageId>ami-1</imageId></item>
             </instancesSet></item><item><instancesSet/></item></reservationSet><nextToken/>",
        );
        let read: Vec<_> = (page.reservations.items.into_iter())
            .flat_map(|reservation| reservation.instances.items)
            .map(|instance| instance.read(&account, &region))
            .collect();
        let [Some(bare), None] = &read[..] else { panic!("{read:?}") };
        assert_eq!((&bare.name, &bare.vpc, bare.state.as_str()), (&None, &None, "unknown"));
    }

    #[test]
    fn an_answer_without_instances_is_an_empty_page_and_one_that_is_no_xml_is_an_error() {
        assert!(page("<reservationSet/>").reservations.items.is_empty());
        assert!(read_page(b"<html><body>proxy</html>").is_err());
        assert!(read_page(b"").is_err());
    }

    #[test]
    fn an_error_has_its_code_and_message() {
        let refused = refusal(
            None,
            b"<?xml version=\"1.0\"?><Response><Errors><Error><Code>UnauthorizedOperation</Code>\
              <Message>You are not authorized</Message></Error></Errors><RequestID>x</RequestID></Response>",
        );
        assert_eq!(refused.code(), Some("UnauthorizedOperation"));
        assert_eq!(refused.message(), Some("You are not authorized"));
        assert_eq!(refusal(None, b"<html>").code(), None);
    }

    #[test]
    fn a_profile_in_an_odd_path_stands_for_itself() {
        let arn = r"arn:aws:iam::111122223333:instance-profile/a*?\b/web".to_owned();
        assert_eq!(literal(&arn), r"arn:aws:iam::111122223333:instance-profile/a\*\?\\b/web");
        let form = question(&[arn], Some("a+b="));
        assert!(form.contains(r"&Filter.1.Value.1=arn%3Aaws%3Aiam%3A%3A111122223333%3Ainstance-profile%2Fa%5C*%5C%3F%5C%5Cb%2Fweb&"), "{form}");
        assert!(form.ends_with("&NextToken=a%2Bb%3D"), "{form}");
    }
}
