use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(pattern: &Value) -> Result<EventPattern, String> {
    EventPattern::try_from(pattern.to_string())
}

#[track_caller]
fn matches(pattern: &Value, event: &Value) -> bool {
    read(pattern).expect("a legal pattern").matches(event)
}

#[test]
fn what_the_guide_says() {
    for (choices, yes, no) in [
        (
            json!(["a", "b"]),
            vec![json!("a"), json!(["x", "b"])],
            vec![json!("c"), json!("A"), json!(1), json!({"a": 1})],
        ),
        (json!([5]), vec![json!(5), json!(5.0)], vec![json!("5"), json!(6)]),
        (json!([null]), vec![json!(null)], vec![json!(""), json!("null")]),
        (json!([""]), vec![json!("")], vec![json!(null), json!(" ")]),
        (json!([true]), vec![json!(true)], vec![json!("true"), json!(false)]),
        (json!([{"prefix": "us-"}]), vec![json!("us-east-1")], vec![json!("US-east-1"), json!(1)]),
        (
            json!([{"prefix": {"equals-ignore-case": "US-"}}]),
            vec![json!("us-x"), json!("Us-x")],
            vec![json!("eu")],
        ),
        (json!([{"suffix": ".png"}]), vec![json!("a.png")], vec![json!("a.PNG")]),
        (json!([{"suffix": {"equals-ignore-case": ".png"}}]), vec![json!("a.PNG")], vec![json!("a.jpg")]),
        (json!([{"equals-ignore-case": "alice"}]), vec![json!("ALICE")], vec![json!("alic")]),
        (json!([{"wildcard": "a*c"}]), vec![json!("ac"), json!("abbc")], vec![json!("abd")]),
        (json!([{"wildcard": "a\\*c"}]), vec![json!("a*c")], vec![json!("abc")]),
        (
            json!([{"anything-but": "a"}]),
            vec![json!("b"), json!(1), json!(["a", "b"])],
            vec![json!("a"), json!(["a"])],
        ),
        (json!([{"anything-but": ["a", 5]}]), vec![json!("5"), json!(4)], vec![json!("a"), json!(5)]),
        (json!([{"anything-but": {"prefix": "a"}}]), vec![json!("b")], vec![json!("ab")]),
        (json!([{"anything-but": {"suffix": ["a", "b"]}}]), vec![json!("c")], vec![json!("xa"), json!("xb")]),
        (json!([{"anything-but": {"wildcard": "*/lib/*"}}]), vec![json!("a/b")], vec![json!("a/lib/b")]),
        (json!([{"anything-but": {"equals-ignore-case": ["a"]}}]), vec![json!("b")], vec![json!("A")]),
        (
            json!([{"numeric": [">", 0, "<=", 5]}]),
            vec![json!(5), json!(0.5)],
            vec![json!(0), json!(6), json!("5")],
        ),
        (json!([{"numeric": ["=", 7]}]), vec![json!(7.0)], vec![json!(7.1)]),
        (json!([{"cidr": "10.0.0.0/24"}]), vec![json!("10.0.0.255")], vec![json!("10.0.1.0"), json!("x")]),
        (json!([{"cidr": "0.0.0.0/0"}]), vec![json!("203.0.113.1")], vec![json!("2001:db8::1")]),
        (
            json!([{"cidr": "2001:db8::/32"}]),
            vec![json!("2001:db8::1"), json!("2001:0db8:0000:0000:0000:0000:0000:0001")],
            vec![json!("2001:db9::1")],
        ),
        (
            json!([{"exists": true}]),
            vec![json!("a"), json!(null), json!(["a"])],
            vec![json!({"a": 1}), json!([])],
        ),
        (json!([{"exists": false}]), vec![json!({"a": 1}), json!([])], vec![json!("a"), json!(null)]),
        // One of a list is enough, whatever the others are.
        (json!([{"exists": false}, "a"]), vec![json!("a"), json!([])], vec![json!("b")]),
        (json!([{"anything-but": "a"}, {"exists": false}]), vec![json!("b"), json!([])], vec![json!("a")]),
    ] {
        let pattern = json!({"x": choices});
        for event in yes {
            assert!(matches(&pattern, &json!({"x": event})), "{pattern} and {event}");
        }
        for event in no {
            assert!(!matches(&pattern, &json!({"x": event})), "{pattern} and {event}");
        }
    }
}

#[test]
fn what_is_missing() {
    let missing = json!({"y": "a"});
    assert!(matches(&json!({"x": [{"exists": false}]}), &missing));
    assert!(matches(&json!({"x": [{"exists": false}], "y": [{"exists": true}]}), &missing));
    assert!(matches(&json!({"x": ["a", {"exists": false}]}), &missing));
    assert!(matches(&json!({"d": {"x": [{"exists": false}]}}), &missing));
    for choice in [json!({"exists": true}), json!({"anything-but": "a"}), json!(null), json!({"prefix": ""})]
    {
        assert!(!matches(&json!({"x": [choice]}), &missing), "{choice}");
    }
}

#[test]
fn objects_arrays_and_alternatives() {
    let event = json!({"tags": [{"key": "team", "value": "a"}, {"key": "env", "value": "b"}], "kind": "k"});
    assert!(matches(&json!({"tags": {"key": ["team"], "value": ["a"]}}), &event));
    // It must be one and the same element.
    assert!(!matches(&json!({"tags": {"key": ["team"], "value": ["b"]}}), &event));
    let either = json!({"$or": [{"kind": ["x"]}, {"tags": {"value": ["b"]}}]});
    assert!(matches(&either, &event));
    assert!(!matches(&json!({"kind": ["x"], "$or": [{"kind": ["k"]}, {"kind": ["l"]}]}), &event));
    assert!(!matches(&json!({"$or": [{"kind": ["x"]}, {"kind": ["y"]}]}), &event));
    assert!(matches(&json!({"tags": {"$or": [{"key": ["x"]}, {"value": ["b"]}]}}), &event));
}

#[test]
fn the_types_that_it_can_match_are_known_when_they_are_literal() {
    let one = read(&json!({"source": ["aws.guardduty"], "detail": {"type": ["A", "B"]}})).expect("valid");
    assert_eq!(one.types(), Some(vec!["A", "B"]));
    for open in [
        json!({"detail-type": ["GuardDuty Finding"]}),
        json!({"detail": {"type": ["A", {"prefix": "B"}]}}),
        json!({"detail": {"$or": [{"type": ["A"]}, {"type": ["B"]}]}}),
    ] {
        assert_eq!(read(&open).expect("valid").types(), None, "{open}");
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let refused = [
        "{",
        "[]",
        "{}",
        r#"{"source": "aws.guardduty"}"#,
        r#"{"source": []}"#,
        r#"{"detail": {}}"#,
        r#"{"$or": [{"source": ["a"]}]}"#,
        r#"{"$or": [{"source": ["a"]}, "b"]}"#,
        r#"{"detail": {"type": [{"regexp": "a"}]}}"#,
        r#"{"detail": {"type": [{"anything-but": {"cidr": "x"}}]}}"#,
        r#"{"detail": {"type": [{"prefix": "a", "suffix": "b"}]}}"#,
        r#"{"detail": {"type": [{"anything-but": [null]}]}}"#,
        r#"{"detail": {"type": [["a"]]}}"#,
        r#"{"detail": {"severity": [{"numeric": [">"]}]}}"#,
        r#"{"detail": {"severity": [{"numeric": []}]}}"#,
        r#"{"detail": {"severity": [{"numeric": [">", 5, ">=", 3]}]}}"#,
        r#"{"detail": {"severity": [{"numeric": [">", 10, "<", 5]}]}}"#,
        r#"{"detail": {"ip": [{"cidr": "10.0.0.0/33"}]}}"#,
        r#"{"detail": {"x": [{"wildcard": "a**b"}]}}"#,
        r#"{"detail": {"x": [{"wildcard": "a\\b"}]}}"#,
        r#"{"detail": {"x": [{"exists": "true"}]}}"#,
    ]
    .map(|text| format!("{text}\n  {}", EventPattern::try_from(text.to_owned()).expect_err(text)));
    insta::assert_snapshot!(refused.join("\n"), @r#"
    {
      not JSON: EOF while parsing an object at line 1 column 1: paste the event pattern between ''' and ''', as EventBridge shows it
    []
      expected an event pattern: a JSON object
    {}
      an empty pattern: name at least one field, such as "source"
    {"source": "aws.guardduty"}
      source: expected a list of values, such as ["aws.guardduty"]
    {"source": []}
      source: an empty list matches nothing
    {"detail": {}}
      detail: an empty pattern: name at least one field, such as "source"
    {"$or": [{"source": ["a"]}]}
      $or: expected a list of at least two patterns
    {"$or": [{"source": ["a"]}, "b"]}
      $or[1]: expected a pattern: a JSON object
    {"detail": {"type": [{"regexp": "a"}]}}
      detail.type: the operator "regexp" is not known: expected prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr or exists
    {"detail": {"type": [{"anything-but": {"cidr": "x"}}]}}
      detail.type: "anything-but" with "cidr" inside is not known
    {"detail": {"type": [{"prefix": "a", "suffix": "b"}]}}
      detail.type: expected one operator, such as {"prefix": "…"}
    {"detail": {"type": [{"anything-but": [null]}]}}
      detail.type: the operator "anything-but" does not take the value null
    {"detail": {"type": [["a"]]}}
      detail.type: a list in a list matches nothing
    {"detail": {"severity": [{"numeric": [">"]}]}}
      detail.severity: "numeric": expected one comparison such as [">=", 7], or a range such as [">", 0, "<=", 5]
    {"detail": {"severity": [{"numeric": []}]}}
      detail.severity: "numeric": expected one comparison such as [">=", 7], or a range such as [">", 0, "<=", 5]
    {"detail": {"severity": [{"numeric": [">", 5, ">=", 3]}]}}
      detail.severity: "numeric": expected one comparison such as [">=", 7], or a range such as [">", 0, "<=", 5]
    {"detail": {"severity": [{"numeric": [">", 10, "<", 5]}]}}
      detail.severity: "numeric": expected one comparison such as [">=", 7], or a range such as [">", 0, "<=", 5]
    {"detail": {"ip": [{"cidr": "10.0.0.0/33"}]}}
      detail.ip: "cidr": expected a network such as "203.0.113.0/24" or "2001:db8::/32"
    {"detail": {"x": [{"wildcard": "a**b"}]}}
      detail.x: "wildcard": a backslash stands before * or another backslash, and two * in a row are not allowed
    {"detail": {"x": [{"wildcard": "a\\b"}]}}
      detail.x: "wildcard": a backslash stands before * or another backslash, and two * in a row are not allowed
    {"detail": {"x": [{"exists": "true"}]}}
      detail.x: the operator "exists" does not take the value "true"
    "#);
}

/// A choice of the kinds that the oracle gets right. (quamina 0.7.0 does not for `exists` beside others,
/// and for compressed IPv6 addresses.)
fn any_choice() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ab]{0,3}".prop_map(|s| json!(s)),
        (-3..4).prop_map(|n: i32| json!(n)),
        any::<bool>().prop_map(|b| json!(b)),
        Just(json!(null)),
        "[ab]{1,2}".prop_map(|s| json!({"prefix": s})),
        "[ab]{1,2}".prop_map(|s| json!({"suffix": s})),
        "[aAbB]{1,2}".prop_map(|s| json!({"equals-ignore-case": s})),
        "[ab]{0,1}[*][ab]{1,2}".prop_map(|s| json!({"wildcard": s})),
        proptest::collection::vec("[ab]{1,2}", 1..3).prop_map(|s| json!({"anything-but": s})),
        (-3..0, 0..3).prop_map(|(low, high)| json!({"numeric": [">", low, "<=", high]})),
        Just(json!({"cidr": "10.0.0.0/30"})),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[abA]{0,3}".prop_map(|s| json!(s)),
        (-3..4).prop_map(|n: i32| json!(n)),
        any::<bool>().prop_map(|b| json!(b)),
        Just(json!(null)),
        (0..6).prop_map(|n: i32| json!(format!("10.0.0.{n}"))),
    ];
    prop_oneof![3 => leaf.clone(), 1 => proptest::collection::vec(leaf, 0..3).prop_map(Value::from)]
}

proptest! {
    /// Against a matcher that we did not write.
    #[test]
    fn agrees_with_another_matcher(
        x in proptest::collection::vec(any_choice(), 1..4), y in proptest::option::of(proptest::collection::vec(any_choice(), 1..3)),
        (ex, ey) in (proptest::option::of(any_value()), proptest::option::of(any_value())),
    ) {
        let mut pattern = json!({"d": {"x": x}});
        if let Some(y) = y { pattern["y"] = json!(y); }
        let mut event = json!({"d": {}, "z": 1});
        if let Some(value) = ex { event["d"]["x"] = value; }
        if let Some(value) = ey { event["y"] = value; }
        let mut oracle = quamina::Quamina::<u8>::new();
        oracle.add_pattern(0, &pattern.to_string()).expect("a pattern that it knows");
        let wanted = oracle.has_matches(event.to_string().as_bytes()).expect("an event that it can read");
        prop_assert_eq!(matches(&pattern, &event), wanted, "{} and {}", pattern, event);
    }
}
