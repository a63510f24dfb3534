//! Notifications: they arrive, whatever the receiver does, and keep nothing waiting.

use crate::scene::{BANK, BARE, HOME, MANAGEMENT, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::{Value, json};

const TOPIC: &str = "rescind-on-call";

/// A scene with these channels; `{topic}`, `{bus}` and `{hook}` stand for where they go.
fn with(channels: &str) -> Scene {
    let mut scene = Scene::new();
    let of = |kind: &str, name: &str| {
        let answer = scene.post(kind, &json!({"account": SECURITY, "region": HOME, "name": name}));
        answer["arn"].as_str().expect("an ARN").to_owned()
    };
    let (topic, bus) = (of("topics", TOPIC), of("buses", "rescind-bus"));
    let hook = format!("{}/webhook/hook", scene.endpoint());
    scene.more_tables = channels.replace("{topic}", &topic).replace("{bus}", &bus).replace("{hook}", &hook);
    scene.configure("mode = \"enforce\"\n");
    scene
}

fn published(scene: &Scene) -> Vec<Value> {
    scene.get(&format!("topics?name={TOPIC}"))["messages"].as_array().expect("messages").clone()
}

fn events(scene: &Scene) -> Vec<Value> {
    scene.get("buses?name=rescind-bus")["events"].as_array().expect("events").clone()
}

fn posted(scene: &Scene) -> Vec<Value> {
    scene.get("webhooks?name=hook")["requests"].as_array().expect("requests").clone()
}

/// Those that the receiver took.
fn taken(scene: &Scene) -> Vec<Value> {
    let taken = posted(scene).into_iter().filter(|request| request["status"] == 200);
    taken
        .map(|request| serde_json::from_str(request["body"].as_str().expect("a body")).expect("JSON"))
        .collect()
}

const ALL: &str = "[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\n[[notify]]\nname = \"bus\"\nevent_bus = \"{bus}\"\n[[notify]]\nname = \"hook\"\nwebhook = \"{hook}\"\nkey_file = \"hook.key\"\n";

#[test]
fn what_was_revoked_is_sent_to_each_channel_with_what_to_do() {
    let scene = with(ALL);
    std::fs::write(scene.path("hook.key"), "a secret key\n").expect("written");
    let (_, finding) = scene.theft(SHOP, "web");
    scene.post("instances", &json!({"account": SHOP, "region": HOME, "role": "web", "name": "front"}));
    scene.run_once();

    let mails = published(&scene);
    assert_eq!(mails.len(), 1);
    let subject = mails[0]["subject"].as_str().expect("a subject");
    assert!(subject.contains(SHOP) && subject.len() < 100, "{subject}");
    let text = mails[0]["message"].as_str().expect("a text");
    assert!(text.contains(&finding) && text.contains("front"), "{text}");
    let sqs = mails[0]["structure"]["sqs"].as_str().expect("for programs");
    let notice: Value = serde_json::from_str(sqs).expect("JSON");
    assert_eq!(
        (&notice["topic"], &notice["level"], &notice["account"]),
        (&json!("revoked"), &json!("warning"), &json!(SHOP))
    );

    let on_bus = events(&scene);
    assert_eq!(
        (&on_bus[0]["source"], &on_bus[0]["detail_type"]),
        (&json!("rescind"), &json!("rescind revoked"))
    );
    assert_eq!(on_bus[0]["detail"]["remediation"], notice["remediation"]);

    let hooks = posted(&scene);
    assert_eq!(hooks.len(), 1);
    let (headers, body) = (&hooks[0]["headers"], hooks[0]["body"].as_str().expect("a body"));
    assert_eq!(headers["idempotency-key"], notice["id"]);
    // By code that is not ours.
    let script = "import hmac,sys; print('sha256=' + hmac.new(b'a secret key', (sys.argv[1] + '.').encode() + sys.stdin.buffer.read(), 'sha256').hexdigest())";
    let at = headers["x-rescind-timestamp"].as_str().expect("a time");
    assert_eq!(python(script, at, body), headers["x-rescind-signature"]);
    // It is sent once.
    scene.run_once();
    assert_eq!((published(&scene).len(), events(&scene).len(), posted(&scene).len()), (1, 1, 1));
}

fn python(script: &str, argument: &str, input: &str) -> String {
    use std::io::Write;
    let mut process = std::process::Command::new("python3")
        .args(["-c", script, argument])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 starts");
    process.stdin.take().expect("piped").write_all(input.as_bytes()).expect("written");
    let output = process.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_receiver_that_fails_hangs_up_and_says_later_loses_nothing() {
    let mut scene = with("[[notify]]\nname = \"hook\"\nwebhook = \"{hook}\"\n");
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\n");
    scene.more_tables.clear();
    scene.post(
        "webhooks",
        &json!({"name": "hook", "answers": [500, "close", {"status": 429, "retry_after": 1}]}),
    );
    scene.watch();
    let service = crate::watching::Watching::start(&scene, &[]);
    let (thief, finding) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    scene.wait(|| !taken(&scene).is_empty());
    let all = posted(&scene);
    let statuses: Vec<&Value> = all.iter().map(|request| &request["status"]).collect();
    assert_eq!(statuses, [&json!(500), &json!("close"), &json!(429), &json!(200)]);
    assert_eq!(taken(&scene)[0]["finding"], json!(finding));
    // The same message each time, so that a receiver can see that it is the same.
    let keys: Vec<&Value> = all.iter().map(|request| &request["headers"]["idempotency-key"]).collect();
    assert!(keys.iter().all(|key| *key == keys[0]));
    service.stop();
}

/// What hangs holds up neither the deny nor the other channels; and it is delivered after all.
#[test]
fn a_receiver_that_hangs_keeps_nothing_waiting() {
    let scene = with(&ALL.replace("key_file = \"hook.key\"\n", ""));
    scene.post("webhooks", &json!({"name": "hook", "answers": ["hang"]}));
    let (thief, _) = scene.theft(SHOP, "web");
    scene.run_once();
    thief.is_denied();
    assert_eq!((published(&scene).len(), events(&scene).len(), taken(&scene).len()), (1, 1, 0));
    scene.run_once();
    assert_eq!((published(&scene).len(), events(&scene).len(), taken(&scene).len()), (1, 1, 1));
}

#[test]
fn what_a_killed_run_did_not_send_is_sent_by_the_next_one() {
    let scene = with("[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\n");
    let _ = scene.theft(SHOP, "web");
    scene.kill_at("Publish", "before");
    assert_eq!(published(&scene).len(), 0);
    scene.run_once();
    assert_eq!(published(&scene).len(), 1);
}

#[test]
fn each_channel_gets_what_it_asked_for() {
    let scene = with(
        "[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\ntopics = [\"held\", \"alert\"]\n[[notify]]\nname = \"bus\"\nevent_bus = \"{bus}\"\naccounts = [\"333333333333\"]\n[[notify]]\nname = \"hook\"\nwebhook = \"{hook}\"\nmin_level = \"critical\"\n",
    );
    let _ = scene.theft(SHOP, "web");
    let _ = scene.theft(BANK, "web");
    scene.run_once().counts(json!({"revoked": 2}));
    assert_eq!((published(&scene).len(), events(&scene).len(), posted(&scene).len()), (0, 1, 0));
    assert_eq!(events(&scene)[0]["detail"]["account"], BANK);

    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(SHOP, "batch");
    scene.poll().code(5);
    let mails = published(&scene);
    assert_eq!((mails.len(), events(&scene).len(), posted(&scene).len()), (1, 1, 1));
    let notice: Value =
        serde_json::from_str(mails[0]["structure"]["sqs"].as_str().expect("for programs")).expect("JSON");
    assert_eq!(notice["topic"], "held");
}

#[test]
fn a_channel_for_an_ou_gets_what_is_in_it() {
    let mut scene = with(
        "[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\nous = [\"{ou}\"]\n[[notify]]\nname = \"bus\"\nevent_bus = \"{bus}\"\nous = [\"{sandbox}\"]\n",
    );
    let management = Thief::operator(&scene, MANAGEMENT);
    let workloads = management.parent_of(&management.parent_of(SHOP));
    let sandbox = management.parent_of(BARE);
    scene.more_tables = scene.more_tables.replace("{ou}", &workloads).replace("{sandbox}", &sandbox);
    scene.configure("mode = \"enforce\"\n");
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    assert_eq!((published(&scene).len(), events(&scene).len()), (1, 0));
    // Sent rather than lost, when nobody can say where the account is.
    let denied = json!({"error": {"status": 400, "code": "AccessDeniedException", "message": "no"}});
    scene.fault("parents", json!({"operation": "ListParents"}), "before", denied, 0);
    let _ = scene.theft(BANK, "web");
    scene.run_once();
    assert_eq!((published(&scene).len(), events(&scene).len()), (2, 1));
}

#[test]
fn a_storm_is_one_message() {
    let scene = with(
        "[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\n[[notify]]\nname = \"bus\"\nevent_bus = \"{bus}\"\n",
    );
    for number in 0..12 {
        let _ = scene.theft(SHOP, &format!("role-{number}"));
    }
    // However long the twelve take, they wait for the topic together.
    let down = json!({"error": {"code": "InternalFailure", "message": "down", "status": 500}});
    scene.fault("down", json!({"operation": "Publish"}), "before", down, 0);
    scene.poll().counts(json!({"revoked": 12}));
    scene.delete("faults/down");
    scene.run_once();
    let mails = published(&scene);
    assert!(mails.len() <= 3, "{} mails", mails.len());
    let texts: String = mails.iter().map(|mail| mail["message"].as_str().expect("a text")).collect();
    for number in 0..12 {
        assert!(texts.contains(&format!("role-{number} ")), "role-{number} is not in them\n{texts}");
    }
}

#[test]
fn a_channel_that_is_new_begins_now() {
    let mut scene = with("[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\n");
    let tables = std::mem::take(&mut scene.more_tables);
    scene.configure("mode = \"enforce\"\n");
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene.more_tables = tables;
    scene.configure("mode = \"enforce\"\n");
    scene.run_once();
    assert_eq!(published(&scene).len(), 0);
    let _ = scene.theft(SHOP, "batch");
    scene.run_once();
    assert_eq!(published(&scene).len(), 1);
}

/// With a console, each message has the address of its page, in every form; without one it has none.
#[test]
fn a_message_has_the_address_of_its_page() {
    let chats = "[[notify]]\nname = \"slack\"\nwebhook_env = \"SLACK\"\nstyle = \"slack\"\n[[notify]]\nname = \"teams\"\nwebhook_env = \"TEAMS\"\nstyle = \"teams\"\n";
    let mut scene = with(&format!("{}{chats}", ALL.replace("key_file = \"hook.key\"\n", "")));
    let run = |scene: &Scene| {
        let mut command = scene.command(&["run", "--once", "--backlog"]);
        let at = |name: &str| format!("{}/webhook/{name}", scene.endpoint());
        command.env("SLACK", at("slack")).env("TEAMS", at("teams"));
        crate::scene::Ran::new(&command.output().expect("it runs")).code(5);
    };
    let chat = |scene: &Scene, name: &str, number: usize| -> Value {
        let body = &scene.get(&format!("webhooks?name={name}"))["requests"][number]["body"];
        serde_json::from_str(body.as_str().expect("a body")).expect("JSON")
    };
    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(SHOP, "web");
    run(&scene);
    assert_eq!(taken(&scene)[0]["link"], Value::Null);
    assert!(!chat(&scene, "slack", 0).to_string().contains("button"));
    assert!(!chat(&scene, "teams", 0).to_string().contains("OpenUrl"));

    scene.more_tables.insert_str(0, "[web]\nurl = \"https://rescind.example.com\"\n");
    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(SHOP, "batch");
    run(&scene);
    let notice = &taken(&scene)[1];
    let page = format!(
        "https://rescind.example.com/remediations/{}",
        notice["remediation"].as_str().expect("an id")
    );
    assert_eq!((&notice["topic"], &notice["link"]), (&json!("held"), &json!(page)));
    assert_eq!(events(&scene)[1]["detail"]["link"], json!(page));
    let mail = published(&scene)[1]["message"].as_str().expect("a text").to_owned();
    let has_line = |line: &str| mail.lines().any(|one| one.ends_with(line));
    assert!(has_line(&page) && has_line(&format!("{page}#answer")), "{mail}");
    let urls = |buttons: &Value| -> Vec<String> {
        let url = |one: &Value| one["url"].as_str().expect("a URL").to_owned();
        buttons.as_array().expect("buttons").iter().map(url).collect()
    };
    let wanted = [format!("{page}#answer"), page];
    assert_eq!(urls(&chat(&scene, "slack", 1)["blocks"][2]["elements"]), wanted);
    assert_eq!(urls(&chat(&scene, "teams", 1)["attachments"][0]["content"]["actions"]), wanted);

    // What is about the service leads to its health, and many at once to the console's front.
    scene.rescind(&["notify", "test", "hook"]).code(0);
    assert_eq!(taken(&scene)[2]["link"], "https://rescind.example.com/health");
    scene.post("webhooks", &json!({"name": "hook", "answers": [500]}));
    for number in 0..6 {
        let _ = scene.theft(SHOP, &format!("role-{number}"));
    }
    run(&scene);
    run(&scene);
    let many = taken(&scene).last().expect("a message").clone();
    assert_eq!(many["link"], "https://rescind.example.com/");
    let text = many["text"].to_string();
    assert!(text.matches("https://rescind.example.com/remediations/r-").count() >= 6, "{text}");
}

/// Names that a finding brings do no harm, in whatever form they are sent.
#[test]
fn evil_names_are_harmless() {
    let scene = with(&format!(
        "{}[[notify]]\nname = \"chat\"\nwebhook_env = \"CHAT\"\nstyle = \"slack\"\n",
        ALL.replace("key_file = \"hook.key\"\n", "")
    ));
    let evil = "<!channel> <script>x</script>\r\nBcc: a@b \u{202e}\u{1b}[31m";
    let finding = json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8, "accountId": SHOP,
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "FederatedUser", "userName": evil, "principalId": format!("{SHOP}:x")}}});
    scene.post("findings", &json!({"account": SECURITY, "region": HOME, "findings": [finding]}));
    let hook = format!("{}/webhook/chat", scene.endpoint());
    let mut command = scene.command(&["run", "--once", "--backlog"]);
    crate::scene::Ran::new(&command.env("CHAT", &hook).output().expect("it runs")).code(5);
    let mails = published(&scene);
    let subject = mails[0]["subject"].as_str().expect("a subject");
    assert!(subject.is_ascii() && !subject.contains(['\n', '\r', '\u{1b}']), "{subject}");
    let text = mails[0]["message"].as_str().expect("a text");
    assert!(!text.contains(['\u{202e}', '\u{1b}', '\r']) && !text.contains("\nBcc"), "{text}");
    let chat = scene.get("webhooks?name=chat")["requests"][0]["body"].as_str().expect("a body").to_owned();
    assert!(!chat.contains("<!channel>") && chat.contains("&lt;!channel&gt;"), "{chat}");
}

#[test]
fn a_test_message_says_what_arrives_and_what_does_not() {
    let scene = with(&ALL.replace("key_file = \"hook.key\"\n", ""));
    scene.watch();
    scene.rescind(&["notify", "test"]).code(0).says("mail").says("bus").says("hook");
    assert_eq!((published(&scene).len(), events(&scene).len(), posted(&scene).len()), (1, 1, 1));
    scene.rescind(&["notify", "test", "pager"]).code(2).says("pager");
    scene.post("webhooks", &json!({"name": "hook", "answers": [404]}));
    scene.rescind(&["notify", "test", "hook"]).code(5).says("404");
}

/// That one channel fails is sent on the others.
#[test]
fn that_a_channel_fails_is_an_alert() {
    let mut scene = with(
        "[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\n[[notify]]\nname = \"hook\"\nwebhook = \"{hook}\"\n",
    );
    scene.configure("mode = \"enforce\"\npoll_interval = \"5s\"\nraise_after = \"1s\"\n");
    scene.more_tables.clear();
    scene.post("webhooks", &json!({"name": "hook", "answers": vec![500; 50]}));
    scene.watch();
    let service = crate::watching::Watching::start(&scene, &[]);
    let _ = scene.theft(SHOP, "web");
    scene.wait(|| {
        let names_it = |mail: &Value| mail["message"].as_str().is_some_and(|text| text.contains("hook"));
        published(&scene).iter().any(names_it)
    });
    let status = scene.rescind(&["status", "-o", "jsonl"]).code(5).json_document();
    let failing = |channel: &str| {
        let one =
            status["channels"].as_array().expect("channels").iter().find(|one| one["channel"] == channel);
        !one.unwrap_or_else(|| panic!("{channel}: {status}"))["failed_since"].is_null()
    };
    assert!(failing("hook") && !failing("mail"), "{status}");
    service.stop();
}
