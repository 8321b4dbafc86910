//! What may be asked: parameters by kind, with values that hit, that nearly hit, and that miss.

/// What a parameter's values look like, and so how they can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Token,
    /// A token whose codes are in [`crate::support`]'s value sets.
    Code,
    Identifier,
    Date,
    Number,
    Quantity,
    Reference,
    /// A reference into a hierarchy of records.
    Tree,
    Uri,
    /// Composite and special parameters: no order, no `_filter`, no modifier but `:missing`.
    Parts,
}

pub(super) type Values = &'static [&'static str];
pub(super) type Parameter = (&'static str, Form, Values);

/// Parameters by kind.
pub(super) const PARAMETERS: &[(&str, &[Parameter])] = &[
    (
        "Patient",
        &[
            ("name", Form::Text, TEXT),
            ("family", Form::Text, TEXT),
            ("given", Form::Text, TEXT),
            ("identifier", Form::Identifier, IDENTIFIERS),
            (
                "gender",
                Form::Token,
                &["male", "female", "http://hl7.org/fhir/administrative-gender|male", "|male"],
            ),
            ("birthdate", Form::Date, DATES),
            ("active", Form::Token, &["true", "false"]),
            ("deceased", Form::Token, &["true", "false"]),
            ("organization", Form::Tree, ORGANIZATIONS),
            ("telecom", Form::Token, &["010-0000-0001", "a@b.test", "phone|010-0000-0001"]),
            ("own-name", Form::Text, TEXT),
            ("own-organization", Form::Reference, ORGANIZATIONS),
        ],
    ),
    (
        "Observation",
        &[
            ("status", Form::Token, &["final", "amended"]),
            ("code", Form::Code, CODES),
            ("category", Form::Code, CODES),
            ("combo-code", Form::Code, CODES),
            ("subject", Form::Reference, PATIENTS),
            ("patient", Form::Reference, PATIENTS),
            ("encounter", Form::Tree, ENCOUNTERS),
            ("date", Form::Date, DATES),
            ("value-quantity", Form::Quantity, NUMBERS),
            ("combo-value-quantity", Form::Quantity, NUMBERS),
            ("value-concept", Form::Code, CODES),
            ("value-string", Form::Text, &["높", "high", "HI"]),
            ("code-value-quantity", Form::Parts, CODE_NUMBERS),
            ("component-code-value-quantity", Form::Parts, CODE_NUMBERS),
            ("combo-code-value-quantity", Form::Parts, CODE_NUMBERS),
            ("code-value-concept", Form::Parts, &["x$y", "http://a.test|x$x", "y$http://b.test|x", "|x$|x"]),
            ("code-value-string", Form::Parts, &["x$high", "y$높", "http://a.test|X$h"]),
            ("own-date", Form::Date, DATES),
            ("own-quantity", Form::Quantity, NUMBERS),
            ("own-has-parts", Form::Token, &["true", "false"]),
            ("own-patient", Form::Reference, PATIENTS),
            ("own-parts", Form::Parts, CODE_NUMBERS),
            ("code-value-date", Form::Parts, &["x$2026", "y$ge2026-03-01", "|x$lt2026"]),
        ],
    ),
    (
        "Encounter",
        &[
            ("status", Form::Token, &["finished", "planned"]),
            ("class", Form::Token, &["AMB", "http://a.test|AMB", "|IMP"]),
            ("subject", Form::Reference, PATIENTS),
            ("service-provider", Form::Tree, ORGANIZATIONS),
            ("part-of", Form::Tree, ENCOUNTERS),
            ("location", Form::Tree, LOCATIONS),
            ("date", Form::Date, DATES),
        ],
    ),
    (
        "Organization",
        &[
            ("name", Form::Text, &["가상", "ㄱㅅ", "cl"]),
            ("partof", Form::Tree, ORGANIZATIONS),
            ("active", Form::Token, &["true"]),
        ],
    ),
    (
        "Location",
        &[
            ("name", Form::Text, &["병동", "ㅂㄷ", "ward"]),
            ("partof", Form::Tree, LOCATIONS),
            ("near", Form::Parts, PLACES),
        ],
    ),
    ("Appointment", &[("patient", Form::Reference, PATIENTS), ("date", Form::Date, DATES)]),
    (
        "Questionnaire",
        &[
            (
                "url",
                Form::Uri,
                &[
                    "http://q.test/a",
                    "http://q.test/a/b",
                    "http://q.test",
                    "http://q.test/a/",
                    "urn:oid:1.2",
                    "urn:oid:1",
                ],
            ),
            ("version", Form::Token, &["1", "|2"]),
        ],
    ),
    (
        "QuestionnaireResponse",
        &[
            (
                "questionnaire",
                Form::Reference,
                &["http://q.test/a", "http://q.test/a|1", "http://q.test/a|2", "Questionnaire/q1", "q1"],
            ),
            ("patient", Form::Reference, PATIENTS),
            (
                "_profile",
                Form::Uri,
                &["http://p.test/a", "http://p.test/a|1.0", "http://p.test/a|2", "http://p.test"],
            ),
        ],
    ),
    ("Medication", &[("code", Form::Code, CODES), ("status", Form::Token, &["active"])]),
    (
        "MedicationRequest",
        &[
            ("patient", Form::Reference, PATIENTS),
            ("medication", Form::Reference, &["Medication/m0", "m1", "Medication/a"]),
        ],
    ),
    (
        "List",
        &[
            ("item", Form::Reference, &["Patient/p1", "Observation/o0", "Observation/o1", "p2"]),
            ("subject", Form::Reference, PATIENTS),
        ],
    ),
    (
        "DocumentReference",
        &[
            ("subject", Form::Reference, PATIENTS),
            ("relation", Form::Token, &["replaces", "appends"]),
            ("relatesto", Form::Reference, &["DocumentReference/d0", "d1"]),
            (
                "relationship",
                Form::Parts,
                &[
                    "replaces$DocumentReference/d0",
                    "appends$d1",
                    "http://hl7.org/fhir/document-relationship-type|replaces$d2",
                    "|replaces$d0",
                ],
            ),
        ],
    ),
    (
        "TestNote",
        &[
            ("state", Form::Token, &["open", "closed", "true", "7"]),
            ("about", Form::Reference, &["Patient/p1", "Patient/p3"]),
            ("made", Form::Date, DATES),
            ("size", Form::Number, &["1", "2", "2.0", "1.5"]),
        ],
    ),
];

/// References that lead on, as they are written in chains, and where to.
pub(super) const LINKS: &[(&str, &[(&str, &str)])] = &[
    ("Patient", &[("organization", "Organization"), ("own-organization:Organization", "Organization")]),
    (
        "Observation",
        &[
            ("patient", "Patient"),
            ("subject:Patient", "Patient"),
            ("encounter:Encounter", "Encounter"),
            ("own-patient:Patient", "Patient"),
        ],
    ),
    (
        "Encounter",
        &[
            ("subject:Patient", "Patient"),
            ("service-provider", "Organization"),
            ("part-of", "Encounter"),
            ("location", "Location"),
        ],
    ),
    ("Organization", &[("partof", "Organization")]),
    ("Location", &[("partof", "Location")]),
    ("Appointment", &[("patient", "Patient")]),
    ("QuestionnaireResponse", &[("patient", "Patient")]),
    ("DocumentReference", &[("subject:Patient", "Patient"), ("relatesto", "DocumentReference")]),
    ("MedicationRequest", &[("patient", "Patient"), ("medication:Medication", "Medication")]),
    (
        "List",
        &[("item:Patient", "Patient"), ("item:Observation", "Observation"), ("subject:Patient", "Patient")],
    ),
];

/// References that lead here, for `_has`.
pub(super) const BACK_LINKS: &[(&str, &[(&str, &str)])] = &[
    (
        "Patient",
        &[
            ("Observation", "patient"),
            ("Observation", "own-patient"),
            ("Encounter", "subject"),
            ("Appointment", "patient"),
            ("List", "item"),
            ("MedicationRequest", "patient"),
        ],
    ),
    ("Observation", &[("List", "item")]),
    ("Encounter", &[("Observation", "encounter"), ("Encounter", "part-of")]),
    (
        "Organization",
        &[("Patient", "organization"), ("Encounter", "service-provider"), ("Organization", "partof")],
    ),
    ("Location", &[("Encounter", "location"), ("Location", "partof")]),
    ("Medication", &[("MedicationRequest", "medication")]),
];

/// The row of a table that is about this kind.
pub(super) fn of<T>(table: &'static [(&'static str, &'static [T])], kind: &str) -> &'static [T] {
    table.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, row)| row)
}

const TEXT: Values = &[
    "김",
    "김민",
    "ㄱㅁ",
    "ㄱㅁㅅ",
    "김ㅁ",
    "ㄴㄱ",
    "남궁 ㅁ",
    "kim",
    "Jose",
    "PÉR",
    "min",
    "ana*[b]?",
    "ㅋ",
    "수",
    "m",
    "김민수",
    "KIM min su",
];
const IDENTIFIERS: Values = &["1", "2", "urn:a|1", "urn:a|", "|1", "urn:none|1", "urn:b|2"];
const CODES: Values = &[
    "x",
    "y",
    "X",
    "http://a.test|x",
    "http://b.test|x",
    "|x",
    "|y",
    "http://a.test|",
    "http://none.test|x",
    "z",
];
const PATIENTS: Values = &[
    "Patient/p0",
    "p1",
    "Patient/p2",
    "http://hub.test/fhir/Patient/p3",
    "http://other.test/fhir/Patient/p1",
    "Patient/never",
];
const ORGANIZATIONS: Values = &["Organization/o0", "o1", "Organization/o2", "Organization/none"];
const ENCOUNTERS: Values = &["Encounter/e0", "e1", "Encounter/e2", "Encounter/none"];
const LOCATIONS: Values = &["Location/l0", "l1", "Location/l2", "Location/none"];
const DATES: Values = &[
    "2026",
    "2026-02",
    "2026-03",
    "2026-02-28",
    "2026-03-01",
    "2026-03-01T00:00:00+09:00",
    "1986",
    "1990-05-04",
    "2026-02-28T15:00:00Z",
    "1980",
    "1980-02",
    "1990-05-05",
    "1987-06",
    "2026-03-01T08:59",
];
const NUMBERS: Values = &[
    "100",
    "100||mg",
    "1e2",
    "99.9||g",
    "100|http://u.test|mg",
    "-0.5",
    "0",
    "123456789012345678901234567890||g",
    "95",
    "100|http://unitsofmeasure.org|mg",
    "0.1|http://unitsofmeasure.org|g",
    "0.10000|http://unitsofmeasure.org|g",
    "100000|http://unitsofmeasure.org|ug",
    "100|http://unitsofmeasure.org|정",
    "310.15|http://unitsofmeasure.org|K",
    "98.6|http://unitsofmeasure.org|[degF]",
];
const CODE_NUMBERS: Values = &[
    "x$100",
    "http://a.test|x$gt99||mg",
    "y$le100|http://unitsofmeasure.org|mg",
    "|x$0.1|http://unitsofmeasure.org|g",
    "x$ne100",
    "X$lt0",
    "x$ap90|http://unitsofmeasure.org|mg",
];
const PLACES: Values = &[
    "37.5|127",
    "37.5|127|0|km",
    "37.5000001|127|1|m",
    "37.5|127|12|km",
    "0|180|3|km",
    "0|-180|1112|m",
    "90|12|20|km",
    "-90|0",
    "0|0|21000|km",
];
pub(super) const PREFIXES: Values = &["", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
pub(super) const WORDS: Values = &[
    "고혈압",
    "혈압",
    "압",
    "ㄱㅎㅇ",
    "고ㅎ",
    "ㅎ",
    "pain",
    "PAIN chest",
    "고혈압 pain",
    "혈당",
    "血",
    "血壓",
    "x",
    "none",
    "두통,pain",
];
