use super::*;
use crate::json::{Document, Limits};

type Outcome = Result<String, PatchProblem>;

fn run(
    resource: &str,
    patch: &str,
    apply: impl Fn(Value<'_>, Value<'_>) -> Result<Vec<u8>, PatchError>,
) -> Outcome {
    let limits = Limits::default();
    let resource = Document::parse(resource.as_bytes(), &limits).unwrap();
    let patch = Document::parse(patch.as_bytes(), &limits).unwrap_or_else(|error| panic!("{error}: {patch}"));
    let bytes = apply(resource.root(), patch.root()).map_err(|error| error.problem)?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn json(resource: &str, patch: &str) -> Outcome {
    run(resource, patch, |resource, patch| super::json(resource, patch, &Bounds::default()))
}

fn merge(resource: &str, patch: &str) -> Outcome {
    run(resource, patch, |resource, patch| super::merge(resource, patch, &Bounds::default()))
}

mod json_patch {
    use super::*;

    /// The examples of RFC 6902, appendix A, retold.
    #[test]
    fn operations() {
        for (resource, patch, expected) in [
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b","value":2}]"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":[1,3]}"#, r#"[{"op":"add","path":"/a/1","value":2}]"#, r#"{"a":[1,2,3]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-","value":[2]}]"#, r#"{"a":[1,[2]]}"#),
            (r#"{"a":1,"b":2}"#, r#"[{"op":"remove","path":"/b"}]"#, r#"{"a":1}"#),
            (r#"{"a":[1,2,3]}"#, r#"[{"op":"remove","path":"/a/1"}]"#, r#"{"a":[1,3]}"#),
            (r#"{"a":1,"b":2}"#, r#"[{"op":"replace","path":"/a","value":9}]"#, r#"{"a":9,"b":2}"#),
            (
                r#"{"a":{"x":1},"b":{}}"#,
                r#"[{"op":"move","from":"/a/x","path":"/b/y"}]"#,
                r#"{"a":{},"b":{"y":1}}"#,
            ),
            (r#"{"a":[1,2,3]}"#, r#"[{"op":"move","from":"/a/0","path":"/a/2"}]"#, r#"{"a":[2,3,1]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":[1],"b":[1]}"#),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"","value":{"b":2}}]"#, r#"{"b":2}"#),
            (r#"{"a":1}"#, r#"[{"op":"replace","path":"","value":{"b":2}}]"#, r#"{"b":2}"#),
            (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/a","value":null}]"#, r#"{"a":null}"#),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b","value":2,"other":true}]"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":1}"#, "[]", r#"{"a":1}"#),
        ] {
            assert_eq!(json(resource, patch).as_deref(), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn pointers_are_unescaped() {
        let resource = r#"{"a/b":1,"m~n":2,"":3,"~1":4}"#;
        let patch = r#"[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"},{"op":"remove","path":"/"},
            {"op":"remove","path":"/~01"}]"#;
        assert_eq!(json(resource, patch).as_deref(), Ok("{}"));
    }

    #[test]
    fn tests_compare_values() {
        let resource = r#"{"n":1.10,"s":"\u00e9","o":{"a":1,"b":[2]}}"#;
        for value in [r#""/n","value":11e-1"#, r#""/s","value":"é""#, r#""/o","value":{"b":[2],"a":1.0}"#] {
            let patch = format!(r#"[{{"op":"test","path":{value}}}]"#);
            assert_eq!(
                json(resource, &patch).as_deref(),
                Ok(r#"{"n":1.10,"s":"\u00e9","o":{"a":1,"b":[2]}}"#)
            );
        }
        for value in [r#""/n","value":"1.10""#, r#""/o/b","value":[2,2]"#, r#""/o","value":{"a":1}"#] {
            let patch = format!(r#"[{{"op":"remove","path":"/n"}},{{"op":"test","path":{value}}}]"#);
            let failed = json(resource, &patch);
            assert!(matches!(failed, Err(PatchProblem::Test | PatchProblem::Nothing)), "{value} {failed:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let resource = r#"{"a":[1],"b":{"c":1}}"#;
        for (patch, expected) in [
            (r#"{"op":"add"}"#, PatchProblem::Form("a JSON Patch is an array of operations")),
            (r#"[1]"#, PatchProblem::Form("an operation is an object with op and path")),
            (
                r#"[{"op":"spam","path":"/a"}]"#,
                PatchProblem::Form("op is one of add, remove, replace, move, copy and test"),
            ),
            (r#"[{"path":"/a"}]"#, PatchProblem::Missing("op")),
            (r#"[{"op":"add","value":1}]"#, PatchProblem::Missing("path")),
            (r#"[{"op":"add","path":"/x"}]"#, PatchProblem::Missing("value")),
            (r#"[{"op":"move","path":"/x"}]"#, PatchProblem::Missing("from")),
            (r#"[{"op":"remove","path":"a"}]"#, PatchProblem::Pointer),
            (r#"[{"op":"remove","path":"/~2"}]"#, PatchProblem::Pointer),
            (r#"[{"op":"remove","path":"/x"}]"#, PatchProblem::Nothing),
            (r#"[{"op":"remove","path":"/a/1"}]"#, PatchProblem::Nothing),
            (r#"[{"op":"remove","path":"/a/-"}]"#, PatchProblem::Nothing),
            (r#"[{"op":"remove","path":"/a/00"}]"#, PatchProblem::Nothing),
            (r#"[{"op":"replace","path":"/x","value":1}]"#, PatchProblem::Nothing),
            (r#"[{"op":"add","path":"/x/y","value":1}]"#, PatchProblem::Nothing),
            (r#"[{"op":"add","path":"/b/c/d","value":1}]"#, PatchProblem::Nothing),
            (r#"[{"op":"add","path":"/a/2","value":1}]"#, PatchProblem::Index),
            (r#"[{"op":"copy","from":"/x","path":"/y"}]"#, PatchProblem::Nothing),
            (
                r#"[{"op":"move","from":"/b","path":"/b/c"}]"#,
                PatchProblem::Impossible("nothing can be moved into itself"),
            ),
            (
                r#"[{"op":"remove","path":""}]"#,
                PatchProblem::Impossible("a patch cannot remove the whole resource; delete it"),
            ),
        ] {
            assert_eq!(json(resource, patch), Err(expected), "{patch}");
        }
    }

    #[test]
    fn costs_are_bounded() {
        let many = format!("[{}]", vec![r#"{"op":"test","path":"","value":{}}"#; 1_001].join(","));
        assert_eq!(json("{}", &many), Err(PatchProblem::Limit("operations")));
        // Each copy doubles the document.
        let double = format!(
            "[{}]",
            (0..40)
                .map(|step| format!(r#"{{"op":"copy","from":"","path":"/{step}"}}"#))
                .collect::<Vec<_>>()
                .join(",")
        );
        assert!(matches!(json("{}", &double), Err(PatchProblem::Limit(_))));
        let deeper = r#"{"op":"copy","from":"/a","path":"/a/a"}"#;
        let deep = format!("[{}]", vec![deeper; 70].join(","));
        assert!(matches!(json(r#"{"a":{}}"#, &deep), Err(PatchProblem::Limit(_))));
    }
}

/// The examples of RFC 7386, appendix A, retold, as far as they are objects.
#[test]
fn merge_patches() {
    for (resource, patch, expected) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b","b":1.10}"#, r#"{"a":null}"#, r#"{"b":1.10}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        (r#"{}"#, r#"{"a":[null,{"x":null}]}"#, r#"{"a":[null,{"x":null}]}"#),
    ] {
        assert_eq!(merge(resource, patch).as_deref(), Ok(expected), "{patch}");
    }
    assert!(matches!(merge("{}", "[]"), Err(PatchProblem::Form(_))));
    let many: Vec<String> = (0..1_001).map(|member| format!("\"{member}\":1")).collect();
    assert_eq!(merge("{}", &format!("{{{}}}", many.join(","))), Err(PatchProblem::Limit("members")));
}

mod fhirpath_patch;
