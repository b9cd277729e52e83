-- Devices that an administrator took out of service; the log does not determine it.
CREATE TABLE device_revocation (
    tenant_id  BLOB    NOT NULL,
    device_id  BLOB    NOT NULL,
    revoked_ms INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;
