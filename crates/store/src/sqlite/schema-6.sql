-- Relations in force are found by when they end: an institution has far more that are over. Never edit: add a migration.
DROP INDEX rel_org;
CREATE INDEX rel_active ON rel (org, hi);
-- Permissions that an institution wrote down without what was signed are rules no more.
INSERT OR REPLACE INTO meta (name, value) VALUES ('rebuild', 1);
