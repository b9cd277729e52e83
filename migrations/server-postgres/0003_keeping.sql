-- What those who keep the books need to know; the log does not determine it.

-- When a device last asked for anything.
CREATE TABLE device_contact (
    tenant_id BYTEA   NOT NULL,
    device_id BYTEA   NOT NULL,
    seen_ms   BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
);

-- Backups that were made and checked, and how far each goes.
CREATE TABLE backup (
    tenant_id  BYTEA   NOT NULL,
    made_ms    BIGINT  NOT NULL,
    server_seq BIGINT  NOT NULL,
    place      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, made_ms)
);

-- Timelines that began with a restored backup: made at `backup_ms`, it went as far as `from_seq`.
CREATE TABLE timeline (
    tenant_id BYTEA   NOT NULL,
    timeline  BIGINT  NOT NULL,
    began_ms  BIGINT  NOT NULL,
    backup_ms BIGINT  NOT NULL,
    from_seq  BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, timeline)
);
