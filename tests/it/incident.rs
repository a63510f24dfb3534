//! Incidents: what a thief opened and made is one story, with what is left to do.

use crate::pursuit::intrusion::open_role;
use crate::scene::{BANK, Ran, SECURITY, SHOP, Scene};
use crate::screens::Transcript;
use crate::service::{address, ask};
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const SIGNED: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];

/// Where GuardDuty sees the thief.
const ADDRESS: &str = "203.0.113.77";

/// A thief who took `web` in SHOP, made a user there, went on into `batch` in BANK, and left a role there.
struct Intrusion {
    second: Thief,
    second_key: String,
    finding: String,
}

impl Intrusion {
    fn new(scene: &Scene) -> Self {
        // What he did was a minute ago.
        scene.advance_clock(-60);
        scene.role(SHOP, "web");
        let batch = open_role(scene, BANK, "batch");
        let stolen = scene.session(SHOP, "web", "i-0123456789abcdef0");
        let key = stolen["access_key_id"].as_str().expect("a key");
        scene.post("cloudtrail", &json!({"addresses": {key: ADDRESS}}));
        let first = scene.thief(&stolen);
        // Each call has a second of its own, so that they have an order in CloudTrail.
        let list = |thief: &Thief| {
            scene.advance_clock(2);
            thief.list_users().expect("allowed");
        };
        list(&first);
        first.create_user("eve");
        list(&first);
        let _ = first.key_of("eve");
        scene.advance_clock(2);
        let session = first.session_of(&batch, "app");
        let second_key = session["access_key_id"].as_str().expect("a key").to_owned();
        let second = scene.thief(&session);
        list(&second);
        second.create_role("backdoor", "999900001111");
        scene.advance_clock(50);
        let finding = scene.report(SHOP, "web", &stolen, json!({}));
        Self { second, second_key, finding }
    }
}

fn begun(head: &str) -> (Scene, Intrusion) {
    let scene = Scene::new();
    scene.watch();
    scene.configure(&format!("cloudtrail = true\n{head}"));
    let intrusion = Intrusion::new(&scene);
    (scene, intrusion)
}

/// The only incident, in full.
#[track_caller]
fn incident(scene: &Scene) -> Value {
    let list = scene.rescind(&["incident", "list", "-o", "jsonl"]).code(0).json();
    assert_eq!(list.len(), 1, "{list:?}");
    let id = list[0]["incident"].as_str().expect("an id");
    scene.rescind(&["incident", "show", id, "-o", "jsonl"]).code(0).json_document()
}

fn texts<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    let of = |one: &'v Value| one[field].as_str().unwrap_or_default();
    list.as_array().expect("a list").iter().map(of).collect()
}

#[test]
fn an_incident_is_contained_when_all_is_denied_and_closed_with_its_last_door() {
    let (scene, intrusion) = begun("mode = \"enforce\"\npursue = \"enforce\"\n");
    scene.poll().code(5);
    intrusion.second.is_denied();
    let shown = incident(&scene);
    assert_eq!(shown["state"], "contained", "{shown:#}");
    assert_eq!(shown["remediations"].as_array().expect("a list").len(), 2);
    let of_sessions = shown["sessions"].as_array().expect("a list").iter();
    let sessions: Vec<&Value> = of_sessions.filter(|one| one["thing"] == "role_session").collect();
    assert_eq!(sessions.iter().map(|one| &one["status"]).collect::<Vec<_>>(), ["denied", "denied"]);
    assert_eq!(sessions[1]["access_key"], intrusion.second_key.as_str());
    assert_eq!(sessions[1]["by"], sessions[0]["access_key"]);
    assert_eq!(sessions[1]["account"], BANK);
    let id = shown["incident"].as_str().expect("an id");
    let doors = texts(&shown["doors"], "door");
    assert!(doors.len() >= 2 && texts(&shown["doors"], "status").iter().all(|status| *status == "open"));

    // What the thief did and what rescind did stand in the order of their times.
    let times = texts(&shown["timeline"], "at");
    let read: Vec<jiff::Timestamp> = times.iter().map(|time| time.parse().expect("a time")).collect();
    assert!(read.is_sorted(), "{times:?}");
    let actors = texts(&shown["timeline"], "actor");
    assert!(actors.contains(&"thief") && actors.contains(&"rescind"));

    // By any id of it, and by the beginning of one.
    let second = shown["remediations"][1]["remediation"].as_str().expect("an id");
    for name in [id, &id[..10], second, &second[..10]] {
        let same = scene.rescind(&["incident", "show", name, "-o", "jsonl"]).code(0).json_document();
        assert_eq!(same["incident"], id);
    }
    assert_eq!(scene.shown(second)["incident"], id);

    let done = |doors: &[&str]| {
        scene.rescind(&[&["incident", "done", id][..], doors, &SIGNED, &["-o", "jsonl"]].concat())
    };
    done(&["ffffffff"]).code(2).says("is no door").says(doors[0]);
    done(&[doors[0], "ffffffff"]).code(2);
    assert_eq!(scene.entries_of("doors_closed").len(), 0);
    assert_eq!(done(&doors[..1]).code(0).json_document()["state"], "contained");
    done(&doors[..1]).code(2).says("already").says(doors[1]);
    assert_eq!(done(&doors[1..]).code(0).json_document()["state"], "closed");
    let shown = incident(&scene);
    assert_eq!((&shown["state"], &shown["to_do"]), (&json!("closed"), &json!([])));
    assert_eq!(shown["doors"][0]["closed"]["by"], "Ada");
    let of_state =
        |state| scene.rescind(&["incident", "list", "--state", state, "-o", "jsonl"]).code(0).json().len();
    assert_eq!([of_state("open"), of_state("contained"), of_state("closed")], [0, 0, 1]);
}

#[test]
fn all_that_is_held_of_an_incident_is_answered_at_once() {
    let (scene, intrusion) = begun("mode = \"enforce\"\n");
    scene.poll().code(5);
    let shown = incident(&scene);
    assert_eq!(shown["state"], "open");
    let batch = |shown: &Value| {
        let sessions = shown["sessions"].as_array().expect("a list").clone();
        sessions
            .into_iter()
            .find(|one| one["access_key"] == intrusion.second_key.as_str())
            .expect("it is there")
    };
    assert_eq!(batch(&shown)["status"], "held");
    intrusion.second.is_allowed();
    let id = shown["incident"].as_str().expect("an id");
    assert!(
        shown["to_do"][0].as_str().is_some_and(|line| line.contains(&format!("approve --incident {id}")))
    );
    scene.rescind(&[&["approve", "--incident", id][..], &SIGNED].concat()).code(0);
    scene.rescind(&[&["approve", "--incident", id][..], &SIGNED].concat()).code(2);
    scene.run_once();
    let shown = incident(&scene);
    assert_eq!((&shown["state"], &batch(&shown)["status"]), (&json!("contained"), &json!("denied")));
    intrusion.second.is_denied();
    assert_eq!(scene.entries_of("approved").len(), 1);
}

#[test]
fn a_held_incident_is_pursued_when_a_person_asks_and_rejected_as_a_whole() {
    let (scene, intrusion) = begun("mode = \"approve\"\n");
    scene.poll().code(5);
    let shown = incident(&scene);
    assert_eq!((&shown["state"], shown["sessions"].as_array().map(Vec::len)), (&json!("open"), Some(1)));
    let id = shown["incident"].as_str().expect("an id");
    let pursue = || scene.rescind(&[&["incident", "pursue", id][..], &SIGNED].concat());
    pursue().code(0);
    pursue().code(2);
    scene.poll().code(5);
    let shown = incident(&scene);
    assert!(shown["doors"].as_array().is_some_and(|doors| doors.len() >= 2), "{shown:#}");
    assert_eq!(scene.entries_of("intent").len(), 0);
    intrusion.second.is_allowed();
    scene.rescind(&[&["reject", "--incident", id][..], &SIGNED].concat()).code(0);
    // A person has judged its sessions. The doors are there.
    assert_eq!(incident(&scene)["state"], "contained");
}

#[test]
fn a_finding_about_what_the_thief_opened_belongs_to_the_same_incident() {
    let (scene, intrusion) = begun("mode = \"enforce\"\npursue = \"enforce\"\n");
    scene.poll().code(5);
    let before = incident(&scene);
    let second = before["remediations"][1]["remediation"].as_str().expect("an id");
    let principal = scene.shown(second)["finding"]["principal"].clone();
    let session =
        json!({"principal_id": principal["principal_id"], "access_key_id": principal["access_key_id"]});
    scene.report(BANK, "batch", &session, json!({}));
    // And once more about the stolen one itself.
    scene.report(
        SHOP,
        "web",
        &json!({"principal_id": scene.shown(&intrusion.finding)["finding"]["principal"]["principal_id"],
        "access_key_id": scene.shown(&intrusion.finding)["finding"]["principal"]["access_key_id"]}),
        json!({}),
    );
    scene.run_once();
    let after = incident(&scene);
    assert_eq!(after["incident"], before["incident"]);
    assert_eq!(after["sessions"].as_array().map(Vec::len), before["sessions"].as_array().map(Vec::len));
}

#[test]
fn reports_have_the_incident_and_each_remediation_says_whose_it_is() {
    let (scene, intrusion) = begun("mode = \"enforce\"\npursue = \"enforce\"\n");
    scene.poll().code(5);
    // A theft of which CloudTrail shows nothing is no story of its own.
    scene.theft(SECURITY, "other");
    scene.run_once();
    let list =
        scene.rescind(&["incident", "list", "--state", "contained", "-o", "jsonl"]).code(0).json_document();
    let id = list["incident"].as_str().expect("an id");
    let report = |format: &str| scene.rescind(&["report", "-o", format]).code(0).out;
    let json: Value = serde_json::from_str(&report("json")).expect("JSON");
    assert_eq!(texts(&json["incidents"], "incident"), [id]);
    assert_eq!(texts(&json["incidents"][0]["doors"], "status"), ["open"; 3]);
    let of_it = texts(&json["remediations"], "incident").into_iter().filter(|one| *one == id).count();
    assert_eq!((of_it, json["remediations"].as_array().map(Vec::len)), (2, Some(3)));
    let csv = report("csv");
    assert!(csv.lines().next().is_some_and(|names| names.contains(",incident,")));
    assert_eq!(csv.lines().filter(|row| row.contains(&format!(",{id},"))).count(), 2);
    let ocsf: Vec<Value> =
        report("ocsf").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(ocsf.iter().filter(|event| event["metadata"]["correlation_uid"] == id).count(), 2);
    let asff: Value = serde_json::from_str(&report("asff")).expect("JSON");
    let of_it = |one: &&Value| one["ProductFields"]["rescind/incident"] == id;
    assert_eq!(asff.as_array().expect("a list").iter().filter(of_it).count(), 2);
    let html = report("html");
    assert!(html.contains(&format!("id=\"{id}\"")) && html.contains("<svg class=\"graph\" role=\"img\""));
    assert!(html.contains(&intrusion.second_key) && html.contains("sts:AssumeRole"));
}

#[test]
fn a_running_service_counts_the_incidents_that_are_not_closed() {
    let (scene, _intrusion) = begun("mode = \"enforce\"\npursue = \"enforce\"\nlisten = \"127.0.0.1:0\"\n");
    let mut service = Watching::start(&scene, &["--backlog"]);
    let url = address(&mut service);
    let line = |line: &str| scene.wait(|| ask(&format!("{url}/metrics")).1.lines().any(|one| one == line));
    line("rescind_open_doors 3");
    line("rescind_incidents{state=\"contained\"} 1");
    scene.wait(|| scene.rescind(&["status"]).out.contains("0 incidents open, 1 contained; 3 doors open"));
    // What a person says is taken beside the service.
    let shown = incident(&scene);
    let id = shown["incident"].as_str().expect("an id");
    scene
        .rescind(&[&["incident", "done", id][..], &texts(&shown["doors"], "door"), &SIGNED].concat())
        .code(0);
    line("rescind_open_doors 0");
    line("rescind_incidents{state=\"contained\"} 0");
    assert_eq!(service.stop(), 0);
    assert!(!scene.rescind(&["status"]).out.contains("incident"));
}

#[test]
fn a_wrong_id_is_refused_with_what_is_expected() {
    let scene = Scene::new();
    let (_, _finding) = scene.theft(SHOP, "web");
    scene.run_once();
    for (id, says) in
        [("web", "expected an incident's id"), ("i-", "expected"), ("i-00000000", "no incident matches")]
    {
        for command in
            [&["incident", "show", id][..], &["incident", "done", id, "door", "--by", "A", "--reason", "r"]]
        {
            scene.rescind(command).code(2).says(says);
        }
        scene.rescind(&[&["approve", "--incident", id][..], &SIGNED].concat()).code(2).says(says);
    }
    scene.rescind(&[&["approve", "r-0000", "--incident", "i-0000"][..], &SIGNED].concat()).code(2);
    scene.rescind(&[&["approve"][..], &SIGNED].concat()).code(2);
}

#[test]
fn what_a_person_sees_of_an_incident() {
    let (scene, intrusion) = begun("mode = \"enforce\"\n");
    scene.poll().code(5);
    let shown = incident(&scene);
    let id = shown["incident"].as_str().expect("an id");
    let mut screens = Transcript::new(&scene);
    let doors = texts(&shown["doors"], "door");
    // Their ids are others at each run.
    let mut run = |args: &[&str], code: i32| {
        let numbered = |text: &str| {
            let each = doors.iter().enumerate();
            each.fold(text.to_owned(), |text, (number, door)| text.replace(door, &format!("door000{number}")))
        };
        let ran = scene.rescind(args);
        let ran = Ran { code: ran.code, out: numbered(&ran.out), err: numbered(&ran.err) };
        let args: Vec<String> = args.iter().map(|arg| numbered(arg)).collect();
        screens.said(&args.iter().map(String::as_str).collect::<Vec<_>>(), ran).code(code);
    };
    let second = shown["remediations"][1]["remediation"].as_str().expect("an id");
    run(&["incident", "list"], 0);
    run(&["incident", "show", id], 0);
    run(&["incident", "show", id, "-o", "mermaid"], 0);
    run(&["incident", "show", id, "-o", "dot"], 0);
    run(&[&["incident", "pursue", id][..], &SIGNED].concat(), 2);
    run(&[&["incident", "done", id, "ffffffff"][..], &SIGNED].concat(), 2);
    run(&[&["incident", "done", id][..], &doors, &SIGNED].concat(), 0);
    run(&["show", second], 0);
    run(&[&["approve", "--incident", id][..], &SIGNED].concat(), 0);
    scene.run_once();
    run(&["incident", "show", id], 0);
    run(&["incident", "list"], 0);
    run(&["incident", "list", "--state", "open"], 0);
    screens.is("incident_pursued");
    drop(intrusion);
}
