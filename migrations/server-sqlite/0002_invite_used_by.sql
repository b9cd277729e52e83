-- The terminal that used an invitation may ask again with it while it is valid: its answer may
-- have been lost.
ALTER TABLE invite ADD COLUMN used_by BLOB CHECK (length(used_by) = 32);
