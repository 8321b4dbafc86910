//! Topic-based subscriptions over REST hook: a real receiver beside a real server.

mod access;
mod asking;
mod receiver;
mod telling;
