-- Payment codes (付款码) that were handed to a gateway; the log does not determine it, and the code
-- itself is kept nowhere. Written before the gateway is called. Without a hash nothing was sent.
CREATE TABLE attempt_code (
    tenant_id  BLOB    NOT NULL,
    attempt_id BLOB    NOT NULL,
    code_hash  BLOB    CHECK (length(code_hash) = 32),
    charged_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempt_code_hash ON attempt_code (tenant_id, code_hash);
