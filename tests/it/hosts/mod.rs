//! Several hosts share a log: one leads, and another takes over, whatever becomes of the first.

mod host;

use crate::scene::{BANK, SHOP, Scene};
use host::{Host, LEADS, configure, scene};
use serde_json::Value;

/// Two hosts, of which the first leads and the second follows.
fn two(more: &str) -> (Scene, Host, Host) {
    let scene = scene();
    configure(&scene, more);
    let (mut first, mut second) = (Host::new(&scene), Host::new(&scene));
    first.lead();
    first.until(crate::log::REGION_READ);
    second.run();
    scene.wait(|| second.follows());
    (scene, first, second)
}

/// The access keys with which a role's deny was written.
fn writers(scene: &Scene) -> Vec<Value> {
    let put = scene.calls_of("PutRolePolicy").into_iter().filter(|call| call["status"] == 200);
    put.map(|call| call["params"]["RoleName"].clone()).collect()
}

/// All hosts that stopped have the same ledger, and it verifies.
fn are_same(hosts: &[&Host]) {
    let bodies: Vec<_> = hosts.iter().map(|host| host.bodies()).collect();
    for other in &bodies[1..] {
        assert_eq!(&bodies[0], other);
    }
    for host in hosts {
        host.rescind(&["ledger", "verify", "-o", "json"]).code(0);
    }
}

#[test]
fn another_host_takes_over_from_one_that_was_killed() {
    let (scene, mut first, mut second) = two("");
    let (thief, _) = scene.theft(SHOP, "web");
    scene.wait(|| thief.list_users().is_err());
    first.kill();
    let (later, _) = scene.theft(BANK, "teller");
    second.until(LEADS);
    scene.wait(|| later.list_users().is_err());
    assert_eq!(writers(&scene), ["web", "teller"]);
    assert_eq!(second.stop(), 0);
    let states: Vec<_> = second.remediations().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["revoked", "revoked"]);
    // The first one's disk has what it wrote; the rest is in the log.
    first.lead();
    assert_eq!(first.stop(), 0);
    second.lead();
    assert_eq!(second.stop(), 0);
    first.lead();
    assert_eq!(first.stop(), 0);
}
