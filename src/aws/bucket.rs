//! An S3 bucket whose objects are put once and kept.

use super::clock::AwsClock;
use super::environment::Environment;
use super::hub::Hub;
use super::record::{Call, Observer, Unrecorded, recorded};
use crate::ident::{AccountId, BadName, Region};
use crate::remediation::{CallError, CallScope, CallSink, ErrorKind};
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3 as s3;
use futures::FutureExt;
use jiff::Timestamp;
use s3::primitives::{ByteStream, DateTime};
use s3::types::{ChecksumAlgorithm, ObjectLockEnabled, ObjectLockMode, ObjectLockRetentionMode};
use std::sync::Arc;
use std::time::Duration;

/// Maximum size of an object that is read. What is larger is none of ours.
const LARGEST: i64 = 64 * 1024;

/// A Region whose endpoint knows every bucket of the partition `aws`.
const ANY_REGION: &str = "us-east-1";

/// A bucket, as the hub or an auditor uses it.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: s3::Client,
    name: String,
    region: Region,
    sink: Arc<dyn CallSink>,
    account: Option<AccountId>,
    scope: CallScope,
    clock: AwsClock,
}

/// What became of an object that is put where none stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It stands there.
    Done,
    /// Another stands there already, or this one whose answer was lost.
    Taken,
}

/// An object that stands in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its text; none when it is too large to be read, or no text.
    pub text: Option<String>,
    /// Until when nobody can delete it, where the caller may know.
    pub retained_until: Option<Timestamp>,
}

/// A version of an object, as a bucket lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    pub key: String,
    /// Its id; none of a marker, which says that the object was deleted and has no text.
    pub id: Option<String>,
}

/// Where a list of versions goes on: the key, and the version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionMarker {
    key: Option<String>,
    id: Option<String>,
}

/// How long nobody can delete an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRetention {
    pub until: Timestamp,
    /// Not even the root user can before that time.
    pub is_compliance: bool,
}

/// What a bucket does for objects that are put into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketFacts {
    /// Objects in it can be locked.
    pub has_object_lock: bool,
    /// It locks each object that is put, if nothing else is asked for: with which mode, and how long in words.
    pub default_retention: Option<(String, String)>,
}

impl Hub {
    /// A bucket that the hub uses. Its calls are recorded as the hub's.
    #[must_use]
    pub fn bucket(&self, region: &Region, name: &str, endpoint: Option<&str>) -> Bucket {
        Bucket {
            client: client(&self.config, region, endpoint),
            name: name.to_owned(),
            region: region.clone(),
            sink: Arc::clone(&self.sink),
            account: Some(self.identity().account.clone()),
            scope: CallScope::default(),
            clock: self.clock().clone(),
        }
    }
}

impl Bucket {
    /// A bucket for who has no ledger to record calls in. Credentials, proxies and certificates are found as the hub's
    /// are; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// When the certificates that the environment names cannot be used.
    pub async fn open(region: &Region, name: &str, endpoint: Option<&str>) -> Result<Self, CallError> {
        let environment = Environment::load(region).await;
        let environment = environment.map_err(|error| error.of_call("s3", "ListObjectVersions"))?;
        Ok(Self {
            client: client(&environment.config, region, endpoint),
            name: name.to_owned(),
            region: region.clone(),
            sink: Arc::new(Unrecorded),
            account: None,
            scope: CallScope::default(),
            clock: AwsClock::default(),
        })
    }

    /// Name of the bucket.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// AWS's time.
    #[must_use]
    pub fn clock(&self) -> &AwsClock {
        &self.clock
    }

    fn call(&self, operation: &'static str) -> Call<'_> {
        let Self { region, scope, clock, account, .. } = self;
        Call { service: "s3", operation, account: account.as_ref(), region, scope, clock }
    }

    /// PutObject, where no object stands under this key.
    ///
    /// # Errors
    /// As the call's.
    pub async fn put_new(
        &self,
        key: &str,
        text: &str,
        retention: Option<ObjectRetention>,
    ) -> Result<Stored, CallError> {
        let mut request = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .body(ByteStream::from(text.as_bytes().to_vec()))
            .content_type("text/plain; charset=utf-8")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .if_none_match("*");
        if let Some(ObjectRetention { until, is_compliance }) = retention {
            let mode = if is_compliance { ObjectLockMode::Compliance } else { ObjectLockMode::Governance };
            request = request
                .object_lock_mode(mode)
                .object_lock_retain_until_date(DateTime::from_secs(until.as_second()));
        }
        let sent = request.send().boxed();
        match recorded(&*self.sink, self.call("PutObject"), sent).await {
            Ok(_) => Ok(Stored::Done),
            Err(CallError { code: Some(code), .. }) if code == "PreconditionFailed" => Ok(Stored::Taken),
            Err(error) => Err(self.named(error)),
        }
    }

    /// GetObject, of one version or of the latest; none where there is no such object.
    ///
    /// # Errors
    /// As the call's.
    pub async fn get(&self, key: &str, version: Option<&str>) -> Result<Option<StoredObject>, CallError> {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let request = request.set_version_id(version.map(str::to_owned)).send().boxed();
        let answer = match recorded(&*self.sink, self.call("GetObject"), request).await {
            Ok(answer) => answer,
            Err(CallError { code: Some(code), .. })
                if matches!(code.as_str(), "NoSuchKey" | "NoSuchVersion") =>
            {
                return Ok(None);
            }
            Err(error) => return Err(self.named(error)),
        };
        let retained_until = answer
            .object_lock_retain_until_date()
            .and_then(|until| Timestamp::from_second(until.secs()).ok());
        let is_small = answer.content_length().is_some_and(|length| (0..=LARGEST).contains(&length));
        let text = if is_small {
            let read = answer.body.collect().await.map_err(|error| CallError {
                service: "s3",
                operation: "GetObject",
                kind: ErrorKind::Unavailable,
                code: None,
                message: format!("the answer was cut off: {error}"),
            })?;
            String::from_utf8(read.to_vec()).ok()
        } else {
            None
        };
        Ok(Some(StoredObject { text, retained_until }))
    }

    /// ListObjectVersions: every version of what has this prefix, up to 1,000 of them from `from` on, and where to go
    /// on. What was put over an object, or deletes it, hides it from a list of objects.
    ///
    /// # Errors
    /// As the call's.
    pub async fn versions(
        &self,
        prefix: &str,
        from: VersionMarker,
    ) -> Result<(Vec<ObjectVersion>, Option<VersionMarker>), CallError> {
        let request = self
            .client
            .list_object_versions()
            .bucket(&self.name)
            .prefix(prefix)
            .set_key_marker(from.key)
            .set_version_id_marker(from.id)
            .send()
            .boxed();
        let answer = recorded(&*self.sink, self.call("ListObjectVersions"), request).await;
        let answer = answer.map_err(|error| self.named(error))?;
        let versions = answer.versions.unwrap_or_default().into_iter();
        let versions = versions.filter_map(|one| Some(ObjectVersion { key: one.key?, id: one.version_id }));
        let markers = answer.delete_markers.unwrap_or_default().into_iter();
        let markers = markers.filter_map(|one| Some(ObjectVersion { key: one.key?, id: None }));
        let next = VersionMarker { key: answer.next_key_marker, id: answer.next_version_id_marker };
        let next = (answer.is_truncated == Some(true) && next.key.is_some()).then_some(next);
        Ok((versions.chain(markers).collect(), next))
    }

    /// GetObjectLockConfiguration. A bucket with Object Lock is versioned as well: S3 asks for it.
    ///
    /// # Errors
    /// As the call's.
    pub async fn facts(&self) -> Result<BucketFacts, CallError> {
        let mut facts = BucketFacts::default();
        let request = self.client.get_object_lock_configuration().bucket(&self.name).send().boxed();
        match recorded(&*self.sink, self.call("GetObjectLockConfiguration"), request).await {
            Ok(answer) => {
                let lock = answer.object_lock_configuration;
                facts.has_object_lock = lock.as_ref().and_then(|lock| lock.object_lock_enabled.as_ref())
                    == Some(&ObjectLockEnabled::Enabled);
                let retention = lock.and_then(|lock| lock.rule).and_then(|rule| rule.default_retention);
                facts.default_retention = retention.and_then(|retention| {
                    let time = match (retention.days, retention.years) {
                        (Some(days), _) if days > 0 => format!("{days} d"),
                        (_, Some(years)) if years > 0 => format!("{years} y"),
                        _ => return None,
                    };
                    let mode = retention.mode.as_ref().map(ObjectLockRetentionMode::as_str);
                    Some((mode.unwrap_or_default().to_owned(), time))
                });
            }
            Err(CallError { code: Some(code), .. }) if code == "ObjectLockConfigurationNotFoundError" => {}
            Err(error) => return Err(self.named(error)),
        }
        Ok(facts)
    }

    /// The bucket that somebody names who may not know its Region: the one of the environment is asked first, and the
    /// answer names the right one.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub async fn find(
        region: Option<&Region>,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<Self, CallError> {
        if let Some(region) = region {
            return Self::open(region, name, endpoint).await;
        }
        let first = match Environment::region().await {
            Some(region) => region,
            None => ANY_REGION.parse().map_err(|error: BadName| CallError {
                service: "s3",
                operation: "HeadBucket",
                kind: ErrorKind::Refused,
                code: None,
                message: error.to_string(),
            })?,
        };
        let bucket = Self::open(&first, name, endpoint).await?;
        match bucket.region_of_bucket().await {
            Some(region) if region != first => Self::open(&region, name, endpoint).await,
            _ => Ok(bucket),
        }
    }

    /// HeadBucket, for the Region of the bucket: any endpoint knows it. None when the answer does not say.
    async fn region_of_bucket(&self) -> Option<Region> {
        let answer = self.client.head_bucket().bucket(&self.name).send().await;
        let named = match &answer {
            Ok(answer) => answer.bucket_region(),
            // An error has it as well, which the SDK leaves in the header.
            Err(error) => {
                error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"))
            }
        };
        named.and_then(|region| region.parse().ok())
    }

    /// S3 does not name the bucket that it does not find, and knows some errors by names of its own.
    fn named(&self, error: CallError) -> CallError {
        let Self { name, region, .. } = self;
        match error.code.as_deref() {
            Some("NoSuchBucket") => CallError {
                kind: ErrorKind::NotFound,
                message: format!("the bucket {name} does not exist"),
                ..error
            },
            Some(
                "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException",
            ) => CallError {
                kind: ErrorKind::Refused,
                message: format!("the bucket {name} is not in {region}: {}", error.message),
                ..error
            },
            // Two puts under one key at the same time.
            Some("ConditionalRequestConflict" | "OperationAborted") => {
                CallError { kind: ErrorKind::Unavailable, ..error }
            }
            _ => error,
        }
    }
}

/// What is read and put is small.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(25))
        .build()
}

/// A client for a Region. Another endpoint than AWS's has no names of buckets in its own name.
fn client(config: &SdkConfig, region: &Region, endpoint: Option<&str>) -> s3::Client {
    let is_other = endpoint.is_some()
        || config.endpoint_url().is_some()
        || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    let config = s3::config::Builder::from(config)
        .region(s3::config::Region::new(region.to_string()))
        .force_path_style(is_other)
        .interceptor(Observer::default());
    let config = config.timeout_config(timeouts());
    let config = match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    s3::Client::from_conf(config.build())
}
