-- A slip whose print broke off: part of it may be on paper, so that the next print says that the
-- one before is void.
ALTER TABLE print_job ADD COLUMN torn INTEGER NOT NULL DEFAULT 0 CHECK (torn IN (0, 1));
