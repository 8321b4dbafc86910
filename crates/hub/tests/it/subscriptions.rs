//! Topic-based subscriptions over REST hook and WebSocket: a real receiver beside a real server.

mod access;
mod asking;
mod bounds;
mod receiver;
mod socket;
mod telling;
