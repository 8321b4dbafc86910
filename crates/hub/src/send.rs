//! Sending files: read piece by piece as the client takes them, never as a whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::call::FilePart;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Pieces read ahead of a client.
const AHEAD: usize = 2;

/// Part of a file as a body.
struct FileBody {
    pieces: Receiver<io::Result<Bytes>>,
    left: u64,
}

/// The body that sends part of a file.
pub fn file(part: FilePart) -> Body {
    let (sender, pieces) = channel(AHEAD);
    let left = part.length;
    // One thread for each file under way, which waits for its client; a client that leaves ends it.
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read(&part, &sender) {
            tracing::error!(error = %error, "a file of a result cannot be sent");
            let _ = sender.blocking_send(Err(error));
        }
    });
    Body::new(FileBody { pieces, left })
}

fn read(part: &FilePart, sender: &Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut file = File::open(&part.path)?;
    file.seek(SeekFrom::Start(part.start))?;
    let mut left = part.length;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
        let mut piece = vec![0; size];
        file.read_exact(&mut piece)?;
        left -= size as u64;
        if sender.blocking_send(Ok(piece.into())).is_err() {
            break;
        }
    }
    Ok(())
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Ok(piece)) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => Some(Err(error)),
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
