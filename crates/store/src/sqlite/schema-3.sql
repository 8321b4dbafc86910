-- The rest of R4's search. Layout, reasons and a worked example: docs/store.md. Never edit: add a migration.

-- A combination of values inside one element. The first part is a token or a reference (`v`, `s`); the second of any
-- type (`lo` to `hi`, and `code`, `s2`, `unit` for tokens and quantities); the third a number.
CREATE TABLE cmp (
  tp INTEGER NOT NULL, v INTEGER NOT NULL, lo ANY NOT NULL, hi ANY NOT NULL, rid INTEGER NOT NULL, s INTEGER NOT NULL,
  code INTEGER NOT NULL, s2 INTEGER NOT NULL, unit INTEGER NOT NULL, lo3 BLOB NOT NULL, hi3 BLOB NOT NULL,
  pat INTEGER NOT NULL, mask INTEGER NOT NULL,
  PRIMARY KEY (tp, v, lo, hi, rid, s, code, s2, unit, lo3, hi3)
) STRICT, WITHOUT ROWID;
-- A place, in ten-millionths of a degree.
CREATE TABLE geo (
  tp INTEGER NOT NULL, lat INTEGER NOT NULL, lon INTEGER NOT NULL, rid INTEGER NOT NULL, pat INTEGER NOT NULL,
  mask INTEGER NOT NULL, PRIMARY KEY (tp, lat, lon, rid)
) STRICT, WITHOUT ROWID;
-- A resource inside another has a row of its own in `res`, with `op` 4, the number of its container and its
-- place there, from 1.
ALTER TABLE res ADD COLUMN container INTEGER;
ALTER TABLE res ADD COLUMN part INTEGER;
CREATE INDEX res_part ON res (kind) WHERE op = 4;
CREATE INDEX res_container ON res (container) WHERE container IS NOT NULL;
-- Terms of texts, as numbers of `dict` between spaces; a rowid is a record's number.
CREATE VIRTUAL TABLE narrative USING fts5(
  terms, content = '', detail = none, columnsize = 0, tokenize = 'ascii');
CREATE VIRTUAL TABLE content USING fts5(
  terms, content = '', detail = none, columnsize = 0, tokenize = 'ascii');
-- All indexes are made anew, because more is found.
INSERT OR REPLACE INTO meta (name, value) VALUES ('rebuild', 1);
