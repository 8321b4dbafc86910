//! Expressions: the whole of R4 and KR Core compiles; each form of the subset does what it says.

use ieum_fhir::definitions::r4;
use ieum_fhir::expression::{ExpressionError, Meaning, Step, compile, compile_in};
use ieum_fhir::index::ParamType;
use ieum_fhir::json::{Document, Limits};

#[test]
fn every_parameter_compiles() {
    let (mut pairs, mut without, mut failed) = (0, Vec::new(), Vec::<String>::new());
    for kind in r4().resource_types() {
        for param in r4().search_params(kind) {
            pairs += 1;
            let Some(expression) = param.expression else {
                without.push(param.code);
                continue;
            };
            let paths = match compile(kind, expression) {
                Ok(paths) => paths,
                Err(error) => {
                    failed.push(format!("{kind} {}: {error}", param.code));
                    continue;
                }
            };
            if paths.is_empty() {
                failed.push(format!("{kind} {} finds nothing {expression}", param.code));
            }
            for component in &param.components {
                let mut found = 0;
                for path in &paths {
                    match compile_in(kind, path.type_name, component.expression) {
                        Ok(parts) => found += parts.len(),
                        Err(error) => {
                            failed.push(format!("{kind} {} in {}: {error}", param.code, path.type_name))
                        }
                    }
                }
                if found == 0 {
                    failed.push(format!("{kind} {}: {} finds nothing", param.code, component.expression));
                }
            }
            assert_eq!(param.components.is_empty(), param.kind != ParamType::Composite, "{}", param.url);
        }
    }
    without.sort_unstable();
    without.dedup();
    eprintln!("{pairs} pairs of type and parameter");
    assert_eq!(failed, [""]);
    assert_eq!(without, ["_content", "_query", "_text"]);
}
