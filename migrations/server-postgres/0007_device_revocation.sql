-- Devices that an administrator took out of service; the log does not determine it.
CREATE TABLE device_revocation (
    tenant_id  BYTEA   NOT NULL,
    device_id  BYTEA   NOT NULL,
    revoked_ms BIGINT  NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
);
