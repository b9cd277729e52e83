-- What those who keep the books need to know; the log does not determine it.

-- When a device last asked for anything.
CREATE TABLE device_contact (
    tenant_id BLOB    NOT NULL,
    device_id BLOB    NOT NULL,
    seen_ms   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;

-- Backups that were made and checked, and how far each goes.
CREATE TABLE backup (
    tenant_id  BLOB    NOT NULL,
    made_ms    INTEGER NOT NULL,
    server_seq INTEGER NOT NULL,
    place      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, made_ms)
) STRICT, WITHOUT ROWID;

-- Timelines that began with a restored backup: made at `backup_ms`, it went as far as `from_seq`.
CREATE TABLE timeline (
    tenant_id BLOB    NOT NULL,
    timeline  INTEGER NOT NULL,
    began_ms  INTEGER NOT NULL,
    backup_ms INTEGER NOT NULL,
    from_seq  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, timeline)
) STRICT, WITHOUT ROWID;
