//! Fetching files to import: only from origins that the operator allows, and never from where a client could not get
//! by itself (server-side request forgery, OWASP). No redirect is followed, no proxy is used, and the address that is
//! connected to is the one that was looked at.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ieum_fhir::outcome::Code;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::jobs::Sources;
use crate::jobs::files::open_private;
use crate::jobs::work::{Stop, Work};

/// How long a source may take to be reached, and to begin to answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a source may fall silent.
const SILENCE_TIME: Duration = Duration::from_secs(60);
/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// How often a job looks whether to go on while a source is silent.
const LOOK: Duration = Duration::from_millis(200);

/// Whether a file may come from there; the reason, if not.
///
/// # Errors
/// What to do, for whoever asked. It does not repeat the address.
pub(super) fn check(url: &str, sources: &Sources) -> Result<(), String> {
    let refused =
        |what: &str| Err(format!("{what}; the operator allows origins with the setting import_origins"));
    if sources.origins.is_empty() {
        return refused("this hub fetches no files: send the file itself as application/fhir+ndjson");
    }
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return refused("the address cannot be read") };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refused("the address must be whole, with scheme and host");
    };
    if authority.as_str().contains('@') {
        return refused("the address must not hold a name or password");
    }
    let origin = format!("{scheme}://{authority}");
    let is_allowed = |allowed: &&String| allowed.trim_end_matches('/').eq_ignore_ascii_case(&origin);
    if sources.origins.iter().find(is_allowed).is_none() {
        return refused("files of this origin are not taken");
    }
    Ok(())
}

/// Fetches a file whole.
///
/// # Errors
/// [`Stop`] when it cannot be had, is too large, or the job is not to go on.
pub(super) fn fetch(work: &Work<'_>, url: &str, path: &Path) -> Result<u64, Stop> {
    let sources = &work.jobs.options().sources;
    check(url, sources).map_err(|what| Stop::failed(Code::AsyncSource, what))?;
    let (sender, pieces) = sync_channel(2);
    let (url, private) = (url.to_owned(), sources.private);
    // On a thread of its own: a source that falls silent must not keep the job from being cancelled. It ends by itself,
    // at the latest when the source has been silent for too long.
    std::thread::spawn(move || {
        let result = read(&url, private, &sender);
        if let Err(why) = result {
            let _ = sender.send(Err(why));
        }
    });
    let part = path.with_extension("part");
    let file = open_private(&part)?;
    file.set_len(0)?;
    let mut out = BufWriter::with_capacity(PIECE, file);
    let mut bytes = 0;
    loop {
        work.go_on()?;
        match pieces.recv_timeout(LOOK) {
            Ok(Ok(piece)) => {
                bytes += piece.len() as u64;
                if bytes > sources.file_bytes {
                    let what = format!("a file may have {} bytes; send it in parts", sources.file_bytes);
                    return Err(Stop::failed(Code::AsyncSource, what));
                }
                out.write_all(&piece)?;
            }
            Ok(Err(why)) => return Err(Stop::failed(Code::AsyncSource, why)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    std::fs::rename(&part, path)?;
    File::open(&work.directory)?.sync_all()?;
    Ok(bytes)
}

/// Reads what is at an address, and gives it away in pieces.
fn read(url: &str, private: bool, pieces: &SyncSender<Result<Vec<u8>, String>>) -> Result<(), String> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_connect(Some(ANSWER_TIME))
        .timeout_recv_response(Some(ANSWER_TIME))
        .timeout_per_read(Some(SILENCE_TIME))
        .build();
    let resolver = Guarded { private, inner: DefaultResolver::default() };
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
    let request = agent.get(url).header("accept", "application/fhir+ndjson");
    let mut response =
        request.call().map_err(|_| "the source cannot be reached, or may not be".to_owned())?;
    if response.status().as_u16() != 200 {
        let status = response.status().as_u16();
        return Err(format!("the source answered with status {status}; redirects are not followed"));
    }
    let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
    loop {
        let mut piece = vec![0; PIECE];
        let read = reader.read(&mut piece).map_err(|_| "the file broke off".to_owned())?;
        if read == 0 {
            return Ok(());
        }
        piece.truncate(read);
        if pieces.send(Ok(piece)).is_err() {
            // Nobody wants the rest.
            return Ok(());
        }
    }
}

/// Names only those addresses that may be connected to.
#[derive(Debug)]
struct Guarded {
    private: bool,
    inner: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One private address among several is enough to refuse: which one is taken is not ours to say.
        if self.private || found.iter().all(|address| is_public(address.ip())) {
            Ok(found)
        } else {
            Err(ureq::Error::HostNotFound)
        }
    }
}

/// Whether an address belongs to the public internet (the registries of special addresses: RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        // Written as IPv6, meant as IPv4: mapped, translated, 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(v4(high, low))
        }
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        // Teredo, benchmarking, ORCHID, documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        // Of the rest only global unicast.
        [first, ..] => (0x2000..0x4000).contains(&first) && first != 0x3fff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in
            ["1.1.1.1", "203.248.252.2", "2606:4700::1111", "2001:2b8::1", "::ffff:8.8.8.8", "2002:808:808::"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn only_allowed_origins_are_taken() {
        let sources = Sources { origins: vec!["http://files.example:8000/".into()], ..Sources::default() };
        assert_eq!(check("http://files.example:8000/a/b.ndjson?x=1", &sources), Ok(()));
        assert_eq!(check("HTTP://Files.Example:8000/a", &sources), Ok(()));
        for refused in [
            "http://files.example/a",
            "https://files.example:8000/a",
            "http://files.example:8000.evil.example/a",
            "http://files.example:8000@evil.example/a",
            "http://user:word@files.example:8000/a",
            "http://evil.example/?http://files.example:8000/",
            "//files.example:8000/a",
            "file:///etc/passwd",
            "/a",
            "",
        ] {
            assert!(check(refused, &sources).is_err(), "{refused}");
        }
        assert!(check("http://files.example:8000/a", &Sources::default()).is_err());
    }
}
