-- The ledger of many servers: one database, many tenants. The same tables and columns in the same
-- order as on SQLite, for digests to be equal. Money in fen, times in UTC milliseconds, identities
-- as 16 bytes, yes and no as 1 and 0. The tenant comes first in every primary key. Only what
-- distributed databases that speak PostgreSQL's protocol also take: no triggers, no sequences, no
-- advisory locks, no exclusion constraints.

CREATE TABLE tenant (
    tenant_id        BYTEA    NOT NULL CHECK (length(tenant_id) = 16),
    name             TEXT     NOT NULL,
    server_device_id BYTEA    NOT NULL CHECK (length(server_device_id) = 16),
    signing_seed     BYTEA    NOT NULL CHECK (length(signing_seed) = 32),
    created_ms       BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- Where the log of a tenant stands. One row per tenant.
CREATE TABLE head (
    tenant_id  BYTEA    NOT NULL,
    timeline   BIGINT   NOT NULL CHECK (timeline >= 1),
    server_seq BIGINT   NOT NULL CHECK (server_seq >= 0),
    chain_hash BYTEA    NOT NULL CHECK (length(chain_hash) = 32),
    PRIMARY KEY (tenant_id)
);

CREATE TABLE device (
    tenant_id     BYTEA    NOT NULL,
    device_id     BYTEA    NOT NULL CHECK (length(device_id) = 16),
    store_id      BYTEA,
    terminal_code TEXT     NOT NULL,
    public_key    BYTEA    NOT NULL CHECK (length(public_key) = 32),
    is_server     BIGINT   NOT NULL CHECK (is_server IN (0, 1)),
    epoch         BIGINT   NOT NULL CHECK (epoch >= 1),
    last_seq      BIGINT   NOT NULL CHECK (last_seq >= 0),
    last_hash     BYTEA    NOT NULL CHECK (length(last_hash) = 32),
    standing      TEXT     NOT NULL CHECK (standing IN ('active', 'quarantined', 'revoked')),
    PRIMARY KEY (tenant_id, device_id)
);

-- Tokens are not part of the log: a terminal gets a new one by joining again.
CREATE TABLE device_token (
    tenant_id  BYTEA    NOT NULL,
    token_hash BYTEA    NOT NULL CHECK (length(token_hash) = 32),
    device_id  BYTEA    NOT NULL,
    name       TEXT     NOT NULL,
    created_ms BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, token_hash)
);
CREATE UNIQUE INDEX device_token_by_hash ON device_token (token_hash);

CREATE TABLE invite (
    tenant_id  BYTEA    NOT NULL,
    code_hash  BYTEA    NOT NULL CHECK (length(code_hash) = 32),
    store_id   BYTEA    NOT NULL,
    expires_ms BIGINT   NOT NULL,
    used_ms    BIGINT,
    used_by    BYTEA    CHECK (length(used_by) = 32),
    PRIMARY KEY (tenant_id, code_hash)
);
CREATE UNIQUE INDEX invite_by_hash ON invite (code_hash);

CREATE TABLE policy (
    tenant_id         BYTEA    NOT NULL,
    store_id          BYTEA    NOT NULL,
    version           BIGINT   NOT NULL CHECK (version >= 1),
    effective_from_ms BIGINT   NOT NULL,
    store_code        TEXT     NOT NULL,
    store_name        TEXT     NOT NULL,
    document          BYTEA    NOT NULL,
    hash              BYTEA    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, store_id, version)
);
CREATE INDEX policy_by_code ON policy (store_code);

CREATE TABLE member (
    tenant_id     BYTEA    NOT NULL,
    member_id     BYTEA    NOT NULL CHECK (length(member_id) = 16),
    member_no     TEXT     NOT NULL,
    home_store_id BYTEA    NOT NULL,
    status        TEXT     NOT NULL,
    registered_ms BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, member_id)
);
CREATE UNIQUE INDEX member_by_no ON member (tenant_id, member_no);

-- Personal data, sealed. Deleting the row of member_key erases the person; the books stay whole.
CREATE TABLE member_profile (
    tenant_id BYTEA NOT NULL,
    member_id BYTEA NOT NULL,
    sealed    BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, member_id)
);

CREATE TABLE member_key (
    tenant_id BYTEA NOT NULL,
    member_id BYTEA NOT NULL,
    key       BYTEA NOT NULL CHECK (length(key) = 32),
    PRIMARY KEY (tenant_id, member_id)
);

CREATE TABLE account (
    tenant_id            BYTEA    NOT NULL,
    member_id            BYTEA    NOT NULL,
    principal_fen        BIGINT   NOT NULL CHECK (principal_fen >= 0),
    bonus_fen            BIGINT   NOT NULL CHECK (bonus_fen >= 0),
    frozen_principal_fen BIGINT   NOT NULL
        CHECK (frozen_principal_fen BETWEEN 0 AND principal_fen),
    frozen_bonus_fen     BIGINT   NOT NULL CHECK (frozen_bonus_fen BETWEEN 0 AND bonus_fen),
    debt_fen             BIGINT   NOT NULL CHECK (debt_fen >= 0),
    recharged_fen        BIGINT   NOT NULL CHECK (recharged_fen >= 0),
    refunded_fen         BIGINT   NOT NULL CHECK (refunded_fen >= 0),
    bonus_granted_fen    BIGINT   NOT NULL CHECK (bonus_granted_fen >= 0),
    growth               BIGINT   NOT NULL,
    points               BIGINT   NOT NULL,
    points_debt          BIGINT   NOT NULL,
    tier_id              BYTEA    NOT NULL,
    tier_valid_until_ms  BIGINT,
    last_seq             BIGINT   NOT NULL CHECK (last_seq >= 0),
    PRIMARY KEY (tenant_id, member_id)
);

CREATE TABLE lot (
    tenant_id          BYTEA    NOT NULL,
    member_id          BYTEA    NOT NULL,
    lot_id             BYTEA    NOT NULL,
    order_id           BYTEA,
    principal_init_fen BIGINT   NOT NULL CHECK (principal_init_fen >= 0),
    principal_left_fen BIGINT   NOT NULL
        CHECK (principal_left_fen BETWEEN 0 AND principal_init_fen),
    bonus_init_fen     BIGINT   NOT NULL CHECK (bonus_init_fen >= 0),
    bonus_left_fen     BIGINT   NOT NULL CHECK (bonus_left_fen BETWEEN 0 AND bonus_init_fen),
    bonus_expires_ms   BIGINT,
    spend_order        TEXT     NOT NULL,
    credited_ms        BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, member_id, lot_id)
);

CREATE TABLE recharge_order (
    tenant_id               BYTEA    NOT NULL,
    order_id                BYTEA    NOT NULL,
    order_no                TEXT     NOT NULL,
    member_id               BYTEA    NOT NULL,
    store_id                BYTEA    NOT NULL,
    device_id               BYTEA    NOT NULL,
    shift_id                BYTEA    NOT NULL,
    cashier_id              BYTEA    NOT NULL,
    seller_id               BYTEA,
    choice_fen              BIGINT,
    package_id              BYTEA,
    package_version         BIGINT,
    pay_fen                 BIGINT   NOT NULL CHECK (pay_fen >= 0),
    bonus_fen               BIGINT   NOT NULL CHECK (bonus_fen >= 0),
    policy_version          BIGINT   NOT NULL,
    quote                   TEXT     NOT NULL,
    state                   TEXT     NOT NULL,
    paid_channel            TEXT,
    paid_fen                BIGINT,
    tendered_fen            BIGINT,
    channel_txn_no          TEXT,
    paid_ms                 BIGINT,
    principal_before_fen    BIGINT,
    principal_after_fen     BIGINT,
    bonus_before_fen        BIGINT,
    bonus_after_fen         BIGINT,
    credit_points           BIGINT,
    credit_growth           BIGINT,
    tier_before_id          BYTEA,
    tier_after_id           BYTEA,
    credit_bonus_expires_ms BIGINT,
    credited_ms             BIGINT,
    offline                 BIGINT   NOT NULL CHECK (offline IN (0, 1)),
    copies                  BIGINT   NOT NULL,
    opened_ms               BIGINT   NOT NULL,
    expires_ms              BIGINT   NOT NULL,
    changed_ms              BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, order_id)
);
CREATE UNIQUE INDEX recharge_order_by_no ON recharge_order (tenant_id, order_no);
CREATE INDEX recharge_order_by_member ON recharge_order (tenant_id, member_id, opened_ms);
CREATE INDEX recharge_order_waiting ON recharge_order (expires_ms)
    WHERE state IN ('pending_payment', 'pending_review');

CREATE TABLE payment_attempt (
    tenant_id        BYTEA    NOT NULL,
    attempt_id       BYTEA    NOT NULL,
    attempt_no       TEXT     NOT NULL,
    order_id         BYTEA    NOT NULL,
    channel          TEXT     NOT NULL,
    method           TEXT     NOT NULL,
    amount_fen       BIGINT   NOT NULL CHECK (amount_fen > 0),
    state            TEXT     NOT NULL,
    qr_payload       TEXT,
    expires_ms       BIGINT   NOT NULL,
    channel_txn_no   TEXT,
    paid_ms          BIGINT,
    decline          TEXT,
    cancel_requested BIGINT   NOT NULL CHECK (cancel_requested IN (0, 1)),
    started_ms       BIGINT   NOT NULL,
    changed_ms       BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, attempt_id)
);
CREATE UNIQUE INDEX payment_attempt_by_no ON payment_attempt (tenant_id, attempt_no);
CREATE INDEX payment_attempt_by_any_no ON payment_attempt (attempt_no);
CREATE INDEX payment_attempt_by_order ON payment_attempt (tenant_id, order_id);
CREATE INDEX payment_attempt_open ON payment_attempt (changed_ms)
    WHERE state IN ('init', 'submitted', 'user_paying', 'unknown', 'reversing');
CREATE INDEX payment_attempt_ended ON payment_attempt (changed_ms)
    WHERE state IN ('closed', 'failed', 'reversed');

-- Payments beyond what the order asks: each is sent back once.
CREATE TABLE payment_surplus (
    tenant_id      BYTEA    NOT NULL,
    attempt_id     BYTEA    NOT NULL,
    channel_txn_no TEXT     NOT NULL,
    position       BIGINT   NOT NULL,
    amount_fen     BIGINT   NOT NULL CHECK (amount_fen > 0),
    refunded       BIGINT   NOT NULL CHECK (refunded IN (0, 1)),
    PRIMARY KEY (tenant_id, attempt_id, channel_txn_no)
);

CREATE TABLE shift (
    tenant_id         BYTEA    NOT NULL,
    shift_id          BYTEA    NOT NULL,
    shift_no          TEXT     NOT NULL,
    store_id          BYTEA    NOT NULL,
    device_id         BYTEA    NOT NULL,
    cashier_id        BYTEA    NOT NULL,
    opened_ms         BIGINT   NOT NULL,
    opening_float_fen BIGINT   NOT NULL CHECK (opening_float_fen >= 0),
    state             TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, shift_id)
);
CREATE INDEX shift_by_device ON shift (tenant_id, device_id, state);

CREATE TABLE cash_movement (
    tenant_id   BYTEA    NOT NULL,
    movement_id BYTEA    NOT NULL,
    shift_id    BYTEA    NOT NULL,
    kind        TEXT     NOT NULL,
    amount_fen  BIGINT   NOT NULL,
    order_id    BYTEA,
    at_ms       BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, movement_id)
);
CREATE INDEX cash_movement_by_shift ON cash_movement (tenant_id, shift_id);

CREATE TABLE journal (
    tenant_id           BYTEA    NOT NULL,
    member_id           BYTEA    NOT NULL,
    seq                 BIGINT   NOT NULL CHECK (seq >= 1),
    entry_id            BYTEA    NOT NULL,
    server_seq          BIGINT   NOT NULL,
    biz_type            TEXT     NOT NULL,
    biz_id              BYTEA    NOT NULL,
    leg                 BIGINT   NOT NULL,
    lot_id              BYTEA    NOT NULL,
    d_principal_fen     BIGINT   NOT NULL,
    d_bonus_fen         BIGINT   NOT NULL,
    principal_after_fen BIGINT   NOT NULL CHECK (principal_after_fen >= 0),
    bonus_after_fen     BIGINT   NOT NULL CHECK (bonus_after_fen >= 0),
    store_id            BYTEA    NOT NULL,
    shift_id            BYTEA,
    operator_id         BYTEA,
    at_ms               BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, member_id, seq)
);
-- One credit per order and lot, one debit per refund and lot.
CREATE UNIQUE INDEX journal_once ON journal (tenant_id, biz_type, biz_id, leg, lot_id);

CREATE TABLE posting (
    tenant_id  BYTEA    NOT NULL,
    server_seq BIGINT   NOT NULL,
    leg        BIGINT   NOT NULL,
    book       TEXT     NOT NULL CHECK (book IN ('money', 'bonus')),
    account    TEXT     NOT NULL,
    member_id  BYTEA,
    lot_id     BYTEA,
    shift_id   BYTEA,
    store_id   BYTEA,
    channel    TEXT,
    amount_fen BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, server_seq, leg)
);

CREATE TABLE earning_log (
    tenant_id  BYTEA    NOT NULL,
    entry_id   BYTEA    NOT NULL,
    member_id  BYTEA    NOT NULL,
    kind       TEXT     NOT NULL,
    delta      BIGINT   NOT NULL,
    after      BIGINT   NOT NULL,
    order_id   BYTEA,
    expires_ms BIGINT,
    at_ms      BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
);
CREATE INDEX earning_log_by_member ON earning_log (tenant_id, member_id, at_ms);

CREATE TABLE tier_log (
    tenant_id      BYTEA    NOT NULL,
    entry_id       BYTEA    NOT NULL,
    member_id      BYTEA    NOT NULL,
    from_tier_id   BYTEA    NOT NULL,
    to_tier_id     BYTEA    NOT NULL,
    order_id       BYTEA,
    basis_fen      BIGINT   NOT NULL,
    valid_until_ms BIGINT   NOT NULL,
    policy_version BIGINT   NOT NULL,
    at_ms          BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
);
CREATE INDEX tier_log_by_member ON tier_log (tenant_id, member_id, at_ms);

CREATE TABLE coupon (
    tenant_id   BYTEA    NOT NULL,
    coupon_id   BYTEA    NOT NULL,
    template_id BYTEA    NOT NULL,
    member_id   BYTEA    NOT NULL,
    order_id    BYTEA    NOT NULL,
    state       TEXT     NOT NULL,
    expires_ms  BIGINT   NOT NULL,
    issued_ms   BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, coupon_id)
);
CREATE INDEX coupon_by_member ON coupon (tenant_id, member_id);

CREATE TABLE care_plan (
    tenant_id BYTEA    NOT NULL,
    plan_id   BYTEA    NOT NULL,
    member_id BYTEA    NOT NULL,
    order_id  BYTEA    NOT NULL,
    starts_ms BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, plan_id)
);

CREATE TABLE exception_case (
    tenant_id  BYTEA    NOT NULL,
    case_id    BYTEA    NOT NULL,
    kind       TEXT     NOT NULL,
    order_id   BYTEA,
    attempt_id BYTEA,
    member_id  BYTEA,
    device_id  BYTEA,
    amount_fen BIGINT   NOT NULL,
    opened_ms  BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
);
CREATE INDEX exception_case_by_time ON exception_case (tenant_id, opened_ms);

CREATE TABLE outbox (
    tenant_id  BYTEA    NOT NULL,
    server_seq BIGINT   NOT NULL,
    event_id   BYTEA    NOT NULL,
    topic      TEXT     NOT NULL,
    subject_id BYTEA    NOT NULL,
    at_ms      BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id, server_seq, event_id)
);
CREATE INDEX outbox_by_topic ON outbox (topic, tenant_id, server_seq);

-- How far an event of the outbox was carried; no row means pending.
CREATE TABLE outbox_delivery (
    tenant_id  BYTEA    NOT NULL,
    event_id   BYTEA    NOT NULL,
    state      TEXT     NOT NULL CHECK (state IN ('pending', 'acked', 'dead')),
    tries      BIGINT   NOT NULL,
    next_ms    BIGINT   NOT NULL,
    last_error TEXT,
    PRIMARY KEY (tenant_id, event_id)
);

-- The log: every operation that ever arrived, as the bytes that arrived.
CREATE TABLE operation (
    tenant_id  BYTEA    NOT NULL,
    server_seq BIGINT   NOT NULL CHECK (server_seq >= 1),
    op_id      BYTEA    NOT NULL,
    action_id  BYTEA    NOT NULL,
    store_id   BYTEA    NOT NULL,
    device_id  BYTEA    NOT NULL,
    epoch      BIGINT   NOT NULL,
    device_seq BIGINT   NOT NULL,
    kind       BIGINT   NOT NULL,
    standing   TEXT     NOT NULL CHECK (standing IN ('decided', 'held', 'quarantined')),
    answer     TEXT     NOT NULL,
    decided_ms BIGINT   NOT NULL,
    hash       BYTEA    NOT NULL CHECK (length(hash) = 32),
    chain_hash BYTEA    NOT NULL CHECK (length(chain_hash) = 32),
    bytes      BYTEA    NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
);
CREATE UNIQUE INDEX operation_by_device ON operation (tenant_id, device_id, epoch, device_seq)
    WHERE standing <> 'quarantined';
CREATE UNIQUE INDEX operation_by_hash ON operation (tenant_id, hash);

-- Operations that could not be read or may not be believed, waiting for a person or an upgrade.
CREATE TABLE held_operation (
    tenant_id  BYTEA    NOT NULL,
    server_seq BIGINT   NOT NULL,
    reason     TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
);

-- Idempotency: the first answer to every action, for ever.
CREATE TABLE action (
    tenant_id     BYTEA    NOT NULL,
    action_id     BYTEA    NOT NULL,
    op_id         BYTEA    NOT NULL,
    digest        BYTEA    NOT NULL CHECK (length(digest) = 32),
    outcome       TEXT     NOT NULL CHECK (outcome IN ('applied', 'refused')),
    refusal_code  BIGINT,
    refusal_quote TEXT,
    PRIMARY KEY (tenant_id, action_id)
);

CREATE TABLE feed (
    tenant_id  BYTEA    NOT NULL,
    server_seq BIGINT   NOT NULL,
    json       TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
);
