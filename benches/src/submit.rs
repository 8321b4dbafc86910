//! The bulk way of HFS: `$bulk-submit`, which fetches a manifest and its files from an address that we serve.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Result;
use crate::server::Server;

/// Submits the files and waits until HFS says that it has taken them; it indexes them after that.
pub(crate) fn submit(server: &Server, files: &[(String, PathBuf)]) -> Result<()> {
    let provider = provide(files)?;
    let mut client = server.client();
    let submitter =
        json!({"name": "submitter", "valueIdentifier": {"system": "http://ieum.example", "value": "bench"}});
    let id = json!({"name": "submissionId", "valueString": "bench"});
    let status = json!({"system": "http://hl7.org/fhir/event-status", "code": "completed"});
    let submission = parameters(&[
        submitter.clone(),
        id.clone(),
        json!({"name": "manifestUrl", "valueUrl": format!("{provider}/manifest.json")}),
        json!({"name": "fhirBaseUrl", "valueUrl": format!("{provider}/fhir")}),
        json!({"name": "submissionStatus", "valueCoding": status}),
    ]);
    client.send("POST", "$bulk-submit", Some(submission.as_bytes()))?.expect(&[200])?;
    let question = parameters(&[submitter, id]);
    let asked = client.send("POST", "$bulk-submit-status", Some(question.as_bytes()))?.expect(&[202])?;
    let place = asked.header("content-location").ok_or("no Content-Location")?.to_owned();
    let started = Instant::now();
    while started.elapsed() < Duration::from_mins(30) {
        if client.get(&place)?.expect(&[200, 202])?.status == 200 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("HFS did not end its import within half an hour".into())
}

fn parameters(parameters: &[Value]) -> String {
    json!({"resourceType": "Parameters", "parameter": parameters}).to_string()
}

/// Serves a manifest and the files for as long as this program runs; gives the address.
fn provide(files: &[(String, PathBuf)]) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}", listener.local_addr()?);
    let output: Vec<Value> = files
        .iter()
        .map(|(kind, _)| json!({"type": kind, "url": format!("{address}/{kind}.ndjson")}))
        .collect();
    let manifest = json!({
        "transactionTime": "2024-01-01T00:00:00Z", "request": format!("{address}/manifest.json"),
        "requiresAccessToken": false, "output": output, "error": [], "deleted": [],
    });
    let shelf: Vec<(String, PathBuf)> = files.to_vec();
    let shelf = Arc::new((manifest.to_string(), shelf));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shelf = Arc::clone(&shelf);
            // A client that goes away has got what it wanted, or will say so itself.
            std::thread::spawn(move || drop(answer(stream, &shelf)));
        }
    });
    Ok(address)
}

fn answer(stream: TcpStream, (manifest, files): &(String, Vec<(String, PathBuf)>)) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let name = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let file = files.iter().find(|(kind, _)| name.strip_suffix(".ndjson") == Some(kind));
    let body = match file {
        Some((_, path)) => Some(fs::read(path)?),
        None => (name == "manifest.json").then(|| manifest.clone().into_bytes()),
    };
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let kind = if file.is_some() { "application/fhir+ndjson" } else { "application/json" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes())?;
    if !first.starts_with("HEAD") {
        stream.write_all(&body)?;
    }
    Ok(stream.flush()?)
}
