//! Search parameters defined by records. The oracle reads every record again at once; that they cannot be searched by
//! until all are indexed is only counted.

use std::sync::Arc;

use ieum_fhir::search::custom::CustomParam;
use ieum_fhir::search::parameters::Indexing;

use super::State;
use crate::catalogue::Catalogue;
use crate::commit::StoreError;
use crate::custom::{IndexStep, IndexTask, IndexWork, Progress};
use crate::sensitive::SensitiveCodes;

impl State {
    pub(super) fn define(&mut self, params: &[Arc<CustomParam>]) -> Result<(), StoreError> {
        let before = Arc::clone(&self.catalogue);
        let known = |param: &CustomParam, catalogue: &Catalogue| {
            let kind = catalogue.kind(param.kind)?;
            let (def, _) = kind.custom().find(|(_, known)| known.code == param.code)?;
            Some((def.definition.clone(), def.progress.clone()))
        };
        let plain = before.with(params, |_| None);
        let progress = |param: &CustomParam| match (known(param, &before), known(param, &plain)) {
            (Some((old, progress)), Some((new, _))) if old == new => progress,
            _ => Some(Arc::new(Progress::new(self.indexing(param.kind, 0)))),
        };
        self.catalogue = Arc::new(before.with(params, progress));
        self.list_work();
        self.index_again()
    }

    /// The oracle labels every version again at once, those deleted as the one before.
    pub(super) fn set_sensitive(&mut self, codes: &Arc<SensitiveCodes>) -> Result<(), StoreError> {
        if self.catalogue.sensitive() == codes {
            return Ok(());
        }
        self.catalogue = Arc::new(self.catalogue.with_sensitive(Arc::clone(codes)));
        self.is_labelling = true;
        self.list_work();
        self.index_again()?;
        for versions in self.records.values_mut() {
            let mut mask = 0;
            for version in versions {
                if version.record.is_deleted() {
                    version.indexed.mask = mask;
                }
                mask = version.indexed.mask;
            }
        }
        Ok(())
    }

    fn index_again(&mut self) -> Result<(), StoreError> {
        for version in self.records.values_mut().flatten().filter(|version| !version.record.is_deleted()) {
            let damaged = || StoreError::Damaged("a record that cannot be read".into());
            let record = &version.record;
            let kind = self.catalogue.kind(&record.kind).ok_or_else(damaged)?;
            version.indexed =
                self.catalogue.index_body(kind, &record.id, &record.body).map_err(|_| damaged())?;
        }
        Ok(())
    }

    pub(super) fn index_some(&mut self, work: &IndexWork, records: usize) -> IndexStep {
        let finished = IndexStep { is_finished: true, ..IndexStep::default() };
        if work.task == IndexTask::Label {
            self.is_labelling = false;
            self.list_work();
            return finished;
        }
        let Some(progress) = self.progress(&work.kind, &work.code) else { return finished };
        if !self.work.contains(work) {
            return finished;
        }
        let indexing = self.indexing(&work.kind, progress.indexing().done + records as u64);
        progress.set(indexing);
        let Indexing { done, total, .. } = indexing;
        if done < total {
            return IndexStep { done, total, is_finished: false };
        }
        let (before, params) = (Arc::clone(&self.catalogue), self.custom());
        let others = |param: &CustomParam| {
            let is_this = param.kind == work.kind && param.code == work.code;
            if is_this { None } else { self.progress(param.kind, &param.code) }
        };
        self.catalogue = Arc::new(before.with(&params, others));
        self.list_work();
        IndexStep { done, total, is_finished: true }
    }

    pub(super) fn halt_indexing(&mut self, kind: &str, code: &str, halt: bool) {
        if let Some(progress) = self.progress(kind, code) {
            progress.set(Indexing { is_stopped: halt, ..progress.indexing() });
            self.list_work();
        }
    }

    fn custom(&self) -> Vec<Arc<CustomParam>> {
        self.catalogue.custom().cloned().collect()
    }

    fn progress(&self, kind: &str, code: &str) -> Option<Arc<Progress>> {
        let kind = self.catalogue.kind(kind)?;
        kind.params[kind.param(code)?].progress.clone()
    }

    fn indexing(&self, kind: &str, done: u64) -> Indexing {
        let total = self.born.iter().filter(|(of, _)| of == kind).count() as u64;
        Indexing { done: done.min(total), total, is_stopped: false }
    }

    fn list_work(&mut self) {
        let mut work = if self.is_labelling { vec![IndexWork::label()] } else { Vec::new() };
        for (number, param) in (0..).zip(self.custom()) {
            let is_open = |progress: Arc<Progress>| !progress.indexing().is_stopped;
            if self.progress(param.kind, &param.code).is_some_and(is_open) {
                let (kind, code) = (param.kind.to_owned(), param.code.clone());
                work.push(IndexWork { number, kind, code, task: IndexTask::Build });
            }
        }
        self.work = work;
    }
}
