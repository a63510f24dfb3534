//! The report that is a web page: it needs nothing from elsewhere, and proves what it shows.

use crate::made;
use crate::scene::{SHOP, Scene};
use std::process::Command;

#[test]
fn the_page_loads_nothing_and_proves_its_entries() {
    let scene = Scene::new();
    let _ = scene.theft(SHOP, "web");
    scene.run_once();
    scene.rescind(&["report", "-o", "html", "--appendix", "-O", "report.html"]).code(0);
    let page = std::fs::read_to_string(scene.path("report.html")).expect("a page");
    for loads in ["src=", "url(", "@import", "<script", "http://", "https://"] {
        assert!(!page.contains(loads), "{loads}");
    }
    // What it shows is also there in words, for who cannot see it.
    for has in ["role=\"img\"", "<desc", "<caption"] {
        assert!(page.contains(has), "{has}");
    }
    // The hashes of the page lead from each entry to the signed root.
    let block =
        page.split("<pre class=\"proof\">").nth(1).expect("a proof").split("</pre>").next().expect("its end");
    let (entries, nodes) = block.trim().split_once("\n\n").expect("two parts");
    let unbase = |text: &str| -> [u8; 32] {
        use base64::Engine;
        let text = text.replace("&#43;", "+").replace("&#47;", "/");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64").try_into().expect("a hash")
    };
    let nodes: Vec<[u8; 32]> =
        nodes.lines().map(|line| unbase(line.split(' ').nth(1).expect("a hash"))).collect();
    let note = std::fs::read_to_string(scene.path("ledger.db.checkpoint")).expect("a checkpoint");
    // The page was made from what was signed before it: its own checkpoint is in it.
    let own =
        page.split("<pre class=\"note\">").nth(1).expect("a note").split("</pre>").next().expect("its end");
    assert_ne!(own.trim(), note.trim());
    let mut own = own.lines().skip(1);
    let size: u64 = own.next().and_then(|line| line.parse().ok()).expect("a size");
    let root = unbase(own.next().expect("a root"));
    let mut count = 0;
    for line in entries.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let index: u64 = words[0].parse::<u64>().expect("a number") - 1;
        let path: Vec<[u8; 32]> =
            words[2..].iter().map(|at| nodes[at.parse::<usize>().expect("a number") - 1]).collect();
        assert_eq!(rescind::ledger::tree::root_of(unbase(words[1]), index, size, &path), root, "{line}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

/// A page of 1,000 remediations in a real browser.
#[test]
#[ignore = "needs Chromium: `make browser-test`"]
fn a_browser_shows_the_page_and_asks_for_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    made::write(&path("ledger.db"), std::iter::repeat_n(made::story(), 1000));
    let made = Command::new(env!("CARGO_BIN_EXE_rescind"))
        .args(["report", "-o", "html", "--ledger"])
        .arg(path("ledger.db"))
        .arg("-O")
        .arg(path("report.html"))
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (page, said, asked) = shown(&path("report.html"), directory.path());
    assert_eq!(page.matches("<details class=\"entry remediation\"").count(), 1000, "{said}");
    // All of them are one theft: one incident, with its drawing.
    assert_eq!(page.matches("<details class=\"entry incident\"").count(), 1);
    assert_eq!(page.matches("role=\"img\"").count(), 3);
    assert!(page.matches("<rect").count() >= 2 && page.matches("<table").count() > 1000);
    assert!(!said.contains("CONSOLE"), "{said}");
    assert!(asked.is_empty(), "{asked:#?}");
    // A page that does ask, and complains, is seen to.
    let other = "<p>x<img src='http://asked.invalid/x'><script>console.error('complaint')</script>";
    std::fs::write(path("other.html"), other).expect("written");
    let (_, said, asked) = shown(&path("other.html"), directory.path());
    assert!(said.contains("complaint") && said.contains("CONSOLE"), "{said}");
    assert!(asked.iter().any(|line| line.contains("asked.invalid")), "{asked:#?}");
}

/// A page in Chromium: what is there then, what Chromium said, and what the page asked for over the
/// network, where nothing is reached.
fn shown(page: &std::path::Path, directory: &std::path::Path) -> (String, String, Vec<String>) {
    let chromium = std::env::var_os("RESCIND_CHROMIUM").unwrap_or_else(|| "chromium".into());
    let log = directory.join("net.json");
    let shown = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-extensions"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium: `apt install chromium`, or RESCIND_CHROMIUM");
    let net = std::fs::read_to_string(log).expect("a log of the network");
    // What Chromium asks for itself comes from no origin.
    let asked = net.lines().filter(|line| {
        line.contains("\"initiator\":")
            && line.contains("\"url\":\"http")
            && !line.contains("\"not an origin\"")
    });
    (
        String::from_utf8_lossy(&shown.stdout).into_owned(),
        String::from_utf8_lossy(&shown.stderr).into_owned(),
        asked.map(str::to_owned).collect(),
    )
}
