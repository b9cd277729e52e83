-- What was done or seen at the server that no operation tells, chained by hash; the log does not
-- determine it. `server_seq` and `log_hash` say where the log stood.
CREATE TABLE audit_entry (
    tenant_id  BYTEA  NOT NULL,
    seq        BIGINT NOT NULL CHECK (seq > 0),
    at_ms      BIGINT NOT NULL,
    act        TEXT   NOT NULL,
    device_id  BYTEA  CHECK (length(device_id) = 16),
    address    TEXT,
    subject    TEXT   NOT NULL,
    server_seq BIGINT NOT NULL CHECK (server_seq >= 0),
    log_hash   BYTEA  NOT NULL CHECK (length(log_hash) = 32),
    hash       BYTEA  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, seq)
);

-- The last entry; a tenant without any has no row.
CREATE TABLE audit_head (
    tenant_id BYTEA  NOT NULL PRIMARY KEY,
    seq       BIGINT NOT NULL CHECK (seq > 0),
    hash      BYTEA  NOT NULL CHECK (length(hash) = 32)
);
