use super::*;

fn parse(text: &str) -> Result<Document<'_>, JsonError> {
    Document::parse(text.as_bytes(), &Limits::default())
}

fn minified(text: &str) -> String {
    let document = parse(text).unwrap();
    let mut out = Vec::new();
    write_minified(document.root(), &mut out, &mut |_| None);
    String::from_utf8(out).unwrap()
}

#[test]
fn keeps_digits_order_and_spelling() {
    let text =
        r#" { "b" : [ 1.10 , 1E2, -0, {} , [ ] ], "a" : { "x" : null , "y":"\u00e9\n" } , "한글":"가" } "#;
    assert_eq!(minified(text), r#"{"b":[1.10,1E2,-0,{},[]],"a":{"x":null,"y":"\u00e9\n"},"한글":"가"}"#);
    let document = parse(text).unwrap();
    let a = document.root().get("a").unwrap();
    assert_eq!(a.get("y").unwrap().text().unwrap(), "é\n");
    assert_eq!(a.raw(), r#"{ "x" : null , "y":"\u00e9\n" }"#);
    assert_eq!(document.root().get("b").unwrap().elements().count(), 5);
    assert_eq!(document.root().get("b").unwrap().elements().next().unwrap().number().unwrap(), "1.10");
    assert!(document.root().get("c").is_none());
}

#[test]
fn finds_members_written_with_escapes() {
    let document = parse(r#"{"\u0069d":"p1"}"#).unwrap();
    assert_eq!(document.root().get("id").unwrap().text().unwrap(), "p1");
}

#[test]
fn replaces_strings() {
    let document = parse(r#"{"reference":"urn:uuid:1","other":["urn:uuid:1"]}"#).unwrap();
    let mut out = Vec::new();
    write_minified(document.root(), &mut out, &mut |value| {
        (value.key().as_deref() == Some("reference")).then(|| "Patient/\"1\"".to_owned())
    });
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"reference":"Patient/\"1\"","other":["urn:uuid:1"]}"#);
}

#[test]
fn refuses_what_is_not_json() {
    for text in [
        "",
        "{",
        "[1,]",
        r#"{"a":1,}"#,
        "{'a':1}",
        "01",
        "1.",
        "NaN",
        "Infinity",
        "[1] 2",
        "\"a\u{1}\"",
        r#"{"a" 1}"#,
        r#""\ud800""#,
        "tru",
        "-",
        "{\"a\":\u{feff}1}",
        "nul",
    ] {
        assert!(matches!(parse(text), Err(JsonError::Syntax { .. })), "{text:?} gave {:?}", parse(text));
    }
    assert!(matches!(Document::parse(b"\"\xff\"", &Limits::default()), Err(JsonError::Syntax { .. })));
}

#[test]
fn refuses_members_named_twice() {
    let many = (0..40).map(|n| format!("\"k{n}\":1,")).collect::<String>();
    for text in [
        r#"{"a":1,"a":2}"#.to_owned(),
        r#"{"a":1,"\u0061":2}"#.to_owned(),
        format!("{{{many}\"k39\":1}}"),
        r#"[{"b":{"c":1,"d":{},"c":1}}]"#.to_owned(),
    ] {
        assert!(matches!(parse(&text), Err(JsonError::DuplicateMember { .. })), "{text}");
    }
    assert!(parse(&format!("{{{many}\"k40\":1}}")).is_ok());
}

// threat: 20
#[test]
fn holds_its_limits() {
    let limits = Limits { bytes: 100, depth: 3, nodes: 10 };
    let of = |text: &str| Document::parse(text.as_bytes(), &limits).map(|_| ());
    assert_eq!(of(&"1".repeat(101)), Err(JsonError::TooLarge { limit: 100 }));
    assert!(of("[[[1]]]").is_ok());
    assert!(matches!(of("[[[[1]]]]"), Err(JsonError::TooDeep { limit: 3, .. })));
    assert_eq!(of("[1,2,3,4,5,6,7,8,9,10]"), Err(JsonError::TooMany { limit: 10 }));
    // Deep hostile input must neither overflow the stack nor take long.
    assert!(matches!(parse(&"[".repeat(1_000_000)), Err(JsonError::TooDeep { .. })));
}

#[test]
fn says_where_it_went_wrong() {
    let Err(JsonError::Syntax { line, column, .. }) = parse("{\n  \"a\": x}") else { panic!("must fail") };
    assert_eq!((line, column), (2, 8));
}
