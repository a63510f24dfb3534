//! What goes wrong on the way to the table.

use super::cases::item;
use super::database::{Database, TABLE};
use rescind::log::{Put, Store};
use rescind::remediation::{CallError, ErrorKind};
use serde_json::{Value, json};

const ALWAYS: u32 = 0;

fn on(operation: &str) -> Value {
    json!({"service": "dynamodb", "operation": operation})
}

fn error(status: u16, code: &str) -> Value {
    json!({"error": {"status": status, "code": code}})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_tries_again_once() {
    let database = Database::moto();
    let log = database.log("prod");
    let faults =
        [json!({"disconnect": true}), error(500, "InternalServerError"), error(400, "ThrottlingException")];
    for (position, action) in (1..).zip(faults) {
        database.scene().fault("fault", on("PutItem"), "before", action, 1);
        assert_eq!(log.put(&item(position, b"x")).await, Ok(Put::Done));
    }
    assert_eq!(database.scene().calls_of("PutItem").len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_whose_answer_was_lost_is_read_back() {
    let database = Database::moto();
    let log = database.log("prod");
    let faults = [json!({"disconnect": true}), error(500, "InternalServerError")];
    for (position, action) in (1..).zip(faults) {
        let put = item(position, b"x");
        // The second attempt finds what the first has put.
        database.scene().fault("fault", on("PutItem"), "after", action, 1);
        assert_eq!(log.put(&put).await, Ok(Put::Taken));
        assert_eq!(log.read(position, 1).await, Ok(vec![put]));
    }
    let put = item(3, b"x");
    database.scene().fault("fault", on("PutItem"), "after", json!({"disconnect": true}), ALWAYS);
    assert_eq!(log.put(&put).await.map_err(|error| error.kind), Err(ErrorKind::Unavailable));
    assert_eq!(log.read(3, 1).await, Ok(vec![put]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_error_has_its_kind() {
    let database = Database::moto();
    let log = database.log("prod");
    let throttled = [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "LimitExceededException",
    ];
    let cases = throttled.map(|code| (400, code, ErrorKind::Throttled)).into_iter().chain([
        (500, "InternalServerError", ErrorKind::Unavailable),
        (503, "ServiceUnavailable", ErrorKind::Unavailable),
        (400, "ReplicatedWriteConflictException", ErrorKind::Unavailable),
        (400, "AccessDeniedException", ErrorKind::Denied),
        (400, "ExpiredTokenException", ErrorKind::BadCredentials),
        (400, "ValidationException", ErrorKind::Refused),
    ]);
    for (status, code, kind) in cases {
        database.scene().fault(
            "fault",
            json!({"service": "dynamodb"}),
            "before",
            error(status, code),
            ALWAYS,
        );
        let error = log.put(&item(1, b"x")).await.expect_err(code);
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)));
    }
    let results: [Result<(), CallError>; 2] = [log.read(1, 1).await.map(drop), log.lease().await.map(drop)];
    assert!(results.into_iter().all(|result| result.is_err_and(|error| error.kind == ErrorKind::Refused)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_put_when_no_answer_comes() {
    let database = Database::moto();
    let log = database.log("prod");
    database.scene().fault("fault", on("PutItem"), "before", json!({"hang": true}), ALWAYS);
    let error = log.put(&item(1, b"x")).await.expect_err("no answer");
    assert_eq!((error.kind, error.code), (ErrorKind::Unavailable, None));
    assert_eq!(log.read(1, 1).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_stay_unprocessed_are_asked_for_again() {
    let database = Database::moto();
    let log = database.log("prod");
    let all: Vec<_> = (1..=150).map(|position| item(position, b"x")).collect();
    for item in &all {
        assert_eq!(log.put(item).await, Ok(Put::Done));
    }
    // The first batch is asked for three times: nothing of it comes, then all but 40.
    database.scene().fault("none", on("BatchGetItem"), "before", json!({"partial": 100}), 1);
    database.scene().fault("some", on("BatchGetItem"), "before", json!({"partial": 40}), 1);
    assert_eq!(log.read(1, 150).await, Ok(all));
    assert_eq!(database.scene().calls_of("BatchGetItem").len(), 4);

    database.scene().fault("none", on("BatchGetItem"), "before", json!({"partial": 100}), ALWAYS);
    let error = log.read(1, 150).await.expect_err("a busy table");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Throttled, "100 keys stay unprocessed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_is_cut_off_and_the_other_goes_on() {
    let database = Database::moto();
    let hosts = ["host-a", "host-b"].map(|name| database.scene().host(name));
    let [cut_off, other] = [0, 1].map(|n: usize| database.log_of_host(&hosts[n], "prod"));
    assert_eq!(cut_off.put(&item(1, b"x")).await, Ok(Put::Done));
    let of_host = json!({"service": "dynamodb", "access_key_id": hosts[0]["access_key_id"]});
    database.scene().fault("cut-off", of_host, "before", json!({"disconnect": true}), ALWAYS);
    assert_eq!(cut_off.lease().await.map_err(|error| error.kind), Err(ErrorKind::Unavailable));
    assert_eq!(other.put(&item(2, b"x")).await, Ok(Put::Done));
    database.scene().release("cut-off");
    assert_eq!(cut_off.read(1, 10).await.map(|items| items.len()), Ok(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_role_may_use_no_other_table_and_delete_nothing() {
    let database = Database::moto();
    database.scene().log_table("rescind-log-2");
    let error = database.log_in_another_table().lease().await.expect_err("not allowed");
    assert_eq!(error.kind, ErrorKind::Denied);
    let key = aws_sdk_dynamodb::types::AttributeValue::S("prod#1".to_owned());
    let delete = database.client().delete_item().table_name(TABLE).key("pk", key).send().await;
    let error = delete.expect_err("not allowed").into_service_error();
    assert_eq!(error.meta().code(), Some("AccessDeniedException"));
}
