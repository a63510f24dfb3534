//! STS, in the home region and in those that stand in for it.

use super::record::Observer;
use crate::ident::Region;
use crate::remediation::CallError;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sts as sts;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time for which a region that stood in is asked first.
const REMEMBERED: Duration = Duration::from_mins(5);

/// STS of several regions. Credentials that one regional endpoint issues are valid in every region that the account has
/// enabled, so it does not matter which one issued them.
#[derive(Debug)]
pub(super) struct TokenService {
    regions: Vec<Regional>,
    /// The region that stood in for the first, and until when it is asked first.
    stand_in: Mutex<Option<(usize, Instant)>>,
}

/// STS of one region.
#[derive(Debug)]
pub(super) struct Regional {
    pub region: Region,
    pub client: sts::Client,
}

impl TokenService {
    /// STS of `home`, and of others that stand in for it.
    pub fn new(config: &SdkConfig, home: &Region, others: &[Region]) -> Self {
        let regional = |region: &Region| {
            let mut builder = sts::config::Builder::from(config)
                .region(sts::config::Region::new(region.to_string()))
                .interceptor(Observer::default());
            // Whoever can ask elsewhere does not wait for long.
            if !others.is_empty() {
                builder = builder
                    .timeout_config(brief())
                    .retry_config(RetryConfig::standard().with_max_attempts(2));
            }
            Regional { region: region.clone(), client: sts::Client::from_conf(builder.build()) }
        };
        let regions = std::iter::once(home).chain(others).map(regional).collect();
        Self { regions, stand_in: Mutex::default() }
    }

    /// Begins to ask, one region after the other until one answers.
    pub fn asking(&self) -> Asking<'_> {
        let mut order = self.order();
        let number = order.pop_front().unwrap_or_default();
        Asking { service: self, number, order, error: None }
    }

    /// The numbers of the regions, in the order in which they are asked.
    fn order(&self) -> VecDeque<usize> {
        let mut stand_in = self.stand_in.lock().unwrap_or_else(PoisonError::into_inner);
        *stand_in = stand_in.filter(|(_, until)| Instant::now() < *until);
        let first = stand_in.map(|(number, _)| number);
        let others = (0..self.regions.len()).filter(|number| Some(*number) != first);
        first.into_iter().chain(others).collect()
    }
}

/// A question to STS, which regions are asked one after the other.
pub(super) struct Asking<'a> {
    service: &'a TokenService,
    /// The number of the region that is asked now.
    number: usize,
    order: VecDeque<usize>,
    /// The error of the home region, or else of the one that was asked first.
    error: Option<CallError>,
}

impl<'a> Asking<'a> {
    /// The region that is to be asked.
    pub fn regional(&self) -> &'a Regional {
        &self.service.regions[self.number]
    }

    /// The region did not answer, or said no: the next one is asked.
    ///
    /// # Errors
    /// When there is no other, or the home region said no, which is an answer. What others say (not enabled, forbidden by
    /// a policy about regions) is about them alone: the error is the home region's.
    pub fn failed(&mut self, error: CallError) -> Result<(), CallError> {
        let is_home = self.number == 0;
        if is_home && !error.is_transient() {
            return Err(error);
        }
        tracing::warn!(region = %self.regional().region, "STS does not answer, or says no: {error}");
        let error = self.error.take().filter(|_| !is_home).unwrap_or(error);
        match self.order.pop_front() {
            Some(number) => {
                (self.number, self.error) = (number, Some(error));
                Ok(())
            }
            None => Err(error),
        }
    }

    /// The region answered. For a while it is asked first, if it stood in for another.
    pub fn answered(self) {
        if self.error.is_some() {
            let until = Instant::now() + REMEMBERED;
            let mut stand_in = self.service.stand_in.lock().unwrap_or_else(PoisonError::into_inner);
            *stand_in = (self.number > 0).then_some((self.number, until));
        }
    }
}

/// How long a call may take where another region can be asked.
fn brief() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(6))
        .build()
}
