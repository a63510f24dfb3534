//! The log's table in DynamoDB.

use super::clock::AwsClock;
use super::environment::Environment;
use super::log_attributes::{self as attributes, Attributes, BadAttribute, KEY, item_key, lease_key};
use super::record::{Call, Observer, Unrecorded, recorded};
use crate::backoff::Backoff;
use crate::ident::Region;
use crate::log::{Item, Lease, Put, Store};
use crate::remediation::{CallError, CallScope, ErrorKind};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb as dynamodb;
use dynamodb::types::{
    AttributeValue, KeyType, KeysAndAttributes, MultiRegionConsistency, ScalarAttributeType, TableDescription,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::time::Duration;

/// Maximum number of keys that BatchGetItem takes.
const BATCH: usize = 100;

/// Maximum number of times in a row that BatchGetItem is asked for the same keys and gives none of them.
const FRUITLESS: u32 = 8;

/// Delay before BatchGetItem is asked again for keys of which it gave none.
const AGAIN: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(1) };

/// A log in a table of DynamoDB. A table can have several, by their names.
///
/// Its only key is `pk`: `NAME#7` is the item at position 7, `NAME#lease` the lease. So the items are spread over the
/// table's partitions, and who reads asks for the next positions by name. Its calls are counted and not recorded: each
/// record would be an entry, which needs an item, which is a call.
#[derive(Debug, Clone)]
pub struct LogTable {
    client: dynamodb::Client,
    region: Region,
    table: String,
    log: String,
    scope: CallScope,
    clock: AwsClock,
}

/// What DynamoDB says of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// `ACTIVE` when it can be used.
    pub status: String,
    /// Its only key is the text `pk`.
    pub is_keyed: bool,
    /// It cannot be deleted before somebody switches this off.
    pub is_protected: bool,
    /// The Regions that have it, as DynamoDB lists them; it may leave out the one that was asked.
    pub replicas: Vec<String>,
    /// A put is answered when two Regions have it, so that the condition of a put holds in all of them.
    pub is_strong: bool,
}

impl LogTable {
    /// A log in a table, at the SDK's endpoint or another. Credentials, proxies and certificates are found as the
    /// hub's are; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// When the certificates that the environment names cannot be used.
    pub async fn open(
        region: &Region,
        table: &str,
        endpoint: Option<&str>,
        log: &str,
    ) -> Result<Self, CallError> {
        let environment = Environment::load(region).await;
        let environment = environment.map_err(|error| error.of_call("dynamodb", "GetItem"))?;
        Ok(Self::with(&environment.config, region, table, endpoint, log))
    }

    /// Like [`Self::open`], with credentials and certificates of the caller's.
    #[must_use]
    pub fn with(config: &SdkConfig, region: &Region, table: &str, endpoint: Option<&str>, log: &str) -> Self {
        let config = dynamodb::config::Builder::from(config)
            .region(dynamodb::config::Region::new(region.to_string()))
            .retry_config(retries())
            .timeout_config(timeouts())
            .interceptor(Observer::default());
        let config = match endpoint {
            Some(endpoint) => config.endpoint_url(endpoint),
            None => config,
        };
        Self {
            client: dynamodb::Client::from_conf(config.build()),
            region: region.clone(),
            table: table.to_owned(),
            log: log.to_owned(),
            scope: CallScope::default(),
            clock: AwsClock::default(),
        }
    }

    /// DescribeTable.
    ///
    /// # Errors
    /// As the call's; of the kind [`ErrorKind::NotFound`] when there is no such table.
    pub async fn describe(&self) -> Result<TableFacts, CallError> {
        let request = self.client.describe_table().table_name(&self.table).send().boxed();
        let answer = recorded(&Unrecorded, self.call("DescribeTable"), request).await;
        Ok(answer.map_err(|error| self.named(error))?.table.as_ref().map(facts).unwrap_or_default())
    }

    fn call(&self, operation: &'static str) -> Call<'_> {
        let Self { region, scope, clock, .. } = self;
        Call { service: "dynamodb", operation, account: None, region, scope, clock }
    }

    /// PutItem under a condition.
    async fn put_if(
        &self,
        item: Attributes,
        condition: &str,
        names: Option<HashMap<String, String>>,
        values: Option<Attributes>,
    ) -> Result<Put, CallError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .send()
            .boxed();
        match recorded(&Unrecorded, self.call("PutItem"), request).await {
            Ok(_) => Ok(Put::Done),
            Err(CallError { code: Some(code), .. }) if code == "ConditionalCheckFailedException" => {
                Ok(Put::Taken)
            }
            Err(error) => Err(self.named(error)),
        }
    }

    /// What stands under a key.
    async fn get(&self, key: String) -> Result<Option<Attributes>, CallError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(attributes::key(key)))
            .consistent_read(true)
            .send()
            .boxed();
        let answer = recorded(&Unrecorded, self.call("GetItem"), request).await;
        Ok(answer.map_err(|error| self.named(error))?.item)
    }

    /// What stands under so many positions from `from` on, at most [`BATCH`], by key.
    async fn get_batch(&self, from: u64, count: usize) -> Result<HashMap<String, Attributes>, CallError> {
        let mut found = HashMap::new();
        let mut missing: Vec<_> =
            (from..).take(count).map(|position| attributes::key(item_key(&self.log, position))).collect();
        let mut fruitless = 0;
        while !missing.is_empty() {
            let keys = KeysAndAttributes::builder().set_keys(Some(missing)).consistent_read(true).build();
            let keys = keys.map_err(|error| Self::unusable("BatchGetItem", error.to_string()))?;
            let request = self
                .client
                .batch_get_item()
                .request_items(&self.table, keys)
                .customize()
                .config_override(dynamodb::config::Config::builder().timeout_config(batch_timeouts()))
                .send()
                .boxed();
            let answer = recorded(&Unrecorded, self.call("BatchGetItem"), request).await;
            let answer = answer.map_err(|error| self.named(error))?;
            let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
            let before = found.len();
            found.extend(items.filter_map(|item| match item.get(KEY) {
                Some(AttributeValue::S(key)) => Some((key.clone(), item)),
                _ => None,
            }));
            // An answer has 16 MB at most, and less when the table is busy. What does not exist is in neither.
            missing = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, keys)| keys.keys).collect();
            fruitless = if found.len() > before { 0 } else { fruitless + 1 };
            if !missing.is_empty() && fruitless > 0 {
                if fruitless == FRUITLESS {
                    return Err(CallError {
                        kind: ErrorKind::Throttled,
                        ..Self::unusable("BatchGetItem", format!("{} keys stay unprocessed", missing.len()))
                    });
                }
                tokio::time::sleep(AGAIN.after(fruitless)).await;
            }
        }
        Ok(found)
    }

    /// The items from `from` on, up to the first gap. The first is asked for by itself: most of the time there is
    /// none, and what does not exist costs as much as what does.
    async fn items(&self, from: u64, most: usize) -> Result<Vec<Item>, CallError> {
        let item = |operation, position, found: &Attributes| {
            attributes::item(&self.log, position, found).map_err(|error| self.malformed(operation, &error))
        };
        let mut items = Vec::new();
        if most == 0 {
            return Ok(items);
        }
        let Some(found) = self.get(item_key(&self.log, from)).await? else { return Ok(items) };
        items.push(item("GetItem", from, &found)?);
        while items.len() < most {
            let next = from + items.len() as u64;
            let count = (most - items.len()).min(BATCH);
            let found = self.get_batch(next, count).await?;
            for position in (next..).take(count) {
                let Some(found) = found.get(&item_key(&self.log, position)) else { return Ok(items) };
                items.push(item("BatchGetItem", position, found)?);
            }
        }
        Ok(items)
    }

    fn malformed(&self, operation: &'static str, error: &BadAttribute) -> CallError {
        let message = format!("in the table {}, {error}", self.table);
        CallError { kind: ErrorKind::Malformed, ..Self::unusable(operation, message) }
    }

    fn unusable(operation: &'static str, message: String) -> CallError {
        CallError { service: "dynamodb", operation, kind: ErrorKind::Refused, code: None, message }
    }

    /// DynamoDB does not name the table that it does not find.
    fn named(&self, error: CallError) -> CallError {
        match error.code.as_deref() {
            Some("ResourceNotFoundException") => CallError {
                kind: ErrorKind::NotFound,
                message: format!("the table {} does not exist in {}", self.table, self.region),
                ..error
            },
            _ => error,
        }
    }
}

impl Store for LogTable {
    fn put<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Put, CallError>> {
        async move {
            let put = self
                .put_if(attributes::of_item(&self.log, item), "attribute_not_exists(pk)", None, None)
                .await;
            let result = match &put {
                Ok(Put::Done) => "done",
                Ok(Put::Taken) => "taken",
                Err(_) => "error",
            };
            metrics::counter!("rescind_log_puts_total", "result" => result).increment(1);
            put
        }
        .boxed()
    }

    fn read(&self, from: u64, most: usize) -> BoxFuture<'_, Result<Vec<Item>, CallError>> {
        self.items(from, most).boxed()
    }

    fn lease(&self) -> BoxFuture<'_, Result<Option<Lease>, CallError>> {
        async move {
            let found = self.get(lease_key(&self.log)).await?;
            let lease = found.map(|found| attributes::lease(&self.log, &found)).transpose();
            lease.map_err(|error| self.malformed("GetItem", &error))
        }
        .boxed()
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        before: Option<&'a Lease>,
    ) -> BoxFuture<'a, Result<Put, CallError>> {
        let put = attributes::of_lease(&self.log, lease);
        let Some(before) = before else {
            return self.put_if(put, "attribute_not_exists(pk)", None, None).boxed();
        };
        let (mut names, mut values, mut all) = (HashMap::new(), Attributes::new(), Vec::new());
        for (name, value) in
            attributes::of_lease(&self.log, before).into_iter().filter(|(name, _)| name != KEY)
        {
            all.push(format!("#{name} = :{name}"));
            names.insert(format!("#{name}"), name.clone());
            values.insert(format!(":{name}"), value);
        }
        async move { self.put_if(put, &all.join(" AND "), Some(names), Some(values)).await }.boxed()
    }
}

fn facts(table: &TableDescription) -> TableFacts {
    let is_key = matches!(table.key_schema(), [key] if key.attribute_name() == KEY && *key.key_type() == KeyType::Hash);
    let is_text = table.attribute_definitions().iter().any(|attribute| {
        attribute.attribute_name() == KEY && *attribute.attribute_type() == ScalarAttributeType::S
    });
    TableFacts {
        status: table.table_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        is_keyed: is_key && is_text,
        is_protected: table.deletion_protection_enabled() == Some(true),
        replicas: table.replicas().iter().filter_map(|one| one.region_name()).map(str::to_owned).collect(),
        is_strong: table.multi_region_consistency() == Some(&MultiRegionConsistency::Strong),
    }
}

/// How long a call may take. DynamoDB answers within some milliseconds; whoever waits for a put holds up everything
/// that has to be written behind it.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(4))
        .build()
}

/// Once more, and soon.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(100))
}

/// How long BatchGetItem may take, whose answers have up to 16 MB: 22 MB of JSON.
fn batch_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(15))
        .operation_timeout(Duration::from_secs(40))
        .build()
}
