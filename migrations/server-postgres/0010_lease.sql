-- Stored value of members that single terminals may spend without asking; `server_seq` is the place of
-- the operation that granted it, which the terminal keeps.
CREATE TABLE lease (
    tenant_id  BYTEA   NOT NULL,
    lease_id   BYTEA   NOT NULL CHECK (length(lease_id) = 16),
    member_id  BYTEA   NOT NULL CHECK (length(member_id) = 16),
    device_id  BYTEA   NOT NULL CHECK (length(device_id) = 16),
    store_id   BYTEA   NOT NULL CHECK (length(store_id) = 16),
    state      TEXT    NOT NULL,
    granted_ms BIGINT  NOT NULL,
    server_seq BIGINT  NOT NULL CHECK (server_seq > 0),
    PRIMARY KEY (tenant_id, lease_id)
);
CREATE INDEX lease_open ON lease (tenant_id, member_id) WHERE state IN ('held', 'lost');

-- What is left of a lease, for each lot that it was granted of.
CREATE TABLE lease_lot (
    tenant_id     BYTEA   NOT NULL,
    lease_id      BYTEA   NOT NULL CHECK (length(lease_id) = 16),
    lot_id        BYTEA   NOT NULL CHECK (length(lot_id) = 16),
    position      BIGINT  NOT NULL CHECK (position >= 0),
    principal_fen BIGINT  NOT NULL CHECK (principal_fen >= 0),
    bonus_fen     BIGINT  NOT NULL CHECK (bonus_fen >= 0),
    PRIMARY KEY (tenant_id, lease_id, lot_id)
);
