-- How far each channel of notifications has come. The ledger itself is the outbox: what stands behind
-- this number is yet to be delivered.
CREATE TABLE channels (
    name         TEXT PRIMARY KEY,
    seq          INTEGER NOT NULL,      -- everything up to this entry is delivered, or not for this channel
    failures     INTEGER NOT NULL,      -- in a row
    failed_since TEXT,
    error        TEXT
) STRICT, WITHOUT ROWID;
