//! Counts: which operation was called how often and when, and how many bytes that were.

use super::call::Call;
use super::http::Message;
use super::identity::account_of;
use super::json::quoted;
use std::collections::{BTreeMap, HashMap};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What was counted.
pub struct Tallies {
    /// The same moment by both clocks.
    began: (Instant, SystemTime),
    by_operation: BTreeMap<String, Tally>,
    /// By the account that the call is about, too.
    by_account: HashMap<String, BTreeMap<String, Tally>>,
    /// Each PutItem: when its request was there, when its answer was ready, and the bytes of its body.
    puts: Vec<(u128, u128, usize)>,
}

/// The calls of one operation.
#[derive(Clone, Default)]
struct Tally {
    count: usize,
    /// Of requests and answers, heads and bodies.
    received: usize,
    sent: usize,
    /// When the first request was there, its answer ready, and the last answer ready, in microseconds since the count
    /// began.
    first: u128,
    answered: u128,
    last: u128,
}

impl Default for Tallies {
    fn default() -> Self {
        let began = (Instant::now(), SystemTime::now());
        Self { began, by_operation: BTreeMap::new(), by_account: HashMap::new(), puts: Vec::new() }
    }
}

impl Tallies {
    pub fn add(&mut self, call: &Call, request: &Message, answer: &Message, arrived: Instant) {
        let since = |at: Instant| at.saturating_duration_since(self.began.0).as_micros();
        let ready = since(Instant::now());
        let one = Tally {
            count: 1,
            received: size(request),
            sent: size(answer),
            first: since(arrived),
            answered: ready,
            last: ready,
        };
        // The renewals of a lease are not counted among them.
        if call.operation == "PutItem" && !has(&request.body, b"#lease\"") {
            self.puts.push((one.first, ready, request.body.len()));
        }
        let account = self.by_account.entry(about(call, request).to_owned()).or_default();
        account.entry(call.operation.clone()).or_default().add(&one);
        self.by_operation.entry(call.operation.clone()).or_default().add(&one);
    }

    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.by_operation.iter().map(|(operation, tally)| (operation.clone(), tally.count)).collect()
    }

    /// The operations, as a JSON object. Times are microseconds since 1970.
    pub fn operations(&self) -> String {
        self.listed(&self.by_operation)
    }

    /// The same for each account, one a line.
    pub fn accounts(&self) -> String {
        let line = |(id, tallies): (&String, &BTreeMap<String, Tally>)| {
            format!("{{\"account\":{},\"operations\":{}}}\n", quoted(id), self.listed(tallies))
        };
        self.by_account.iter().map(line).collect()
    }

    /// The same for one of them.
    pub fn account(&self, id: &str) -> String {
        self.by_account.get(id).map_or_else(|| "{}".to_owned(), |tallies| self.listed(tallies))
    }

    /// The puts of items as a JSON list: when each request was there and its answer ready, in microseconds since 1970,
    /// and the bytes of its body.
    pub fn puts(&self) -> String {
        let since = self.since();
        let one = |(first, ready, bytes): &(u128, u128, usize)| {
            format!("[{},{},{bytes}]", since + first, since + ready)
        };
        format!("[{}]", self.puts.iter().map(one).collect::<Vec<_>>().join(","))
    }

    /// When the count began, in microseconds since 1970.
    fn since(&self) -> u128 {
        self.began.1.duration_since(UNIX_EPOCH).expect("it is after 1970").as_micros()
    }

    fn listed(&self, tallies: &BTreeMap<String, Tally>) -> String {
        let since = self.since();
        let one = |(operation, tally): (&String, &Tally)| {
            format!(
                r#"{}:{{"count":{},"received":{},"sent":{},"first":{},"answered":{},"last":{}}}"#,
                quoted(operation),
                tally.count,
                tally.received,
                tally.sent,
                since + tally.first,
                since + tally.answered,
                since + tally.last
            )
        };
        let each: Vec<String> = tallies.iter().map(one).collect();
        format!("{{{}}}", each.join(","))
    }
}

impl Tally {
    fn add(&mut self, one: &Self) {
        if self.count == 0 || one.first < self.first {
            (self.first, self.answered) = (one.first, one.answered);
        }
        self.last = self.last.max(one.last);
        self.count += one.count;
        self.received += one.received;
        self.sent += one.sent;
    }
}

fn has(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

fn size(message: &Message) -> usize {
    let lines = message.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
    message.first.len() + lines.sum::<usize>() + 4 + message.body.len()
}

/// The account that a call is about: the one that is entered, the one that is asked about, the caller's.
fn about<'a>(call: &'a Call, request: &'a Message) -> &'a str {
    let before = match call.operation.as_str() {
        "AssumeRole" => "RoleArn=arn%3Aaws%3Aiam%3A%3A",
        "ListTagsForResource" => "\"ResourceId\":\"",
        _ => return account_of(&call.access_key),
    };
    let body = std::str::from_utf8(&request.body).unwrap_or_default();
    body.split_once(before).and_then(|(_, rest)| rest.get(..12)).unwrap_or_default()
}
