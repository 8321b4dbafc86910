//! Listening: connections with their limits of time and size, and a graceful stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ieum_trust::authorization::certificate::Chain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::hub::{Entrance, Hub};
use crate::limits::Limits;
use crate::portal::guard::is_loopback_url;
use crate::serve::serve;
use crate::tls::Tls;
use crate::unread::Timed;
use crate::{authorization, host};

/// The FHIR interface as an axum router. Which routes there are is decided by [`crate::routes`] alone.
pub fn router(hub: Hub) -> Router {
    let entrance = hub.entrance();
    host::guarded(routes(hub), entrance)
}

/// The same, with the addresses for apps, to be put behind [`host::guarded`] together with others.
pub(crate) fn routes(hub: Hub) -> Router {
    let routes = Router::new()
        .route("/fhir", any(serve))
        .route("/fhir/", any(serve))
        .route("/fhir/{*rest}", any(serve))
        .with_state(hub.clone())
        .merge(authorization::serve::router(hub.clone()));
    authorization::cross::open(routes, hub)
}

/// What the operating system holds of the answers on one connection; it doubles this for its own use.
const SEND_BUFFER_BYTES: u32 = 256 << 10;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// A socket that is listening, before it is served. The address may be part of the hub's configuration.
pub struct Listening {
    listener: TcpListener,
    tls: Option<Tls>,
}

/// Why a server could not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An open hub on an address that others can reach.
    #[error(
        "an open hub may listen on loopback only (127.0.0.1 or ::1); leave out --open, or choose such an address"
    )]
    OpenBeyondLoopback,
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Listening {
    /// Listens on an address; port 0 takes any free one.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub async fn on(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        // Connections inherit it. The system would else take megabytes of an answer that nobody reads.
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(BACKLOG).map(|listener| Self { listener, tls: None })
    }

    /// The address, with the port that was given.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The same, to be served over TLS alone.
    #[must_use]
    pub fn over(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Serves `app` until `stop` is done, then lets requests under way finish.
    ///
    /// # Errors
    /// [`ServerError`] when it must not or cannot run.
    pub async fn serve(
        self,
        hub: &Hub,
        app: Router,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServerError> {
        let Self { listener, tls } = self;
        if hub.entrance() == Entrance::Open && !listener.local_addr()?.ip().is_loopback() {
            return Err(ServerError::OpenBeyondLoopback);
        }
        // Not for `localhost`: browsers would hold whatever else runs on this machine to it.
        let app = if tls.is_some() && !is_loopback_url(hub.base_url()) {
            app.layer(axum::middleware::map_response(over_tls_alone))
        } else {
            app
        };
        let limits = hub.limits();
        let places = Arc::new(Semaphore::new(limits.connections));
        let (stop_all, stopping) = watch::channel(false);
        tokio::pin!(stop);
        loop {
            let (stream, place) = tokio::select! {
                accepted = accept(&listener, &places) => accepted,
                () = &mut stop => break,
            };
            // Small answers leave at once.
            let _ = stream.set_nodelay(true);
            let peer = stream.peer_addr().map(ConnectInfo).ok();
            let app = peer.map_or_else(|| app.clone(), |peer| app.clone().layer(Extension(peer)));
            let (config, limits, stopping) =
                (tls.as_ref().map(Tls::config), limits.clone(), stopping.clone());
            tokio::spawn(async move {
                match config {
                    None => talk(stream, app, &limits, stopping).await,
                    Some(config) => {
                        // Whoever does not come to an end with it holds a place no longer than with a head.
                        let greeting = TlsAcceptor::from(config).accept(stream);
                        if let Ok(Ok(stream)) = tokio::time::timeout(limits.head_time, greeting).await {
                            let chain = shown(&stream);
                            let app = chain.map_or_else(
                                || app.clone(),
                                |chain| app.clone().layer(Extension(Arc::new(chain))),
                            );
                            talk(stream, app, &limits, stopping).await;
                        }
                    }
                }
                drop(place);
            });
        }
        drop(listener);
        stop_all.send_replace(true);
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(limits.stop_time, places.acquire_many(all)).await.is_err() {
            tracing::warn!("stopped while requests were still under way");
        }
        Ok(())
    }
}

/// Serves one connection until it ends, or until the hub stops and its request is done.
async fn talk<S>(stream: S, app: Router, limits: &Limits, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    // The timer also ends connections that stay idle, or never send a byte.
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_time).max_buf_size(limits.head_bytes);
    let stream = Timed::new(stream, limits.answer_idle_time, limits.answer_time);
    // What becomes a WebSocket is a connection no more, and counted among those.
    let connection =
        http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks off is the client's affair, and nothing to log.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// The certificate that a client connected with, and whose key it holds.
fn shown(stream: &TlsStream<TcpStream>) -> Option<Chain> {
    let certificates = stream.get_ref().1.peer_certificates()?;
    Chain::of(certificates.iter().map(|der| der.to_vec()).collect()).ok()
}

/// Browsers come by no other way from now on (RFC 6797).
async fn over_tls_alone(mut response: Response) -> Response {
    let year = HeaderValue::from_static("max-age=31536000");
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    response
}

/// The next connection, once there is a place for it. Until then new ones wait in the operating system's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                // Out of file descriptors, mostly: waiting is all that helps.
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
