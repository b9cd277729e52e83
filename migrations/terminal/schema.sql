CREATE TABLE chain_start (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    device_seq INTEGER NOT NULL CHECK (device_seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE clock_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    high_water_ms INTEGER NOT NULL,
    anchor_server_ms INTEGER,
    anchor_wall_ms INTEGER
) STRICT;

CREATE TABLE cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    timeline INTEGER NOT NULL DEFAULT 0,
    server_seq INTEGER NOT NULL DEFAULT 0,
    acked_seq INTEGER NOT NULL DEFAULT 0,
    server_time_ms INTEGER,
    snapshot_timeline INTEGER,
    snapshot_at_seq INTEGER,
    snapshot_next BLOB CHECK (length(snapshot_next) = 16)
, snapshot_own_seq INTEGER) STRICT;

CREATE TABLE lease (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    member BLOB NOT NULL CHECK (length(member) = 16),
    granted_fen INTEGER NOT NULL CHECK (granted_fen > 0),
    drawn_fen INTEGER NOT NULL CHECK (drawn_fen BETWEEN 0 AND granted_fen),
    -- open: may be drawn on; ended: no more, and its release is due; over: nothing is left to do.
    state TEXT NOT NULL CHECK (state IN ('open', 'ended', 'over')),
    bytes BLOB NOT NULL
) STRICT;

CREATE INDEX lease_by_member ON lease (member) WHERE state <> 'over';

CREATE TABLE lease_ask (
    member BLOB PRIMARY KEY CHECK (length(member) = 16),
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE member_key (
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    staleness INTEGER NOT NULL,
    member_row INTEGER NOT NULL,
    PRIMARY KEY (kind, key, staleness, member_row)
) STRICT, WITHOUT ROWID;

CREATE TABLE migration (
                 number INTEGER PRIMARY KEY,
                 name TEXT NOT NULL,
                 sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
             ) STRICT;

CREATE TABLE new_member (
    device_seq INTEGER PRIMARY KEY REFERENCES operation (device_seq),
    member BLOB NOT NULL UNIQUE CHECK (length(member) = 16),
    sealed BLOB NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

CREATE TABLE operation (
    device_seq INTEGER PRIMARY KEY CHECK (device_seq > 0),
    op_id BLOB NOT NULL UNIQUE CHECK (length(op_id) = 16),
    action_id BLOB NOT NULL CHECK (length(action_id) = 16),
    kind INTEGER NOT NULL,
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    bytes BLOB NOT NULL,
    member BLOB CHECK (length(member) = 16),
    order_id BLOB CHECK (length(order_id) = 16),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX operation_by_action ON operation (action_id);

CREATE INDEX operation_by_order ON operation (order_id) WHERE order_id IS NOT NULL;

CREATE TRIGGER operation_is_chained BEFORE INSERT ON operation
WHEN NEW.device_seq <> (SELECT coalesce(max(device_seq), 0) + 1 FROM operation)
    OR NEW.prev_hash <> coalesce(
        (SELECT hash FROM operation WHERE device_seq = NEW.device_seq - 1), zeroblob(32)
    )
BEGIN
    SELECT RAISE(ABORT, 'an operation must follow the last one');
END;

CREATE TRIGGER operation_is_never_changed BEFORE UPDATE ON operation
BEGIN
    SELECT RAISE(ABORT, 'operations are never changed');
END;

CREATE TRIGGER operation_is_removed_from_the_start_only BEFORE DELETE ON operation
WHEN OLD.device_seq > (SELECT device_seq FROM chain_start)
    OR OLD.device_seq > (SELECT acked_seq FROM cursor)
    OR OLD.device_seq >= (SELECT max(device_seq) FROM operation)
BEGIN
    SELECT RAISE(ABORT, 'operations are removed from the start only, and once acknowledged');
END;

CREATE TABLE operation_delivery (
    device_seq INTEGER PRIMARY KEY REFERENCES operation (device_seq),
    server_seq INTEGER,
    outcome TEXT,
    covered INTEGER NOT NULL DEFAULT 0 CHECK (covered IN (0, 1))
, aged_from_ms INTEGER) STRICT;

CREATE INDEX operation_delivery_ageless ON operation_delivery (device_seq)
WHERE outcome IS NOT NULL AND aged_from_ms IS NULL;

CREATE INDEX operation_delivery_open ON operation_delivery (device_seq) WHERE covered = 0;

CREATE TABLE policy (
    version INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    effective_from_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE print_job (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    place INTEGER NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'printing', 'printed', 'failed')),
    kind TEXT NOT NULL,
    order_id BLOB CHECK (length(order_id) = 16),
    copy INTEGER NOT NULL CHECK (copy >= 0),
    printer TEXT NOT NULL,
    document BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    trouble TEXT,
    queued_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
, aged_from_ms INTEGER, torn INTEGER NOT NULL DEFAULT 0 CHECK (torn IN (0, 1))) STRICT;

CREATE INDEX print_job_ageless ON print_job (place)
WHERE state = 'printed' AND aged_from_ms IS NULL;

CREATE INDEX print_job_by_order ON print_job (order_id);

CREATE INDEX print_job_waiting ON print_job (printer, place) WHERE state = 'queued';

CREATE TABLE replica_account (
    member BLOB PRIMARY KEY CHECK (length(member) = 16),
    revision INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE replica_attempt (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    started_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE INDEX replica_attempt_by_order ON replica_attempt (order_id, started_ms);

CREATE TABLE replica_case (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE INDEX replica_case_by_order ON replica_case (json_extract(json, '$.order'));

CREATE TABLE replica_coupon (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    member BLOB NOT NULL CHECK (length(member) = 16),
    json TEXT NOT NULL
) STRICT;

CREATE INDEX replica_coupon_by_member ON replica_coupon (member);

CREATE TABLE replica_device (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE replica_lease (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    member BLOB NOT NULL CHECK (length(member) = 16),
    json TEXT NOT NULL
) STRICT;

CREATE INDEX replica_lease_by_member ON replica_lease (member);

CREATE TABLE replica_member (
    row_no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    active_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE replica_order (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    member BLOB NOT NULL CHECK (length(member) = 16),
    order_no TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE INDEX replica_order_by_member ON replica_order (member, opened_ms);

CREATE INDEX replica_order_by_number ON replica_order (order_no);

CREATE INDEX replica_order_by_reference ON replica_order (json_extract(json, '$.paid.channel_txn_no'))
    WHERE json_extract(json, '$.paid.channel') IN ('card', 'transfer', 'shop_code');

CREATE INDEX replica_order_by_time ON replica_order (opened_ms);

CREATE TABLE replica_shift (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    device BLOB NOT NULL CHECK (length(device) = 16),
    opened_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE INDEX replica_shift_by_device ON replica_shift (device, opened_ms);

CREATE TABLE setting (
    key TEXT PRIMARY KEY,
    json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settlement (
    order_id BLOB PRIMARY KEY CHECK (length(order_id) = 16),
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_lock (
    staff BLOB PRIMARY KEY CHECK (length(staff) = 16),
    wrong_tries INTEGER NOT NULL,
    locked_until_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_pin (
    staff BLOB PRIMARY KEY CHECK (length(staff) = 16),
    policy_version INTEGER NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 16),
    verifier BLOB NOT NULL CHECK (length(verifier) = 32)
) STRICT, WITHOUT ROWID;

