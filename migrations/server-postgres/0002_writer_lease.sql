-- Which process writes the books of a tenant. The fence counts changes of hand: a batch is written
-- only while its writer's fence stands here, so that one who was given up for dead writes nothing.
-- Time is the database's.
CREATE TABLE writer_lease (
    tenant_id  BYTEA    NOT NULL,
    holder_id  BYTEA    NOT NULL CHECK (length(holder_id) = 16),
    address    TEXT     NOT NULL,
    fence      BIGINT   NOT NULL CHECK (fence >= 1),
    expires_ms BIGINT   NOT NULL,
    PRIMARY KEY (tenant_id)
);
