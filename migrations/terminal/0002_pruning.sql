-- Own operations that the server has acknowledged are removed once they are old enough; what is
-- left continues the chain from here.
CREATE TABLE chain_start (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    device_seq INTEGER NOT NULL CHECK (device_seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

INSERT INTO chain_start (id, device_seq, hash) VALUES (1, 0, zeroblob(32));

DROP TRIGGER operation_is_never_removed;

-- The end of the log stays: the next operation continues from it.
CREATE TRIGGER operation_is_removed_from_the_start_only BEFORE DELETE ON operation
WHEN OLD.device_seq > (SELECT device_seq FROM chain_start)
    OR OLD.device_seq > (SELECT acked_seq FROM cursor)
    OR OLD.device_seq >= (SELECT max(device_seq) FROM operation)
BEGIN
    SELECT RAISE(ABORT, 'operations are removed from the start only, and once acknowledged');
END;
