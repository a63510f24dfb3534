"""SNS: what a publisher sees of a topic, and what arrives."""
import json

from emulated_org.client import EmulatorError

from .support import EmulatorTestCase

REGION = "eu-central-1"
SECURITY = "111111111111"


class SnsTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.security = self.org["accounts"]["security"]
        self.sns = self.client(self.security, "sns", REGION)
        self.arn = self.topic("alarms")

    def topic(self, name: str, **fields) -> str:
        return self.emulator.topic(**{"account": SECURITY, "region": REGION, "name": name, **fields})

    def publish(self, **parameters) -> dict:
        return self.sns.publish(**{"TopicArn": self.arn, "Message": "text", **parameters})

    def assertInvalid(self, message: str, **parameters) -> None:
        error = self.assertAwsError("InvalidParameter", self.publish, **parameters)
        self.assertIn(f"Invalid parameter: {message}", error.response["Error"]["Message"])


class Publish(SnsTestCase):
    def test_what_was_published_is_listed_in_order(self):
        self.assertEqual(self.arn, f"arn:aws:sns:{REGION}:{SECURITY}:alarms")
        attributes = {"severity": {"DataType": "Number", "StringValue": "8"}}
        first = self.publish(Message="héllo & <wörld>", Subject="Revoked: AppRole", MessageAttributes=attributes)
        second = self.publish(TopicArn="", TargetArn=self.arn, MessageGroupId="fair")
        self.assertNotIn("SequenceNumber", first)
        expected = {
            "message_id": first["MessageId"],
            "subject": "Revoked: AppRole",
            "message": "héllo & <wörld>",
            "structure": None,
            "attributes": {"severity": {"type": "Number", "value": "8"}},
            "group": None,
            "deduplication": None,
        }
        one, other = self.emulator.published("alarms")
        self.assertEqual(one, expected)
        self.assertEqual((other["message_id"], other["subject"], other["group"]), (second["MessageId"], None, "fair"))

    def test_a_structure_has_texts_by_protocol_and_a_default(self):
        texts = {"default": "short", "email": "long", "pager": "ignored", "sms": {"not": "text"}}
        self.publish(Message=json.dumps(texts), MessageStructure="json")
        (published,) = self.emulator.published("alarms")
        self.assertEqual(published["message"], "short")
        self.assertEqual(published["structure"], {"default": "short", "email": "long"})
        for message in ("text", "[]", "null", '{"default":"a","default":"b"}'):
            self.assertInvalid("Message Structure - JSON message body failed", Message=message, MessageStructure="json")
        for message in ("{}", '{"default":1}', '{"email":"a"}'):
            self.assertInvalid("Message Structure - No default entry", Message=message, MessageStructure="json")
        self.assertInvalid("MessageStructure", MessageStructure="xml")

    def test_subjects(self):
        for subject in ("x", "x" * 100, "[!] a: b"):
            self.publish(Subject=subject)
        for subject in ("", " x", "x" * 101, "a\nb", "a\rb", "a\tb", "a\x7fb", "é", "x\n"):
            with self.subTest(subject=subject):
                self.assertInvalid("Subject", Subject=subject)
        self.assertEqual(len(self.emulator.published("alarms")), 3)

    def test_sizes_are_in_bytes_and_include_attributes(self):
        self.publish(Message="x" * 262144)
        self.publish(Message="é" * 131072)
        attributes = {"a": {"DataType": "String", "StringValue": "b"}}
        self.publish(Message="x" * (262144 - 8), MessageAttributes=attributes)
        self.assertInvalid("Message too long", Message="x" * 262145)
        self.assertInvalid("Message too long", Message="é" * 131073)
        self.assertInvalid("Message too long", Message="x" * (262144 - 7), MessageAttributes=attributes)
        self.assertInvalid("Empty message", Message="")

    def test_attributes(self):
        binary = {"b": {"DataType": "Binary", "BinaryValue": b"\x00"}, "s": {"DataType": "String.x", "StringValue": "y"}}
        self.publish(MessageAttributes=binary)
        published = self.emulator.published("alarms")[0]["attributes"]
        self.assertEqual(published, {"b": {"type": "Binary", "value": "AA=="}, "s": {"type": "String.x", "value": "y"}})
        for name, value in (
            ("a", {"DataType": "Text", "StringValue": "x"}),
            ("a", {"DataType": "String", "StringValue": ""}),
            ("a b", {"DataType": "String", "StringValue": "x"}),
        ):
            with self.subTest(name=name, value=value):
                self.assertAwsError("ParameterValueInvalid", self.publish, MessageAttributes={name: value})

    def test_a_fifo_topic_needs_a_group_and_takes_duplicates_once(self):
        arn = self.topic("alarms.fifo", fifo=True)
        fifo = {"TopicArn": arn, "MessageGroupId": "g", "MessageDeduplicationId": "d"}
        first, again = self.publish(**fifo), self.publish(**fifo)
        other = self.publish(**{**fifo, "MessageDeduplicationId": "e"})
        self.assertEqual(first["MessageId"], again["MessageId"])
        self.assertGreater(int(other["SequenceNumber"]), int(first["SequenceNumber"]))
        published = [(m["message_id"], m["group"], m["deduplication"]) for m in self.emulator.published("alarms.fifo")]
        self.assertEqual(published, [(first["MessageId"], "g", "d"), (other["MessageId"], "g", "e")])
        self.assertInvalid("The MessageGroupId parameter is required", TopicArn=arn, MessageDeduplicationId="d")
        self.assertInvalid("The topic should either", TopicArn=arn, MessageGroupId="g")
        self.assertInvalid("MessageDeduplicationId", MessageDeduplicationId="d")
        self.assertInvalid("MessageGroupId", MessageGroupId="a b")


class Refusals(SnsTestCase):
    def test_a_topic_belongs_to_one_account_and_region(self):
        error = self.assertAwsError("NotFound", self.publish, TopicArn=self.arn + "-missing")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 404)
        self.assertInvalid("TopicArn Reason: no-arn", TopicArn="no-arn")
        self.assertInvalid("TopicArn", TopicArn=f"arn:aws:sqs:{REGION}:{SECURITY}:alarms")
        self.assertInvalid("TopicArn or TargetArn", TopicArn="")
        other_region, other_account = self.client(self.security, "sns", "us-east-1"), self.client(self.shop, "sns", REGION)
        message = {"TopicArn": self.arn, "Message": "text"}
        self.assertAwsError("InvalidParameter", other_region.publish, **message)
        self.assertAwsError("AuthorizationError", other_account.publish, **message)
        self.assertEqual(self.emulator.published("alarms"), [])

    def test_policies_decide_by_topic(self):
        statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": self.arn}
        self.emulator.role(account=SECURITY, name="Publisher", policy={"Statement": [statement]})
        sns = self.client(self.emulator.session(account=SECURITY, role="Publisher"), "sns", REGION)
        sns.publish(TopicArn=self.arn, Message="text")
        other = {"TopicArn": self.topic("other"), "Message": "text"}
        error = self.assertAwsError("AuthorizationError", sns.publish, **other)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)
        self.emulator.advance_clock(7 * 3600)
        self.assertAwsError("ExpiredToken", sns.publish, **other)
        self.assertEqual(self.emulator.published("other"), [])

    def test_what_is_not_emulated_says_so(self):
        for call, parameters in (
            (self.sns.publish, {"PhoneNumber": "+15550100", "Message": "text"}),
            (self.sns.publish_batch, {"TopicArn": self.arn, "PublishBatchRequestEntries": [{"Id": "a", "Message": "b"}]}),
        ):
            self.assertAwsError("EmulatorNotImplemented", call, **parameters)

    def test_bad_input_of_the_control_interface(self):
        place = {"account": SECURITY, "region": REGION}
        cases = [
            ({**place, "name": "alarms"}, "already"),
            ({**place, "name": "x", "fifo": True}, "fifo"),
            ({**place, "name": "x.fifo"}, "fifo"),
            ({**place, "name": "a b"}, "letters"),
            ({**place, "account": "1", "name": "x"}, "no account"),
            ({**place, "region": "cn-north-1", "name": "x"}, "partition"),
        ]
        for fields, message in cases:
            with self.subTest(fields=fields), self.assertRaisesRegex(EmulatorError, message):
                self.emulator.topic(**fields)
        with self.assertRaisesRegex(EmulatorError, "no topic"):
            self.emulator.published("missing")


class FaultsAndCalls(SnsTestCase):
    def test_errors_before_and_after_the_effect(self):
        error = {"error": {"status": 500, "code": "InternalError"}}
        for when, arrived in (("before", 0), ("after", 1)):
            self.arm("sns", "Publish", error, when=when)
            raised = self.assertAwsError("InternalError", self.publish)
            self.assertEqual(raised.response["ResponseMetadata"]["HTTPStatusCode"], 500)
            self.assertEqual(len(self.emulator.published("alarms")), arrived)

    def test_a_call_hangs_until_released(self):
        self.arm("sns", "Publish", {"hang": True})
        with self.held(self.publish):
            self.assertEqual(self.emulator.published("alarms"), [])
        self.assertEqual(len(self.emulator.published("alarms")), 1)

    def test_calls_are_logged_as_writes_without_their_texts(self):
        attributes = {"a": {"DataType": "String", "StringValue": "confidential"}}
        self.publish(Message="confidential", Subject="confidential", MessageAttributes=attributes)
        (call,) = self.emulator.calls()
        self.assertEqual((call["operation"], call["write"], call["status"]), ("Publish", True, 200))
        self.assertEqual((call["params"]["TopicArn"], call["params"]["Message"]), (self.arn, "(12 bytes)"))
        self.assertNotIn("confidential", json.dumps(call))
