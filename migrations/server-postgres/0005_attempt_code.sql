-- Payment codes (付款码) that were handed to a gateway; the log does not determine it, and the code
-- itself is kept nowhere. Written before the gateway is called. Without a hash nothing was sent.
CREATE TABLE attempt_code (
    tenant_id  BYTEA  NOT NULL,
    attempt_id BYTEA  NOT NULL,
    code_hash  BYTEA  CHECK (octet_length(code_hash) = 32),
    charged_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, attempt_id)
);

CREATE UNIQUE INDEX attempt_code_hash ON attempt_code (tenant_id, code_hash);
