//! A client of our own: one connection, one request at a time.
//!
//! Driver and server share the machine, so what the driver costs is missing from the server. A general client costs more
//! than reading a head and a length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;

/// Servers close connections that idle for longer; ours after 15 seconds.
const IDLE: Duration = Duration::from_secs(5);
/// No answer takes longer.
const LIMIT: Duration = Duration::from_mins(60);

/// Where a server answers.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Address and port.
    pub(crate) address: SocketAddr,
    /// Path before `/Patient`, such as `/fhir`.
    pub(crate) prefix: &'static str,
    /// The secret of an account, where the server asks for one.
    pub(crate) secret: Option<String>,
}

/// One connection, made when it is needed.
pub(crate) struct Client {
    base: Base,
    stream: Option<BufReader<TcpStream>>,
    used: Instant,
}

/// An answer that has arrived as a whole.
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Body.
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Client {
    /// A client of this server.
    pub(crate) fn new(base: &Base) -> Self {
        Self { base: base.clone(), stream: None, used: Instant::now() }
    }

    /// GET.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.send("GET", path, None)
    }

    /// Sends a request to a path below the base, or to a whole address of the same server, and waits for the answer.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer> {
        let answer = self.exchange(method, path, body);
        if answer.is_err() {
            self.stream = None;
        }
        self.used = Instant::now();
        answer.map_err(|error| format!("{method} {path}: {error}").into())
    }

    fn exchange(&mut self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer> {
        if self.used.elapsed() > IDLE {
            self.stream = None;
        }
        let Base { address, prefix, secret } = &self.base;
        // Links may name the server otherwise than we do; it is the same one.
        let target = match path.strip_prefix("http://").and_then(|rest| rest.split_once('/')) {
            Some((_, path)) => format!("/{path}"),
            None => format!("{prefix}/{path}"),
        };
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n").into_bytes();
        request.extend_from_slice(b"Accept: application/fhir+json\r\n");
        if let Some(secret) = secret {
            request.extend_from_slice(format!("Authorization: Bearer {secret}\r\n").as_bytes());
        }
        if let Some(body) = body {
            let kind = "Content-Type: application/fhir+json\r\nContent-Length: ";
            request.extend_from_slice(format!("{kind}{}\r\n", body.len()).as_bytes());
            if path.is_empty() {
                // Bundles: what was sent need not come back.
                request.extend_from_slice(b"Prefer: return=minimal\r\n");
            }
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body.unwrap_or_default());
        if self.stream.is_none() {
            let stream = TcpStream::connect(*address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(LIMIT))?;
            self.stream = Some(BufReader::with_capacity(64 << 10, stream));
        }
        let stream = self.stream.as_mut().expect("made above");
        stream.get_mut().write_all(&request)?;
        read_answer(stream)
    }
}

fn read_answer(stream: &mut impl BufRead) -> Result<Answer> {
    let line = read_line(stream)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or("no status line")?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or("a header without colon")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, body: Vec::new(), headers };
    if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        read_chunks(stream, &mut answer.body)?;
    } else if status != 204 && status != 304 {
        let length = answer.header("content-length").and_then(|text| text.parse().ok());
        answer.body.resize(length.unwrap_or(0), 0);
        stream.read_exact(&mut answer.body)?;
    }
    Ok(answer)
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let length = usize::from_str_radix(read_line(stream)?.trim(), 16)?;
        let end = body.len() + length;
        body.resize(end, 0);
        stream.read_exact(&mut body[end - length..])?;
        read_line(stream)?;
        if length == 0 {
            return Ok(());
        }
    }
}

fn read_line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if stream.take(64 << 10).read_line(&mut line)? == 0 {
        return Err("the server closed the connection".into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

impl Answer {
    /// A header by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The answer if it is one of these, otherwise an error with what the server said.
    pub(crate) fn expect(self, statuses: &[u16]) -> Result<Self> {
        if statuses.contains(&self.status) {
            return Ok(self);
        }
        let told = String::from_utf8_lossy(&self.body[..self.body.len().min(600)]).into_owned();
        Err(format!("status {} instead of {statuses:?}: {told}", self.status).into())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// A value inside a query.
pub(crate) fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 8);
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => {
                text.push(char::from(byte));
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_length_and_in_chunks_are_read() {
        let mut plain: &[u8] = b"HTTP/1.1 201 Created\r\nETag: W/\"1\"\r\ncontent-length: 2\r\n\r\n{}";
        let answer = read_answer(&mut plain).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, &b"{}"[..]));
        assert_eq!(answer.header("etag"), Some("W/\"1\""));
        let mut chunked: &[u8] =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        assert_eq!(read_answer(&mut chunked).unwrap().body, b"abcd");
        assert!(chunked.is_empty());
        assert!(read_answer(&mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"[..]).is_err());
    }

    #[test]
    fn what_would_end_a_value_is_encoded() {
        assert_eq!(encode("http://a.kr|1 +2$3"), "http://a.kr%7C1%20%2B2%243");
    }
}
