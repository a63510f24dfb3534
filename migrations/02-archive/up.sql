-- Closed remediations can be moved to an archive. Of each entry the number, the time and the leaf hash
-- stay, so that the tree and every proof still hold; the body says which entry tells of the archive.
DROP TRIGGER entries_no_update;
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

-- Roots of complete subtrees of 4096 entries, for proofs. A verifier does not look at them.
CREATE TABLE subtrees (
    number INTEGER PRIMARY KEY CHECK (number >= 0),
    root   BLOB NOT NULL CHECK (length(root) = 32)
) STRICT;
