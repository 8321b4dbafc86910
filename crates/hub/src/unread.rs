//! Answers that clients do not read: how long they may stay ([`Timed`]), and how much of memory they may hold
//! ([`Unread`]).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

/// Answers up to this size are not counted: connections are, and each holds one.
const SMALL: usize = 64 << 10;

/// Room for large answers that have not been sent.
#[derive(Debug)]
pub(crate) struct Unread {
    /// In KiB.
    room: Arc<Semaphore>,
    most: u32,
}

/// The part of it that one answer takes up, given back when this is dropped; none for small ones.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    _room: Option<OwnedSemaphorePermit>,
}

impl Unread {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let most = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        Self { room: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// Room for an answer, if there is some in time. One larger than all of it waits until it is the only one.
    pub(crate) async fn take(&self, bytes: usize, patience: Duration) -> Option<Taken> {
        if bytes <= SMALL {
            return Some(Taken::default());
        }
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX).min(self.most);
        let taken = timeout(patience, Arc::clone(&self.room).acquire_many_owned(kib)).await;
        Some(Taken { _room: Some(taken.ok()?.ok()?) })
    }
}

impl Taken {
    /// A body that gives the room back when it has been sent, or will not be.
    pub(crate) fn body(self, content: Vec<u8>) -> Body {
        Body::from(Bytes::from_owner(Held { content, _taken: self }))
    }
}

/// Content together with the room it takes up.
struct Held {
    content: Vec<u8>,
    _taken: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

/// A stream that fails when its peer does not take what is written to it.
pub(crate) struct Timed<S> {
    stream: S,
    /// How long it may take nothing.
    idle: Duration,
    /// How long it may take for all that waits to be written.
    whole: Duration,
    /// Since when something waits to be written.
    since: Option<Instant>,
    /// Runs while nothing is taken.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Timed<S> {
    /// Around a stream.
    pub(crate) fn new(stream: S, idle: Duration, whole: Duration) -> Self {
        Self { stream, idle, whole, since: None, timer: None }
    }

    /// What has become of an attempt to write; when the stream takes nothing, only until time is up.
    fn watched<T>(&mut self, attempt: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if attempt.is_ready() {
            self.timer = None;
            return attempt;
        }
        let left = self.whole.saturating_sub(since.elapsed()).min(self.idle);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(left)));
        timer.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(attempt, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watched(attempt, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Asked for when all has been written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_flush(context);
        let watched = self.watched(attempt, context);
        if watched.is_ready() {
            self.since = None;
        }
        watched
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watched(attempt, context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const TICK: Duration = Duration::from_millis(1);

    /// Takes a byte now and then.
    struct Slow {
        every: Duration,
        timer: Option<Pin<Box<Sleep>>>,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            let every = self.every;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(every)));
            std::task::ready!(timer.as_mut().poll(context));
            self.timer = None;
            Poll::Ready(Ok(1))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    async fn write(stream: &mut Timed<Slow>, count: usize) -> io::Result<()> {
        for _ in 0..count {
            poll_fn(|context| Pin::new(&mut *stream).poll_write(context, b"x")).await?;
        }
        poll_fn(|context| Pin::new(&mut *stream).poll_flush(context)).await
    }

    #[test]
    fn who_reads_nothing_or_too_little_is_given_up() {
        let slow = |every| Slow { every, timer: None };
        run(async {
            let mut nothing = Timed::new(slow(60_000 * TICK), 50 * TICK, 60_000 * TICK);
            assert_eq!(write(&mut nothing, 1).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            let mut too_little = Timed::new(slow(10 * TICK), 60_000 * TICK, 200 * TICK);
            assert_eq!(write(&mut too_little, 10_000).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            // Who takes all that there is begins anew.
            let mut enough = Timed::new(slow(10 * TICK), 60_000 * TICK, 1_500 * TICK);
            for _ in 0..20 {
                write(&mut enough, 10).await.unwrap();
            }
        });
    }

    #[test]
    fn large_answers_share_a_room_and_small_ones_pass() {
        run(async {
            let unread = Unread::new(1 << 20);
            let first = unread.take(1 << 20, TICK).await.unwrap();
            let body = first.body(vec![0; 1 << 20]);
            assert!(unread.take(SMALL + 1, TICK).await.is_none());
            assert!(unread.take(SMALL, TICK).await.is_some());
            drop(body);
            assert!(unread.take(5 << 20, TICK).await.is_some(), "alone, any answer has room");
        });
    }
}
