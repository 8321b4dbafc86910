//! How much the answer to a bundle may hold: its entries can ask for far more than they are long.

use std::sync::Mutex;

use axum::http::StatusCode;
use ieum_fhir::outcome::Code;

use super::error;
use crate::call::{Answer, Content, Failure};

/// Room for the resources in one answer; shared by threads that work on its entries.
pub(super) struct Room {
    bytes: usize,
    left: Mutex<Option<usize>>,
}

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, left: Mutex::new(Some(bytes)) }
    }

    /// Refuses a read before it is done, once one has found no room.
    ///
    /// # Errors
    /// 413.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.left.lock().is_ok_and(|left| left.is_some()) { Ok(()) } else { Err(self.used_up()) }
    }

    /// The answer as far as there is room. What a write has done is told in any case, then without the resource; a read
    /// is refused, and so are those after it.
    #[must_use]
    pub(super) fn fit(&self, answer: Answer, is_write: bool) -> Answer {
        let Content::Resource(json) = &answer.content else { return answer };
        let Ok(mut left) = self.left.lock() else { return answer };
        match left.and_then(|left| left.checked_sub(json.len())) {
            Some(rest) => {
                *left = Some(rest);
                answer
            }
            None if is_write => Answer { content: Content::None, ..answer },
            None => {
                *left = None;
                self.used_up().answer()
            }
        }
    }

    fn used_up(&self) -> Failure {
        let what =
            format!("the answer to a bundle may hold {} bytes; ask for this in another one", self.bytes);
        error::failure(StatusCode::PAYLOAD_TOO_LARGE, Code::AnswerTooLarge, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_without_their_resource_and_reads_are_refused_from_then_on() {
        let room = Room::new(10);
        let resource = |bytes| Answer { version: Some(1), ..Answer::resource(vec![b'x'; bytes]) };
        assert_eq!(room.fit(resource(6), false), resource(6));
        assert_eq!(room.fit(resource(6), true), Answer { content: Content::None, ..resource(6) });
        assert!(room.check().is_ok());
        assert_eq!(room.fit(resource(5), false).status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(room.check().is_err());
        assert_eq!(room.fit(resource(1), false).status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(room.fit(Answer::empty(StatusCode::NO_CONTENT), true).status, StatusCode::NO_CONTENT);
    }
}
