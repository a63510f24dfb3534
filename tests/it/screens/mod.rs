//! What a person sees, whole: each screen once, in tests/it/snapshots. A sentence that changes is reviewed there,
//! and no other test looks at sentences.

mod answers;
mod configuration;
mod forged;
mod incident;
mod ledger;
mod messages;
mod opt_outs;
mod redact;
mod refused;
mod running;
mod width;

use crate::scene::{Ran, Scene};
use std::fmt::Write;

/// Commands and what they answered, in order.
pub struct Transcript<'a> {
    scene: &'a Scene,
    text: String,
}

impl<'a> Transcript<'a> {
    pub fn new(scene: &'a Scene) -> Self {
        Self { scene, text: String::new() }
    }

    /// Runs a command, and writes down what it said.
    pub fn run(&mut self, args: &[&str]) -> Ran {
        self.said(args, self.scene.rescind(args))
    }

    /// Runs a command that reads this.
    fn input(&mut self, args: &[&str], input: &str) -> Ran {
        self.said(args, self.scene.rescind_with_input(args, input.as_bytes()))
    }

    pub fn said(&mut self, args: &[&str], ran: Ran) -> Ran {
        let quoted: Vec<String> = args
            .iter()
            .map(
                |arg| {
                    if arg.contains(' ') || arg.is_empty() { format!("{arg:?}") } else { (*arg).to_owned() }
                },
            )
            .collect();
        let _ = write!(self.text, "\n$ rescind {}\n{}{}", quoted.join(" "), ran.out, ran.err);
        if ran.code != 0 {
            let _ = writeln!(self.text, "[exit {}]", ran.code);
        }
        ran
    }

    /// Writes down what is no command's answer.
    pub fn note(&mut self, title: &str, text: &str) {
        let _ = write!(self.text, "\n# {title}\n{}\n", text.trim_end());
    }

    /// Compares all of it with the snapshot of this name.
    #[track_caller]
    pub fn is(self, name: &str) {
        let text = redact::redacted(&self.text, self.scene);
        insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(format!("screen_{name}"), text);
        });
    }
}

/// The id of the only remediation, or the latest one.
fn latest(scene: &Scene) -> String {
    let list = scene.rescind(&["list", "-o", "jsonl"]).json();
    list.last().expect("one")["remediation"].as_str().expect("an id").to_owned()
}

const SIGNED: [&str; 4] = ["--by", "Ada", "--reason", "ticket 4711"];
