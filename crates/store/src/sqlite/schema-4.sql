-- Fewer and narrower rows: access is judged on `res` alone, the values of tokens and units have numbers of their own, and
-- dates and numbers stand in the record's own row instead of a second index. Layout, reasons and a worked example:
-- docs/store.md. Never edit: add a migration.

DROP TABLE tok;
DROP TABLE tokdict;
DROP TABLE ref;
DROP TABLE dat;
DROP TABLE num;
DROP TABLE str;
DROP TABLE cho;
DROP TABLE cmp;
DROP TABLE geo;

-- A value of a parameter: a code (`v`) under a system (`s`), 0 for none; `x` is the word for it. A word alone has neither.
-- A reference that begins a combination has `s` -1, and `v` is the number of the record.
CREATE TABLE tokval (
  k INTEGER PRIMARY KEY, tp INTEGER NOT NULL, v INTEGER NOT NULL, s INTEGER NOT NULL, x INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tokval_value ON tokval (tp, v, s, x);
CREATE INDEX tokval_word ON tokval (tp, x) WHERE x <> 0;
CREATE TABLE tok (k INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (k, rid)) STRICT, WITHOUT ROWID;
CREATE TABLE ref (
  tp INTEGER NOT NULL, target INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (tp, target, rid)
) STRICT, WITHOUT ROWID;
CREATE TABLE dat (
  tp INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (tp, lo, hi, rid)
) STRICT, WITHOUT ROWID;
-- What a number counts; `s` is -1 where `code` is a canonical unit. 0 is for bare numbers, and is not here.
CREATE TABLE unit (u INTEGER PRIMARY KEY, code INTEGER NOT NULL, s INTEGER NOT NULL, unit INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX unit_value ON unit (code, s, unit);
CREATE INDEX unit_word ON unit (unit) WHERE unit <> 0;
-- An empty `hi` is equal to `lo`.
CREATE TABLE num (
  tp INTEGER NOT NULL, lo BLOB NOT NULL, hi BLOB NOT NULL, rid INTEGER NOT NULL, u INTEGER NOT NULL,
  PRIMARY KEY (tp, lo, hi, rid, u)
) STRICT, WITHOUT ROWID;
CREATE TABLE str (
  tp INTEGER NOT NULL, norm TEXT NOT NULL, rid INTEGER NOT NULL, raw TEXT NOT NULL, PRIMARY KEY (tp, norm, rid, raw)
) STRICT, WITHOUT ROWID;
CREATE INDEX str_rid ON str (rid, tp);
CREATE TABLE cho (
  tp INTEGER NOT NULL, initials TEXT NOT NULL, rid INTEGER NOT NULL, norm TEXT NOT NULL,
  PRIMARY KEY (tp, initials, rid, norm)
) STRICT, WITHOUT ROWID;
-- A combination of values inside one element: the first part is a token or a reference (`k`), the second of any type
-- (`lo` to `hi`, `u`; a token is its `k` in `lo`), the third a number.
CREATE TABLE cmp (
  k INTEGER NOT NULL, lo ANY NOT NULL, hi ANY NOT NULL, rid INTEGER NOT NULL, u INTEGER NOT NULL, lo3 BLOB NOT NULL,
  hi3 BLOB NOT NULL, PRIMARY KEY (k, lo, hi, rid, u, lo3, hi3)
) STRICT, WITHOUT ROWID;
CREATE TABLE geo (
  tp INTEGER NOT NULL, lat INTEGER NOT NULL, lon INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (tp, lat, lon, rid)
) STRICT, WITHOUT ROWID;

-- Dictionaries learnt from these records (`learn.rs`); bodies name them by number, so none is ever changed or removed.
CREATE TABLE zdict (no INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

-- `vals` holds the record's dates and numbers. It and all small columns stand before the body, so that they are read
-- without it.
CREATE TABLE res_4 (
  rid INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id ANY NOT NULL, ver INTEGER NOT NULL, t INTEGER NOT NULL,
  t0 INTEGER NOT NULL, op INTEGER NOT NULL, pat INTEGER NOT NULL, mask INTEGER NOT NULL, d INTEGER,
  present INTEGER NOT NULL, present_high INTEGER NOT NULL, container INTEGER, part INTEGER, vals BLOB NOT NULL,
  codec INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
INSERT INTO res_4 SELECT rid, kind, id, ver, t, t0, op, pat, mask, d, present, present_high, container, part, x'',
  codec, body FROM res;
DROP TABLE res;
ALTER TABLE res_4 RENAME TO res;
CREATE INDEX res_kind ON res (kind) WHERE op IN (1, 2);
CREATE INDEX res_pat ON res (pat, rid) WHERE pat > 0;
CREATE INDEX res_part ON res (kind) WHERE op = 4;
CREATE INDEX res_container ON res (container) WHERE container IS NOT NULL;
INSERT OR REPLACE INTO meta (name, value) VALUES ('rebuild', 1);
