-- Stored value of members that single terminals may spend without asking; `server_seq` is the place of
-- the operation that granted it, which the terminal keeps.
CREATE TABLE lease (
    tenant_id  BLOB    NOT NULL,
    lease_id   BLOB    NOT NULL CHECK (length(lease_id) = 16),
    member_id  BLOB    NOT NULL CHECK (length(member_id) = 16),
    device_id  BLOB    NOT NULL CHECK (length(device_id) = 16),
    store_id   BLOB    NOT NULL CHECK (length(store_id) = 16),
    state      TEXT    NOT NULL,
    granted_ms INTEGER NOT NULL,
    server_seq INTEGER NOT NULL CHECK (server_seq > 0),
    PRIMARY KEY (tenant_id, lease_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_open ON lease (tenant_id, member_id) WHERE state IN ('held', 'lost');

-- What is left of a lease, for each lot that it was granted of.
CREATE TABLE lease_lot (
    tenant_id     BLOB    NOT NULL,
    lease_id      BLOB    NOT NULL CHECK (length(lease_id) = 16),
    lot_id        BLOB    NOT NULL CHECK (length(lot_id) = 16),
    position      INTEGER NOT NULL CHECK (position >= 0),
    principal_fen INTEGER NOT NULL CHECK (principal_fen >= 0),
    bonus_fen     INTEGER NOT NULL CHECK (bonus_fen >= 0),
    PRIMARY KEY (tenant_id, lease_id, lot_id)
) STRICT, WITHOUT ROWID;
