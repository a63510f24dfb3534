"""Condition operators and policy evaluation, without a server."""
import unittest

from emulated_org.policy.conditions import conditions_hold
from emulated_org.errors import AwsError, NotEmulated
from emulated_org.policy.documents import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Policy, Request, evaluate

CONTEXT = {
    "text": ["Apple"],
    "date": ["2026-01-01T10:00:00Z"],
    "number": ["10"],
    "arn": ["arn:aws:iam::222222222222:role/team/App"],
    "address": ["203.0.113.9"],
    "flag": ["true"],
    "many": ["a", "b"],
    "aws:username": ["ann"],
}


class Conditions(unittest.TestCase):
    def check(self, expected: bool, operator: str, key: str, wanted) -> None:
        with self.subTest(operator=operator, key=key, wanted=wanted):
            self.assertEqual(conditions_hold({operator: {key: wanted}}, CONTEXT), expected)

    def test_operators(self):
        self.check(True, "StringEquals", "TEXT", ["Pear", "Apple"])
        self.check(False, "StringEquals", "text", "apple")
        self.check(True, "StringEqualsIgnoreCase", "text", "apple")
        self.check(True, "StringLike", "text", "A??l*")
        self.check(False, "StringLike", "text", "A[p]ple")
        self.check(False, "StringNotEquals", "text", ["Pear", "Apple"])
        self.check(True, "StringNotLike", "text", "P*")
        self.check(True, "DateLessThan", "date", "2026-01-01T10:00:01Z")
        self.check(False, "DateLessThan", "date", "2026-01-01T10:00:00Z")
        self.check(True, "DateLessThan", "date", "2026-01-01T11:00:00.5+00:30")
        self.check(True, "DateLessThanEquals", "date", "2026-01-01T10:00:00Z")
        self.check(True, "DateEquals", "date", "1767261600")
        self.check(True, "NumericGreaterThan", "number", 9)
        self.check(False, "NumericLessThan", "number", "9")
        self.check(False, "NumericLessThan", "text", "9")
        self.check(True, "ArnLike", "arn", "arn:aws:iam::*:role/*")
        self.check(False, "ArnLike", "arn", "arn:*:role/*")
        self.check(True, "IpAddress", "address", "203.0.113.0/24")
        self.check(True, "NotIpAddress", "address", ["192.0.2.0/24"])
        self.check(True, "Bool", "flag", True)
        self.check(True, "Null", "missing", "true")
        self.check(False, "Null", "text", True)

    def test_a_missing_key(self):
        self.check(False, "StringEquals", "missing", "x")
        self.check(True, "StringEqualsIfExists", "missing", "x")
        self.check(False, "StringEqualsIfExists", "text", "x")
        self.check(True, "StringNotEquals", "missing", "x")
        self.check(False, "DateLessThan", "missing", "2026-01-01T10:00:00Z")
        self.check(False, "ForAnyValue:StringEquals", "missing", "x")
        self.check(True, "ForAllValues:StringEquals", "missing", "x")

    def test_several_values(self):
        self.check(True, "ForAnyValue:StringEquals", "many", ["b", "c"])
        self.check(False, "ForAllValues:StringEquals", "many", ["b", "c"])
        self.check(True, "ForAllValues:StringEquals", "many", ["a", "b", "c"])

    def test_all_operators_and_keys_have_to_hold(self):
        block = {"StringEquals": {"text": "Apple", "number": "10"}, "Bool": {"flag": "true"}}
        self.assertTrue(conditions_hold(block, CONTEXT))
        block["Bool"]["flag"] = "false"
        self.assertFalse(conditions_hold(block, CONTEXT))

    def test_variables(self):
        self.check(False, "StringEquals", "text", "${aws:username}")
        self.assertTrue(conditions_hold({"StringEquals": {"who": "${AWS:username}"}}, {**CONTEXT, "who": ["ann"]}))

    def test_unknown_operators(self):
        for operator in ("StringSounds", "ForSomeValues:StringEquals"):
            with self.subTest(operator=operator), self.assertRaises(NotEmulated):
                conditions_hold({operator: {"text": "x"}}, CONTEXT)


class Evaluation(unittest.TestCase):
    def decide(self, *statements: dict, action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k") -> str:
        return evaluate([Policy.parse({"Statement": list(statements)})], Request(action, resource)).effect

    def test_a_deny_wins_and_nothing_denies(self):
        allow = {"Effect": "Allow", "Action": "s3:get*", "Resource": "arn:aws:s3:::b/*"}
        deny = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}
        self.assertEqual(self.decide(), IMPLICIT_DENY)
        self.assertEqual(self.decide(allow), ALLOWED)
        self.assertEqual(self.decide(allow, deny), EXPLICIT_DENY)
        self.assertEqual(self.decide(allow, action="s3:PutObject"), IMPLICIT_DENY)
        self.assertEqual(self.decide(allow, resource="arn:aws:s3:::c/k"), IMPLICIT_DENY)

    def test_an_action_without_resource_needs_a_statement_for_all(self):
        specific = {"Effect": "Allow", "Action": "*", "Resource": "arn:*"}
        self.assertEqual(self.decide(specific, resource="*"), IMPLICIT_DENY)
        excepting = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}
        self.assertEqual(self.decide({**specific, "Resource": "*"}, excepting, resource="*"), EXPLICIT_DENY)

    def test_malformed_documents(self):
        for document in ("", "[]", '"x"', {"Statement": [1]}, {"Statement": {"Effect": "Maybe", "Action": "*"}}):
            with self.subTest(document=document), self.assertRaises(AwsError):
                Policy.parse(document)
