//! What a terminal is given that a file is not: colour, and a screen that is cleared.

use crate::scene::{Scene, python};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// Runs a command in a terminal of its own, 80 characters wide, and ends with its exit code.
const IN_TERMINAL: &str = "import os, pty, sys
narrow = ['sh', '-c', 'stty cols 80; exec \"$@\"', 'sh']
sys.exit(os.waitstatus_to_exitcode(pty.spawn(narrow + sys.argv[1:])))";

const CLEARED: &str = "\u{1b}[2J\u{1b}[H";

/// The binary in a terminal.
fn in_terminal(scene: &Scene, args: &[&str]) -> Command {
    let inner = scene.command(args);
    let mut command = Command::new(python());
    command.args(["-c", IN_TERMINAL]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(scene.path("")).env_clear().env("TERM", "xterm");
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn what_is_shown_again_and_again_clears_the_screen_and_stops_without_a_word() {
    let scene = Scene::new();
    let (_, _finding) = scene.theft(crate::scene::SHOP, "web");
    scene.poll();
    let mut process = in_terminal(&scene, &["list", "--watch"]).spawn().expect("a terminal");
    let mut out = process.stdout.take().expect("piped");
    let mut said = Vec::new();
    let mut byte = [0];
    // Up to the second screen: it is looked again, and Ctrl-C is heard.
    while String::from_utf8_lossy(&said).matches(CLEARED).count() < 2 {
        assert_eq!(out.read(&mut byte).expect("readable"), 1, "{:?}", String::from_utf8_lossy(&said));
        said.push(byte[0]);
    }
    process.stdin.as_mut().expect("piped").write_all(b"\x03").expect("typed");
    out.read_to_end(&mut said).expect("readable");
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with(CLEARED) && !said.contains("stopping"), "{said:?}");
    assert_eq!(process.wait().expect("it ends").code(), Some(0));
    // Nobody's file is cleared.
    assert!(!scene.rescind(&["list"]).code(0).out.contains("[2J"));
}

#[test]
fn an_opt_out_that_ends_soon_has_a_colour_where_colours_are_wanted() {
    let scene = Scene::new();
    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%d");
    let text = format!(
        "[[opt_out]]\nname = \"freeze\"\nowner = \"o\"\nreason = \"r\"\naccounts = [\"{}\"]\nmode = \"off\"\nexpires = {tomorrow}\n",
        crate::scene::SHOP
    );
    std::fs::write(scene.path("opt-outs.toml"), text).expect("written");
    for args in [&["opt-out", "list"][..], &["opt-out", "explain", "--account", crate::scene::SHOP]] {
        let ended = |mut command: Command| {
            let out = command.stdin(Stdio::null()).output().expect("it runs");
            String::from_utf8(out.stdout).expect("UTF-8")
        };
        let coloured = ended(in_terminal(&scene, args));
        assert!(coloured.contains("\u{1b}[33m"), "{coloured:?}");
        let mut plain = in_terminal(&scene, args);
        plain.env("NO_COLOR", "1");
        for plain in [ended(plain), ended(scene.command(args))] {
            assert!(
                plain.contains("(in 1 day)") && !plain.contains('\u{1b}') && !plain.contains("[33m"),
                "{plain:?}"
            );
        }
    }
}

#[test]
fn a_list_has_two_lines_for_each_where_a_table_has_no_room() {
    let scene = Scene::new();
    let name = "AWSReservedSSO_AdministratorAccess_0123456789abcdef";
    let body = serde_json::json!({"account": crate::scene::SECURITY, "region": crate::scene::HOME, "findings": [{
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8,
        "accountId": crate::scene::SHOP, "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
            "userType": "AssumedRole", "userName": name, "principalId": "AROAEXAMPLEEXAMPLE01:ada"}}}]});
    scene.post("findings", &body);
    scene.poll().code(5);
    let out = in_terminal(&scene, &["list"]).stdin(Stdio::null()).output().expect("it runs");
    let shown = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(shown.lines().all(|line| line.trim_end().chars().count() <= 80), "{shown}");
    // The bare name, whole, and no key of ours.
    assert!(shown.contains(name) && !shown.contains("unsupported"), "{shown}");
    let is_head = |line: &str| line.contains("held") && line.contains("222222222222 (shop)");
    assert!(shown.lines().any(is_head), "{shown}");
    assert_eq!(scene.rescind(&["list", "-o", "jsonl"]).json()[0]["principal"], name);
}

/// Types a line into a command that asks for the name of what it is about to revoke. Gives its exit code and what it said.
fn answered(scene: &Scene, args: &[&str], answer: &str) -> (i32, String) {
    dialogue(scene, args, &[("Type ", answer)])
}

/// Types each answer once its question was asked. Gives the exit code and all that was said.
fn dialogue(scene: &Scene, args: &[&str], answers: &[(&str, &str)]) -> (i32, String) {
    let mut process = in_terminal(scene, args).spawn().expect("a terminal");
    let mut out = process.stdout.take().expect("piped");
    let (mut said, mut byte, mut seen) = (Vec::new(), [0], 0);
    for (question, answer) in answers {
        while !String::from_utf8_lossy(&said[seen..]).contains(question) {
            assert_eq!(out.read(&mut byte).expect("readable"), 1, "{:?}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        seen = said.len();
        process.stdin.as_mut().expect("piped").write_all(answer.as_bytes()).expect("typed");
    }
    out.read_to_end(&mut said).expect("readable");
    let code = process.wait().expect("it ends").code().expect("a code");
    (code, String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn an_order_shows_its_plan_and_is_given_only_by_the_name_of_what_it_revokes() {
    let scene = Scene::new();
    scene.role(crate::scene::SHOP, "web");
    let session = scene.session(crate::scene::SHOP, "web", "i-0123456789abcdef0");
    let thief = scene.thief(&session);
    let order = ["revoke", crate::scene::SHOP, "web", "--by", "Ada", "--reason", "ticket 4711"];
    for wrong in ["yes\n", "\n", "WEB\n", "\u{4}"] {
        let (code, said) = answered(&scene, &order, wrong);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("would revoke") && said.contains("nothing was ordered"), "{said}");
    }
    // Ctrl-C leaves it as it is.
    let (code, _) = answered(&scene, &order, "\u{3}");
    assert_ne!(code, 0);
    thief.is_allowed();
    assert_eq!(scene.entries_of("finding").len() + scene.writes(), 0);
    let (code, said) = answered(&scene, &order, "web\n");
    assert_eq!(code, 0, "{said}");
    thief.is_denied();
}

#[test]
fn a_release_says_what_works_again_and_until_when_and_is_done_only_by_the_name_of_what_it_releases() {
    let scene = Scene::new();
    let (thief, _) = scene.theft(crate::scene::SHOP, "web");
    scene.run_once();
    thief.is_denied();
    let id =
        scene.rescind(&["list", "-o", "jsonl"]).json()[0]["remediation"].as_str().expect("an id").to_owned();
    let release = ["release", &id, "--by", "Ada", "--reason", "ticket 4711"];
    // Where nobody can be asked it is refused, and says how it would be done.
    scene.rescind(&release).code(2).says("--yes");
    scene.rescind(&[&release[..], &["-o", "jsonl"]].concat()).code(2).says("--yes");
    // What would be done, without doing it.
    let dry = scene.rescind(&["release", &id, "--dry-run", "-o", "jsonl"]).code(0).json_document();
    assert_eq!(
        (&dry["dry_run"], &dry["state"], &dry["drift"]),
        (&true.into(), &"revoked".into(), &false.into())
    );
    let cutoff = scene.shown(&id)["change"]["cutoff"].as_str().expect("a time").to_owned();
    let until = dry["works_again"]["until"].as_str().expect("a time");
    let [cutoff, until] = [&cutoff, until].map(|text| text.parse::<jiff::Timestamp>().expect("a time"));
    assert_eq!(until.duration_since(cutoff), jiff::SignedDuration::from_hours(24));
    for wrong in ["yes\n", "\n", "WEB\n", "\u{4}"] {
        let (code, said) = answered(&scene, &release, wrong);
        assert_eq!(code, 2, "{said}");
        // The account has its name; and the screen says what it does to whom.
        assert!(said.contains("222222222222 (") && said.contains("may work again until"), "{said}");
        assert!(said.contains("nothing was released"), "{said}");
    }
    assert_eq!(scene.entries_of("release_asked").len(), 0);
    thief.is_denied();
    let (code, said) = answered(&scene, &release, "web\n");
    assert_eq!(code, 0, "{said}");
    thief.is_allowed();
    // The status says so as long as it may work, and how far the deny was proved is kept.
    let released = scene.rescind(&["status", "-o", "jsonl"]).json_document()["released"].clone();
    assert_eq!(
        (&released[0]["remediation"], &released[0]["works_again"]["until"]),
        (&id.as_str().into(), &dry["works_again"]["until"])
    );
    let line = scene.shown(&id)["remediation"].clone();
    assert_eq!(
        (&line["proof"], &line["earlier_proof"]["rung"]),
        (&serde_json::Value::Null, &"simulated".into())
    );
}

#[test]
fn what_is_held_is_gone_through_one_after_another() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    for role in ["web", "cards", "till", "batch"] {
        let _ = scene.theft(crate::scene::SHOP, role);
    }
    scene.poll().code(5);
    // Nobody is asked where nobody can be.
    scene.rescind(&["approve", "--interactive"]).code(2).says("--interactive");
    let question = "[a/r/s/q]";
    let (code, said) = dialogue(
        &scene,
        &["approve", "-i"],
        &[
            (question, "what?\n"),
            (question, "a\n"),
            ("Reason:", "\n"),
            (question, "a\n"),
            ("Reason:", "not ours\n"),
            (question, "s\n"),
            (question, "r\n"),
            ("Reason:", "our scanner\n"),
            (question, "q\n"),
        ],
    );
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("4 of 4") && said.contains("203.0.113.77"), "{said}");
    let answers = |kind: &str| {
        let all = scene.entries_of(kind).into_iter().map(|entry| entry["data"]["reason"].clone());
        all.collect::<Vec<_>>()
    };
    assert_eq!(
        (answers("approved"), answers("rejected")),
        (vec!["not ours".into()], vec!["our scanner".into()])
    );
    // Who is recorded anyway is who answers, where nobody is named.
    let approved = scene.entries_of("approved").remove(0);
    let (by, user) = (approved["data"]["by"].as_str().expect("a name"), &approved["data"]["os_user"]);
    assert!(user.as_str().expect("a user").starts_with(&format!("{by}, uid ")), "{approved}");
    // Those that are left, with one reason for all.
    let (code, said) =
        dialogue(&scene, &["reject", "-i", "--reason", "late"], &[(question, "r\n"), (question, "r\n")]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(answers("rejected").len(), 3);
}
