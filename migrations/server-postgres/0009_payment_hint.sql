-- Notices that name nobody, kept before they are answered and asked about until our own query says
-- what is true of them; the log does not determine it. The id follows from attempt and payment.
CREATE TABLE payment_hint (
    tenant_id      BYTEA  NOT NULL,
    hint_id        BYTEA  NOT NULL CHECK (octet_length(hint_id) = 16),
    attempt_id     BYTEA  NOT NULL CHECK (octet_length(attempt_id) = 16),
    gateway        TEXT   NOT NULL,
    channel_txn_no TEXT   NOT NULL,
    amount_fen     BIGINT NOT NULL,
    paid_ms        BIGINT NOT NULL,
    heard_ms       BIGINT NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('open', 'confirmed', 'denied', 'unclear')),
    PRIMARY KEY (tenant_id, hint_id)
);

CREATE INDEX payment_hint_open ON payment_hint (heard_ms) WHERE state = 'open';
