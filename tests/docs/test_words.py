"""One word for one thing: words that were given up do not come back, in code, screens or documentation."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What was given up, and what is said instead.
GIVEN_UP = {
    r"(?i)(\b|_)(tell|tells|told|telling)(\b|_)": "say, show, report, record, raise, send, notify",
    r"\bStory\b": "Remediation (the view) and RemediationReport",
    r"\bParcels?\b": "InFlightMessage, ReceiveBatch",
    r"\bTaker\b": "the Intake channel",
    r"\bHints?\b(?!:)": "Claim, Verifier",
    r"\bFate\b": "Verification",
    r"\bCourier\b": "Notifier",
    r"\bLanes?\b": "KeyedQueue, key",
    r"\bTripped\b|\bSpending\b": "BudgetExceeded, BudgetUsage",
    r"\bBeyond\b(?= [{(]|::)|\bWhom\b(?= [{(]|::)": "Unsupported, RemedyTarget",
    r"\bis_(well|skipped|beyond)\(": "record_success, record_skip, is_unsupported",
    r"nobody watches": "no service is running",
    r"(NOT|not) taken over": "rejected; the previous version stays in effect",
    r"gone or others": "removed or changed",
    r"[Ww]hom it (would )?concerns?": "impact",
    r"Nothing was changed, as far as": "No tampering detected",
    r"nobody can ask for": "cannot listen on",
    r"\bhighest_rung\b": "proof",
    r"[Tt]akes? stolen AWS role sessions back": "revokes stolen AWS role sessions",
    r"[Rr]ightful(ly)? (use|fail)": "legitimate",
    r"AWS said yes|AWS's yes": "accepted by AWS",
    r"NOT taken\b": "NOT delivered, NOT accepted",
    r"wrapping of one that": "in an unknown envelope",
    r"done by hand, says": "done by hand (NAME)",
}
PLACES = (
    "src/**/*.rs", "tests/it/**/*.rs", "tests/it/snapshots/*", "docs/**/*.md", "docs/schema/*.json", "README.md",
    "CONTRIBUTING.md", "SECURITY.md", "policies/deployment/**/*.yaml", "policies/deployment/**/*.tf",
)


class Words(unittest.TestCase):
    def test_words_that_were_given_up_do_not_come_back(self):
        found = []
        for place in PLACES:
            for file in sorted(ROOT.glob(place)):
                for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                    for word, instead in GIVEN_UP.items():
                        if re.search(word, line):
                            where = f"{file.relative_to(ROOT)}:{number}"
                            found.append(f"{where}: {line.strip()[:100]!r}; say: {instead}")
        self.assertEqual([], found, "\n" + "\n".join(found))


if __name__ == "__main__":
    unittest.main()
