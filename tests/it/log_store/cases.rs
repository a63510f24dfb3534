//! What is asked of every database.

use super::database::{Database, TABLE};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use rescind::TableFacts;
use rescind::log::{Chain, Group, Item, Lease, Put, Store};
use rescind::remediation::ErrorKind;
use sha2::{Digest, Sha256};

/// Maximum size of an item of DynamoDB's, with the names of its attributes.
const ITEM: usize = 400 * 1024;

/// Maximum size of a payload of ours.
const PAYLOAD: usize = 350_000;

pub fn item(position: u64, payload: &[u8]) -> Item {
    Item {
        position,
        epoch: 3,
        writer: "host-a 4711".to_owned(),
        part: 1,
        parts: 1,
        first: position * 2,
        count: 2,
        before: if position == 1 { String::new() } else { "ab".repeat(32) },
        payload: payload.to_vec(),
    }
}

pub async fn an_item_is_put_where_none_stands(database: &Database) {
    let (ours, theirs) = (database.log("prod"), database.log("prod"));
    let (first, second) = (item(1, b"first"), item(1, b"second"));
    assert_eq!(ours.read(1, 10).await, Ok(vec![]));
    assert_eq!(ours.put(&first).await, Ok(Put::Done));
    assert_eq!(theirs.put(&second).await, Ok(Put::Taken));
    assert_eq!(theirs.read(1, 10).await, Ok(vec![first]));
}

pub async fn a_put_that_is_tried_again_reads_back_as_ours(database: &Database) {
    let (log, put) = (database.log("prod"), item(1, b"first"));
    assert_eq!(log.put(&put).await, Ok(Put::Done));
    assert_eq!(log.put(&put).await, Ok(Put::Taken));
    assert_eq!(log.read(1, 1).await, Ok(vec![put]));
}

pub async fn a_put_is_seen_by_whoever_reads_after_it(database: &Database) {
    let (writer, reader) = (database.log("prod"), database.log("prod"));
    for position in 1..=40 {
        let put = item(position, &position.to_be_bytes());
        assert_eq!(writer.put(&put).await, Ok(Put::Done));
        assert_eq!(reader.read(position, 10).await, Ok(vec![put]));
    }
}

pub async fn items_are_read_in_order_up_to_the_first_gap(database: &Database) {
    let log = database.log("prod");
    let all: Vec<Item> = (1..=250).map(|position| item(position, &position.to_be_bytes())).collect();
    let (gap, others): (Vec<_>, Vec<_>) = all.iter().partition(|item| item.position == 120);
    // Not all at once: on a busy machine one would be late, and tried again.
    for some in others.chunks(8) {
        for put in join_all(some.iter().map(|item| log.put(item))).await {
            assert_eq!(put, Ok(Put::Done));
        }
    }
    assert_eq!(log.read(1, 1000).await, Ok(all[..119].to_vec()));
    assert_eq!(log.read(120, 1000).await, Ok(vec![]));
    assert_eq!(log.read(121, 1000).await, Ok(all[120..].to_vec()));
    assert_eq!(log.put(gap[0]).await, Ok(Put::Done));
    for most in [0, 1, 2, 99, 100, 101, 102, 249, 250, 251, 1000] {
        assert_eq!(log.read(1, most).await, Ok(all[..most.min(250)].to_vec()), "{most}");
    }
    assert_eq!(log.read(250, 1000).await, Ok(all[249..].to_vec()));
    assert_eq!(log.read(251, 1000).await, Ok(vec![]));
}

pub async fn logs_in_one_table_do_not_see_each_other(database: &Database) {
    let (prod, test) = (database.log("prod"), database.log("prod#1"));
    assert_eq!(prod.put(&item(1, b"prod")).await, Ok(Put::Done));
    assert_eq!(test.put(&item(1, b"test")).await, Ok(Put::Done));
    assert_eq!(prod.read(1, 10).await, Ok(vec![item(1, b"prod")]));
    assert_eq!(test.lease().await, Ok(None));
}

pub async fn the_largest_items_fit_and_are_read_in_several_answers(database: &Database) {
    let log = database.log("prod");
    // Together 17.5 MB, where an answer has 16 MB at most.
    let all: Vec<Item> = (1..=50)
        .map(|position| Item { writer: "w".repeat(1000), ..item(position, &noise(position, PAYLOAD)) })
        .collect();
    for item in &all {
        assert_eq!(log.put(item).await, Ok(Put::Done));
    }
    let read = log.read(1, 100).await.expect("all of them");
    assert!(read == all, "{:?}", read.iter().map(|item| item.position).collect::<Vec<_>>());
}

pub async fn what_does_not_fit_is_refused(database: &Database) {
    let log = database.log("prod");
    // The largest payload that fits, and one byte more.
    let (mut fits, mut refused) = (PAYLOAD, ITEM);
    while refused - fits > 1 {
        let size = usize::midpoint(fits, refused);
        match log.put(&item(size as u64, &vec![7; size])).await {
            Ok(put) => {
                assert_eq!(put, Put::Done);
                fits = size;
            }
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Refused);
                let shown =
                    "dynamodb:PutItem: ValidationException: Item size has exceeded the maximum allowed size";
                assert_eq!(error.to_string(), shown);
                refused = size;
            }
        }
    }
    // moto's limit is 405,000 bytes.
    assert!((404_000..ITEM).contains(&fits), "{fits}");
}

pub async fn the_lease_is_put_in_the_place_of_the_one_that_was_seen(database: &Database) {
    let log = database.log("prod");
    assert_eq!(log.lease().await, Ok(None));
    let first =
        Lease { epoch: 1, holder: "host-a 1".to_owned(), renewals: 0, position: 1, is_released: false };
    assert_eq!(log.put_lease(&first, Some(&first)).await, Ok(Put::Taken), "none stands there");
    assert_eq!(log.put_lease(&first, None).await, Ok(Put::Done));
    assert_eq!(log.put_lease(&first, None).await, Ok(Put::Taken));
    assert_eq!(log.lease().await, Ok(Some(first.clone())));

    let renewed = Lease { renewals: 1, ..first.clone() };
    assert_eq!(log.put_lease(&renewed, Some(&first)).await, Ok(Put::Done));
    let next =
        Lease { epoch: 2, holder: "host-b 1".to_owned(), renewals: 0, position: 1, is_released: false };
    // Whatever of it has changed meanwhile.
    let others = [
        first,
        Lease { epoch: 2, ..renewed.clone() },
        Lease { holder: "host-a 2".to_owned(), ..renewed.clone() },
        Lease { is_released: true, ..renewed.clone() },
    ];
    for other in &others {
        assert_eq!(log.put_lease(&next, Some(other)).await, Ok(Put::Taken), "{other:?}");
    }
    let released = Lease { is_released: true, ..renewed.clone() };
    assert_eq!(log.put_lease(&released, Some(&renewed)).await, Ok(Put::Done));
    assert_eq!(log.lease().await, Ok(Some(released.clone())));
    assert_eq!(log.put_lease(&next, Some(&released)).await, Ok(Put::Done));
    assert_eq!(log.lease().await, Ok(Some(next)));
    assert_eq!(log.read(1, 10).await, Ok(vec![]), "it is no item");
}

pub async fn of_those_who_want_the_lease_one_gets_it(database: &Database) {
    let mut before: Option<Lease> = None;
    for epoch in 1..=10 {
        let wanted = (0..8).map(|host| Lease {
            epoch,
            holder: format!("host-{host}"),
            renewals: 0,
            position: 1,
            is_released: false,
        });
        let before_it = before.as_ref();
        let tries = wanted.map(|lease| async move {
            let put = database.log("prod").put_lease(&lease, before_it).await.expect("an answer");
            (put == Put::Done).then_some(lease)
        });
        let got: Vec<Lease> = join_all(tries).await.into_iter().flatten().collect();
        assert_eq!(got.len(), 1, "{got:?}");
        before = got.into_iter().next();
        assert_eq!(database.log("prod").lease().await, Ok(before.clone()));
    }
}

/// Puts groups, each behind what stands there, as a writer does that has others beside it.
async fn put_all(log: &impl Store, groups: Vec<Group>) {
    let mut chain = Chain::default();
    for group in groups {
        'again: loop {
            for item in group.items(chain.tail()) {
                match log.put(&item).await.expect("an answer") {
                    Put::Done => assert!(chain.take(item).is_ok()),
                    Put::Taken => {
                        for item in log.read(item.position, 100).await.expect("what stands there") {
                            chain.take(item).expect("it follows");
                        }
                        continue 'again;
                    }
                }
            }
            break;
        }
    }
}

/// 200 groups, one in 50 of which takes two items.
fn groups(writer: &str) -> Vec<Group> {
    let group = |n: u64| Group {
        epoch: 1,
        writer: writer.to_owned(),
        first: n,
        bodies: vec![format!("{{\"n\":{n},\"writer\":\"{writer}\"}}").into_bytes()],
        beside: if n.is_multiple_of(50) { vec![hex(&noise(n, PAYLOAD))] } else { Vec::new() },
    };
    (1..=200).map(group).collect()
}

pub async fn two_writers_make_one_chain(database: &Database) {
    let (a, b) = (groups("host-a 1"), groups("host-b 1"));
    let (log_a, log_b) = (database.log("prod"), database.log("prod"));
    tokio::join!(put_all(&log_a, a.clone()), put_all(&log_b, b.clone()));

    let (log, mut chain, mut read) = (database.log("prod"), Chain::default(), Vec::new());
    loop {
        let items = log.read(chain.tail().position + 1, 100).await.expect("an answer");
        if items.is_empty() {
            break;
        }
        for item in items {
            read.extend(chain.take(item).expect("it follows"));
        }
    }
    assert!(chain.is_whole());
    for (writer, groups) in [("host-a 1", a), ("host-b 1", b)] {
        let own: Vec<&Group> = read.iter().filter(|group| group.writer == writer).collect();
        assert!(own.into_iter().eq(&groups), "each once, and in its writer's order");
    }
    assert_eq!(read.len(), 400);
}

pub async fn what_is_not_ours_is_named(database: &Database) {
    let (log, client) = (database.log("prod"), database.client());
    for position in 1..=3 {
        assert_eq!(log.put(&item(position, b"x")).await, Ok(Put::Done));
    }
    let put = client.put_item().table_name(TABLE).item("pk", AttributeValue::S("prod#2".to_owned()));
    put.item("position", AttributeValue::N("2".to_owned())).send().await.expect("an answer");
    let put = client.put_item().table_name(TABLE).item("pk", AttributeValue::S("prod#lease".to_owned()));
    put.item("epoch", AttributeValue::S("1".to_owned())).send().await.expect("an answer");
    let errors = [
        log.read(1, 10).await.expect_err("not ours"),
        log.read(2, 1).await.expect_err("not ours"),
        log.lease().await.expect_err("not ours"),
    ];
    assert!(errors.iter().all(|error| error.kind == ErrorKind::Malformed));
    insta::allow_duplicates! {
        insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"), @r"
        dynamodb:BatchGetItem: in the table rescind-log, the attribute `epoch` of prod#2 is missing
        dynamodb:GetItem: in the table rescind-log, the attribute `epoch` of prod#2 is missing
        dynamodb:GetItem: in the table rescind-log, the attribute `epoch` of prod#lease is not a number
        ");
    }
}

pub async fn the_table_is_described(database: &Database) {
    let TableFacts { status, is_keyed, replicas, .. } =
        database.log("prod").describe().await.expect("an answer");
    assert_eq!((status.as_str(), is_keyed, replicas.len()), ("ACTIVE", true, 0));
}

pub async fn a_table_that_does_not_exist_is_named(database: &Database) {
    let log = database.log_nowhere();
    let errors = [
        log.put(&item(1, b"x")).await.expect_err("no table"),
        log.read(1, 1).await.expect_err("no table"),
        log.lease().await.expect_err("no table"),
        log.describe().await.expect_err("no table"),
    ];
    for error in errors {
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
        assert_eq!(error.message, "the table rescind-log-2 does not exist in eu-central-1");
    }
}

/// Bytes that cannot be compressed.
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let block =
        |n: u64| Sha256::new().chain_update(seed.to_be_bytes()).chain_update(n.to_be_bytes()).finalize();
    (0..).flat_map(block).take(size).collect()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    rescind::digest::hex(bytes).into_bytes()
}
