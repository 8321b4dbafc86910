-- What access depends on beside whose a record is. Layout and reasons: docs/store.md. Never edit: add a migration.

-- The institution that made a record (number of its Organization; less than zero where the hub wrote the record and it names
-- the institution) and the encounter it belongs to (of an encounter, its own number), 0 where there is none; of an encounter the department, by its number in `dict`. All small columns stand
-- before the body, so that they are read without it.
CREATE TABLE res_5 (
  rid INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id ANY NOT NULL, ver INTEGER NOT NULL, t INTEGER NOT NULL,
  t0 INTEGER NOT NULL, op INTEGER NOT NULL, pat INTEGER NOT NULL, mask INTEGER NOT NULL, d INTEGER,
  org INTEGER NOT NULL DEFAULT 0, enc INTEGER NOT NULL DEFAULT 0, dept INTEGER NOT NULL DEFAULT 0,
  present INTEGER NOT NULL, present_high INTEGER NOT NULL, container INTEGER, part INTEGER, vals BLOB NOT NULL,
  codec INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
INSERT INTO res_5 SELECT rid, kind, id, ver, t, t0, op, pat, mask, d, 0, 0, 0, present, present_high, container, part,
  vals, codec, body FROM res;
DROP TABLE res;
ALTER TABLE res_5 RENAME TO res;
CREATE INDEX res_kind ON res (kind) WHERE op IN (1, 2);
CREATE INDEX res_pat ON res (pat, rid) WHERE pat > 0;
CREATE INDEX res_several ON res (org) WHERE pat = -1;
CREATE INDEX res_part ON res (kind) WHERE op = 4;
CREATE INDEX res_container ON res (container) WHERE container IS NOT NULL;
CREATE TABLE ver_5 (
  n INTEGER PRIMARY KEY, rid INTEGER NOT NULL, ver INTEGER NOT NULL, t INTEGER NOT NULL, op INTEGER NOT NULL,
  pat INTEGER NOT NULL, mask INTEGER NOT NULL, d INTEGER, org INTEGER NOT NULL, enc INTEGER NOT NULL,
  codec INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
INSERT INTO ver_5 SELECT n, rid, ver, t, op, pat, mask, NULL, 0, 0, codec, body FROM ver;
DROP TABLE ver;
ALTER TABLE ver_5 RENAME TO ver;
CREATE UNIQUE INDEX ver_rid ON ver (rid, ver);
CREATE INDEX comp_rid ON comp (rid, ver);
-- Treatment relations, as the record `rid` proves them. `person` is an account, empty for everybody there; `reach` is 1
-- for what the patient's rules permit, 2 for the records of all institutions.
CREATE TABLE rel (
  pat INTEGER NOT NULL, org INTEGER NOT NULL, person TEXT NOT NULL, hi INTEGER NOT NULL, lo INTEGER NOT NULL,
  reach INTEGER NOT NULL, rid INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (pat, org, person, hi, lo, reach, rid, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX rel_rid ON rel (rid);
CREATE INDEX rel_org ON rel (org, pat);
-- What patients consent to, as the record `rid` says; in the order in which a decision looks at them. Columns that say
-- nothing are 0, and days are empty. `record` and `enc` are numbers of a record and
-- of an encounter.
CREATE TABLE rule (
  pat INTEGER NOT NULL, spec INTEGER NOT NULL, made INTEGER NOT NULL, permit INTEGER NOT NULL, rid INTEGER NOT NULL,
  no INTEGER NOT NULL, asker INTEGER NOT NULL, purposes INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL,
  org INTEGER NOT NULL, dept INTEGER NOT NULL, kind INTEGER NOT NULL, mask INTEGER NOT NULL,
  without INTEGER NOT NULL, since INTEGER, before INTEGER, record INTEGER NOT NULL, enc INTEGER NOT NULL,
  PRIMARY KEY (pat, spec DESC, made DESC, permit, rid, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_rid ON rule (rid);
-- Main dates are days in Korea now, and the new columns are to be filled.
INSERT OR REPLACE INTO meta (name, value) VALUES ('rebuild', 1);
