-- What was kept for review and taken after all stands in the log a second time.
DROP INDEX operation_by_hash;
CREATE UNIQUE INDEX operation_by_hash ON operation (tenant_id, hash, standing);
