//! AWS CloudTrail: LookupEvents by the key of a thief. Its records are made up when they are asked for: a page is a
//! template, one for each region, with the account, the key, the times and the ids filled in.

use super::call::Call;
use super::civil;
use super::http::Message;
use super::identity::{account_of, role_id};
use super::json::{Json, quoted};
use super::listener::locked;
use super::reply::{json, json_error};
use super::world::World;
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A record, as the text in an event has it.
const RECORD: &str = include_str!("record.json");

/// The number of events in a page: the maximum.
const PAGE: usize = 50;

/// When the first and the last event happened, in seconds before the trail was written. All are within the hour before
/// GuardDuty's first sight, from which on a key's events are read, and older than what CloudTrail may still deliver.
const WITHIN: Range<i64> = 25 * 60..55 * 60;

/// How many calls CloudTrail takes a second of one account and region.
const CALLS_PER_SECOND: f64 = 2.0;

/// The calls of a page in turn: service, name, whether it reads, request.
const CALLS: [(&str, &str, bool, &str); 10] = [
    ("ec2", "DescribeInstances", true, r#"{"maxResults":1000,"instancesSet":{},"filterSet":{}}"#),
    (
        "s3",
        "GetBucketAcl",
        true,
        r#"{"bucketName":"example-bucket","acl":"","Host":"example-bucket.s3.amazonaws.com"}"#,
    ),
    ("iam", "ListAttachedRolePolicies", true, r#"{"roleName":"web","maxItems":100}"#),
    ("kms", "Decrypt", true, r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#),
    ("lambda", "ListFunctions20150331", true, r#"{"maxItems":50}"#),
    (
        "ec2",
        "DescribeSecurityGroups",
        true,
        r#"{"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#,
    ),
    ("ssm", "DescribeInstanceInformation", true, r#"{"maxResults":50}"#),
    ("dynamodb", "DescribeTable", true, r#"{"tableName":"orders"}"#),
    ("logs", "DescribeLogGroups", true, r#"{"limit":50}"#),
    ("sts", "GetCallerIdentity", true, "null"),
];

/// What of a page does more than look: two of its calls.
const DOES_MORE: [(&str, &str, bool, &str); 2] = [
    ("secretsmanager", "GetSecretValue", true, r#"{"secretId":"prod/orders/database"}"#),
    ("iam", "CreateUser", false, r#"{"userName":"backup-operator"}"#),
];

/// What is in the trails.
#[derive(Default)]
pub struct Trail {
    written: Mutex<Written>,
    progress: Mutex<Progress>,
    /// How many calls each account and region has left, and when that was.
    left: Mutex<HashMap<(String, String), (f64, Instant)>>,
}

/// The events of the thieves in some accounts.
#[derive(Default)]
struct Written {
    accounts: Range<usize>,
    /// Of each of these accounts, in all regions together.
    events: usize,
    /// The newest call in the first region opens a session in the account that is as far behind as there are accounts.
    opens: bool,
    at: i64,
    /// The events of a page, by region.
    templates: HashMap<String, Vec<Template>>,
}

/// What was read.
#[derive(Default)]
struct Progress {
    pages: usize,
    events: usize,
    throttled: usize,
    /// When the first page was asked for, and the last one was ready, in microseconds since 1970.
    first: u128,
    last: u128,
}

impl Trail {
    /// From now on the thieves in these accounts have so many events each, and what was read is counted anew.
    pub fn write(&self, world: &World, accounts: Range<usize>, events: usize, opens: bool) {
        let numbered = world.regions.iter().enumerate();
        let templates =
            numbered.map(|(number, region)| (region.clone(), templates(number, region))).collect();
        *locked(&self.written) = Written { accounts, events, opens, at: civil::now(), templates };
        *locked(&self.progress) = Progress::default();
    }

    /// What was read since, as JSON.
    pub fn read(&self) -> String {
        let Progress { pages, events, throttled, first, last } = *locked(&self.progress);
        format!(
            r#"{{"pages":{pages},"events":{events},"throttled":{throttled},"first":{first},"last":{last}}}"#
        )
    }

    /// Whether one call more is within the pace.
    fn may_call(&self, account: &str, region: &str) -> bool {
        let mut left = locked(&self.left);
        let now = Instant::now();
        let place = (account.to_owned(), region.to_owned());
        let (calls, at) = left.entry(place).or_insert((CALLS_PER_SECOND, now));
        let more = now.duration_since(*at).as_secs_f64() * CALLS_PER_SECOND;
        (*calls, *at) = ((*calls + more).min(CALLS_PER_SECOND), now);
        let may = *calls >= 1.0;
        *calls -= f64::from(u8::from(may));
        may
    }
}

pub fn answer(world: &World, call: &Call, request: &Message) -> Message {
    let began = now();
    let account = account_of(&call.access_key);
    if !world.trail.may_call(account, &call.region) {
        locked(&world.trail.progress).throttled += 1;
        return json_error(400, "ThrottlingException", "Rate exceeded");
    }
    let body = Json::read(&request.body);
    let asked = body.get("LookupAttributes").items().first();
    let key = asked.filter(|asked| asked.get("AttributeKey").text() == Some("AccessKeyId"));
    let key = key.and_then(|asked| asked.get("AttributeValue").text());
    let written = locked(&world.trail.written);
    let index = account.parse::<usize>().ok().and_then(|number| number.checked_sub(200_000_000_000));
    let (Some(key), Some(index)) = (key, index.filter(|index| written.accounts.contains(index))) else {
        return json(r#"{"Events":[]}"#);
    };
    let start = body.get("NextToken").text().map_or(Ok(0), str::parse);
    let Ok(start) = start else {
        return json_error(400, "InvalidNextTokenException", "The token is invalid.");
    };
    let since = body.get("StartTime").number().unwrap_or(0) * 1000;
    let page = Page { written: &written, world, account, index, key, region: &call.region, since };
    let (text, events) = page.text(start);
    let mut progress = locked(&world.trail.progress);
    if events > 0 {
        if progress.pages == 0 {
            progress.first = began;
        }
        progress.pages += 1;
        progress.events += events;
        progress.last = now();
    }
    json(text)
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_micros()
}

/// What a page is about.
struct Page<'a> {
    written: &'a Written,
    world: &'a World,
    account: &'a str,
    index: usize,
    key: &'a str,
    region: &'a str,
    /// Milliseconds since 1970.
    since: i64,
}

impl Page<'_> {
    /// The page that begins with an event, newest first, and how many it has.
    fn text(&self, start: usize) -> (String, usize) {
        let regions = &self.world.regions;
        let Some(number) = regions.iter().position(|region| region == self.region) else {
            return (r#"{"Events":[]}"#.to_owned(), 0);
        };
        let all =
            self.written.events / regions.len() + usize::from(number < self.written.events % regions.len());
        let is_asked_for = |event: &usize| self.time(*event, all) >= self.since;
        let events: Vec<usize> = (start..all.min(start + PAGE)).filter(is_asked_for).collect();
        let mut text = String::with_capacity(PAGE << 12);
        text.push_str(r#"{"Events":["#);
        let templates = &self.written.templates[self.region];
        for (template, event) in templates.iter().zip(&events) {
            if *event > start {
                text.push(',');
            }
            let at = self.time(*event, all);
            if *event == 0 && number == 0 && self.written.opens {
                self.opened().fill(&mut text, self, *event, at);
            } else {
                template.fill(&mut text, self, *event, at);
            }
        }
        text.push(']');
        if events.len() == PAGE && start + PAGE < all && is_asked_for(&(start + PAGE)) {
            let _ = write!(text, r#","NextToken":"{}""#, start + PAGE);
        }
        text.push('}');
        (text, events.len())
    }

    /// When an event of so many happened, in milliseconds since 1970.
    fn time(&self, event: usize, all: usize) -> i64 {
        let (event, all) = (i64::try_from(event).expect("few"), i64::try_from(all.max(1)).expect("few"));
        self.written.at - (WITHIN.start * 1000 + (WITHIN.end - WITHIN.start) * 1000 * event / all)
    }

    /// The call that opens a session in another account.
    fn opened(&self) -> Template {
        let other = self.world.member(self.index + self.written.accounts.len());
        let request =
            format!(r#"{{"roleArn":"arn:aws:iam::{other}:role/chained","roleSessionName":"deploy"}}"#);
        let response = format!(
            r#"{{"credentials":{{"accessKeyId":"ASIACHAIN{:011}"}},"assumedRoleUser":{{"assumedRoleId":"{}:deploy","arn":"arn:aws:sts::{other}:assumed-role/chained/deploy"}}}}"#,
            self.index,
            role_id(&other, "chained")
        );
        Template::new(0, self.region, ("sts", "AssumeRole", true, &request), &response)
    }
}

/// An event, but for what varies.
struct Template(Vec<Piece>);

enum Piece {
    Text(String),
    Account,
    Key,
    Time,
    Seconds,
    /// With the number of the region.
    Id(usize),
}

/// The events of a page.
fn templates(number: usize, region: &str) -> Vec<Template> {
    let looks = CALLS.iter().cycle().take(PAGE - DOES_MORE.len());
    let calls = looks.chain(&DOES_MORE);
    calls.map(|call| Template::new(number, region, *call, "null")).collect()
}

impl Template {
    fn new(number: usize, region: &str, call: (&str, &str, bool, &str), response: &str) -> Self {
        let (service, name, reads, request) = call;
        let compact: String = RECORD.lines().map(str::trim).collect();
        // A call that changes something was denied.
        let error = if reads { "null" } else { r#""AccessDenied""# };
        let values = [
            ("${REGION}", region),
            ("${SERVICE}", service),
            ("${NAME}", name),
            ("${READS}", if reads { "true" } else { "false" }),
            ("${ERROR}", error),
            ("${REQUEST}", request),
            ("${RESPONSE}", response),
        ];
        let record = values.iter().fold(compact, |text, (name, value)| text.replace(name, value));
        let event = format!(
            r#"{{"EventId":"${{ID}}","EventName":"{name}","ReadOnly":"{reads}","AccessKeyId":"${{KEY}}","EventTime":${{SECONDS}}.0,"EventSource":"{service}.amazonaws.com","Username":"i-0123456789abcdef0","Resources":[{{"ResourceType":"AWS::IAM::AccessKey","ResourceName":"${{KEY}}"}}],"CloudTrailEvent":{}}}"#,
            quoted(&record)
        );
        let mut pieces = Vec::new();
        for (place, text) in event.split("${").enumerate() {
            let (name, rest) = text.split_once('}').filter(|_| place > 0).unwrap_or(("", text));
            pieces.extend(match name {
                "ACCOUNT" => Some(Piece::Account),
                "KEY" => Some(Piece::Key),
                "TIME" => Some(Piece::Time),
                "SECONDS" => Some(Piece::Seconds),
                "ID" => Some(Piece::Id(number)),
                _ => None,
            });
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Self(pieces)
    }

    /// Writes the event of this number.
    fn fill(&self, text: &mut String, page: &Page<'_>, event: usize, at: i64) {
        let time = civil::iso_seconds(at);
        for piece in &self.0 {
            let _ = match piece {
                Piece::Text(piece) => text.write_str(piece),
                Piece::Account => text.write_str(page.account),
                Piece::Key => text.write_str(page.key),
                Piece::Time => text.write_str(&time),
                Piece::Seconds => write!(text, "{}", at.div_euclid(1000)),
                Piece::Id(region) => write!(text, "5eed0000-{region:04x}-4000-8000-{event:012x}"),
            };
        }
    }
}
