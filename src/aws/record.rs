//! One record for each AWS call, whatever its answer.

use super::clock::AwsClock;
use super::error::SdkError;
use crate::fence::Fence;
use crate::ident::{AccountId, Region};
use crate::remediation::{CallError, CallRecord, CallResult, CallScope, CallSink, is_change};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// Which call it is.
pub(super) struct Call<'a> {
    pub service: &'static str,
    pub operation: &'static str,
    pub account: Option<&'a AccountId>,
    pub region: &'a Region,
    pub scope: &'a CallScope,
    pub clock: &'a AwsClock,
}

/// Time for which a change waits for the fence to open: the lease is being renewed.
const FENCE: Duration = Duration::from_secs(5);

/// What the [`Observer`] sees of a call on the wire.
#[derive(Debug, Default)]
struct Wire {
    attempts: u32,
    request_id: Option<String>,
    status: Option<u16>,
    body: Option<Vec<u8>>,
    /// When the last attempt was sent, and its answer came, by this machine's clock; and AWS's date.
    sent: Option<Timestamp>,
    answered: Option<(Timestamp, String)>,
    /// What has to be open for it to be sent.
    fence: Option<Arc<Fence>>,
}

/// The call's future writes, and whoever waits for it reads, also when it is given up.
type Shared = Arc<Mutex<Wire>>;

tokio::task_local! {
    static WIRE: Shared;
    /// Until when answers are waited for, and how long that was from the beginning.
    static UNTIL: (Instant, Duration);
}

fn lock(wire: &Shared) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits so long at most for what makes calls. A call that has no answer by then is given up, and its
/// record says so.
pub async fn within<F: Future>(longest: Duration, calls: F) -> Option<F::Output> {
    let until = Instant::now() + longest;
    tokio::time::timeout_at(until, UNTIL.scope((until, longest), calls)).await.ok()
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
    let mut made = Made::new(sink, &call);
    if is_change(call.service, call.operation)
        && let Some(fence) = sink.fence()
    {
        fence.opens_within(FENCE).await;
        lock(&made.wire).fence = Some(fence);
    }
    let span = tracing::info_span!(
        "aws", service = call.service, operation = call.operation, region = %call.region
    );
    let answer = WIRE.scope(Arc::clone(&made.wire), request).instrument(span).await;
    let wire = std::mem::take(&mut *lock(&made.wire));
    // Only what AWS answered has an id of AWS's.
    if let (Some((received, date)), Some(sent), Some(_)) = (&wire.answered, wire.sent, &wire.request_id) {
        call.clock.saw(date, sent, *received);
    }
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
    until: Option<(Instant, Duration)>,
    wire: Shared,
    done: bool,
}

impl<'a> Made<'a> {
    fn new(sink: &'a dyn CallSink, call: &'a Call<'a>) -> Self {
        let until = UNTIL.try_with(|until| *until).ok();
        Self { sink, call, started: Instant::now(), until, wire: Shared::default(), done: false }
    }

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
            let why = match self.until {
                Some((until, longest)) if until <= Instant::now() => {
                    format!("no more than {} s are waited for it and what belongs to it", longest.as_secs())
                }
                _ => "rescind was stopped".to_owned(),
            };
            let message = format!("given up before its answer came: {why}");
            let wire = std::mem::take(&mut *lock(&self.wire));
            let record = self.record(&wire, CallResult::Error { code: None, message });
            self.sink.record(self.call.scope, record);
        }
    }
}

/// A sink for calls that are counted and not recorded: who makes them has no ledger, or each record would lead to
/// another call.
#[derive(Debug)]
pub(super) struct Unrecorded;

impl CallSink for Unrecorded {
    fn record(&self, _: &CallScope, _: CallRecord) {}
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
        let sent = WIRE.try_with(|wire| {
            let mut wire = lock(wire);
            let (sent, fence) = (Some(Timestamp::now()), wire.fence.take());
            if fence.as_ref().is_some_and(|fence| !fence.is_open()) {
                wire.fence = fence;
                return Err("not sent: another host may lead by now".into());
            }
            *wire = Wire { attempts: wire.attempts + 1, sent, fence, ..Wire::default() };
            Ok(())
        });
        sent.unwrap_or(Ok(()))
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
            let mut wire = lock(wire);
            wire.answered = header("date").map(|date| (Timestamp::now(), date));
            wire.request_id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
            wire.status = Some(response.status().as_u16());
            if self.bodies && response.status().is_success() {
                wire.body = response.body().bytes().map(<[u8]>::to_vec);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sts::error::SdkError as Failed;
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use futures::FutureExt;

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<CallRecord>>);

    impl CallSink for Kept {
        fn record(&self, _: &CallScope, call: CallRecord) {
            self.0.lock().expect("no panic").push(call);
        }
    }

    /// A call that is sent twice and never answered.
    async fn unanswered(kept: &Kept) {
        let region: Region = "eu-central-1".parse().expect("legal");
        let (scope, clock) = (CallScope::default(), AwsClock::default());
        let (service, operation) = ("sts", "GetCallerIdentity");
        let call = Call { service, operation, account: None, region: &region, scope: &scope, clock: &clock };
        let request = async {
            WIRE.with(|wire| lock(wire).attempts = 2);
            std::future::pending::<Result<(), Failed<GetCallerIdentityError>>>().await
        };
        let _ = recorded(kept, call, request.boxed()).await;
    }

    fn outcome(kept: &Kept) -> (u32, String) {
        let records = kept.0.lock().expect("no panic");
        let [CallRecord { attempts, result: CallResult::Error { code: None, message }, .. }] = &records[..]
        else {
            panic!("{records:?}");
        };
        (*attempts, message.clone())
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_is_recorded_with_what_was_sent_and_why() {
        let kept = Kept::default();
        assert!(within(Duration::ZERO, unanswered(&kept)).await.is_none());
        let (attempts, message) = outcome(&kept);
        assert_eq!(attempts, 2);
        insta::assert_snapshot!(message, @"given up before its answer came: no more than 0 s are waited for it and what belongs to it");

        let kept = Kept::default();
        drop(within(Duration::from_secs(20), unanswered(&kept)));
        assert!(kept.0.lock().expect("no panic").is_empty(), "it was never made");
        assert!(within(Duration::from_secs(20), unanswered(&kept)).now_or_never().is_none());
        let (attempts, message) = outcome(&kept);
        assert_eq!(attempts, 2);
        insta::assert_snapshot!(message, @"given up before its answer came: rescind was stopped");
    }
}
