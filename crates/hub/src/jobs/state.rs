//! In which states a job can be, and how it gets from one to another. Nothing else may change a state.

use serde::{Deserialize, Serialize};

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits to be picked up, for the first time or again.
    Queued,
    /// Somebody works on it.
    Running,
    /// Whoever asked does not want it any more.
    Cancelled,
    /// It cannot be done.
    Failed,
    /// It is done, and its result is there.
    Done,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A runner picks it up.
    Start,
    /// Its runner stopped, or died, before the end.
    Interrupt,
    /// Its runner came to the end.
    Finish,
    /// Its runner cannot go on.
    Fail,
    /// Somebody who may does not want it any more.
    Cancel,
}

/// The event does not happen to a job in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} does not happen to a job that is {state:?}")]
pub struct NoSuchStep {
    /// The state.
    pub state: State,
    /// The event.
    pub event: Event,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Cancelled, Self::Failed, Self::Done];

    /// The state after an event.
    ///
    /// # Errors
    /// [`NoSuchStep`] when it does not happen in this state.
    pub const fn after(self, event: Event) -> Result<Self, NoSuchStep> {
        match (self, event) {
            (Self::Queued, Event::Start) => Ok(Self::Running),
            (Self::Running, Event::Interrupt) => Ok(Self::Queued),
            (Self::Running, Event::Finish) => Ok(Self::Done),
            (Self::Running, Event::Fail) => Ok(Self::Failed),
            (Self::Queued | Self::Running, Event::Cancel) => Ok(Self::Cancelled),
            (state, event) => Err(NoSuchStep { state, event }),
        }
    }

    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Failed | Self::Done)
    }

    /// Its name, as it is kept and searched.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] = [Self::Start, Self::Interrupt, Self::Finish, Self::Fail, Self::Cancel];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each event leads to, in the order of [`Event::ALL`]; a dash where it does not happen.
    const TABLE: [(State, [&str; 5]); 5] = [
        (State::Queued, ["running", "-", "-", "-", "cancelled"]),
        (State::Running, ["-", "queued", "done", "failed", "cancelled"]),
        (State::Cancelled, ["-"; 5]),
        (State::Failed, ["-"; 5]),
        (State::Done, ["-"; 5]),
    ];

    #[test]
    fn every_event_in_every_state() {
        for (state, expected) in TABLE {
            for (event, expected) in Event::ALL.into_iter().zip(expected) {
                let found = state.after(event).map_or("-", State::name);
                assert_eq!(found, expected, "{event:?} in {state:?}");
            }
            let is_ended = Event::ALL.iter().all(|event| state.after(*event).is_err());
            assert_eq!(state.is_ended(), is_ended, "{state:?}");
        }
        assert_eq!(TABLE.map(|(state, _)| state), State::ALL);
    }

    #[test]
    fn names_are_what_is_kept() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
