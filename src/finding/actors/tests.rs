use super::*;
use crate::finding::{Unconfirmed, decode, envelope};
use crate::remediation::{Draft, Origin};
use proptest::prelude::*;
use serde_json::json;

const OTHER: &str = "333333333333";

/// What GuardDuty's API says of a session of a role.
fn session_of(account: &str, role: &str, session: &str, key: &str) -> Value {
    json!({
        "id": format!("{role}-{session}"),
        "user": {"name": "not-the-role", "uid": format!("AROAEXAMPLE00000{}:{session}", role.to_uppercase()),
            "type": "AssumedRole", "credentialUid": key, "account": {"uid": account, "account": "shop"}},
        "session": {"uid": session, "mfaStatus": "DISABLED", "createdTime": "2026-11-22T09:00:00Z",
            "issuer": format!("arn:aws:iam::{account}:role/apps/web/{role}")},
    })
}

fn sequence(actors: &Value) -> Value {
    json!({
        "accountId": "222222222222", "arn": "arn", "id": "s1", "region": "eu-central-1", "schemaVersion": "2.0",
        "severity": 9, "type": "AttackSequence:IAM/CompromisedCredentials", "title": "Compromised credentials",
        "createdAt": "2026-11-22T10:00:00.000Z", "updatedAt": "2026-11-22T11:00:00.000Z",
        "resource": {"resourceType": "AttackSequence"},
        "service": {"archived": false, "count": 7, "eventFirstSeen": "2026-11-22T09:30:00Z",
            "eventLastSeen": "2026-11-22T10:30:00Z",
            "detection": {"sequence": {"uid": "u", "description": "d", "signals": [], "actors": actors}}},
    })
}

fn decoded(actors: &Value) -> Vec<Decoded> {
    decode(sequence(actors).to_string().as_bytes())
}

fn findings(actors: &Value) -> Vec<Finding> {
    decoded(actors).into_iter().collect::<Result<_, _>>().expect("readable")
}

fn two() -> Value {
    json!([session_of("222222222222", "web", "i-0abc", "ASIA1"), session_of(OTHER, "batch", "job", "ASIA2")])
}

fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key[..1].to_uppercase() + &key[1..], pascal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

#[test]
fn each_actor_is_a_finding_about_its_own_role_in_its_own_account() {
    let found = findings(&two());
    let said: Vec<_> = found
        .iter()
        .map(|finding| {
            let principal = finding.principal.as_ref().expect("a principal");
            let role = principal.role(&finding.account).expect("a role");
            let instance = finding.evidence.instance_id.as_deref();
            (finding.account.as_str(), role.name.to_string(), principal.access_key_id.as_deref(), instance)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("222222222222", "web".to_owned(), Some("ASIA1"), Some("i-0abc")),
            (OTHER, "batch".to_owned(), Some("ASIA2"), None),
        ]
    );
    let [first, second] = &found[..] else { panic!("two") };
    assert_eq!(
        first.occurrence(),
        r#"["s1","2026-11-22T11:00:00.000Z","ASIA1","222222222222","AROAEXAMPLE00000WEB:i-0abc"]"#
    );
    // All else is the finding's.
    assert_eq!(first.last_seen().to_string(), "2026-11-22T10:30:00Z");
    let as_first = Finding {
        account: first.account.clone(),
        principal: first.principal.clone(),
        evidence: first.evidence.clone(),
        ..second.clone()
    };
    assert_eq!(&as_first, first);
    assert!(first.detail.as_ref().is_some_and(|detail| detail.contains("credentialUid")));
}

#[test]
fn as_boto3_prints_it_it_says_the_same() {
    let blank = |findings: Vec<Finding>| -> Vec<Finding> {
        findings.into_iter().map(|finding| Finding { sha256: String::new(), ..finding }).collect()
    };
    let printed: Result<Vec<_>, _> =
        decode(pascal(&sequence(&two())).to_string().as_bytes()).into_iter().collect();
    assert_eq!(blank(printed.expect("readable")), blank(findings(&two())));
    let camel = json!({"detail-type": "GuardDuty Finding", "detail": sequence(&two())});
    assert_eq!(decode(camel.to_string().as_bytes()).len(), 2);
}

#[test]
fn what_the_ledger_keeps_reads_back_and_is_as_before_for_other_findings() {
    for finding in findings(&two()) {
        let text = serde_json::to_string(&finding).expect("JSON");
        assert!(text.contains(r#""actor":true"#));
        assert_eq!(serde_json::from_str::<Finding>(&text).expect("reads back"), finding);
    }
    let [plain] = &findings(&json!([]))[..] else { panic!("one") };
    assert!(!serde_json::to_string(plain).expect("JSON").contains(r#""actor""#));
}

#[test]
fn a_role_is_where_its_arn_says_and_another_identity_where_its_account_says() {
    let described = |pointer: &str, value: Value| {
        let mut actor = session_of(OTHER, "web", "i-0abc", "ASIA1");
        *actor.pointer_mut(pointer).expect("there") = value;
        let finding = findings(&json!([actor])).remove(0);
        let name = finding.principal.expect("a principal").user_name.unwrap_or_default();
        format!("{} {name}", finding.account)
    };
    let long = "p".repeat(510);
    for (pointer, value, wanted) in [
        ("/user/account", json!(null), "333333333333 web"),
        ("/user/account/uid", json!("444444444444"), "333333333333 web"),
        ("/session/issuer", json!(format!("arn:aws-cn:iam::{OTHER}:role/{long}/web")), "333333333333 web"),
        ("/session/issuer", json!("arn:aws:iam::444444444444:role/web"), "444444444444 web"),
        ("/session/issuer", json!("arn:aws:iam::444444444444:user/web"), "333333333333 not-the-role"),
        ("/session/issuer", json!("arn:aws:iam::4:role/web"), "333333333333 not-the-role"),
        ("/session/issuer", json!("arn:aws:iam::444444444444:role/"), "333333333333 not-the-role"),
        ("/session/issuer", json!("accounts.example.com"), "333333333333 not-the-role"),
        ("/session/issuer", json!(null), "333333333333 not-the-role"),
        ("/session", json!(null), "333333333333 not-the-role"),
        ("/user/type", json!("IAMUser"), "333333333333 not-the-role"),
        ("/user/type", json!("Role"), "333333333333 web"),
    ] {
        assert_eq!(described(pointer, value.clone()), wanted, "{pointer} {value}");
    }
    let root =
        findings(&json!([{"id": "a", "user": {"name": "root", "uid": "222222222222", "type": "Root"}}]));
    assert_eq!(root[0].account.as_str(), "222222222222");
    assert_eq!(root[0].principal.as_ref().expect("a principal").user_type, UserType::Root);
}

#[test]
fn what_is_not_confirmed_is_recorded_of_each() {
    let recorded: HashSet<_> = findings(&two())
        .into_iter()
        .map(|claim| {
            Draft::unconfirmed(&Origin::Queue { queue: "q".to_owned() }, "m1", claim, Unconfirmed::NotFound)
                .event
                .occurrence()
        })
        .collect();
    assert_eq!(recorded.len(), 2);
}

#[test]
fn one_that_cannot_be_read_costs_only_itself() {
    let mut actors = two();
    actors[0]["user"]["account"]["uid"] = json!("12");
    actors[0]["session"]["issuer"] = json!(null);
    actors.as_array_mut().expect("a list").push(json!({"id": "p", "user": {"uid": 7}}));
    actors.as_array_mut().expect("a list").push(json!("odd"));
    let items = decode(json!({"findings": [sequence(&actors)]}).to_string().as_bytes());
    let described: Vec<String> = items
        .iter()
        .map(|item| match item {
            Ok(finding) => finding.account.to_string(),
            Err(undecodable) => {
                assert_eq!(undecodable.finding_id.as_deref(), Some("s1"));
                undecodable.path.clone()
            }
        })
        .collect();
    let at = "findings[0].service.detection.sequence.actors";
    assert_eq!(
        described,
        [
            format!("{at}[0].user.account.uid"),
            OTHER.to_owned(),
            format!("{at}[2].user.uid"),
            format!("{at}[3]")
        ]
    );
    // Recognized wherever the finding stands, and distinguished from the others.
    let hashes = |items: &[Decoded]| -> HashSet<String> {
        items.iter().filter_map(|item| Some(item.as_ref().err()?.sha256.clone())).collect()
    };
    assert_eq!(hashes(&items).len(), 3);
    assert_eq!(hashes(&items), hashes(&decoded(&actors)));
}

#[test]
fn the_same_actor_twice_is_one_and_others_are_never_taken_for_the_same() {
    let one = session_of(OTHER, "web", "i-0abc", "ASIA1");
    let other = |pointer: &str, value: &str| {
        let mut actor = one.clone();
        *actor.pointer_mut(pointer).expect("there") = json!(value);
        actor
    };
    assert_eq!(findings(&json!([one, other("/id", "another"), other("/user/name", "another")])).len(), 1);
    for another in [
        other("/user/credentialUid", "ASIA9"),
        other("/user/uid", "AROAEXAMPLE00000WEB:i-9"),
        other("/session/issuer", "arn:aws:iam::444444444444:role/web"),
    ] {
        let found = findings(&json!([one, another]));
        assert_eq!(found.len(), 2);
        assert_ne!(found[0].occurrence(), found[1].occurrence());
    }
    let nameless = json!([{"user": {}}, {"user": {"name": "a"}}, {"user": {"name": "b"}}, {"user": {"uid": "-"}},
        {"user": {"credentialUid": "-"}}, {"user": {"uid": "-", "credentialUid": "-"}}, {"user": {}}]);
    assert_eq!(findings(&nameless).len(), 6);
}

#[test]
fn more_than_a_hundred_are_cut_and_that_is_said() {
    let sessions = |count: usize| -> Value {
        (0..count).map(|number| session_of(OTHER, "web", &format!("i-{number}"), "ASIA1")).collect()
    };
    assert_eq!(findings(&sessions(MOST_ACTORS)).len(), 100);
    let cut = decoded(&sessions(400));
    let [kept @ .., Err(last)] = &cut[..] else { panic!("{:?}", cut.last()) };
    assert!(kept.len() == 100 && kept.iter().all(Result::is_ok));
    insta::assert_snapshot!(last, @"service.detection.sequence.actors: more than 100 actors: the first 100 are taken");
    assert!(is_one_sequence(&cut));
    // One document with more of them than anybody has is not held in memory.
    let many = vec![sequence(&sessions(100)); 200];
    let mut items = Vec::new();
    envelope::unwrap(&json!(many), "", &mut items);
    assert_eq!(items.iter().flatten().count(), 10_000);
    insta::assert_snapshot!(items.last().expect("some").as_ref().expect_err("too many"), @"[199]: more than 10000 actors: put one finding on each line");
}

#[test]
fn a_sequence_that_names_nobody_is_one_finding_without_a_principal() {
    let nobody = |finding: &Finding| finding.principal.is_none() && !finding.actor;
    for actors in [json!([]), json!([{"id": "p", "process": {"name": "sh"}}, {"id": "q", "user": null}])] {
        let found = findings(&actors);
        assert!(found.len() == 1 && nobody(&found[0]), "{found:?}");
        assert_eq!(found[0].occurrence(), r#"["s1","2026-11-22T11:00:00.000Z","-"]"#);
    }
    let items = decoded(&json!([{"user": {"account": {"uid": ""}}}]));
    assert!(items.len() == 2 && items[0].as_ref().is_ok_and(nobody) && items[1].is_err(), "{items:?}");
}

#[test]
fn every_other_finding_is_as_it_was() {
    let changed = |change: fn(&mut Value)| {
        let mut finding = sequence(&two());
        change(&mut finding);
        let items = decode(finding.to_string().as_bytes());
        assert!(items.len() == 1 && !is_one_sequence(&items), "{items:?}");
        let finding = items.into_iter().next().expect("one").expect("readable");
        assert!(!finding.actor);
        finding
    };
    for change in [
        (|f| f["service"]["detection"] = json!({"anomaly": {"profiles": {}}})) as fn(&mut Value),
        |f| f["service"]["detection"] = json!(7),
        |f| f["service"]["detection"]["sequence"] = json!([]),
        |f| f["service"]["detection"]["sequence"]["actors"] = json!({"user": {}}),
    ] {
        assert_eq!(changed(change).principal, None);
    }
    let details = changed(|f| f["resource"]["accessKeyDetails"] = json!({"accessKeyId": "AKIA"}));
    assert_eq!(details.occurrence(), r#"["s1","2026-11-22T11:00:00.000Z","AKIA"]"#);
    // Of whatever type it is.
    let mut stolen = sequence(&two());
    stolen["type"] = json!("AttackSequence:S3/CompromisedData");
    assert_eq!(decode(stolen.to_string().as_bytes()).len(), 2);
}

#[test]
fn a_name_makes_no_sample_of_an_actor() {
    let named = findings(&json!([{"user": {"name": "GeneratedFindingUserName", "uid": "AIDA"}}]));
    assert!(!named[0].sample);
    let mut sample = sequence(&two());
    sample["service"]["additionalInfo"] = json!({"type": "default", "value": "{\"sample\":true}"});
    assert!(decode(sample.to_string().as_bytes()).into_iter().flatten().all(|finding| finding.sample));
}

/// What decides nothing does not cost the actor.
#[test]
fn an_account_that_the_role_has_anyway_is_not_needed() {
    let mut actor = session_of(OTHER, "web", "i-0abc", "ASIA1");
    actor["user"]["account"]["uid"] = json!("12");
    assert_eq!(findings(&json!([actor]))[0].account.as_str(), OTHER);
}

/// Some name the session with the role.
#[test]
fn a_role_with_its_session_is_that_role() {
    let actor = json!({"user": {"name": "web/i-0abc", "uid": "AROAEXAMPLE00000WEB:i-0abc", "type": "AssumedRole",
        "credentialUid": "ASIA1", "account": {"uid": OTHER}}});
    let finding = findings(&json!([actor])).remove(0);
    let role = finding.principal.as_ref().expect("a principal").role(&finding.account).expect("a role");
    assert_eq!((role.name.as_str(), role.session.as_deref()), ("web", Some("i-0abc")));
}

fn few(pool: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(pool))
}

fn actor() -> impl Strategy<Value = Value> {
    let account = few(&["222222222222", OTHER, "12"]);
    let uid = few(&["AROAEXAMPLE000000001:i-1", "AROAEXAMPLE000000001:i-2", "-", ""]);
    let issuer = few(&["arn:aws:iam::333333333333:role/a/web", "arn:aws:iam::222222222222:role/web", "x"]);
    let user = (few(&["AssumedRole", "IAMUser", "Root"]), few(&["a", "b"]), uid, few(&["ASIA1", "-"]), account)
        .prop_map(|(kind, name, uid, key, account)| {
            json!({"type": kind, "name": name, "uid": uid, "credentialUid": key, "account": {"uid": account}})
        });
    (prop::option::of(user), issuer)
        .prop_map(|(user, issuer)| json!({"id": "a", "user": user, "session": {"issuer": issuer}}))
}

proptest! {
    /// Whatever the actors are: none is taken for another, none that can be read is lost, and both
    /// spellings say the same.
    #[test]
    fn no_two_of_a_finding_are_the_same(actors in prop::collection::vec(actor(), 0..12)) {
        let actors = Value::Array(actors);
        let items = decoded(&actors);
        let occurrences: Vec<String> = items.iter().flatten().map(Finding::occurrence).collect();
        prop_assert_eq!(occurrences.iter().collect::<HashSet<_>>().len(), occurrences.len());
        let broken = items.iter().filter(|item| item.is_err()).count();
        // Of a role with an ARN the account is known.
        let has_account = |actor: &Value| {
            let text = |pointer| actor.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            text("/session/issuer").starts_with("arn:") && ["", "AssumedRole"].contains(&text("/user/type"))
        };
        let unreadable = |actor: &&Value| {
            actor.pointer("/user/account/uid").is_some_and(|uid| uid == "12") && !has_account(actor)
        };
        let list = actors.as_array().expect("a list");
        prop_assert_eq!(broken, list.iter().filter(unreadable).count());
        for actor in list.iter().filter(|actor| !unreadable(actor) && actor["user"].is_object()) {
            let alone = findings(&json!([actor])).remove(0).occurrence();
            prop_assert!(occurrences.contains(&alone));
        }
        let printed = decode(pascal(&sequence(&actors)).to_string().as_bytes());
        prop_assert_eq!(printed.into_iter().flatten().map(|f| f.occurrence()).collect::<Vec<_>>(), occurrences);
    }
}
