//! The hub: the GuardDuty delegated-administrator account in which rescind runs.

use super::ca_bundle::CaBundle;
use super::chosen;
use super::clock::AwsClock;
use super::environment::{Environment, explained};
use super::record::{Call, Observer, recorded, with_body};
use super::token_service::{Regional, TokenService};
use super::trail_pace::TrailPace;
use crate::ident::{HubIdentity, Partition, Region};
use crate::remediation::{CallError, CallScope, CallSink, ErrorKind};
use aws_config::SdkConfig;
use aws_sdk_guardduty as guardduty;
use aws_sdk_organizations as organizations;
use futures::FutureExt;
use guardduty::types::{Condition, FindingCriteria, OrderBy, SortCriteria};
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};

/// The hub's clients. One connection pool serves all regions and accounts.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(super) config: SdkConfig,
    pub(super) home: Region,
    pub(super) sink: Arc<dyn CallSink>,
    pub(super) sts: Arc<TokenService>,
    pub(super) organizations: organizations::Client,
    identity: HubIdentity,
    clock: AwsClock,
    /// The organization's id, once a call has returned it.
    pub(super) organization: Arc<OnceLock<String>>,
    /// Of all lookups in CloudTrail, in whichever session.
    pub(super) trail_pace: Arc<TrailPace>,
    ca_bundle: Option<CaBundle>,
}

/// Which findings to list.
#[derive(Debug, Clone)]
pub struct FindingQuery<'a> {
    pub kinds: &'a FindingKinds,
    /// Only those written at or after this time.
    pub updated_since: Option<Timestamp>,
}

/// Kinds of findings. The criterion of ListFindings has equal and not equal for a type; `matches` is for
/// filters only (GuardDuty API Reference, "Condition").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKinds {
    All,
    Types(Vec<String>),
    /// Those about resources of these kinds, as GuardDuty calls them.
    About(Vec<&'static str>),
}

impl Hub {
    /// Finds credentials, proxies and certificates as every AWS tool does (environment, profile, container,
    /// instance), and asks STS whose the credentials are: of the home region, or of those that stand in for it.
    ///
    /// # Errors
    /// When there are no credentials, they are not valid, or STS cannot be reached.
    pub async fn connect(
        home: &Region,
        sts_regions: &[Region],
        sink: Arc<dyn CallSink>,
    ) -> Result<Self, CallError> {
        let environment = Environment::load(home).await;
        let Environment { config, ca_bundle } =
            environment.map_err(|error| error.of_call("sts", "GetCallerIdentity"))?;
        // That of the region that the command line names comes first.
        let first = chosen::region().filter(|region| *region != home);
        let others = first.map(|_| home).into_iter().chain(sts_regions);
        let others: Vec<Region> = others.filter(|region| Some(*region) != first).cloned().collect();
        let sts = Arc::new(TokenService::new(&config, first.unwrap_or(home), &others));
        let clock = AwsClock::default();
        let identity = who_am_i(&sts, &*sink, &clock).await.map_err(explained)?;
        let organizations = organizations::Client::from_conf(
            organizations::config::Builder::from(&config).interceptor(Observer::default()).build(),
        );
        Ok(Self {
            config,
            home: home.clone(),
            sink,
            sts,
            organizations,
            identity,
            clock,
            organization: Arc::default(),
            trail_pace: Arc::default(),
            ca_bundle,
        })
    }

    /// Whose credentials the hub has.
    #[must_use]
    pub fn identity(&self) -> &HubIdentity {
        &self.identity
    }

    /// AWS's clock, from the answers to the hub's calls.
    #[must_use]
    pub fn clock(&self) -> &AwsClock {
        &self.clock
    }

    /// The certificates that are trusted for AWS, when they are not the system's.
    #[must_use]
    pub fn ca_bundle(&self) -> Option<&CaBundle> {
        self.ca_bundle.as_ref()
    }

    pub(super) fn call<'a>(
        &'a self,
        service: &'static str,
        operation: &'static str,
        region: &'a Region,
        scope: &'a CallScope,
    ) -> Call<'a> {
        let (account, clock) = (Some(&self.identity.account), &self.clock);
        Call { service, operation, account, region, scope, clock }
    }

    pub(super) fn guardduty(&self, region: &Region) -> guardduty::Client {
        let config = guardduty::config::Builder::from(&self.config)
            .region(guardduty::config::Region::new(region.to_string()))
            .interceptor(Observer { bodies: true })
            .build();
        guardduty::Client::from_conf(config)
    }

    /// The hub's detector in a region, if GuardDuty is enabled there.
    ///
    /// # Errors
    /// As the call's.
    pub async fn detector(&self, region: &Region) -> Result<Option<String>, CallError> {
        let scope = CallScope::default();
        let call = self.call("guardduty", "ListDetectors", region, &scope);
        let answer =
            recorded(&*self.sink, call, self.guardduty(region).list_detectors().send().boxed()).await?;
        Ok(answer.detector_ids.unwrap_or_default().into_iter().next())
    }

    /// One page of finding ids, oldest update first, and the token of the next page.
    ///
    /// # Errors
    /// As the call's.
    pub async fn list_findings(
        &self,
        region: &Region,
        detector: &str,
        query: &FindingQuery<'_>,
        page: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), CallError> {
        let mut criteria = FindingCriteria::builder()
            .criterion("service.archived", Condition::builder().equals("false").build());
        match query.kinds {
            FindingKinds::All => {}
            FindingKinds::Types(types) => {
                let types = Condition::builder().set_equals(Some(types.clone())).build();
                criteria = criteria.criterion("type", types);
            }
            FindingKinds::About(resources) => {
                let resources = resources.iter().map(|resource| (*resource).to_owned()).collect();
                let about = Condition::builder().set_equals(Some(resources)).build();
                criteria = criteria.criterion("resource.resourceType", about);
            }
        }
        if let Some(since) = query.updated_since {
            // The criterion is in epoch milliseconds.
            let since = Condition::builder().greater_than_or_equal(since.as_millisecond()).build();
            criteria = criteria.criterion("updatedAt", since);
        }
        let sort = SortCriteria::builder().attribute_name("updatedAt").order_by(OrderBy::Asc).build();
        let request = self
            .guardduty(region)
            .list_findings()
            .detector_id(detector)
            .finding_criteria(criteria.build())
            .sort_criteria(sort)
            .max_results(50)
            .set_next_token(page)
            .send()
            .boxed();
        let scope = CallScope::default();
        let call = self.call("guardduty", "ListFindings", region, &scope);
        let answer = recorded(&*self.sink, call, request).await?;
        let next = answer.next_token.filter(|token| !token.is_empty());
        Ok((answer.finding_ids.unwrap_or_default(), next))
    }

    /// The findings with these ids (at most 50), as the bytes of GuardDuty's answer.
    ///
    /// # Errors
    /// As the call's. An answer that the SDK's types cannot hold is not an error.
    pub async fn get_findings(
        &self,
        region: &Region,
        detector: &str,
        ids: Vec<String>,
    ) -> Result<Vec<u8>, CallError> {
        let request = self
            .guardduty(region)
            .get_findings()
            .detector_id(detector)
            .set_finding_ids(Some(ids))
            .customize()
            .config_override(
                // The SDK takes an answer that it cannot parse for a transient error. The bytes
                // are what counts here, so such an answer is not asked for again.
                guardduty::config::Config::builder().retry_classifier(super::error::ParsedOrNot),
            )
            .send()
            .boxed();
        let scope = CallScope::default();
        let call = self.call("guardduty", "GetFindings", region, &scope);
        let (answer, body) = with_body(&*self.sink, call, request, |_| true).await;
        match (body, answer) {
            (Some(body), _) => Ok(body),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(CallError {
                service: "guardduty",
                operation: "GetFindings",
                kind: ErrorKind::Unavailable,
                code: None,
                message: "the answer had no body".to_owned(),
            }),
        }
    }
}

async fn who_am_i(
    sts: &TokenService,
    sink: &dyn CallSink,
    clock: &AwsClock,
) -> Result<HubIdentity, CallError> {
    let scope = CallScope::default();
    let mut asking = sts.asking();
    let answer = loop {
        let Regional { region, client } = asking.regional();
        let (service, operation) = ("sts", "GetCallerIdentity");
        let call = Call { service, operation, account: None, region, scope: &scope, clock };
        match recorded(sink, call, client.get_caller_identity().send().boxed()).await {
            Ok(answer) => break answer,
            Err(error) => asking.failed(error)?,
        }
    };
    asking.answered();
    let arn = answer.arn.unwrap_or_default();
    let account = answer.account.unwrap_or_default().parse();
    match (account, Partition::of_arn(&arn)) {
        (Ok(account), Ok(partition)) => Ok(HubIdentity { account, arn, partition }),
        (Err(error), _) | (_, Err(error)) => Err(CallError {
            service: "sts",
            operation: "GetCallerIdentity",
            kind: ErrorKind::Unavailable,
            code: None,
            message: format!("the answer is not usable: {error}"),
        }),
    }
}
