-- Leases of every terminal as the server last told; those that are over are not kept.
CREATE TABLE replica_lease (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    member BLOB NOT NULL CHECK (length(member) = 16),
    json TEXT NOT NULL
) STRICT;
CREATE INDEX replica_lease_by_member ON replica_lease (member);

-- This terminal's own: the server's signed word, and what payments written here have drawn on it, sent or
-- not. Rows are never removed: one that came in a second time would be spent a second time.
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

-- How new a member's account was when leases of this member were last asked for.
CREATE TABLE lease_ask (
    member BLOB PRIMARY KEY CHECK (length(member) = 16),
    revision INTEGER NOT NULL
) STRICT;
