//! Where the walk is: a chain of steps on the stack, written out only for issues.

/// A step of the path from the resource to the value at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Name(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// The resource itself, by its type.
    pub(super) fn root(name: &'p str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    /// An element of this one.
    pub(super) fn element(&'p self, name: &'p str) -> Place<'p> {
        Place { parent: Some(self), step: Step::Name(name) }
    }

    /// The value at a position of this repeating element.
    pub(super) fn at(&'p self, index: usize) -> Place<'p> {
        Place { parent: Some(self), step: Step::Index(index) }
    }

    /// FHIRPath: `Patient.name[0].given[1]`.
    pub(super) fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut next = Some(self);
        while let Some(place) = next {
            steps.push(place.step);
            next = place.parent;
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            match step {
                Step::Name(name) if path.is_empty() => path.push_str(name),
                Step::Name(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
            }
        }
        path
    }
}
