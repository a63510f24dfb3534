//! The tag of a role or user by which its owner asks for less, and the thief who sets it.

use crate::scene::{HOME, MANAGEMENT, SECURITY, SHOP, Scene, Setting};
use crate::thief::Thief;
use serde_json::{Value, json};

const KEY: &str = "rescind:mode";
const ENFORCE: &str = "mode = \"enforce\"\ncloudtrail = true\npursue = \"off\"\n";

/// Seconds that a tag must be older than the first sight of the theft to count.
const LONG_AGO: i64 = 3 * 3600;

/// Seconds after which CloudTrail has every call.
const LAG: i64 = 16 * 60;

fn scene(keys: &str) -> Scene {
    let scene = Scene::with(Setting::default().with_users());
    scene.configure(keys);
    scene
}

/// A role whose owner tagged it long before its session was stolen.
fn tagged(scene: &Scene, role: &str, value: &str) -> Thief {
    scene.role(SHOP, role);
    Thief::operator(scene, SHOP).tag_role(role, KEY, value).expect("it may");
    scene.advance_clock(LONG_AGO);
    stolen(scene, role)
}

fn stolen(scene: &Scene, role: &str) -> Thief {
    let session = scene.session(SHOP, role, "i-0123456789abcdef0");
    scene.report(SHOP, role, &session, json!({}));
    scene.thief(&session)
}

/// The one remediation: its id, its state, and why it is held.
fn only(scene: &Scene) -> (String, Value, Value) {
    let all = scene.rescind(&["-o", "jsonl", "list"]).json();
    assert_eq!(all.len(), 1, "{all:?}");
    let id = all[0]["remediation"].as_str().expect("an id").to_owned();
    let one = scene.shown(&id)["remediation"].clone();
    (id, one["state"].clone(), one["held_code"].clone())
}

fn is_held(scene: &Scene, thief: &Thief) -> String {
    let (id, state, code) = only(scene);
    assert_eq!((state, code), (json!("held"), json!("principal_tag")));
    assert_eq!(changes(scene), 0);
    thief.is_allowed();
    id
}

/// How many policies rescind has written.
fn changes(scene: &Scene) -> usize {
    scene.calls_of("PutRolePolicy").len() + scene.calls_of("PutUserPolicy").len()
}

fn alerts(scene: &Scene) -> Vec<String> {
    let of_tag = scene.entries_of("alert").into_iter().filter(|one| one["data"]["code"] == "tag_set_late");
    of_tag.filter_map(|one| one["data"]["text"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_tag_that_is_older_than_the_theft_asks_a_person_whatever_less_it_says() {
    for value in ["approve", "observe", " OFF ", "no mode"] {
        let scene = scene(ENFORCE);
        let thief = tagged(&scene, "web", value);
        scene.poll().code(5).counts(json!({"held": 1}));
        let id = is_held(&scene, &thief);
        // The person who is asked sees what would be done, and the tag.
        let note = scene.shown(&id)["proposal"]["note"].clone();
        assert!(note.as_str().is_some_and(|note| note.contains(KEY)), "{note}");
        // When CloudTrail has everything it is still held.
        scene.advance_clock(LAG);
        scene.poll().code(5);
        is_held(&scene, &thief);
        // A person has seen it.
        scene.rescind(&["approve", &id, "--by", "Ada", "--reason", "it is a theft"]).code(0);
        scene.run_once().counts(json!({"revoked": 1, "seen_before": 1}));
        thief.is_denied();
        assert!(alerts(&scene).is_empty(), "{value}");
        scene.rescind(&["ledger", "verify"]).code(0);
    }
}

#[test]
fn it_makes_nothing_bolder_and_can_be_switched_off() {
    let of = |keys: &str, value: &str| {
        let scene = scene(keys);
        let thief = tagged(&scene, "web", value);
        scene.poll();
        (scene, thief)
    };
    let (_scene, thief) = of(ENFORCE, "enforce");
    thief.is_denied();
    let (_scene, thief) = of(&format!("{ENFORCE}principal_tag = \"\"\n"), "off");
    thief.is_denied();
    let (scene, thief) = of("mode = \"observe\"\ncloudtrail = true\n", "enforce");
    thief.is_allowed();
    assert_eq!(scene.codes("decision"), ["mode_observe"]);
    let (_scene, thief) = of(&format!("{ENFORCE}principal_tag = \"team:rescind\"\n"), "off");
    thief.is_denied();
}

#[test]
fn a_thief_who_tags_the_role_is_named_and_denied() {
    let scene = scene(ENFORCE);
    scene.role(SHOP, "web");
    scene.advance_clock(LONG_AGO);
    let thief = stolen(&scene, "web");
    thief.tag_role("web", "RESCIND:mode", "off").expect("it may");
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1}));
    thief.is_denied();
    let alerts = alerts(&scene);
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    assert!(
        alert.contains("assumed-role/web/i-0123456789abcdef0") && alert.contains("iam:TagRole"),
        "{alert}"
    );
    scene.rescind(&["ledger", "verify"]).code(0);
}

/// More calls than can be read, behind the one that set the tag.
#[test]
fn noise_around_a_tag_does_not_stop_containment() {
    let scene = scene(ENFORCE);
    scene.role(SHOP, "web");
    scene.advance_clock(LONG_AGO);
    let thief = stolen(&scene, "web");
    thief.tag_role("web", KEY, "off").expect("it may");
    let noise = json!({"event": "iam:TagRole", "repeat": 1_010, "errorCode": "NoSuchEntityException", "requestParameters": {"roleName": "nobody"}});
    scene.post("cloudtrail/records", &json!({"account": SHOP, "region": "us-east-1", "records": [noise]}));
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1}));
    thief.is_denied();
}

/// CloudTrail is some minutes late: where the tag is not older than an hour, the thief gains those.
#[test]
fn a_tag_of_a_thief_that_cloudtrail_has_not_yet_holds_until_it_has() {
    let scene = scene(ENFORCE);
    scene.role(SHOP, "web");
    scene.advance_clock(LONG_AGO);
    let thief = stolen(&scene, "web");
    scene.post("cloudtrail", &json!({"delay_seconds": 300}));
    thief.tag_role("web", KEY, "off").expect("it may");
    scene.poll().code(5).counts(json!({"held": 1}));
    is_held(&scene, &thief);
    scene.advance_clock(310);
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1, "seen_before": 1}));
    thief.is_denied();
    assert_eq!((only(&scene).1, scene.entries_of("cleared").len()), (json!("revoked"), 1));
    assert_eq!(alerts(&scene).len(), 1);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
}

#[test]
fn where_cloudtrail_is_not_read_a_person_is_asked() {
    let scene = scene("mode = \"enforce\"\ncloudtrail = false\n");
    let thief = tagged(&scene, "web", "observe");
    scene.poll().code(5).counts(json!({"held": 1}));
    is_held(&scene, &thief);
    assert!(scene.calls_of("LookupEvents").is_empty());

    let scene = self::scene(ENFORCE);
    scene.role(SHOP, "web");
    scene.advance_clock(LONG_AGO);
    let thief = stolen(&scene, "web");
    thief.tag_role("web", KEY, "off").expect("it may");
    scene.post("cloudtrail", &json!({"dark_regions": ["us-east-1"]}));
    scene.poll().code(5).counts(json!({"held": 1}));
    is_held(&scene, &thief);
    // It can be read again: the tag turns out to be the thief's.
    scene.post("cloudtrail", &json!({"dark_regions": []}));
    scene.poll().code(5).counts(json!({"alerts": 1, "revoked": 1, "seen_before": 1}));
    thief.is_denied();
    assert_eq!(alerts(&scene).len(), 1);
}

#[test]
fn who_says_that_late_tags_count_is_taken_at_their_word() {
    let scene = scene(&format!("{ENFORCE}late_tags = \"count\"\n"));
    scene.role(SHOP, "web");
    scene.advance_clock(LONG_AGO);
    let thief = stolen(&scene, "web");
    thief.tag_role("web", KEY, "approve").expect("it may");
    scene.poll().code(5).counts(json!({"held": 1}));
    is_held(&scene, &thief);
    assert!(scene.calls_of("LookupEvents").is_empty());
}

#[test]
fn a_plan_shows_it_and_where_there_is_no_tag_nothing_more_is_asked() {
    let scene = scene(ENFORCE);
    let thief = tagged(&scene, "web", "observe");
    scene.rescind(&["plan", "-o", "jsonl"]).code(0).says(KEY);
    thief.is_allowed();
    assert_eq!(changes(&scene), 0);
    let scene = self::scene("mode = \"enforce\"\ncloudtrail = true\npursue = \"off\"\n");
    scene.theft(SHOP, "web");
    scene.run_once();
    // The deny comes before CloudTrail is asked anything.
    let calls: Vec<String> =
        scene.calls().iter().filter_map(|one| one["operation"].as_str().map(str::to_owned)).collect();
    let at = |name: &str| calls.iter().position(|one| one == name);
    assert!(
        at("PutRolePolicy").is_some()
            && at("LookupEvents").is_none_or(|asked| Some(asked) > at("PutRolePolicy")),
        "{calls:?}"
    );
}

#[test]
fn a_users_tag_counts_like_a_roles() {
    for is_thief in [false, true] {
        let scene = scene(&format!("{ENFORCE}remedy = [\"role_sessions\", \"user_keys\"]\n"));
        let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let user = scene.post("users", &json!({"account": SHOP, "name": "deploy", "policy": all}));
        let key = &user["access_keys"][0];
        let thief = scene.thief(key);
        if !is_thief {
            Thief::operator(&scene, SHOP).tag_user("deploy", KEY, "off").expect("it may");
        }
        scene.advance_clock(LONG_AGO);
        let finding = json!({"account": SECURITY, "region": HOME, "member": SHOP, "user": "deploy",
            "access_key_id": key["access_key_id"],
            "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"});
        scene.post("findings/exfiltration", &finding);
        if is_thief {
            thief.tag_user("deploy", KEY, "off").expect("it may");
            scene.poll().code(5);
            assert_eq!((only(&scene).1, alerts(&scene).len()), (json!("revoked"), 1));
        } else {
            scene.poll().code(5);
            is_held(&scene, &thief);
        }
    }
}

/// The account's tag, and what was read of it before: as if that had been a while ago.
fn read_before(scene: &Scene, minutes: i64) {
    let ledger = rusqlite::Connection::open(scene.path("ledger.db")).expect("a ledger");
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let changed = ledger
        .execute("UPDATE placements SET body = json_set(body, '$.read_at', ?1)", [at.to_string()])
        .expect("updated");
    assert!(changed > 0, "no placement was read");
}

#[test]
fn an_accounts_tag_counts_unless_it_was_seen_to_be_set_after_the_theft() {
    for (seen_minutes_ago, keys, is_late) in
        [(30, "", true), (2, "", false), (30, "late_tags = \"count\"\n", false)]
    {
        let scene = scene(&format!("{ENFORCE}{keys}"));
        scene.theft(SHOP, "other");
        scene.run_once();
        // The account had no tag ten minutes ago.
        read_before(&scene, 10);
        Thief::operator(&scene, MANAGEMENT).tag_account(SHOP, KEY, "off");
        scene.role(SHOP, "web");
        let session = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(seen_minutes_ago);
        let finding = scene.report(
            SHOP,
            "web",
            &session,
            json!({"overrides": {"service": {"eventFirstSeen": at.to_string()}}}),
        );
        scene.poll();
        let code = if is_late { "stolen_role_session" } else { "tag_off" };
        assert_eq!(scene.decision(&finding)["code"], code, "{seen_minutes_ago} {keys}");
        assert_eq!(alerts(&scene).len(), usize::from(is_late), "{seen_minutes_ago} {keys}");
        let thief = scene.thief(&session);
        if is_late { thief.is_denied() } else { thief.is_allowed() }
    }
}
