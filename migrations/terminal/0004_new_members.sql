-- Sealed profiles of members created here, with the keys that open them. They travel beside their
-- operation and stay as long as it does, so that a server can be rebuilt from the edge.
CREATE TABLE new_member (
    device_seq INTEGER PRIMARY KEY REFERENCES operation (device_seq),
    member BLOB NOT NULL UNIQUE CHECK (length(member) = 16),
    sealed BLOB NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;
