//! Refusals that are written down after the answer, by a thread of their own: whoever is refused must not learn from the
//! time an answer takes whether there was something to refuse.

use std::sync::mpsc::{SyncSender, sync_channel};

use ieum_store::commit::StoreError;
use ieum_trust::access::Access;
use ieum_trust::door::Door;

/// Refusals that wait to be written. More are lost; by then the door no longer writes each of them anyway.
const WAITING: usize = 1_000;

/// Where refusals are handed in.
pub(crate) struct Refusals(Option<SyncSender<Refused>>);

/// What may have been refused.
pub(crate) enum Refused {
    /// Something was asked for by nobody we know.
    Stranger {
        /// The route's action.
        action: &'static str,
        /// The route's pattern.
        target: &'static str,
    },
    /// A record was answered as not there. If there is one, it was refused.
    Missing {
        /// To whom.
        access: Access,
        /// The route's action.
        action: &'static str,
        /// Its resource type.
        kind: String,
        /// Its id.
        id: String,
        /// The version asked for.
        version: Option<u64>,
    },
}

impl Refusals {
    /// Starts the thread; it ends when the last handle is gone.
    pub(crate) fn new(door: Door) -> Self {
        let (sender, receiver) = sync_channel::<Refused>(WAITING);
        let work = move || {
            for refused in receiver {
                if let Err(error) = write(&door, &refused) {
                    tracing::error!(error = %error, "a refusal could not be written down");
                }
            }
        };
        let started = std::thread::Builder::new().name("refusals".into()).spawn(work);
        if let Err(error) = &started {
            tracing::error!(error = %error, "refusals will not be written down");
        }
        Self(started.is_ok().then_some(sender))
    }

    /// Hands one in; never waits.
    pub(crate) fn note(&self, refused: Refused) {
        if let Some(sender) = &self.0 {
            let _ = sender.try_send(refused);
        }
    }
}

fn write(door: &Door, refused: &Refused) -> Result<(), StoreError> {
    match refused {
        Refused::Stranger { action, target } => door.refused_stranger(action, target),
        Refused::Missing { access, action, kind, id, version } => {
            if door.hides(access, kind, id, *version)? {
                door.refused(access, action, &format!("{kind}/{id}"))?;
            }
            Ok(())
        }
    }
}
