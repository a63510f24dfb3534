use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::io::BufReader;

/// Each document, or `None` for what is none, with its place.
fn all(bytes: &[u8]) -> Vec<(String, Option<Value>)> {
    let pieces = Documents::of(BufReader::with_capacity(7, bytes));
    pieces.map(|piece| (piece.place, piece.content.ok())).collect()
}

fn values(bytes: &[u8]) -> Vec<Option<Value>> {
    all(bytes).into_iter().map(|(_, value)| value).collect()
}

fn ids(bytes: &[u8]) -> Vec<Option<i64>> {
    values(bytes).into_iter().map(|value| value.and_then(|value| value["id"].as_i64())).collect()
}

#[test]
fn documents_stand_one_behind_the_other_in_every_way() {
    let pretty =
        |id: i64| serde_json::to_string_pretty(&json!({"id": id, "list": [{"a": 1}, {}]})).expect("JSON");
    for between in ["", "\n", " ", ",\n", "\r\n\r\n", "\x1e", "\n\u{feff}"] {
        let text = (1..4).map(pretty).collect::<Vec<_>>().join(between);
        assert_eq!(ids(text.as_bytes()), [Some(1), Some(2), Some(3)], "{between:?}");
    }
}

#[test]
fn a_place_is_named_by_its_line_and_a_lone_document_has_none() {
    let places = |text: &str| all(text.as_bytes()).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    assert_eq!(places("{\n\"id\": 1}\n\n"), [""]);
    assert_eq!(
        places("{\"id\":1}\n\n{\n\"id\":2}{\"id\":3}\n{\"id\":4}"),
        ["line 1", "line 3", "document 3", "line 5"]
    );
}

#[test]
fn what_is_broken_costs_only_itself() {
    for (text, wanted) in [
        // Lines: cut off, of another kind, and one that opens what it does not close.
        ("{\"id\":1}\n{\"id\":2,\"a\n{\"id\":3}", vec![Some(1), None, Some(3)]),
        ("{\"id\":1}\nno JSON\nnone either\n{\"id\":3}\n", vec![Some(1), None, Some(3)]),
        ("{\"id\":1}\n{\"broken\": \n{\"id\":3}\n", vec![Some(1), None, Some(3)]),
        ("{\"broken\": [\n{\"id\":1}\n{\"id\":2}\n{\"id\":3}", vec![None, Some(1), Some(2), Some(3)]),
        // No newline at all.
        ("{\"id\":1}{\"id\":2,\"x{\"id\":3}{\"id\":4}", vec![Some(1), None, Some(3), Some(4)]),
        ("{\"id\":1}garbage{\"id\":3}", vec![Some(1), None, Some(3)]),
        // Pretty, with a brace missing.
        (
            "{\n  \"id\": 1\n}\n{\n  \"a\": {\n    \"b\": 1,\n  \"id\": 2\n}\n{\n  \"id\": 3\n}\n",
            vec![Some(1), None, Some(3)],
        ),
        ("{\n  \"id\": 1,\n oops\n}{\n  \"id\": 2\n}{\n  \"id\": 3\n}", vec![None, Some(2), Some(3)]),
        // At the end.
        ("{\"id\":1}\n{\"id\":", vec![Some(1), None]),
        ("{\"a\": {\"b\": {\"id\": 1}", vec![None]),
    ] {
        assert_eq!(ids(text.as_bytes()), wanted, "{text}");
    }
    assert_eq!(
        values(b"7\n\"text\"\n{\"id\":1}"),
        [Some(json!(7)), Some(json!("text")), Some(json!({"id": 1}))]
    );
}

#[test]
fn an_error_says_where_it_is() {
    let pieces: Vec<Piece> = Documents::of(&b"{\"id\":1}\n{\"id\":2,\n oops}\n{\"id\":3}"[..]).collect();
    let broken = pieces[1].content.as_ref().expect_err("broken");
    assert_eq!(pieces[1].place, "line 2");
    insta::assert_snapshot!(broken.error, @"not JSON: key must be a string at line 3 column 2");
}

#[test]
fn what_is_too_long_costs_only_itself_and_no_memory() {
    let long = "x".repeat(LONGEST + 10);
    let text = format!("{{\"id\":1}}\n\"{long}\"\n{{\"id\":3}}\n{{\"a\":\"{long}\"}}\n{{\"id\":5}}");
    let mut documents = Documents::of(text.as_bytes());
    let ids: Vec<Option<i64>> =
        documents.by_ref().map(|piece| piece.content.ok().and_then(|value| value["id"].as_i64())).collect();
    assert_eq!(ids, [Some(1), None, Some(3), None, Some(5)]);
    assert!(documents.held.capacity() <= 4 * LONGEST, "{}", documents.held.capacity());
}

#[test]
fn there_is_an_end_to_what_is_looked_at_in_vain() {
    // Each line opens what is not closed: every one would have all the rest read once more.
    let open = "[\n".repeat(100);
    let text = format!("{open}{}", "1,\n".repeat(LONGEST));
    let pieces: Vec<Piece> = Documents::of(text.as_bytes()).collect();
    assert!(pieces.len() < 10, "{}", pieces.len());
    let last = pieces.last().expect("one").content.as_ref().expect_err("the end");
    insta::assert_snapshot!(last.error, @"most of it is not JSON: what comes behind this is not read");
    let zeros = std::io::Read::take(std::io::repeat(0), 1 << 40);
    let pieces: Vec<Piece> = Documents::of(BufReader::with_capacity(1 << 20, zeros)).collect();
    assert_eq!(pieces.len(), 2);
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(1.5)),
        "[a-z{}\\[\\]\",\n]{0,6}".prop_map(|text| json!(text))
    ];
    let inner = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,2}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("[a-z]{1,2}", inner, 0..4).prop_map(|map| map.into_iter().collect())
}

proptest! {
    /// Whatever stands between them, and however they are written.
    #[test]
    fn every_document_is_given(documents in prop::collection::vec((document(), any::<bool>(), "(\n|,| |\r\n|)"), 0..6)) {
        let mut text = String::new();
        for (document, is_pretty, between) in &documents {
            let written = if *is_pretty { serde_json::to_string_pretty(document) } else { serde_json::to_string(document) };
            text += &(written.expect("JSON") + between);
        }
        let wanted: Vec<Option<Value>> = documents.into_iter().map(|(document, ..)| Some(document)).collect();
        prop_assert_eq!(values(text.as_bytes()), wanted);
    }

    /// A line that is broken in any way costs no other one.
    #[test]
    fn a_broken_line_costs_no_other(garbage in "[{}\\[\\]\":,a-z0 ]{1,12}") {
        let text = format!("{{\"id\":1}}\n{garbage}\n{{\"id\":2}}\n{{\"id\":3}}\n");
        let read: Vec<i64> = ids(text.as_bytes()).into_iter().flatten().collect();
        prop_assert!(read.starts_with(&[1]) && read.ends_with(&[2, 3]), "{read:?}");
    }
}
