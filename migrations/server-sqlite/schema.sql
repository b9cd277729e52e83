CREATE TABLE account (
    tenant_id            BLOB    NOT NULL,
    member_id            BLOB    NOT NULL,
    principal_fen        INTEGER NOT NULL CHECK (principal_fen >= 0),
    bonus_fen            INTEGER NOT NULL CHECK (bonus_fen >= 0),
    frozen_principal_fen INTEGER NOT NULL
        CHECK (frozen_principal_fen BETWEEN 0 AND principal_fen),
    frozen_bonus_fen     INTEGER NOT NULL CHECK (frozen_bonus_fen BETWEEN 0 AND bonus_fen),
    debt_fen             INTEGER NOT NULL CHECK (debt_fen >= 0),
    recharged_fen        INTEGER NOT NULL CHECK (recharged_fen >= 0),
    refunded_fen         INTEGER NOT NULL CHECK (refunded_fen >= 0),
    bonus_granted_fen    INTEGER NOT NULL CHECK (bonus_granted_fen >= 0),
    growth               INTEGER NOT NULL,
    points               INTEGER NOT NULL,
    points_debt          INTEGER NOT NULL,
    tier_id              BLOB    NOT NULL,
    tier_valid_until_ms  INTEGER,
    last_seq             INTEGER NOT NULL CHECK (last_seq >= 0),
    PRIMARY KEY (tenant_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
    tenant_id     BLOB    NOT NULL,
    action_id     BLOB    NOT NULL,
    op_id         BLOB    NOT NULL,
    digest        BLOB    NOT NULL CHECK (length(digest) = 32),
    outcome       TEXT    NOT NULL CHECK (outcome IN ('applied', 'refused')),
    refusal_code  INTEGER,
    refusal_quote TEXT,
    PRIMARY KEY (tenant_id, action_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt_code (
    tenant_id  BLOB    NOT NULL,
    attempt_id BLOB    NOT NULL,
    code_hash  BLOB    CHECK (length(code_hash) = 32),
    charged_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempt_code_hash ON attempt_code (tenant_id, code_hash);

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

CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END;

CREATE TABLE audit_head (
    tenant_id BLOB    NOT NULL PRIMARY KEY,
    seq       INTEGER NOT NULL CHECK (seq > 0),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE backup (
    tenant_id  BLOB    NOT NULL,
    made_ms    INTEGER NOT NULL,
    server_seq INTEGER NOT NULL,
    place      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, made_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE care_plan (
    tenant_id BLOB    NOT NULL,
    plan_id   BLOB    NOT NULL,
    member_id BLOB    NOT NULL,
    order_id  BLOB    NOT NULL,
    starts_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, plan_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cash_movement (
    tenant_id   BLOB    NOT NULL,
    movement_id BLOB    NOT NULL,
    shift_id    BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    amount_fen  INTEGER NOT NULL,
    order_id    BLOB,
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, movement_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX cash_movement_by_shift ON cash_movement (tenant_id, shift_id);

CREATE TRIGGER cash_movement_no_delete BEFORE DELETE ON cash_movement
    BEGIN SELECT RAISE(ABORT, 'cash_movement is append-only'); END;

CREATE TRIGGER cash_movement_no_update BEFORE UPDATE ON cash_movement
    BEGIN SELECT RAISE(ABORT, 'cash_movement is append-only'); END;

CREATE TABLE coupon (
    tenant_id   BLOB    NOT NULL,
    coupon_id   BLOB    NOT NULL,
    template_id BLOB    NOT NULL,
    member_id   BLOB    NOT NULL,
    order_id    BLOB    NOT NULL,
    state       TEXT    NOT NULL,
    expires_ms  INTEGER NOT NULL,
    issued_ms   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, coupon_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX coupon_by_member ON coupon (tenant_id, member_id);

CREATE TABLE device (
    tenant_id     BLOB    NOT NULL,
    device_id     BLOB    NOT NULL CHECK (length(device_id) = 16),
    store_id      BLOB,
    terminal_code TEXT    NOT NULL,
    public_key    BLOB    NOT NULL CHECK (length(public_key) = 32),
    is_server     INTEGER NOT NULL CHECK (is_server IN (0, 1)),
    epoch         INTEGER NOT NULL CHECK (epoch >= 1),
    last_seq      INTEGER NOT NULL CHECK (last_seq >= 0),
    last_hash     BLOB    NOT NULL CHECK (length(last_hash) = 32),
    standing      TEXT    NOT NULL CHECK (standing IN ('active', 'quarantined', 'revoked')),
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_contact (
    tenant_id BLOB    NOT NULL,
    device_id BLOB    NOT NULL,
    seen_ms   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_revocation (
    tenant_id  BLOB    NOT NULL,
    device_id  BLOB    NOT NULL,
    revoked_ms INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_token (
    tenant_id  BLOB    NOT NULL,
    token_hash BLOB    NOT NULL CHECK (length(token_hash) = 32),
    device_id  BLOB    NOT NULL,
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, token_hash)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX device_token_by_hash ON device_token (token_hash);

CREATE TABLE earning_log (
    tenant_id  BLOB    NOT NULL,
    entry_id   BLOB    NOT NULL,
    member_id  BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    delta      INTEGER NOT NULL,
    after      INTEGER NOT NULL,
    order_id   BLOB,
    expires_ms INTEGER,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX earning_log_by_member ON earning_log (tenant_id, member_id, at_ms);

CREATE TRIGGER earning_log_no_delete BEFORE DELETE ON earning_log
    BEGIN SELECT RAISE(ABORT, 'earning_log is append-only'); END;

CREATE TRIGGER earning_log_no_update BEFORE UPDATE ON earning_log
    BEGIN SELECT RAISE(ABORT, 'earning_log is append-only'); END;

CREATE TABLE exception_case (
    tenant_id  BLOB    NOT NULL,
    case_id    BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    order_id   BLOB,
    attempt_id BLOB,
    member_id  BLOB,
    device_id  BLOB,
    amount_fen INTEGER NOT NULL,
    opened_ms  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX exception_case_by_time ON exception_case (tenant_id, opened_ms);

CREATE TABLE feed (
    tenant_id  BLOB    NOT NULL,
    server_seq INTEGER NOT NULL,
    json       TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER feed_no_delete BEFORE DELETE ON feed
    BEGIN SELECT RAISE(ABORT, 'feed is append-only'); END;

CREATE TRIGGER feed_no_update BEFORE UPDATE ON feed
    BEGIN SELECT RAISE(ABORT, 'feed is append-only'); END;

CREATE TABLE head (
    tenant_id  BLOB    NOT NULL,
    timeline   INTEGER NOT NULL CHECK (timeline >= 1),
    server_seq INTEGER NOT NULL CHECK (server_seq >= 0),
    chain_hash BLOB    NOT NULL CHECK (length(chain_hash) = 32),
    PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE held_operation (
    tenant_id  BLOB    NOT NULL,
    server_seq INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    tenant_id  BLOB    NOT NULL,
    code_hash  BLOB    NOT NULL CHECK (length(code_hash) = 32),
    store_id   BLOB    NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER, used_by BLOB CHECK (length(used_by) = 32),
    PRIMARY KEY (tenant_id, code_hash)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX invite_by_hash ON invite (code_hash);

CREATE TABLE journal (
    tenant_id           BLOB    NOT NULL,
    member_id           BLOB    NOT NULL,
    seq                 INTEGER NOT NULL CHECK (seq >= 1),
    entry_id            BLOB    NOT NULL,
    server_seq          INTEGER NOT NULL,
    biz_type            TEXT    NOT NULL,
    biz_id              BLOB    NOT NULL,
    leg                 INTEGER NOT NULL,
    lot_id              BLOB    NOT NULL,
    d_principal_fen     INTEGER NOT NULL,
    d_bonus_fen         INTEGER NOT NULL,
    principal_after_fen INTEGER NOT NULL CHECK (principal_after_fen >= 0),
    bonus_after_fen     INTEGER NOT NULL CHECK (bonus_after_fen >= 0),
    store_id            BLOB    NOT NULL,
    shift_id            BLOB,
    operator_id         BLOB,
    at_ms               INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, member_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;

CREATE UNIQUE INDEX journal_once ON journal (tenant_id, biz_type, biz_id, leg, lot_id);

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

CREATE TABLE lease_lot (
    tenant_id     BLOB    NOT NULL,
    lease_id      BLOB    NOT NULL CHECK (length(lease_id) = 16),
    lot_id        BLOB    NOT NULL CHECK (length(lot_id) = 16),
    position      INTEGER NOT NULL CHECK (position >= 0),
    principal_fen INTEGER NOT NULL CHECK (principal_fen >= 0),
    bonus_fen     INTEGER NOT NULL CHECK (bonus_fen >= 0),
    PRIMARY KEY (tenant_id, lease_id, lot_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE lot (
    tenant_id          BLOB    NOT NULL,
    member_id          BLOB    NOT NULL,
    lot_id             BLOB    NOT NULL,
    order_id           BLOB,
    principal_init_fen INTEGER NOT NULL CHECK (principal_init_fen >= 0),
    principal_left_fen INTEGER NOT NULL
        CHECK (principal_left_fen BETWEEN 0 AND principal_init_fen),
    bonus_init_fen     INTEGER NOT NULL CHECK (bonus_init_fen >= 0),
    bonus_left_fen     INTEGER NOT NULL CHECK (bonus_left_fen BETWEEN 0 AND bonus_init_fen),
    bonus_expires_ms   INTEGER,
    spend_order        TEXT    NOT NULL,
    credited_ms        INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, member_id, lot_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    tenant_id     BLOB    NOT NULL,
    member_id     BLOB    NOT NULL CHECK (length(member_id) = 16),
    member_no     TEXT    NOT NULL,
    home_store_id BLOB    NOT NULL,
    status        TEXT    NOT NULL,
    registered_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX member_by_no ON member (tenant_id, member_no);

CREATE TABLE member_key (
    tenant_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    key       BLOB NOT NULL CHECK (length(key) = 32),
    PRIMARY KEY (tenant_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE member_profile (
    tenant_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    sealed    BLOB NOT NULL,
    PRIMARY KEY (tenant_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE migration (
                 number INTEGER PRIMARY KEY,
                 name TEXT NOT NULL,
                 sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
             ) STRICT;

CREATE TABLE operation (
    tenant_id  BLOB    NOT NULL,
    server_seq INTEGER NOT NULL CHECK (server_seq >= 1),
    op_id      BLOB    NOT NULL,
    action_id  BLOB    NOT NULL,
    store_id   BLOB    NOT NULL,
    device_id  BLOB    NOT NULL,
    epoch      INTEGER NOT NULL,
    device_seq INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    standing   TEXT    NOT NULL CHECK (standing IN ('decided', 'held', 'quarantined')),
    answer     TEXT    NOT NULL,
    decided_ms INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    chain_hash BLOB    NOT NULL CHECK (length(chain_hash) = 32),
    bytes      BLOB    NOT NULL, other_history INTEGER NOT NULL DEFAULT 0 CHECK (other_history IN (0, 1)),
    PRIMARY KEY (tenant_id, server_seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX operation_by_device ON operation (tenant_id, device_id, epoch, device_seq, standing)
    WHERE standing <> 'quarantined' AND other_history = 0;

CREATE UNIQUE INDEX operation_by_hash ON operation (tenant_id, hash, standing);

CREATE INDEX operation_held ON operation (tenant_id, server_seq) WHERE standing = 'held';

CREATE TRIGGER operation_no_delete BEFORE DELETE ON operation
    BEGIN SELECT RAISE(ABORT, 'operation is append-only'); END;

CREATE TRIGGER operation_no_update BEFORE UPDATE ON operation
    BEGIN SELECT RAISE(ABORT, 'operation is append-only'); END;

CREATE INDEX operation_spent ON operation (tenant_id, device_id, decided_ms) WHERE kind = 9;

CREATE TABLE outbox (
    tenant_id  BLOB    NOT NULL,
    server_seq INTEGER NOT NULL,
    event_id   BLOB    NOT NULL,
    topic      TEXT    NOT NULL,
    subject_id BLOB    NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, server_seq, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_by_topic ON outbox (topic, tenant_id, server_seq);

CREATE TRIGGER outbox_no_delete BEFORE DELETE ON outbox
    BEGIN SELECT RAISE(ABORT, 'outbox is append-only'); END;

CREATE TRIGGER outbox_no_update BEFORE UPDATE ON outbox
    BEGIN SELECT RAISE(ABORT, 'outbox is append-only'); END;

CREATE TABLE outbox_delivery (
    tenant_id  BLOB    NOT NULL,
    event_id   BLOB    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'acked', 'dead')),
    tries      INTEGER NOT NULL,
    next_ms    INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (tenant_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_attempt (
    tenant_id        BLOB    NOT NULL,
    attempt_id       BLOB    NOT NULL,
    attempt_no       TEXT    NOT NULL,
    order_id         BLOB    NOT NULL,
    channel          TEXT    NOT NULL,
    method           TEXT    NOT NULL,
    amount_fen       INTEGER NOT NULL CHECK (amount_fen > 0),
    state            TEXT    NOT NULL,
    qr_payload       TEXT,
    expires_ms       INTEGER NOT NULL,
    channel_txn_no   TEXT,
    paid_ms          INTEGER,
    decline          TEXT,
    cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
    started_ms       INTEGER NOT NULL,
    changed_ms       INTEGER NOT NULL, config_fault TEXT, money_returned INTEGER CHECK (money_returned IN (0, 1)),
    PRIMARY KEY (tenant_id, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_attempt_by_any_no ON payment_attempt (attempt_no);

CREATE UNIQUE INDEX payment_attempt_by_no ON payment_attempt (tenant_id, attempt_no);

CREATE INDEX payment_attempt_by_order ON payment_attempt (tenant_id, order_id);

CREATE INDEX payment_attempt_ended ON payment_attempt (changed_ms)
    WHERE state IN ('closed', 'failed', 'reversed');

CREATE INDEX payment_attempt_open ON payment_attempt (changed_ms)
    WHERE state IN ('init', 'submitted', 'user_paying', 'unknown', 'reversing');

CREATE TABLE payment_hint (
    tenant_id      BLOB    NOT NULL,
    hint_id        BLOB    NOT NULL CHECK (length(hint_id) = 16),
    attempt_id     BLOB    NOT NULL CHECK (length(attempt_id) = 16),
    gateway        TEXT    NOT NULL,
    channel_txn_no TEXT    NOT NULL,
    amount_fen     INTEGER NOT NULL,
    paid_ms        INTEGER NOT NULL,
    heard_ms       INTEGER NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('open', 'confirmed', 'denied', 'unclear')),
    PRIMARY KEY (tenant_id, hint_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_hint_open ON payment_hint (heard_ms) WHERE state = 'open';

CREATE TABLE payment_surplus (
    tenant_id      BLOB    NOT NULL,
    attempt_id     BLOB    NOT NULL,
    channel_txn_no TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    amount_fen     INTEGER NOT NULL CHECK (amount_fen > 0),
    refunded       INTEGER NOT NULL CHECK (refunded IN (0, 1)),
    PRIMARY KEY (tenant_id, attempt_id, channel_txn_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    tenant_id         BLOB    NOT NULL,
    store_id          BLOB    NOT NULL,
    version           INTEGER NOT NULL CHECK (version >= 1),
    effective_from_ms INTEGER NOT NULL,
    store_code        TEXT    NOT NULL,
    store_name        TEXT    NOT NULL,
    document          BLOB    NOT NULL,
    hash              BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, store_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX policy_by_code ON policy (store_code);

CREATE TRIGGER policy_no_delete BEFORE DELETE ON policy
    BEGIN SELECT RAISE(ABORT, 'policy is append-only'); END;

CREATE TRIGGER policy_no_update BEFORE UPDATE ON policy
    BEGIN SELECT RAISE(ABORT, 'policy is append-only'); END;

CREATE TABLE posting (
    tenant_id  BLOB    NOT NULL,
    server_seq INTEGER NOT NULL,
    leg        INTEGER NOT NULL,
    book       TEXT    NOT NULL CHECK (book IN ('money', 'bonus')),
    account    TEXT    NOT NULL,
    member_id  BLOB,
    lot_id     BLOB,
    shift_id   BLOB,
    store_id   BLOB,
    channel    TEXT,
    amount_fen INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, server_seq, leg)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting
    BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting
    BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

CREATE TABLE recharge_order (
    tenant_id               BLOB    NOT NULL,
    order_id                BLOB    NOT NULL,
    order_no                TEXT    NOT NULL,
    member_id               BLOB    NOT NULL,
    store_id                BLOB    NOT NULL,
    device_id               BLOB    NOT NULL,
    shift_id                BLOB    NOT NULL,
    cashier_id              BLOB    NOT NULL,
    seller_id               BLOB,
    choice_fen              INTEGER,
    package_id              BLOB,
    package_version         INTEGER,
    pay_fen                 INTEGER NOT NULL CHECK (pay_fen >= 0),
    bonus_fen               INTEGER NOT NULL CHECK (bonus_fen >= 0),
    policy_version          INTEGER NOT NULL,
    quote                   TEXT    NOT NULL,
    state                   TEXT    NOT NULL,
    paid_channel            TEXT,
    paid_fen                INTEGER,
    tendered_fen            INTEGER,
    channel_txn_no          TEXT,
    paid_ms                 INTEGER,
    principal_before_fen    INTEGER,
    principal_after_fen     INTEGER,
    bonus_before_fen        INTEGER,
    bonus_after_fen         INTEGER,
    credit_points           INTEGER,
    credit_growth           INTEGER,
    tier_before_id          BLOB,
    tier_after_id           BLOB,
    credit_bonus_expires_ms INTEGER,
    credited_ms             INTEGER,
    offline                 INTEGER NOT NULL CHECK (offline IN (0, 1)),
    copies                  INTEGER NOT NULL,
    opened_ms               INTEGER NOT NULL,
    expires_ms              INTEGER NOT NULL,
    changed_ms              INTEGER NOT NULL, approver_id BLOB CHECK (length(approver_id) = 16), cash_part_fen INTEGER CHECK (cash_part_fen > 0 AND cash_part_fen < pay_fen),
    PRIMARY KEY (tenant_id, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX recharge_order_by_member ON recharge_order (tenant_id, member_id, opened_ms);

CREATE UNIQUE INDEX recharge_order_by_no ON recharge_order (tenant_id, order_no);

CREATE INDEX recharge_order_by_reference ON recharge_order (tenant_id, channel_txn_no)
    WHERE paid_channel IN ('card', 'transfer', 'shop_code');

CREATE INDEX recharge_order_waiting ON recharge_order (expires_ms)
    WHERE state IN ('pending_payment', 'pending_review');

CREATE TABLE shift (
    tenant_id         BLOB    NOT NULL,
    shift_id          BLOB    NOT NULL,
    shift_no          TEXT    NOT NULL,
    store_id          BLOB    NOT NULL,
    device_id         BLOB    NOT NULL,
    cashier_id        BLOB    NOT NULL,
    opened_ms         INTEGER NOT NULL,
    opening_float_fen INTEGER NOT NULL CHECK (opening_float_fen >= 0),
    state             TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, shift_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX shift_by_device ON shift (tenant_id, device_id, state);

CREATE TABLE tenant (
    tenant_id        BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    name             TEXT    NOT NULL,
    server_device_id BLOB    NOT NULL CHECK (length(server_device_id) = 16),
    signing_seed     BLOB    NOT NULL CHECK (length(signing_seed) = 32),
    created_ms       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tier_log (
    tenant_id      BLOB    NOT NULL,
    entry_id       BLOB    NOT NULL,
    member_id      BLOB    NOT NULL,
    from_tier_id   BLOB    NOT NULL,
    to_tier_id     BLOB    NOT NULL,
    order_id       BLOB,
    basis_fen      INTEGER NOT NULL,
    valid_until_ms INTEGER NOT NULL,
    policy_version INTEGER NOT NULL,
    at_ms          INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tier_log_by_member ON tier_log (tenant_id, member_id, at_ms);

CREATE TRIGGER tier_log_no_delete BEFORE DELETE ON tier_log
    BEGIN SELECT RAISE(ABORT, 'tier_log is append-only'); END;

CREATE TRIGGER tier_log_no_update BEFORE UPDATE ON tier_log
    BEGIN SELECT RAISE(ABORT, 'tier_log is append-only'); END;

CREATE TABLE timeline (
    tenant_id BLOB    NOT NULL,
    timeline  INTEGER NOT NULL,
    began_ms  INTEGER NOT NULL,
    backup_ms INTEGER NOT NULL,
    from_seq  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, timeline)
) STRICT, WITHOUT ROWID;

