//! What every engine must do alike.

/// Tests that are run on each engine.
macro_rules! on_every_engine {
    ($($(#[doc = $doc:literal])* fn $name:ident($store:ident: &Store) $body:block)+) => {
        $(
            $(#[doc = $doc])*
            mod $name {
                #[allow(unused_imports, reason = "not every test needs all of them")]
                use super::*;

                fn case($store: &Store) $body

                #[test]
                fn memory() {
                    case(&crate::support::memory());
                }

                #[test]
                fn sqlite() {
                    case(&crate::support::sqlite());
                }
            }
        )+
    };
}

mod access;
mod as_of;
mod commits;
mod contained;
mod definitions;
mod expressions;
mod followers;
mod history;
mod includes;
mod institutions;
mod labels;
mod modifiers;
mod paging;
mod parts;
mod relations;
mod searching;
mod texts;
