//! The whole table, and what holds for each of its rows.

use crate::trail::meaning::table;
use crate::trail::{Meaning, Thing};
use std::collections::BTreeSet;

#[test]
fn the_table() {
    let lines: Vec<String> = table()
        .map(|row| {
            let names: Vec<String> =
                row.names.iter().map(|(name, paths)| format!("{name}={}", paths.join("|"))).collect();
            let outside = [row.documents, row.principals].concat();
            format!(
                "{}: {}, {}{} [{}] [{}] [{}] ({})",
                row.calls.join(" "),
                row.meaning,
                row.thing,
                if row.when.is_some() { ", sometimes" } else { "" },
                row.object.join(" "),
                names.join(" "),
                outside.join(" "),
                row.source
            )
        })
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("table", lines.join("\n"));
    });
}

#[test]
fn each_row_says_where_it_is_known_from_and_each_door_what_to_do() {
    for row in table() {
        let calls = row.calls.join(" ");
        assert!(!calls.is_empty() && row.calls.iter().all(|call| call.contains(':')), "{calls}");
        assert!(row.source.len() > 10 && !row.source.contains("http"), "{calls}");
        let door = row.door;
        if row.meaning == Meaning::OpensSession {
            assert!(door.why.is_empty() && door.look.is_empty() && door.take_away.is_empty(), "{calls}");
            continue;
        }
        for sentence in [door.why, door.needed_by] {
            let starts = sentence.chars().next().is_some_and(char::is_uppercase);
            assert!(starts && sentence.ends_with('.') && !sentence.contains("  "), "{calls}: {sentence}");
        }
        assert!(!door.look.is_empty(), "{calls}");
        assert!(!door.take_away.is_empty() || row.thing == Thing::Repository, "{calls}");
        for command in [door.look, door.take_away].concat() {
            assert!(command.starts_with("aws "), "{calls}: {command}");
        }
    }
}

#[test]
fn each_name_in_a_command_stands_in_its_row() {
    let known = ["DENY_ALL", "DENY_TRUST", "region", "event", "own_account"];
    for row in table() {
        for template in [row.door.look, row.door.take_away].concat() {
            for token in template.split('{').skip(1) {
                let token = token.split('}').next().expect("a name");
                let name = token.trim_start_matches('*').trim_start_matches("each:");
                let is_known = known.contains(&name) || name.starts_with('?');
                let has_name = row.names.iter().any(|(other, _)| *other == name);
                assert!(is_known || has_name, "{}: {token}", row.calls.join(" "));
            }
        }
    }
}

#[test]
fn a_call_with_two_rows_has_a_condition_on_all_but_the_last() {
    let mut settled = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for row in table() {
        for call in row.calls {
            assert!(!settled.contains(call), "{call} is never reached");
            assert!(kinds.insert((call, row.meaning, row.thing)), "{call} has two doors");
            if row.when.is_none() {
                settled.insert(call);
            }
        }
    }
}

#[test]
fn each_thing_has_a_row_and_words_of_its_own() {
    let used: BTreeSet<Thing> = table().map(|row| row.thing).collect();
    assert_eq!(used, Thing::ALL.iter().copied().collect());
    let words: BTreeSet<String> = Thing::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), Thing::ALL.len());
}
