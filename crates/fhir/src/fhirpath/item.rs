//! What expressions find: elements of resources, and values of the system types.

use std::borrow::Cow;
use std::rc::Rc;

use super::number::Number;
use super::quantity::{Quantity, Unit};
use super::temporal::Temporal;
use crate::definitions::{Primitive, TypeDef, TypeKind, r4};
use crate::json::{Kind, Value};

/// The code system of UCUM.
const UCUM: &str = "http://unitsofmeasure.org";

/// One item of a collection.
#[derive(Debug, Clone)]
pub enum Item<'d> {
    /// An element of a resource, or a resource.
    Element(Element<'d>),
    /// A value of a system type.
    Value(System<'d>),
}

/// A value of one of the system types.
#[derive(Debug, Clone)]
pub enum System<'d> {
    /// `System.Boolean`
    Boolean(bool),
    /// `System.Integer`
    Integer(i64),
    /// `System.Decimal`
    Decimal(Number),
    /// `System.String`
    Text(Cow<'d, str>),
    /// `System.Date`, `System.DateTime`, `System.Time`
    Temporal(Temporal),
    /// `System.Quantity`
    Quantity(Quantity),
    /// What `type()` answers: namespace and name.
    Type(&'static str, Cow<'d, str>),
}

/// An element, or a whole resource.
#[derive(Debug, Clone)]
pub struct Element<'d> {
    value: Option<Value<'d>>,
    extra: Option<Value<'d>>,
    def: &'static TypeDef,
    container: Value<'d>,
    place: Option<Rc<Place<'d>>>,
}

/// The last step to an element, and those before it.
#[derive(Debug)]
struct Place<'d> {
    before: Option<Rc<Place<'d>>>,
    step: Step<'d>,
}

/// One step from a resource to an element of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'d> {
    /// A member of this name: `valueQuantity`.
    Name(Cow<'d, str>),
    /// The item of an array.
    Index(usize),
    /// From a primitive value to the object beside it that has its id and extensions (`_birthDate`).
    Beside,
}

impl<'d> Element<'d> {
    /// A resource; `None` when the value is none of R4.
    #[must_use]
    pub fn resource(value: Value<'d>) -> Option<Self> {
        let def = resource_type(value)?;
        Some(Self { value: Some(value), extra: None, def, container: value, place: None })
    }

    /// Its JSON; `None` for a primitive element that has extensions alone.
    #[must_use]
    pub fn value(&self) -> Option<Value<'d>> {
        self.value
    }

    /// For a primitive element: the object with its id and extensions.
    #[must_use]
    pub fn extra(&self) -> Option<Value<'d>> {
        self.extra
    }

    /// Its type.
    #[must_use]
    pub fn definition(&self) -> &'static TypeDef {
        self.def
    }

    /// The resource it is in; for contained resources and what is in them the one that contains them.
    #[must_use]
    pub fn container(&self) -> Value<'d> {
        self.container
    }

    /// The way to it from the resource that the expression was asked of, or that was resolved.
    #[must_use]
    pub fn path(&self) -> Vec<Step<'d>> {
        let mut steps = Vec::new();
        let mut next = self.place.as_deref();
        while let Some(place) = next {
            steps.push(place.step.clone());
            next = place.before.as_deref();
        }
        steps.reverse();
        steps
    }

    fn step(&self, step: Step<'d>) -> Option<Rc<Place<'d>>> {
        Some(Rc::new(Place { before: self.place.clone(), step }))
    }

    /// Calls `found` with the elements of this name, or with all when there is none.
    pub(super) fn children(&self, name: Option<&str>, found: &mut dyn FnMut(Self)) {
        if self.def.primitive.is_some() {
            // Of a primitive only id and extensions are elements; they stand in the object beside it.
            let Some(extra) = self.extra else { return };
            let beside = Self { value: Some(extra), place: self.step(Step::Beside), ..self.clone() };
            return beside.members(name, found);
        }
        self.members(name, found);
    }

    fn members(&self, name: Option<&str>, found: &mut dyn FnMut(Self)) {
        let Some(object) = self.value else { return };
        for member in object.members() {
            let Some(key) = member.key() else { continue };
            let (plain, is_extra) = key.strip_prefix('_').map_or((&*key, false), |plain| (plain, true));
            // A name is only worked on when it can be the one asked for: choices have longer names.
            if name.is_some_and(|name| !plain.starts_with(name)) {
                continue;
            }
            let Some(property) = self.def.property(plain) else { continue };
            if name.is_some_and(|name| property.element.name != name) {
                continue;
            }
            let def = property.type_ref.definition();
            // The value beside an extension brings it along.
            if is_extra && object.get(plain).is_some() {
                continue;
            }
            let (value, extra) = if is_extra {
                (None, Some(member))
            } else {
                let extra = def.primitive.and_then(|_| object.get(&format!("_{plain}")));
                (Some(member), extra)
            };
            self.member(Cow::Owned(plain.to_owned()), property.element.name, def, value, extra, found);
        }
    }

    fn member(
        &self,
        key: Cow<'d, str>,
        name: &str,
        def: &'static TypeDef,
        value: Option<Value<'d>>,
        extra: Option<Value<'d>>,
        found: &mut dyn FnMut(Self),
    ) {
        let place = self.step(Step::Name(key));
        let is_array = value.or(extra).is_some_and(|value| value.kind() == Kind::Array);
        if !is_array {
            self.found(name, def, value, extra, place, found);
            return;
        }
        let mut values = value.into_iter().flat_map(Value::elements);
        let mut extras = extra.into_iter().flat_map(Value::elements);
        let mut index = 0;
        loop {
            let (value, extra) = (values.next(), extras.next());
            if value.is_none() && extra.is_none() {
                return;
            }
            let place = Some(Rc::new(Place { before: place.clone(), step: Step::Index(index) }));
            self.found(name, def, value, extra, place, found);
            index += 1;
        }
    }

    fn found(
        &self,
        name: &str,
        def: &'static TypeDef,
        value: Option<Value<'d>>,
        extra: Option<Value<'d>>,
        place: Option<Rc<Place<'d>>>,
        found: &mut dyn FnMut(Self),
    ) {
        let value = value.filter(|value| value.kind() != Kind::Null);
        let extra = extra.filter(|extra| extra.kind() == Kind::Object);
        if value.is_none() && extra.is_none() {
            return;
        }
        if def.kind != TypeKind::Resource {
            return found(Self { value, extra, def, container: self.container, place });
        }
        let Some((value, def)) = value.and_then(|value| Some((value, resource_type(value)?))) else { return };
        let container = if name == "contained" { self.container } else { value };
        found(Self { value: Some(value), extra, def, container, place });
    }

    /// What it is as a value of a system type; `None` for what has no value, or has elements and is no Quantity.
    #[must_use]
    pub fn system(&self) -> Option<System<'d>> {
        let value = self.value?;
        let Some(primitive) = self.def.primitive else {
            return if is_a(self.def, "Quantity") { quantity(value).map(System::Quantity) } else { None };
        };
        Some(match primitive {
            Primitive::Boolean => System::Boolean(value.boolean()?),
            Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => {
                System::Integer(value.number()?.parse().ok()?)
            }
            Primitive::Decimal => System::Decimal(Number::parse(value.number()?)?),
            Primitive::Date => System::Temporal(Temporal::date(&value.text()?)?),
            Primitive::DateTime | Primitive::Instant => {
                System::Temporal(Temporal::date_time(&value.text()?)?)
            }
            Primitive::Time => System::Temporal(Temporal::time(&value.text()?)?),
            _ => System::Text(value.text()?),
        })
    }
}

impl<'d> Item<'d> {
    /// As a value of a system type; `None` as for [`Element::system`].
    #[must_use]
    pub fn system(&self) -> Option<Cow<'_, System<'d>>> {
        match self {
            Self::Element(element) => element.system().map(Cow::Owned),
            Self::Value(value) => Some(Cow::Borrowed(value)),
        }
    }

    /// Its namespace and the name of its type.
    #[must_use]
    pub fn type_name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Element(element) => ("FHIR", element.def.name),
            Self::Value(value) => ("System", value.type_name()),
        }
    }

    /// The element; `None` for values of system types.
    #[must_use]
    pub fn element(&self) -> Option<&Element<'d>> {
        match self {
            Self::Element(element) => Some(element),
            Self::Value(_) => None,
        }
    }
}

impl System<'_> {
    fn type_name(&self) -> &'static str {
        use super::temporal::Kind;
        match self {
            Self::Boolean(_) => "Boolean",
            Self::Integer(_) => "Integer",
            Self::Decimal(_) => "Decimal",
            Self::Text(_) => "String",
            Self::Temporal(value) => match value.kind {
                Kind::Date => "Date",
                Kind::DateTime => "DateTime",
                Kind::Time => "Time",
            },
            Self::Quantity(_) => "Quantity",
            Self::Type(..) => "SimpleTypeInfo",
        }
    }
}

/// Whether a type is this one or derives from it.
pub(super) fn is_a(def: &'static TypeDef, name: &str) -> bool {
    let mut next = Some(def);
    while let Some(def) = next {
        if def.name == name {
            return true;
        }
        next = def.base.and_then(|base| r4().type_of(base));
    }
    false
}

fn resource_type(value: Value<'_>) -> Option<&'static TypeDef> {
    let name = value.get("resourceType")?.text()?;
    r4().type_of(&name).filter(|def| def.kind == TypeKind::Resource && !def.is_abstract)
}

/// A FHIR Quantity as one of FHIRPath (R4, `fhirpath.html#quantity`): with a code of UCUM, or without unit. One with a
/// comparator (`<`) is none.
fn quantity(value: Value<'_>) -> Option<Quantity> {
    if value.get("comparator").is_some() {
        return None;
    }
    let number = Number::parse(value.get("value")?.number()?)?;
    let text = |name: &str| value.get(name).and_then(Value::text);
    let unit = match (text("system").as_deref(), text("code")) {
        (Some(UCUM), Some(code)) => Unit::Ucum(code.into_owned()),
        (None, None) => text("unit").map_or_else(|| Unit::ucum("1"), |unit| Unit::Other(unit.into_owned())),
        (system, code) => {
            let (system, code) = (system.unwrap_or_default(), code.unwrap_or_default());
            Unit::Other(format!("{system}|{code}"))
        }
    };
    Some(Quantity { value: number, unit })
}
