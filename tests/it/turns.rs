//! What is asked over the web waits for its turn, and no deny waits for it.

use crate::scene::{BANK, SECURITY, SHOP, Scene};
use crate::service::address;
use crate::signer::Program;
use crate::watching::Watching;

/// More than may be looked up at the same time, and fewer than one address may ask for in a minute.
const LOOKS: usize = 40;

#[test]
fn looks_that_aws_does_not_answer_keep_no_deny_and_no_reader_waiting() {
    let scene = Scene::new();
    scene.watch();
    scene.role(SECURITY, "Alice");
    scene.configure(&format!(
        "mode = \"enforce\"\npoll_interval = \"5s\"\nlisten = \"127.0.0.1:0\"\n[[web.access]]\nrole = \"approver\"\narns = [\"arn:aws:iam::{SECURITY}:role/Alice\"]\n"
    ));
    let (first, _) = scene.theft(SHOP, "web");
    let mut service = Watching::start(&scene, &[]);
    let url = address(&mut service);
    // The service's own look at the impact is over.
    scene.wait(|| scene.count("kind = 'impact'") == 1);
    first.is_denied();
    let id = scene.rescind(&["list", "-o", "jsonl"]).code(0).json()[0]["remediation"].clone();
    let target = format!("/v1/remediations/{}/impact", id.as_str().expect("an id"));
    let session = scene.session(SECURITY, "Alice", "run");
    scene.hold_all("ListInstanceProfilesForRole");
    std::thread::scope(|scope| {
        let look = || Program::new(&session, scene.endpoint(), &url).ask(&url, "GET", &target, "").status;
        let looks: Vec<_> = (0..LOOKS).map(|_| scope.spawn(look)).collect();
        scene.held("ListInstanceProfilesForRole");
        let (second, _) = scene.theft(BANK, "batch");
        scene.wait(|| second.list_users().is_err());
        let alice = Program::new(&session, scene.endpoint(), &url);
        assert_eq!(alice.ask(&url, "GET", "/v1/remediations", "").status, 200);
        assert!(looks.iter().all(|look| !look.is_finished()), "a look was answered without AWS");
        scene.release("ListInstanceProfilesForRole");
        for look in looks {
            assert_eq!(look.join().expect("no panic"), 200);
        }
    });
    assert_eq!(service.stop(), 0);
}
