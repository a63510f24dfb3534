//! A ledger that cannot be written: each write and sync of it made to fail in turn, and torn by a kill.
//!
//! The real binary, with a library loaded into it that fails the system calls (preload.c). A sample of
//! the operations here, all of them in `make soak`.

use crate::scene::{Ran, SHOP, Scene};
use crate::thief::Thief;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the library.
pub fn preload(scene: &Scene) -> PathBuf {
    let library = scene.path("preload.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/preload.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    assert!(built.expect("a C compiler").success());
    library
}

fn run(command: &mut Command) -> Ran {
    Ran::new(&command.output().expect("the binary runs"))
}

struct Starved {
    scene: Scene,
    library: PathBuf,
    thief: Thief,
}

impl Starved {
    fn new() -> Self {
        let scene = Scene::new();
        let (thief, _) = scene.theft(SHOP, "web");
        let library = preload(&scene);
        Self { scene, library, thief }
    }

    /// As if nothing had been done yet.
    fn begin_again(&self) {
        for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.checkpoint"] {
            let _ = std::fs::remove_file(self.scene.path(file));
        }
        let _ = Thief::operator(&self.scene, SHOP).delete_role_policy("web", crate::scene::POLICY);
        self.scene.delete("calls");
        self.thief.is_allowed();
    }

    fn command(&self) -> Command {
        let mut command = self.scene.command(&["run", "--once", "--backlog"]);
        command.env("LD_PRELOAD", &self.library);
        command
    }

    /// How many operations there are when all is well.
    fn operations(&self) -> usize {
        self.begin_again();
        let count = self.scene.path("count");
        run(self.command().env("RESCIND_FAULT_COUNT", &count)).code(0);
        std::fs::read_to_string(count).expect("counted").parse().expect("a number")
    }

    /// What holds, whatever happened: no change without its intent, and one correct end.
    fn settles(&self, what: &str) {
        self.scene.run_once();
        self.thief.is_denied();
        let list = self.scene.rescind(&["list", "-o", "jsonl"]).code(0).json();
        assert_eq!(list.len(), 1, "{what}");
        assert_eq!(list[0]["state"], "revoked", "{what}");
        let intents: Vec<String> = self
            .scene
            .entries_of("intent")
            .iter()
            .map(|entry| entry["data"]["change"]["after"].as_str().expect("a policy").to_owned())
            .collect();
        let mut cutoffs = Vec::new();
        for put in self.scene.calls_of("PutRolePolicy") {
            let document = put["params"]["PolicyDocument"].as_str().expect("a policy");
            assert!(intents.iter().any(|intent| intent == document), "{what}: a change without its intent");
            let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
            cutoffs.push(crate::scene::cutoff(&document).to_owned());
        }
        assert!(cutoffs.is_sorted(), "{what}: {cutoffs:?}");
        self.scene.rescind(&["ledger", "verify"]).code(0);
        self.scene.rescind(&["ledger", "rebuild", "--check"]).code(0);
    }

    /// Fails operations, one in each round: a sample of them, or all.
    fn each(how: &str, judge: impl Fn(&Ran, &str, bool)) {
        let starved = Self::new();
        let count = starved.operations();
        assert!(count > 50, "{count} operations: are they seen at all?");
        let rounds = if std::env::var_os("RESCIND_SOAK").is_some() { count } else { 10 };
        let counted = starved.scene.path("count");
        let mut reached = 0;
        for round in 0..rounds {
            let number = 1 + round * count / rounds;
            let what = format!("{how} at operation {number} of {count}");
            starved.begin_again();
            let _ = std::fs::remove_file(&counted);
            let mut command = starved.command();
            command.env("RESCIND_FAULT", format!("{number}:{how}")).env("RESCIND_FAULT_COUNT", &counted);
            let ran = run(&mut command);
            assert!(!ran.err.contains("panicked"), "{what}:\n{}", ran.err);
            // How many there are differs from run to run: what waits is written together.
            let operations = std::fs::read_to_string(&counted).ok().and_then(|text| text.parse().ok());
            let is_unsupported = operations.is_some_and(|operations: usize| operations < number);
            reached += usize::from(!is_unsupported);
            judge(&ran, &what, is_unsupported);
            starved.settles(&what);
        }
        assert!(reached > rounds / 2, "only {reached} of {rounds} faults were met");
    }
}

#[test]
fn one_operation_fails() {
    Starved::each("eio", |ran, what, _| {
        assert!([0, 4, 5].contains(&ran.code), "{what}: {}\n{}\n{}", ran.code, ran.out, ran.err);
    });
}

#[test]
fn the_disk_is_full() {
    Starved::each("full", |ran, what, _| {
        let said = ran.err.contains("disk");
        // The last ones are done when everything is recorded already.
        assert!(ran.code == 4 && said || ran.code == 0, "{what}: {}\n{}\n{}", ran.code, ran.out, ran.err);
    });
}

#[test]
fn half_of_a_write_and_nothing_after_it() {
    Starved::each("short", |ran, what, _| {
        assert!([0, 4].contains(&ran.code), "{what}: {}\n{}\n{}", ran.code, ran.out, ran.err);
    });
}

#[test]
fn killed_in_the_middle_of_a_write() {
    Starved::each("torn", |ran, what, is_unsupported| {
        assert!(ran.code == -1 || is_unsupported && ran.code == 0, "{what}: {}\n{}", ran.code, ran.err);
    });
}
