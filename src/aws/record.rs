//! One record for each AWS call, whatever its answer.

use super::error::{CallError, SdkError};
use crate::ident::{AccountId, Region};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::error::Error;
use std::time::Instant;
use tracing::Instrument;

/// What a call is made for.
#[derive(Debug, Clone, Default)]
pub struct CallScope {
    /// The remediation that it serves.
    pub remediation: Option<String>,
    /// The finding that it serves.
    pub finding: Option<String>,
}

/// A call that was made, or at least tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The service, as in IAM actions: `iam`.
    pub service: String,
    /// The operation: `PutRolePolicy`.
    pub operation: String,
    /// The account that it acted in.
    pub account: Option<AccountId>,
    /// The region of the endpoint.
    pub region: Region,
    /// AWS's id of the last attempt. It finds the call in `CloudTrail`.
    pub request_id: Option<String>,
    /// HTTP status of the last attempt.
    pub status: Option<u16>,
    /// How many times the request was sent.
    pub attempts: u32,
    /// From the first attempt to the answer, in milliseconds.
    pub duration_ms: u64,
    /// What came of it.
    pub result: CallResult,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// AWS did it.
    Ok,
    /// It failed.
    Error {
        /// AWS's code, when AWS answered.
        code: Option<String>,
        /// AWS's message, or what kept the call from being answered.
        message: String,
    },
}

/// Where call records go.
pub trait CallSink: std::fmt::Debug + Send + Sync {
    /// Takes a record. It must not block; records of one task keep their order.
    fn record(&self, scope: &CallScope, call: CallRecord);
}

/// Which call it is.
pub(super) struct Call<'a> {
    pub service: &'static str,
    pub operation: &'static str,
    pub account: Option<&'a AccountId>,
    pub region: &'a Region,
    pub scope: &'a CallScope,
}

/// What the [`Observer`] sees of a call on the wire.
#[derive(Debug, Default)]
struct Wire {
    attempts: u32,
    request_id: Option<String>,
    status: Option<u16>,
    body: Option<Vec<u8>>,
}

tokio::task_local! {
    static WIRE: RefCell<Wire>;
}

/// Makes a call and hands its record to `sink`.
pub(super) async fn recorded<O, E>(
    sink: &dyn CallSink,
    call: Call<'_>,
    request: BoxFuture<'_, Result<O, SdkError<E>>>,
) -> Result<O, CallError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    with_body(sink, call, request, |_| true).await.0
}

/// Like [`recorded`], but an answer is recorded only if it is worth it. A failure always is.
pub(super) async fn recorded_if<O, E>(
    sink: &dyn CallSink,
    call: Call<'_>,
    request: BoxFuture<'_, Result<O, SdkError<E>>>,
    worth_it: impl FnOnce(&O) -> bool + Send,
) -> Result<O, CallError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    with_body(sink, call, request, worth_it).await.0
}

/// Like [`recorded`]; also gives the body of an answer that is no error, as it came and whether the
/// SDK could read it or not, when [`Observer::bodies`] watched the client.
pub(super) async fn with_body<O, E>(
    sink: &dyn CallSink,
    call: Call<'_>,
    request: BoxFuture<'_, Result<O, SdkError<E>>>,
    worth_it: impl FnOnce(&O) -> bool + Send,
) -> (Result<O, CallError>, Option<Vec<u8>>)
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut made = Made { sink, call: &call, started: Instant::now(), done: false };
    let span = tracing::info_span!(
        "aws", service = call.service, operation = call.operation, region = %call.region
    );
    let (answer, wire) = WIRE
        .scope(RefCell::default(), async {
            let answer = request.await;
            (answer, WIRE.with(RefCell::take))
        })
        .instrument(span)
        .await;
    let answer = answer.map_err(|error| CallError::new(call.service, call.operation, &error));
    let result = match &answer {
        Ok(_) => CallResult::Ok,
        Err(error) => CallResult::Error { code: error.code.clone(), message: error.message.clone() },
    };
    made.done = true;
    let record = made.record(&wire, result);
    count(&record);
    tracing::debug!(
        call = %format_args!("{}:{}", record.service, record.operation),
        status = record.status, ms = record.duration_ms, request_id = record.request_id.as_deref(),
        remediation = call.scope.remediation.as_deref(), "called AWS"
    );
    if answer.as_ref().map_or(true, worth_it) {
        sink.record(call.scope, record);
    }
    (answer, wire.body)
}

fn count(record: &CallRecord) {
    let result = match &record.result {
        CallResult::Ok => "ok",
        CallResult::Error { code: Some(code), .. } => code,
        CallResult::Error { code: None, .. } => "no answer",
    };
    let (service, operation) = (record.service.clone(), record.operation.clone());
    metrics::counter!(
        "rescind_aws_calls_total",
        "service" => service.clone(), "operation" => operation.clone(), "result" => result.to_owned()
    )
    .increment(1);
    metrics::counter!("rescind_aws_attempts_total", "service" => service, "operation" => operation)
        .increment(u64::from(record.attempts));
}

/// A call that is being made. One that is given up before its answer came is recorded too.
struct Made<'a> {
    sink: &'a dyn CallSink,
    call: &'a Call<'a>,
    started: Instant,
    done: bool,
}

impl Made<'_> {
    fn record(&self, wire: &Wire, result: CallResult) -> CallRecord {
        CallRecord {
            service: self.call.service.to_owned(),
            operation: self.call.operation.to_owned(),
            account: self.call.account.cloned(),
            region: self.call.region.clone(),
            request_id: wire.request_id.clone(),
            status: wire.status,
            attempts: wire.attempts,
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            result,
        }
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if !self.done {
            let message = "given up before its answer came: rescind was stopped".to_owned();
            let record = self.record(&Wire::default(), CallResult::Error { code: None, message });
            self.sink.record(self.call.scope, record);
        }
    }
}

/// Watches a client's attempts. One on each client.
#[derive(Debug, Default)]
pub(super) struct Observer {
    /// Keep the bodies of answers that are no errors: GetFindings is decoded from the bytes, not from the SDK's
    /// types, so that there is one decoder and one broken finding does not cost its batch.
    pub bodies: bool,
}

impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "rescind-observer"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let _ = WIRE.try_with(|wire| {
            let mut wire = wire.borrow_mut();
            *wire = Wire { attempts: wire.attempts + 1, ..Wire::default() };
        });
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let header = |name| response.headers().get(name).map(str::to_owned);
        let _ = WIRE.try_with(|wire| {
            let mut wire = wire.borrow_mut();
            wire.request_id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
            wire.status = Some(response.status().as_u16());
            if self.bodies && response.status().is_success() {
                wire.body = response.body().bytes().map(<[u8]>::to_vec);
            }
        });
        Ok(())
    }
}
