CREATE TABLE account (
    tenant_id bytea NOT NULL,
    member_id bytea NOT NULL,
    principal_fen bigint NOT NULL,
    bonus_fen bigint NOT NULL,
    frozen_principal_fen bigint NOT NULL,
    frozen_bonus_fen bigint NOT NULL,
    debt_fen bigint NOT NULL,
    recharged_fen bigint NOT NULL,
    refunded_fen bigint NOT NULL,
    bonus_granted_fen bigint NOT NULL,
    growth bigint NOT NULL,
    points bigint NOT NULL,
    points_debt bigint NOT NULL,
    tier_id bytea NOT NULL,
    tier_valid_until_ms bigint,
    last_seq bigint NOT NULL,
    CHECK (((frozen_bonus_fen >= 0) AND (frozen_bonus_fen <= bonus_fen))),
    CHECK (((frozen_principal_fen >= 0) AND (frozen_principal_fen <= principal_fen))),
    CHECK ((bonus_fen >= 0)),
    CHECK ((bonus_granted_fen >= 0)),
    CHECK ((debt_fen >= 0)),
    CHECK ((last_seq >= 0)),
    CHECK ((principal_fen >= 0)),
    CHECK ((recharged_fen >= 0)),
    CHECK ((refunded_fen >= 0)),
    PRIMARY KEY (tenant_id, member_id)
);
CREATE UNIQUE INDEX account_pkey ON account USING btree (tenant_id, member_id);

CREATE TABLE action (
    tenant_id bytea NOT NULL,
    action_id bytea NOT NULL,
    op_id bytea NOT NULL,
    digest bytea NOT NULL,
    outcome text NOT NULL,
    refusal_code bigint,
    refusal_quote text,
    CHECK ((length(digest) = 32)),
    CHECK ((outcome = ANY (ARRAY['applied'::text, 'refused'::text]))),
    PRIMARY KEY (tenant_id, action_id)
);
CREATE UNIQUE INDEX action_pkey ON action USING btree (tenant_id, action_id);

CREATE TABLE attempt_code (
    tenant_id bytea NOT NULL,
    attempt_id bytea NOT NULL,
    code_hash bytea,
    charged_ms bigint NOT NULL,
    CHECK ((octet_length(code_hash) = 32)),
    PRIMARY KEY (tenant_id, attempt_id)
);
CREATE UNIQUE INDEX attempt_code_hash ON attempt_code USING btree (tenant_id, code_hash);
CREATE UNIQUE INDEX attempt_code_pkey ON attempt_code USING btree (tenant_id, attempt_id);

CREATE TABLE audit_entry (
    tenant_id bytea NOT NULL,
    seq bigint NOT NULL,
    at_ms bigint NOT NULL,
    act text NOT NULL,
    device_id bytea,
    address text,
    subject text NOT NULL,
    server_seq bigint NOT NULL,
    log_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CHECK ((length(device_id) = 16)),
    CHECK ((length(hash) = 32)),
    CHECK ((length(log_hash) = 32)),
    CHECK ((seq > 0)),
    CHECK ((server_seq >= 0)),
    PRIMARY KEY (tenant_id, seq)
);
CREATE UNIQUE INDEX audit_entry_pkey ON audit_entry USING btree (tenant_id, seq);

CREATE TABLE audit_head (
    tenant_id bytea NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CHECK ((length(hash) = 32)),
    CHECK ((seq > 0)),
    PRIMARY KEY (tenant_id)
);
CREATE UNIQUE INDEX audit_head_pkey ON audit_head USING btree (tenant_id);

CREATE TABLE backup (
    tenant_id bytea NOT NULL,
    made_ms bigint NOT NULL,
    server_seq bigint NOT NULL,
    place text NOT NULL,
    PRIMARY KEY (tenant_id, made_ms)
);
CREATE UNIQUE INDEX backup_pkey ON backup USING btree (tenant_id, made_ms);

CREATE TABLE care_plan (
    tenant_id bytea NOT NULL,
    plan_id bytea NOT NULL,
    member_id bytea NOT NULL,
    order_id bytea NOT NULL,
    starts_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, plan_id)
);
CREATE UNIQUE INDEX care_plan_pkey ON care_plan USING btree (tenant_id, plan_id);

CREATE TABLE cash_movement (
    tenant_id bytea NOT NULL,
    movement_id bytea NOT NULL,
    shift_id bytea NOT NULL,
    kind text NOT NULL,
    amount_fen bigint NOT NULL,
    order_id bytea,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, movement_id)
);
CREATE INDEX cash_movement_by_shift ON cash_movement USING btree (tenant_id, shift_id);
CREATE UNIQUE INDEX cash_movement_pkey ON cash_movement USING btree (tenant_id, movement_id);

CREATE TABLE coupon (
    tenant_id bytea NOT NULL,
    coupon_id bytea NOT NULL,
    template_id bytea NOT NULL,
    member_id bytea NOT NULL,
    order_id bytea NOT NULL,
    state text NOT NULL,
    expires_ms bigint NOT NULL,
    issued_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, coupon_id)
);
CREATE INDEX coupon_by_member ON coupon USING btree (tenant_id, member_id);
CREATE UNIQUE INDEX coupon_pkey ON coupon USING btree (tenant_id, coupon_id);

CREATE TABLE device (
    tenant_id bytea NOT NULL,
    device_id bytea NOT NULL,
    store_id bytea,
    terminal_code text NOT NULL,
    public_key bytea NOT NULL,
    is_server bigint NOT NULL,
    epoch bigint NOT NULL,
    last_seq bigint NOT NULL,
    last_hash bytea NOT NULL,
    standing text NOT NULL,
    CHECK ((epoch >= 1)),
    CHECK ((is_server = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CHECK ((last_seq >= 0)),
    CHECK ((length(device_id) = 16)),
    CHECK ((length(last_hash) = 32)),
    CHECK ((length(public_key) = 32)),
    CHECK ((standing = ANY (ARRAY['active'::text, 'quarantined'::text, 'revoked'::text]))),
    PRIMARY KEY (tenant_id, device_id)
);
CREATE UNIQUE INDEX device_pkey ON device USING btree (tenant_id, device_id);

CREATE TABLE device_contact (
    tenant_id bytea NOT NULL,
    device_id bytea NOT NULL,
    seen_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
);
CREATE UNIQUE INDEX device_contact_pkey ON device_contact USING btree (tenant_id, device_id);

CREATE TABLE device_revocation (
    tenant_id bytea NOT NULL,
    device_id bytea NOT NULL,
    revoked_ms bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
);
CREATE UNIQUE INDEX device_revocation_pkey ON device_revocation USING btree (tenant_id, device_id);

CREATE TABLE device_token (
    tenant_id bytea NOT NULL,
    token_hash bytea NOT NULL,
    device_id bytea NOT NULL,
    name text NOT NULL,
    created_ms bigint NOT NULL,
    CHECK ((length(token_hash) = 32)),
    PRIMARY KEY (tenant_id, token_hash)
);
CREATE UNIQUE INDEX device_token_by_hash ON device_token USING btree (token_hash);
CREATE UNIQUE INDEX device_token_pkey ON device_token USING btree (tenant_id, token_hash);

CREATE TABLE earning_log (
    tenant_id bytea NOT NULL,
    entry_id bytea NOT NULL,
    member_id bytea NOT NULL,
    kind text NOT NULL,
    delta bigint NOT NULL,
    after bigint NOT NULL,
    order_id bytea,
    expires_ms bigint,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
);
CREATE INDEX earning_log_by_member ON earning_log USING btree (tenant_id, member_id, at_ms);
CREATE UNIQUE INDEX earning_log_pkey ON earning_log USING btree (tenant_id, entry_id);

CREATE TABLE exception_case (
    tenant_id bytea NOT NULL,
    case_id bytea NOT NULL,
    kind text NOT NULL,
    order_id bytea,
    attempt_id bytea,
    member_id bytea,
    device_id bytea,
    amount_fen bigint NOT NULL,
    opened_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
);
CREATE INDEX exception_case_by_time ON exception_case USING btree (tenant_id, opened_ms);
CREATE UNIQUE INDEX exception_case_pkey ON exception_case USING btree (tenant_id, case_id);

CREATE TABLE feed (
    tenant_id bytea NOT NULL,
    server_seq bigint NOT NULL,
    json text NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
);
CREATE UNIQUE INDEX feed_pkey ON feed USING btree (tenant_id, server_seq);

CREATE TABLE head (
    tenant_id bytea NOT NULL,
    timeline bigint NOT NULL,
    server_seq bigint NOT NULL,
    chain_hash bytea NOT NULL,
    CHECK ((length(chain_hash) = 32)),
    CHECK ((server_seq >= 0)),
    CHECK ((timeline >= 1)),
    PRIMARY KEY (tenant_id)
);
CREATE UNIQUE INDEX head_pkey ON head USING btree (tenant_id);

CREATE TABLE held_operation (
    tenant_id bytea NOT NULL,
    server_seq bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant_id, server_seq)
);
CREATE UNIQUE INDEX held_operation_pkey ON held_operation USING btree (tenant_id, server_seq);

CREATE TABLE invite (
    tenant_id bytea NOT NULL,
    code_hash bytea NOT NULL,
    store_id bytea NOT NULL,
    expires_ms bigint NOT NULL,
    used_ms bigint,
    used_by bytea,
    CHECK ((length(code_hash) = 32)),
    CHECK ((length(used_by) = 32)),
    PRIMARY KEY (tenant_id, code_hash)
);
CREATE UNIQUE INDEX invite_by_hash ON invite USING btree (code_hash);
CREATE UNIQUE INDEX invite_pkey ON invite USING btree (tenant_id, code_hash);

CREATE TABLE journal (
    tenant_id bytea NOT NULL,
    member_id bytea NOT NULL,
    seq bigint NOT NULL,
    entry_id bytea NOT NULL,
    server_seq bigint NOT NULL,
    biz_type text NOT NULL,
    biz_id bytea NOT NULL,
    leg bigint NOT NULL,
    lot_id bytea NOT NULL,
    d_principal_fen bigint NOT NULL,
    d_bonus_fen bigint NOT NULL,
    principal_after_fen bigint NOT NULL,
    bonus_after_fen bigint NOT NULL,
    store_id bytea NOT NULL,
    shift_id bytea,
    operator_id bytea,
    at_ms bigint NOT NULL,
    CHECK ((bonus_after_fen >= 0)),
    CHECK ((principal_after_fen >= 0)),
    CHECK ((seq >= 1)),
    PRIMARY KEY (tenant_id, member_id, seq)
);
CREATE UNIQUE INDEX journal_once ON journal USING btree (tenant_id, biz_type, biz_id, leg, lot_id);
CREATE UNIQUE INDEX journal_pkey ON journal USING btree (tenant_id, member_id, seq);

CREATE TABLE lease (
    tenant_id bytea NOT NULL,
    lease_id bytea NOT NULL,
    member_id bytea NOT NULL,
    device_id bytea NOT NULL,
    store_id bytea NOT NULL,
    state text NOT NULL,
    granted_ms bigint NOT NULL,
    server_seq bigint NOT NULL,
    CHECK ((length(device_id) = 16)),
    CHECK ((length(lease_id) = 16)),
    CHECK ((length(member_id) = 16)),
    CHECK ((length(store_id) = 16)),
    CHECK ((server_seq > 0)),
    PRIMARY KEY (tenant_id, lease_id)
);
CREATE INDEX lease_open ON lease USING btree (tenant_id, member_id) WHERE (state = ANY (ARRAY['held'::text, 'lost'::text]));
CREATE UNIQUE INDEX lease_pkey ON lease USING btree (tenant_id, lease_id);

CREATE TABLE lease_lot (
    tenant_id bytea NOT NULL,
    lease_id bytea NOT NULL,
    lot_id bytea NOT NULL,
    position bigint NOT NULL,
    principal_fen bigint NOT NULL,
    bonus_fen bigint NOT NULL,
    CHECK (("position" >= 0)),
    CHECK ((bonus_fen >= 0)),
    CHECK ((length(lease_id) = 16)),
    CHECK ((length(lot_id) = 16)),
    CHECK ((principal_fen >= 0)),
    PRIMARY KEY (tenant_id, lease_id, lot_id)
);
CREATE UNIQUE INDEX lease_lot_pkey ON lease_lot USING btree (tenant_id, lease_id, lot_id);

CREATE TABLE lot (
    tenant_id bytea NOT NULL,
    member_id bytea NOT NULL,
    lot_id bytea NOT NULL,
    order_id bytea,
    principal_init_fen bigint NOT NULL,
    principal_left_fen bigint NOT NULL,
    bonus_init_fen bigint NOT NULL,
    bonus_left_fen bigint NOT NULL,
    bonus_expires_ms bigint,
    spend_order text NOT NULL,
    credited_ms bigint NOT NULL,
    CHECK (((bonus_left_fen >= 0) AND (bonus_left_fen <= bonus_init_fen))),
    CHECK (((principal_left_fen >= 0) AND (principal_left_fen <= principal_init_fen))),
    CHECK ((bonus_init_fen >= 0)),
    CHECK ((principal_init_fen >= 0)),
    PRIMARY KEY (tenant_id, member_id, lot_id)
);
CREATE UNIQUE INDEX lot_pkey ON lot USING btree (tenant_id, member_id, lot_id);

CREATE TABLE member (
    tenant_id bytea NOT NULL,
    member_id bytea NOT NULL,
    member_no text NOT NULL,
    home_store_id bytea NOT NULL,
    status text NOT NULL,
    registered_ms bigint NOT NULL,
    CHECK ((length(member_id) = 16)),
    PRIMARY KEY (tenant_id, member_id)
);
CREATE UNIQUE INDEX member_by_no ON member USING btree (tenant_id, member_no);
CREATE UNIQUE INDEX member_pkey ON member USING btree (tenant_id, member_id);

CREATE TABLE member_key (
    tenant_id bytea NOT NULL,
    member_id bytea NOT NULL,
    key bytea NOT NULL,
    CHECK ((length(key) = 32)),
    PRIMARY KEY (tenant_id, member_id)
);
CREATE UNIQUE INDEX member_key_pkey ON member_key USING btree (tenant_id, member_id);

CREATE TABLE member_profile (
    tenant_id bytea NOT NULL,
    member_id bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant_id, member_id)
);
CREATE UNIQUE INDEX member_profile_pkey ON member_profile USING btree (tenant_id, member_id);

CREATE TABLE migration (
    number bigint NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    CHECK ((length(sha256) = 32)),
    PRIMARY KEY (number)
);
CREATE UNIQUE INDEX migration_pkey ON migration USING btree (number);

CREATE TABLE operation (
    tenant_id bytea NOT NULL,
    server_seq bigint NOT NULL,
    op_id bytea NOT NULL,
    action_id bytea NOT NULL,
    store_id bytea NOT NULL,
    device_id bytea NOT NULL,
    epoch bigint NOT NULL,
    device_seq bigint NOT NULL,
    kind bigint NOT NULL,
    standing text NOT NULL,
    answer text NOT NULL,
    decided_ms bigint NOT NULL,
    hash bytea NOT NULL,
    chain_hash bytea NOT NULL,
    bytes bytea NOT NULL,
    other_history bigint NOT NULL,
    CHECK ((length(chain_hash) = 32)),
    CHECK ((length(hash) = 32)),
    CHECK ((other_history = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CHECK ((server_seq >= 1)),
    CHECK ((standing = ANY (ARRAY['decided'::text, 'held'::text, 'quarantined'::text]))),
    PRIMARY KEY (tenant_id, server_seq)
);
CREATE INDEX operation_held ON operation USING btree (tenant_id, server_seq) WHERE (standing = 'held'::text);
CREATE INDEX operation_spent ON operation USING btree (tenant_id, device_id, decided_ms) WHERE (kind = 9);
CREATE UNIQUE INDEX operation_by_device ON operation USING btree (tenant_id, device_id, epoch, device_seq, standing) WHERE ((standing <> 'quarantined'::text) AND (other_history = 0));
CREATE UNIQUE INDEX operation_by_hash ON operation USING btree (tenant_id, hash, standing);
CREATE UNIQUE INDEX operation_pkey ON operation USING btree (tenant_id, server_seq);

CREATE TABLE outbox (
    tenant_id bytea NOT NULL,
    server_seq bigint NOT NULL,
    event_id bytea NOT NULL,
    topic text NOT NULL,
    subject_id bytea NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, server_seq, event_id)
);
CREATE INDEX outbox_by_topic ON outbox USING btree (topic, tenant_id, server_seq);
CREATE UNIQUE INDEX outbox_pkey ON outbox USING btree (tenant_id, server_seq, event_id);

CREATE TABLE outbox_delivery (
    tenant_id bytea NOT NULL,
    event_id bytea NOT NULL,
    state text NOT NULL,
    tries bigint NOT NULL,
    next_ms bigint NOT NULL,
    last_error text,
    CHECK ((state = ANY (ARRAY['pending'::text, 'acked'::text, 'dead'::text]))),
    PRIMARY KEY (tenant_id, event_id)
);
CREATE UNIQUE INDEX outbox_delivery_pkey ON outbox_delivery USING btree (tenant_id, event_id);

CREATE TABLE payment_attempt (
    tenant_id bytea NOT NULL,
    attempt_id bytea NOT NULL,
    attempt_no text NOT NULL,
    order_id bytea NOT NULL,
    channel text NOT NULL,
    method text NOT NULL,
    amount_fen bigint NOT NULL,
    state text NOT NULL,
    qr_payload text,
    expires_ms bigint NOT NULL,
    channel_txn_no text,
    paid_ms bigint,
    decline text,
    cancel_requested bigint NOT NULL,
    started_ms bigint NOT NULL,
    changed_ms bigint NOT NULL,
    config_fault text,
    money_returned bigint,
    CHECK ((amount_fen > 0)),
    CHECK ((cancel_requested = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CHECK ((money_returned = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    PRIMARY KEY (tenant_id, attempt_id)
);
CREATE INDEX payment_attempt_by_any_no ON payment_attempt USING btree (attempt_no);
CREATE INDEX payment_attempt_by_order ON payment_attempt USING btree (tenant_id, order_id);
CREATE INDEX payment_attempt_ended ON payment_attempt USING btree (changed_ms) WHERE (state = ANY (ARRAY['closed'::text, 'failed'::text, 'reversed'::text]));
CREATE INDEX payment_attempt_open ON payment_attempt USING btree (changed_ms) WHERE (state = ANY (ARRAY['init'::text, 'submitted'::text, 'user_paying'::text, 'unknown'::text, 'reversing'::text]));
CREATE UNIQUE INDEX payment_attempt_by_no ON payment_attempt USING btree (tenant_id, attempt_no);
CREATE UNIQUE INDEX payment_attempt_pkey ON payment_attempt USING btree (tenant_id, attempt_id);

CREATE TABLE payment_hint (
    tenant_id bytea NOT NULL,
    hint_id bytea NOT NULL,
    attempt_id bytea NOT NULL,
    gateway text NOT NULL,
    channel_txn_no text NOT NULL,
    amount_fen bigint NOT NULL,
    paid_ms bigint NOT NULL,
    heard_ms bigint NOT NULL,
    state text NOT NULL,
    CHECK ((octet_length(attempt_id) = 16)),
    CHECK ((octet_length(hint_id) = 16)),
    CHECK ((state = ANY (ARRAY['open'::text, 'confirmed'::text, 'denied'::text, 'unclear'::text]))),
    PRIMARY KEY (tenant_id, hint_id)
);
CREATE INDEX payment_hint_open ON payment_hint USING btree (heard_ms) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX payment_hint_pkey ON payment_hint USING btree (tenant_id, hint_id);

CREATE TABLE payment_surplus (
    tenant_id bytea NOT NULL,
    attempt_id bytea NOT NULL,
    channel_txn_no text NOT NULL,
    position bigint NOT NULL,
    amount_fen bigint NOT NULL,
    refunded bigint NOT NULL,
    CHECK ((amount_fen > 0)),
    CHECK ((refunded = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    PRIMARY KEY (tenant_id, attempt_id, channel_txn_no)
);
CREATE UNIQUE INDEX payment_surplus_pkey ON payment_surplus USING btree (tenant_id, attempt_id, channel_txn_no);

CREATE TABLE policy (
    tenant_id bytea NOT NULL,
    store_id bytea NOT NULL,
    version bigint NOT NULL,
    effective_from_ms bigint NOT NULL,
    store_code text NOT NULL,
    store_name text NOT NULL,
    document bytea NOT NULL,
    hash bytea NOT NULL,
    CHECK ((length(hash) = 32)),
    CHECK ((version >= 1)),
    PRIMARY KEY (tenant_id, store_id, version)
);
CREATE INDEX policy_by_code ON policy USING btree (store_code);
CREATE UNIQUE INDEX policy_pkey ON policy USING btree (tenant_id, store_id, version);

CREATE TABLE posting (
    tenant_id bytea NOT NULL,
    server_seq bigint NOT NULL,
    leg bigint NOT NULL,
    book text NOT NULL,
    account text NOT NULL,
    member_id bytea,
    lot_id bytea,
    shift_id bytea,
    store_id bytea,
    channel text,
    amount_fen bigint NOT NULL,
    CHECK ((book = ANY (ARRAY['money'::text, 'bonus'::text]))),
    PRIMARY KEY (tenant_id, server_seq, leg)
);
CREATE UNIQUE INDEX posting_pkey ON posting USING btree (tenant_id, server_seq, leg);

CREATE TABLE recharge_order (
    tenant_id bytea NOT NULL,
    order_id bytea NOT NULL,
    order_no text NOT NULL,
    member_id bytea NOT NULL,
    store_id bytea NOT NULL,
    device_id bytea NOT NULL,
    shift_id bytea NOT NULL,
    cashier_id bytea NOT NULL,
    seller_id bytea,
    choice_fen bigint,
    package_id bytea,
    package_version bigint,
    pay_fen bigint NOT NULL,
    bonus_fen bigint NOT NULL,
    policy_version bigint NOT NULL,
    quote text NOT NULL,
    state text NOT NULL,
    paid_channel text,
    paid_fen bigint,
    tendered_fen bigint,
    channel_txn_no text,
    paid_ms bigint,
    principal_before_fen bigint,
    principal_after_fen bigint,
    bonus_before_fen bigint,
    bonus_after_fen bigint,
    credit_points bigint,
    credit_growth bigint,
    tier_before_id bytea,
    tier_after_id bytea,
    credit_bonus_expires_ms bigint,
    credited_ms bigint,
    offline bigint NOT NULL,
    copies bigint NOT NULL,
    opened_ms bigint NOT NULL,
    expires_ms bigint NOT NULL,
    changed_ms bigint NOT NULL,
    approver_id bytea,
    cash_part_fen bigint,
    CHECK (((cash_part_fen > 0) AND (cash_part_fen < pay_fen))),
    CHECK ((bonus_fen >= 0)),
    CHECK ((length(approver_id) = 16)),
    CHECK ((offline = ANY (ARRAY[(0)::bigint, (1)::bigint]))),
    CHECK ((pay_fen >= 0)),
    PRIMARY KEY (tenant_id, order_id)
);
CREATE INDEX recharge_order_by_member ON recharge_order USING btree (tenant_id, member_id, opened_ms);
CREATE INDEX recharge_order_by_reference ON recharge_order USING btree (tenant_id, channel_txn_no) WHERE (paid_channel = ANY (ARRAY['card'::text, 'transfer'::text, 'shop_code'::text]));
CREATE INDEX recharge_order_waiting ON recharge_order USING btree (expires_ms) WHERE (state = ANY (ARRAY['pending_payment'::text, 'pending_review'::text]));
CREATE UNIQUE INDEX recharge_order_by_no ON recharge_order USING btree (tenant_id, order_no);
CREATE UNIQUE INDEX recharge_order_pkey ON recharge_order USING btree (tenant_id, order_id);

CREATE TABLE shift (
    tenant_id bytea NOT NULL,
    shift_id bytea NOT NULL,
    shift_no text NOT NULL,
    store_id bytea NOT NULL,
    device_id bytea NOT NULL,
    cashier_id bytea NOT NULL,
    opened_ms bigint NOT NULL,
    opening_float_fen bigint NOT NULL,
    state text NOT NULL,
    CHECK ((opening_float_fen >= 0)),
    PRIMARY KEY (tenant_id, shift_id)
);
CREATE INDEX shift_by_device ON shift USING btree (tenant_id, device_id, state);
CREATE UNIQUE INDEX shift_pkey ON shift USING btree (tenant_id, shift_id);

CREATE TABLE tenant (
    tenant_id bytea NOT NULL,
    name text NOT NULL,
    server_device_id bytea NOT NULL,
    signing_seed bytea NOT NULL,
    created_ms bigint NOT NULL,
    CHECK ((length(server_device_id) = 16)),
    CHECK ((length(signing_seed) = 32)),
    CHECK ((length(tenant_id) = 16)),
    PRIMARY KEY (tenant_id)
);
CREATE UNIQUE INDEX tenant_pkey ON tenant USING btree (tenant_id);

CREATE TABLE tier_log (
    tenant_id bytea NOT NULL,
    entry_id bytea NOT NULL,
    member_id bytea NOT NULL,
    from_tier_id bytea NOT NULL,
    to_tier_id bytea NOT NULL,
    order_id bytea,
    basis_fen bigint NOT NULL,
    valid_until_ms bigint NOT NULL,
    policy_version bigint NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
);
CREATE INDEX tier_log_by_member ON tier_log USING btree (tenant_id, member_id, at_ms);
CREATE UNIQUE INDEX tier_log_pkey ON tier_log USING btree (tenant_id, entry_id);

CREATE TABLE timeline (
    tenant_id bytea NOT NULL,
    timeline bigint NOT NULL,
    began_ms bigint NOT NULL,
    backup_ms bigint NOT NULL,
    from_seq bigint NOT NULL,
    PRIMARY KEY (tenant_id, timeline)
);
CREATE UNIQUE INDEX timeline_pkey ON timeline USING btree (tenant_id, timeline);

CREATE TABLE writer_lease (
    tenant_id bytea NOT NULL,
    holder_id bytea NOT NULL,
    address text NOT NULL,
    fence bigint NOT NULL,
    expires_ms bigint NOT NULL,
    CHECK ((fence >= 1)),
    CHECK ((length(holder_id) = 16)),
    PRIMARY KEY (tenant_id)
);
CREATE UNIQUE INDEX writer_lease_pkey ON writer_lease USING btree (tenant_id);

