//! A place to import from and into.

use std::path::PathBuf;
use std::process::Output;

use ieum::data::Data;
use ieum::import::IMPORT;
use ieum::import::journal::ImportRecord;
use ieum_fhir::search::Query;
use ieum_trust::access::Access;
use serde_json::Value;

use crate::support::{Running, ieum};

/// A place to import from and into.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn lines(&self, name: &str, lines: &[Value]) {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        self.write(name, lines.join("\n").as_bytes());
    }

    /// Imports; gives the exit code, and what was said.
    pub(crate) fn import(&self, name: &str, more: &[&str]) -> (i32, String) {
        let (data, from, rejects) = (self.path("data"), self.path(name), self.path("rejects"));
        let _ = std::fs::remove_file(&rejects);
        let done = ieum()
            .args(["import", "--data"])
            .arg(data)
            .arg(from)
            .arg("--rejects")
            .arg(rejects)
            .args(more)
            .output()
            .unwrap();
        told(&done)
    }

    /// What the last import refused.
    pub(crate) fn rejects(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("rejects")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What GET gives from a hub on the records.
    pub(crate) fn ask<T>(&self, questions: impl FnOnce(&Running) -> T) -> T {
        let hub = Running::open(&self.path("data"));
        let answers = questions(&hub);
        hub.stop();
        answers
    }

    pub(crate) fn count(&self, question: &str) -> u64 {
        self.ask(|hub| hub.get(question).1["total"].as_u64().unwrap())
    }

    pub(crate) fn journal(&self) -> Vec<ImportRecord> {
        let data = Data::existing(&self.path("data"), None).unwrap();
        let view = data.door.view(&Access::system("test")).unwrap();
        let query = Query { kind: IMPORT.name.into(), ..Query::default() };
        let page = view.search(&query, None, 100).unwrap();
        let records = page.records.iter().map(|record| serde_json::from_slice(&record.plain_json()).unwrap());
        records.collect()
    }
}

pub(crate) fn told(done: &Output) -> (i32, String) {
    let text = [done.stdout.as_slice(), &done.stderr].concat();
    (done.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}
