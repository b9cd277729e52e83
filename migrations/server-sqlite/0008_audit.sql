-- What was done or seen at the server that no operation tells, chained by hash; the log does not
-- determine it. `server_seq` and `log_hash` say where the log stood.
CREATE TABLE audit_entry (
    tenant_id  BLOB    NOT NULL,
    seq        INTEGER NOT NULL CHECK (seq > 0),
    at_ms      INTEGER NOT NULL,
    act        TEXT    NOT NULL,
    device_id  BLOB    CHECK (length(device_id) = 16),
    address    TEXT,
    subject    TEXT    NOT NULL,
    server_seq INTEGER NOT NULL CHECK (server_seq >= 0),
    log_hash   BLOB    NOT NULL CHECK (length(log_hash) = 32),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

-- The last entry; a tenant without any has no row.
CREATE TABLE audit_head (
    tenant_id BLOB    NOT NULL PRIMARY KEY,
    seq       INTEGER NOT NULL CHECK (seq > 0),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;
