use super::*;

fn json(xml: &str) -> Result<String, XmlProblem> {
    to_json(xml, &Limits::default()).map_err(|error| error.problem)
}

#[test]
fn primitives_keep_their_text_and_their_extensions() {
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?><!-- a comment -->
      <Patient xmlns="http://hl7.org/fhir">
        <id value="p1"/>
        <name><given id="g1"><extension url="http://a.kr/e"><valueDecimal value="1.10"/></extension></given>
          <given value="&lt;민수&gt; &#65;"/></name>
        <birthDate value="1987-03-01"><extension url="http://a.kr/t"><valueBoolean value="true"/></extension></birthDate>
      </Patient>"#;
    let expected = concat!(
        r#"{"resourceType":"Patient","id":"p1","name":[{"given":[null,"<민수> A"],"_given":[{"id":"g1","#,
        r#""extension":[{"url":"http://a.kr/e","valueDecimal":1.10}]},null]}],"birthDate":"1987-03-01","#,
        r#""_birthDate":{"extension":[{"url":"http://a.kr/t","valueBoolean":true}]}}"#,
    );
    assert_eq!(json(xml).unwrap(), expected);
}

#[test]
fn narratives_and_contained_resources() {
    let xml = "\u{feff}<Patient xmlns=\"http://hl7.org/fhir\"><text><status value=\"generated\"/>\
      <div xmlns=\"http://www.w3.org/1999/xhtml\"><p a=\"1\">김 <b>&amp;</b></p></div></text>\
      <contained><Organization><id value=\"o\"/></Organization></contained></Patient>";
    let expected = concat!(
        r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">"#,
        r#"<p a=\"1\">김 <b>&amp;</b></p></div>"},"contained":[{"resourceType":"Organization","id":"o"}]}"#,
    );
    assert_eq!(json(xml).unwrap(), expected);
}

#[test]
fn what_is_not_taken() {
    let inside = |xml: &str| json(&format!(r#"<Patient xmlns="http://hl7.org/fhir">{xml}</Patient>"#));
    assert_eq!(inside("<colour value='red'/>"), Err(XmlProblem::UnknownElement("Patient")));
    assert_eq!(inside("<active value='yes'/>"), Err(XmlProblem::Value("boolean")));
    assert_eq!(inside("<multipleBirthInteger value='1 2'/>"), Err(XmlProblem::Value("integer")));
    assert_eq!(inside("<active colour='red'/>"), Err(XmlProblem::UnknownAttribute("boolean")));
    assert_eq!(inside("text"), Err(XmlProblem::Text));
    assert_eq!(inside("<active value='true'></name>"), Err(XmlProblem::Syntax));
    assert_eq!(inside("<contained/>"), Err(XmlProblem::NoResource));
    assert_eq!(inside("<?php?>"), Err(XmlProblem::Declaration));
    assert_eq!(json("<Patient/><Patient/>"), Err(XmlProblem::Syntax));
    assert_eq!(json("<patient/>"), Err(XmlProblem::NoResource));
    assert_eq!(json("<Patient xmlns='urn:hl7-org:v3'/>"), Err(XmlProblem::NoResource));
    assert_eq!(json(""), Err(XmlProblem::NoResource));
    let bomb = "<!DOCTYPE p [<!ENTITY a 'aaaa'>]><Patient xmlns='http://hl7.org/fhir'/>";
    assert_eq!(json(bomb), Err(XmlProblem::Declaration));
    assert_eq!(inside("<id value='&a;'/>"), Err(XmlProblem::Syntax));
    assert!(inside("<active value='true'").is_err());
    let deep = "<extension url='u'>".repeat(100);
    assert_eq!(inside(&deep), Err(XmlProblem::TooDeep));
    let small = Limits { bytes: 10, depth: 64 };
    assert_eq!(to_json("<Patient></Patient>", &small).unwrap_err().problem, XmlProblem::TooLarge);
}
