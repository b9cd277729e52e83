-- What a second history of a device says is decided beside the device's chain, where others have its places.
ALTER TABLE operation ADD COLUMN other_history INTEGER NOT NULL DEFAULT 0 CHECK (other_history IN (0, 1));
DROP INDEX operation_by_device;
CREATE UNIQUE INDEX operation_by_device ON operation (tenant_id, device_id, epoch, device_seq, standing)
    WHERE standing <> 'quarantined' AND other_history = 0;
-- Each start looks for what was held and can be read now: few rows, or none, of a long log.
CREATE INDEX operation_held ON operation (tenant_id, server_seq) WHERE standing = 'held';
