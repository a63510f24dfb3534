PRAGMA application_id = 1381188420;  -- "RSCD": this file is a ledger of rescind

-- The entries are the ledger. They are only ever added to.
CREATE TABLE entries (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    time        TEXT NOT NULL,              -- UTC, milliseconds
    kind        TEXT NOT NULL,
    remediation TEXT,
    finding     TEXT,
    account     TEXT,
    region      TEXT,
    principal   TEXT,
    body        BLOB NOT NULL,              -- canonical JSON (RFC 8785) of the whole entry
    leaf_hash   BLOB NOT NULL CHECK (length(leaf_hash) = 32)  -- SHA-256(0x00 || body), RFC 9162
) STRICT;

CREATE INDEX entries_by_remediation ON entries (remediation, seq) WHERE remediation IS NOT NULL;
CREATE INDEX entries_by_kind ON entries (kind, seq) WHERE kind <> 'call';
-- Half of all entries are AWS calls, and nobody looks for one by its finding: what shows a finding goes by
-- its remediation. In the index each of them was a page to be written.
CREATE INDEX entries_by_finding ON entries (finding, seq) WHERE finding IS NOT NULL AND kind <> 'call';

-- Closed remediations can be moved to an archive. Of each entry the number, the time and the leaf hash
-- stay, so that the tree and every proof still hold; the body says which entry records the archive.
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
WHEN NOT (
    NEW.seq = OLD.seq AND NEW.time = OLD.time AND NEW.leaf_hash = OLD.leaf_hash
    AND OLD.kind <> 'archived' AND NEW.kind = 'archived'
    AND coalesce(NEW.remediation, NEW.finding, NEW.account, NEW.region, NEW.principal) IS NULL
    AND EXISTS (
        SELECT 1 FROM entries
        WHERE kind = 'archive' AND kind <> 'call' AND seq = CAST(substr(CAST(NEW.body AS TEXT), 13) AS INTEGER)
    )
)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- INSERT OR REPLACE deletes without a delete trigger, so a number that is taken is refused here.
CREATE TRIGGER entries_in_order BEFORE INSERT ON entries
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entries)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are numbered without gaps'); END;

-- Signed statements of how the tree of the entries stood (C2SP tlog-checkpoint).
CREATE TABLE checkpoints (
    size     INTEGER PRIMARY KEY CHECK (size > 0),  -- over so many entries
    time     TEXT NOT NULL,
    note     TEXT NOT NULL,
    frontier BLOB NOT NULL                          -- where the next one goes on; a verifier does not look at it
) STRICT;

-- Roots of complete subtrees of 4096 entries, for proofs. A verifier does not look at them.
CREATE TABLE subtrees (
    number INTEGER PRIMARY KEY CHECK (number >= 0),
    root   BLOB NOT NULL CHECK (length(root) = 32)
) STRICT;

-- How far this file has come in the log that outlives the machine, where there is one: it has all that stands up to
-- this position there, and nothing else. Without a row the file is a ledger by itself.
CREATE TABLE log (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    epoch    INTEGER NOT NULL,
    hash     TEXT NOT NULL                  -- of the item there, in hexadecimal
) STRICT;

-- What follows can be made again from the entries. It is there for speed only.

CREATE TABLE occurrences (
    occurrence TEXT PRIMARY KEY,            -- [finding id, updatedAt, access key id]
    seq        INTEGER NOT NULL REFERENCES entries (seq),
    decided    INTEGER REFERENCES entries (seq),
    covered_by TEXT,                        -- the remediation that takes care of it, when that is another's
    verdict    TEXT                         -- remediate, hold, observe, skip, undecodable
) STRICT, WITHOUT ROWID;

CREATE INDEX occurrences_by_cover ON occurrences (covered_by) WHERE covered_by IS NOT NULL;
CREATE INDEX occurrences_undecided ON occurrences (seq) WHERE decided IS NULL;
CREATE INDEX occurrences_by_verdict ON occurrences (verdict, seq);

CREATE TABLE remediations (
    id          TEXT PRIMARY KEY,
    occurrence  TEXT NOT NULL REFERENCES occurrences (occurrence),
    account     TEXT NOT NULL,
    role_key    TEXT NOT NULL,              -- lower case: IAM ignores case in role names
    state       TEXT NOT NULL,              -- held, queued, revoking, revoked and so on
    proof       TEXT,                       -- present, simulated, enforced: the highest of the latest change
    last_seen   TEXT NOT NULL,              -- latest activity of all occurrences that it is for
    opened      INTEGER NOT NULL REFERENCES entries (seq),
    cutoff      TEXT,
    begun_at    TEXT,                       -- the latest intent: what budgets count
    incident    TEXT NOT NULL,              -- all that hangs together has one id, that of what was opened first
    last        INTEGER NOT NULL REFERENCES entries (seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX remediations_by_role ON remediations (account, role_key);
CREATE INDEX remediations_by_state ON remediations (state);
CREATE INDEX remediations_by_incident ON remediations (incident);
CREATE INDEX remediations_by_begun ON remediations (begun_at) WHERE begun_at IS NOT NULL;

CREATE TABLE cursors (
    region     TEXT NOT NULL,
    detector   TEXT NOT NULL,
    updated_at TEXT NOT NULL,               -- the latest updatedAt that was recorded
    PRIMARY KEY (region, detector)
) STRICT, WITHOUT ROWID;

CREATE TABLE watched (
    region TEXT PRIMARY KEY,
    since  TEXT NOT NULL                    -- older findings are only observed
) STRICT, WITHOUT ROWID;

-- The last answers of AWS about the organization, for when it does not answer.

CREATE TABLE organization (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL                      -- the accounts, and when they were read
) STRICT;

CREATE TABLE placements (
    account TEXT PRIMARY KEY,
    body    TEXT NOT NULL                   -- OUs and tags, and when they were read
) STRICT, WITHOUT ROWID;

-- How far each channel of notifications has come. The ledger itself is the outbox: what stands behind
-- this number is yet to be delivered.
CREATE TABLE channels (
    name         TEXT PRIMARY KEY,
    seq          INTEGER NOT NULL,      -- everything up to this entry is delivered, or not for this channel
    failures     INTEGER NOT NULL,      -- in a row
    failed_since TEXT,
    error        TEXT
) STRICT, WITHOUT ROWID;
