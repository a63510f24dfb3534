//! The house: which room may know which. `src/lib.rs` shows the floors; here they are held.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms by floor, from the top, as the list in `src/lib.rs` has them.
fn floors(source: &Path) -> Vec<Vec<String>> {
    let face = std::fs::read_to_string(source.join("lib.rs")).expect("lib.rs");
    let lines = face.lines().skip_while(|line| *line != "//! ```text").skip(1);
    lines
        .take_while(|line| *line != "//! ```")
        .map(|line| {
            let rooms = line.trim_start_matches("//!").trim().split("  ").next().unwrap_or_default();
            rooms.split(' ').map(str::to_owned).collect()
        })
        .collect()
}

/// The files with this ending, in order.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A file of the source, and what it imports.
struct File {
    path: PathBuf,
    /// The module that it is, from the crate's root.
    module: Vec<String>,
    /// The paths that it names, from the crate's root; of each whether it is only handed on.
    names: Vec<(Vec<String>, bool)>,
}

impl File {
    fn read(source: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a file");
        let mut module: Vec<String> = path
            .strip_prefix(source)
            .expect("below it")
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let code = without_tests(&text);
        let mut names = Vec::new();
        for (tree, is_handed_on) in uses(&code) {
            for name in expanded(&tree) {
                names.extend(absolute(&module, &name).map(|name| (name, is_handed_on)));
            }
        }
        for name in inline(&code) {
            names.extend(absolute(&module, &name).map(|name| (name, false)));
        }
        Self { path: path.to_owned(), module, names }
    }

    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

/// The code without comments and without its tests, which may look wherever they want.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let next = lines.next().unwrap_or_default();
            if next.trim_end().ends_with('{') {
                let indent = next.len() - next.trim_start().len();
                let end = format!("{}}}", " ".repeat(indent));
                lines.by_ref().find(|line| *line == end);
            }
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The trees of all `use`, and whether each only hands on.
fn uses(code: &str) -> Vec<(String, bool)> {
    let mut trees = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].rsplit('\n').next().unwrap_or_default().trim();
        let tree = rest[at + 4..].split(';').next().unwrap_or_default();
        if before.is_empty() || before.starts_with("pub") {
            trees.push((tree.split_whitespace().collect::<Vec<_>>().join(" "), before.starts_with("pub")));
        }
        rest = &rest[at + 4..];
    }
    trees
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        return vec![name.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let before: Vec<String> =
        before.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut parts, mut part) = (0, Vec::new(), String::new());
    for letter in inside.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part);
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expanded(part)).map(|name| [before.clone(), name].concat()).collect()
}

/// The paths in the code itself that begin with `crate::`, `super::` or `self::`.
fn inline(code: &str) -> Vec<Vec<String>> {
    let is_of_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    code.split(|letter| !is_of_path(letter))
        .filter(|path| ["crate::", "super::", "self::"].iter().any(|start| path.starts_with(start)))
        // What goes on in braces is read with its `use`.
        .filter(|path| !path.ends_with("::"))
        .map(|path| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
        .collect()
}

/// From the crate's root; none for what is of another crate.
fn absolute(module: &[String], name: &[String]) -> Option<Vec<String>> {
    let mut at = match name.first()?.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len().checked_sub(1)?].to_vec(),
        _ => [module, name].concat(),
    };
    if ["crate", "self", "super"].contains(&name[0].as_str()) {
        for part in &name[1..] {
            if part == "super" {
                at.pop();
            } else {
                at.push(part.clone());
            }
        }
    }
    Some(at)
}

/// The whole source.
struct House {
    files: Vec<File>,
}

impl House {
    fn read() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut paths = files_below(&source, "rs");
        paths.retain(|path| !["tests.rs", "main.rs", "lib.rs"].iter().any(|name| path.ends_with(name)));
        Self { files: paths.iter().map(|path| File::read(&source, path)).collect() }
    }

    /// The file that says what the name is: the module as far as there is one, and through what it hands on.
    fn file_of(&self, name: &[String]) -> Option<usize> {
        let mut name = name.to_vec();
        for _ in 0..4 {
            let (file, known) = (0..=name.len()).rev().find_map(|known| {
                let file = self.files.iter().position(|file| file.module == name[..known])?;
                Some((file, known))
            })?;
            let Some(next) = name.get(known) else { return Some(file) };
            let handed = self.files[file].names.iter().find(|(path, is_handed_on)| {
                *is_handed_on && path.last() == Some(next) && path[..path.len() - 1] != name[..known]
            });
            let Some((path, _)) = handed else { return Some(file) };
            name.clone_from(path);
        }
        None
    }

    /// Which file uses which other one of its room. What is handed on only is no use.
    fn arrows(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut arrows: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (number, file) in self.files.iter().enumerate() {
            for (name, is_handed_on) in &file.names {
                if *is_handed_on || name.first().map(String::as_str) != Some(file.room()) {
                    continue;
                }
                if let Some(to) = self.file_of(name).filter(|to| *to != number) {
                    arrows.entry(number).or_default().insert(to);
                }
            }
        }
        arrows
    }
}

#[test]
fn no_room_knows_one_that_is_not_below_it() {
    let house = House::read();
    let floors = floors(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let floor_of = |room: &str| floors.iter().position(|floor| floor.iter().any(|one| one == room));
    let rooms: BTreeSet<&str> = house.files.iter().map(File::room).collect();
    let shown: BTreeSet<&str> = floors.iter().flatten().map(String::as_str).collect();
    assert_eq!(rooms, shown, "the floors of src/lib.rs are not the rooms that there are");
    let mut wrong = BTreeSet::new();
    for file in &house.files {
        for (name, _) in &file.names {
            let to = name.first().map_or("", String::as_str);
            if let (true, Some(from), Some(below)) = (to != file.room(), floor_of(file.room()), floor_of(to))
                && below <= from
            {
                wrong.insert(format!("{} -> {}", file.path.display(), name.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows upwards, or along a floor:\n{}", Vec::from_iter(wrong).join("\n"));
}

#[test]
fn no_files_of_a_room_go_round_in_a_circle() {
    let house = House::read();
    let arrows = house.arrows();
    let reaches = |from: usize| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
        while let Some(at) = todo.pop() {
            for next in arrows.get(&at).into_iter().flatten() {
                if seen.insert(*next) {
                    todo.push(*next);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<usize, BTreeSet<usize>> = arrows.keys().map(|from| (*from, reaches(*from))).collect();
    let mut circles = BTreeSet::new();
    for (from, to) in arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, *to))) {
        if reach.get(&to).is_some_and(|back| back.contains(&from)) {
            let (from, to) = (&house.files[from].path, &house.files[to].path);
            circles.insert(format!("{} -> {}", from.display(), to.display()));
        }
    }
    assert!(circles.is_empty(), "circles:\n{}", Vec::from_iter(circles).join("\n"));
}

/// Kinds of entries stand as text in SQL, in `of_kind` and in the notifications' list: a typo there would find
/// nothing, and no compiler would say so.
#[test]
fn each_kind_that_is_named_in_text_is_that_of_an_event() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = [files_below(&root.join("src"), "rs"), files_below(&root.join("migrations"), "sql")].concat();
    let lists = [
        r"kind (?:=|<>|IN)\s*\(?((?:'\w+'[,\s]*)+)",
        r#"of_kind\(("\w+")\)"#,
        r"KINDS: \[&str; \d+\] = \[([^\]]*)\]",
    ]
    .map(|list| regex_lite::Regex::new(list).expect("a pattern"));
    let name = regex_lite::Regex::new(r"\w+").expect("a pattern");
    let mut named = BTreeSet::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a file");
        for found in lists.iter().flat_map(|list| list.captures_iter(&text)) {
            named.extend(name.find_iter(&found[1]).map(|one| one.as_str().to_owned()));
        }
    }
    // The rows of entries that were moved to an archive: no event.
    assert!(named.remove("archived") && named.len() > 20, "{named:?}");
    named.retain(|kind| {
        let read = serde_json::from_value::<rescind::remediation::Event>(serde_json::json!({ "kind": kind }));
        read.is_err_and(|error| error.to_string().contains("unknown variant"))
    });
    assert_eq!(named, BTreeSet::new(), "no event has such a kind");
}
