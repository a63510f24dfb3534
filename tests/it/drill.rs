//! `rescind drill`: the whole way with a throw-away role, and nothing is left of it.

use crate::scene::{Ran, SHOP, Scene, Setting};
use crate::screens::Transcript;
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::{Value, json};

const ROLE: &str = "RescindDrill";
const STEPS: [&str; 9] =
    ["stolen", "decided", "accepted", "present", "simulated", "enforced", "spared", "released", "restored"];

/// An account with a role for drills; more statements of its trust.
fn scene(more: &Value) -> Scene {
    let scene = Scene::with(Setting { hub_policy: hub_policy(), ..Setting::default() });
    scene.configure("mode = \"observe\"\nremedy = \"quarantine\"\n[[rules]]\nname = \"none\"\nmode = \"off\"\ntypes = [\"*\"]\n");
    configure(&scene);
    let mut trust = scene.rescind(&["policies", "print", "member-trust"]).code(0).json_document();
    trust["Statement"].as_array_mut().expect("a list").extend(more.as_array().expect("a list").clone());
    let permissions = scene.rescind(&["policies", "print", "drill-role"]).code(0).json_document();
    scene.post("roles", &json!({"account": SHOP, "name": ROLE, "policy": permissions, "trust": trust, "instance_profile": false}));
    scene
}

/// The hub's role as it is deployed where drills are held: what `policies print hub-role` prints.
fn hub_policy() -> Value {
    let mut policy = crate::scene::policy("hub-role-permissions.json");
    let enter = policy["Statement"]
        .as_array_mut()
        .expect("a list")
        .iter_mut()
        .find(|one| one["Sid"] == "EnterMembers");
    let roles = json!(["arn:*:iam::*:role/RescindRemediation", format!("arn:*:iam::*:role/{ROLE}")]);
    enter.expect("a statement")["Resource"] = roles;
    policy
}

/// In a mode in which nothing would be done, with a rule that says so as well: a drill is asked for.
fn configure(scene: &Scene) {
    let text = std::fs::read_to_string(scene.path("rescind.toml")).expect("there");
    let text = format!("{text}[drill]\nrole = \"{ROLE}\"\n");
    std::fs::write(scene.path("rescind.toml"), text).expect("written");
}

/// Holds one, and lets the clock of AWS pass the cutoff.
fn hold(scene: &Scene) -> Ran {
    hold_in(scene, &["drill", SHOP, "-o", "jsonl"])
}

fn hold_in(scene: &Scene, args: &[&str]) -> Ran {
    let drill = scene.spawn(args);
    std::thread::scope(|scope| {
        let done = scope.spawn(|| Scene::finish(drill));
        scene.wait(|| done.is_finished() || scene.policy_on(SHOP, ROLE).is_some());
        scene.advance_clock(60);
        done.join().expect("it ends")
    })
}

#[test]
fn a_drill_goes_the_whole_way_and_leaves_nothing() {
    let scene = scene(&json!([]));
    assert_eq!(scene.rescind(&["policies", "print", "hub-role"]).code(0).json_document(), hub_policy());
    let before = Thief::operator(&scene, SHOP).role_policies(ROLE);
    let drill = hold(&scene).code(0).json().remove(0);
    let steps = drill["steps"].as_array().expect("steps");
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().expect("a name")).collect();
    assert_eq!(names, STEPS);
    assert!(steps.iter().all(|step| step["passed"] == true), "{drill}");
    assert_eq!(Thief::operator(&scene, SHOP).role_policies(ROLE), before);
    // The main ledger has the result, and its own ledger the whole story.
    assert_eq!(scene.entries_of("drill")[0]["data"]["passed"], true);
    assert!(scene.entries_of("intent").is_empty());
    scene.rescind(&["list", "-o", "jsonl"]).code(0);
    let own = drill["ledger"].as_str().expect("a path");
    let checkpoint = scene.path("kept");
    std::fs::write(&checkpoint, drill["checkpoint"].as_str().expect("a note")).expect("written");
    let checkpoint = checkpoint.to_string_lossy().into_owned();
    scene.rescind(&["ledger", "verify", "--ledger", own, "--checkpoint", &checkpoint]).code(0);
    scene.rescind(&["ledger", "verify"]).code(0);
    scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
}

#[test]
fn it_is_held_beside_a_running_service() {
    let scene = scene(&json!([]));
    let service = Watching::start(&scene, &[]);
    let mut screens = Transcript::new(&scene);
    screens.said(&["drill", SHOP], hold_in(&scene, &["drill", SHOP]).code(0));
    service.stop();
    assert_eq!(scene.entries_of("drill").len(), 1);
    screens.is("drill");
}

#[test]
fn a_role_that_anybody_else_may_assume_is_not_touched() {
    let instances = json!([{"Sid": "Instances", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    let scene = scene(&instances);
    let ran = scene.rescind(&["drill", SHOP]).code(2);
    ran.says("RescindDrill").says("Instances");
    assert_eq!(scene.writes(), 0);
    assert!(scene.entries_of("drill").is_empty());
}

#[test]
fn a_deny_that_does_not_work_fails_the_drill_and_is_taken_back() {
    let scene = scene(&json!([]));
    // AWS says yes, and stores nothing.
    scene.post("switches", &json!({"put_role_policy_ignored": true}));
    let drill = scene.spawn(&["drill", SHOP]);
    let tries = || {
        let by_thief =
            |call: &&Value| call["principal"].as_str().is_some_and(|who| who.ends_with("/rescind-drill"));
        scene.calls_of("GetRole").iter().filter(by_thief).count()
    };
    scene.wait(|| tries() > 3);
    // Nobody waits for a call to be denied that nothing denies.
    let done = std::process::Command::new("kill").args(["-INT", &drill.id().to_string()]).status();
    assert!(done.expect("kill runs").success());
    Scene::finish(drill).code(130);
    assert_eq!(scene.entries_of("drill")[0]["data"]["passed"], false);
    assert_eq!(scene.policy_on(SHOP, ROLE), None);
}

#[test]
fn a_release_that_aws_does_not_answer_is_tried_again() {
    let scene = scene(&json!([]));
    let down = json!({"error": {"code": "ServiceUnavailable", "message": "down", "status": 503}});
    // More than the SDK's own retries.
    scene.fault("down", json!({"operation": "DeleteRolePolicy"}), "before", down, 5);
    hold(&scene).code(0);
    assert_eq!(scene.policy_on(SHOP, ROLE), None);
}

#[test]
fn what_a_killed_drill_left_is_named_and_taken_back_by_the_next_one() {
    let scene = scene(&json!([]));
    let mut drill = scene.spawn(&["drill", SHOP]);
    scene.wait(|| scene.policy_on(SHOP, ROLE).is_some());
    drill.kill().expect("killed");
    drill.wait().expect("it ended");
    let unended = || {
        scene.rescind(&["doctor", "-o", "jsonl"]).json_document()["problems"]
            .to_string()
            .contains("\"drill_unfinished\"")
    };
    assert!(unended());
    let drill = hold(&scene).code(0).json().remove(0);
    assert_eq!(drill["passed"], true, "{drill}");
    assert_eq!(scene.policy_on(SHOP, ROLE), None);
    assert!(!unended());
}

#[test]
fn a_drill_over_a_deny_that_nobody_knows_is_not_passed() {
    let scene = scene(&json!([]));
    let mut drill = scene.spawn(&["drill", SHOP]);
    scene.wait(|| scene.policy_on(SHOP, ROLE).is_some());
    drill.kill().expect("killed");
    drill.wait().expect("it ended");
    std::fs::remove_dir_all(scene.path("drills")).expect("there");
    scene.rescind(&["drill", SHOP]).code(2).says("delete-role-policy --role-name RescindDrill");
    // Its cutoff passes, and it denies nobody any more.
    scene.advance_clock(120);
    hold(&scene).code(5);
    assert!(scene.policy_on(SHOP, ROLE).is_some());
}

#[test]
fn a_drill_whose_disk_is_full_says_what_is_left() {
    let scene = scene(&json!([]));
    let drill = scene.command(&["drill", SHOP]);
    // A write beyond the limit fails, as on a full disk, and does not end the process.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(drill.get_program()).args(drill.get_args());
    command.env_clear().envs(drill.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.current_dir(drill.get_current_dir().expect("a directory"));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let drill = command.spawn().expect("it starts");
    scene.wait(|| scene.policy_on(SHOP, ROLE).is_some());
    let limit = rustix::process::Rlimit { current: Some(1), maximum: None };
    let pid = rustix::process::Pid::from_raw(i32::try_from(drill.id()).expect("a pid"));
    rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit).expect("limited");
    let ran = Scene::finish(drill);
    assert_eq!(ran.code, 4, "{}", ran.err);
    ran.says("delete-role-policy --role-name RescindDrill");
    // With room again the next one takes it back.
    hold(&scene).code(0);
    assert_eq!(scene.policy_on(SHOP, ROLE), None);
}

#[test]
fn a_terminal_that_goes_away_does_not_leave_the_deny() {
    let scene = scene(&json!([]));
    let drill = scene.spawn(&["drill", SHOP]);
    scene.wait(|| scene.policy_on(SHOP, ROLE).is_some());
    let done = std::process::Command::new("kill").args(["-HUP", &drill.id().to_string()]).status();
    assert!(done.expect("kill runs").success());
    Scene::finish(drill).code(130);
    assert_eq!(scene.policy_on(SHOP, ROLE), None);
}

#[test]
fn without_a_role_it_says_how_to_get_one() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.run(&["drill", SHOP]).code(2).says("rescind.toml");
    let text = std::fs::read_to_string(scene.path("rescind.toml")).expect("there");
    std::fs::write(scene.path("rescind.toml"), text.clone() + "[drill]\nrole = \"RescindRemediation\"\n")
        .expect("written");
    screens.run(&["drill", SHOP]).code(2).says("drill.role");
    std::fs::write(scene.path("rescind.toml"), text + "[drill]\nrole = \"nobody\"\n").expect("written");
    screens.run(&["drill", SHOP]).code(2).says("nobody");
    screens.is("drill_without_role");
}
