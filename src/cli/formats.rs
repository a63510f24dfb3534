//! The formats of `-o`: those of every command, and those that some have besides.

use super::exit::BadInput;
use super::output::Format;
use crate::report;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Command, ValueEnum};

/// The formats of `rescind incident show` besides.
pub const GRAPHS: [&str; 2] = ["mermaid", "dot"];

/// Each format that a command has, of which help shows those that every command has.
pub fn all() -> PossibleValuesParser {
    let more = report::Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let more: Vec<PossibleValue> = more.chain(GRAPHS.map(PossibleValue::new)).collect();
    let mut all = usual();
    for one in more {
        if !all.iter().any(|other| other.get_name() == one.get_name()) {
            all.push(one.hide(true));
        }
    }
    all.into()
}

/// The formats of every command.
fn usual() -> Vec<PossibleValue> {
    Format::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect()
}

/// The command whose subcommand has the usual formats, though it has its own.
pub fn usual_below(command: Command, name: &'static str) -> Command {
    let help = "How results are written: text for people, or JSON for programs";
    let usual = Arg::new("output").long("output").short('o').value_name("FORMAT").value_parser(usual());
    command.mut_subcommand(name, |one| one.arg(usual.help(help)))
}

/// The formats of a report.
pub fn of_report() -> PossibleValuesParser {
    let all = report::Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    all.collect::<Vec<_>>().into()
}

/// The formats of an incident.
pub fn of_incident() -> PossibleValuesParser {
    let graphs = [
        PossibleValue::new(GRAPHS[0]).help("Only the graph, as a flowchart for Mermaid"),
        PossibleValue::new(GRAPHS[1]).help("Only the graph, as a digraph for Graphviz"),
    ];
    usual().into_iter().chain(graphs).collect::<Vec<_>>().into()
}

/// The format of every command with this name.
pub fn named(name: &str) -> Option<Format> {
    Format::from_str(name, false).ok()
}

/// What is said of a format that the command does not have.
pub fn unknown(name: &str) -> BadInput {
    let usual = usual();
    let names: Vec<&str> = usual.iter().map(PossibleValue::get_name).collect();
    BadInput(format!("-o {name}: this command has no such format; expected {}", names.join(", ")))
}
