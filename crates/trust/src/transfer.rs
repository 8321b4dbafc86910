//! The right to have one's data sent, 전송요구권 (개인정보 보호법 시행령 §42의2–42의16): a request with its seven items, what
//! becomes of it, when to send, what is logged. Nothing is sent here: that is the exchange's.
//!
//! | file | what it holds |
//! |---|---|
//! | [`items`] | the seven items, and what must hold of them |
//! | [`request`] | a request, and what happens to it |
//! | [`log`] | records: requests and their log, written together |

pub mod items;
pub mod log;
pub mod request;
