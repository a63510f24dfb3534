"""EventBridge: what whoever puts events sees of a bus, and what arrives."""
import json

from emulated_org.client import EmulatorError

from .support import EmulatorTestCase

REGION = "eu-central-1"
SECURITY = "111111111111"


class EventBridgeTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.security = self.org["accounts"]["security"]
        self.events = self.client(self.security, "events", REGION)

    def bus(self, name: str, **fields) -> str:
        return self.emulator.bus(**{"account": SECURITY, "region": REGION, "name": name, **fields})

    def put(self, *changes: dict) -> dict:
        """Puts an entry for each of `changes` to a usual one, or the usual one."""
        usual = {"Source": "rescind", "DetailType": "Remediation", "Detail": '{"n": 1}'}
        entries = [{**usual, **change} for change in (changes or [{}])]
        entries = [{name: value for name, value in entry.items() if value is not None} for entry in entries]
        return self.events.put_events(Entries=entries)

    def codes(self, answer: dict) -> list:
        self.assertEqual(answer["FailedEntryCount"], sum("ErrorCode" in entry for entry in answer["Entries"]))
        return [entry.get("ErrorCode") for entry in answer["Entries"]]


class PutEvents(EventBridgeTestCase):
    def test_events_arrive_on_the_default_bus_or_on_a_named_one(self):
        arn = self.bus("incidents")
        self.assertEqual(arn, f"arn:aws:events:{REGION}:{SECURITY}:event-bus/incidents")
        full = {"Time": "2026-01-02T03:04:05Z", "Resources": ["arn:aws:iam::222222222222:role/AppRole"]}
        named = [{"EventBusName": "incidents"}, {"EventBusName": arn}]
        answer = self.put({"Detail": '{"a": {"ü": [1.5, null]}}', **full}, *named)
        self.assertEqual(self.codes(answer), [None] * 3)
        expected = {
            "id": answer["Entries"][0]["EventId"],
            "source": "rescind",
            "detail_type": "Remediation",
            "detail": {"a": {"ü": [1.5, None]}},
            "resources": full["Resources"],
            "time": full["Time"],
            "account": SECURITY,
            "region": REGION,
        }
        self.assertEqual(self.emulator.bus_events(), [expected])
        events = self.emulator.bus_events("incidents")
        self.assertEqual([event["id"] for event in events], [entry["EventId"] for entry in answer["Entries"][1:]])
        self.assertEqual(events[0]["resources"], [])
        self.assertRegex(events[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_each_account_and_region_has_a_default_bus(self):
        self.put()
        entry = {"Source": "other", "DetailType": "x", "Detail": "{}", "EventBusName": "default"}
        self.client(self.shop, "events", "us-east-1").put_events(Entries=[entry])
        self.assertEqual(len(self.emulator.bus_events()), 2)
        self.assertEqual([e["source"] for e in self.emulator.bus_events(account=self.shop["id"])], ["other"])
        self.assertEqual([e["source"] for e in self.emulator.bus_events(region=REGION)], ["rescind"])

    def test_each_entry_fails_by_itself(self):
        wrong = [
            ({"Source": "aws.guardduty"}, "NotAuthorizedForSourceException"),
            ({"Source": "aws-like"}, None),
            ({"Detail": "{"}, "MalformedDetail"),
            ({"Detail": "[]"}, "MalformedDetail"),
            ({"Detail": '{"a": NaN}'}, "MalformedDetail"),
            ({"Detail": None}, "InvalidArgument"),
            ({"Source": None}, "InvalidArgument"),
            ({"DetailType": None}, "InvalidArgument"),
            ({"DetailType": "x" * 129}, "InvalidArgument"),
            ({}, None),
        ]
        answer = self.put(*(change for change, _ in wrong))
        self.assertEqual(self.codes(answer), [code for _, code in wrong])
        self.assertEqual(len(self.emulator.bus_events()), 2)
        reason = "Parameter Source is not valid. Reason: Source is a required argument."
        self.assertEqual(answer["Entries"][6]["ErrorMessage"], reason)

    def test_an_event_for_a_bus_that_does_not_exist_is_lost_in_silence(self):
        answer = self.put({"EventBusName": "missing"})
        self.assertEqual(self.codes(answer), [None])
        self.assertIn("EventId", answer["Entries"][0])
        self.assertEqual(self.emulator.bus_events(), [])

    def test_the_size_of_all_entries_together_is_limited(self):
        def padded(size: int) -> str:
            return '{"p":"' + "x" * (size - len('{"p":""}')) + '"}'

        texts = len("rescind" + "Remediation")
        self.put({"Detail": padded(262144 - texts)})
        self.put({"Detail": padded(131072 - texts)}, {"Detail": padded(131072 - texts)})
        for changes in (
            [{"Detail": padded(262145 - texts)}],
            [{"Detail": padded(262144 - texts), "Resources": ["x"]}],
            [{"Detail": padded(262144 - texts), "Time": "2026-01-02T03:04:05Z"}],
            [{"Detail": padded(131072 - texts)}, {"Detail": padded(131073 - texts)}],
        ):
            error = self.assertAwsError("ValidationException", self.put, *changes)
            self.assertIn("over the limit", error.response["Error"]["Message"])
        self.assertEqual(len(self.emulator.bus_events()), 3)


class Refusals(EventBridgeTestCase):
    def test_whole_requests(self):
        self.assertAwsError("ValidationException", self.put, *[{}] * 11)
        self.assertAwsError("ValidationException", self.put, {"EventBusName": "a b"})
        self.assertAwsError("EmulatorNotImplemented", self.events.list_rules)
        foreign = f"arn:aws:events:{REGION}:222222222222:event-bus/default"
        self.assertAwsError("AccessDeniedException", self.put, {}, {"EventBusName": foreign})
        elsewhere = f"arn:aws:events:us-east-1:{SECURITY}:event-bus/default"
        self.assertAwsError("EmulatorNotImplemented", self.put, {"EventBusName": elsewhere})
        self.assertEqual(self.emulator.bus_events(), [])

    def test_policies_decide_by_bus_and_about_all_of_a_request(self):
        statement = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": self.bus("incidents")}
        self.emulator.role(account=SECURITY, name="Reporter", policy={"Statement": [statement]})
        self.events = self.client(self.emulator.session(account=SECURITY, role="Reporter"), "events", REGION)
        incident = {"EventBusName": "incidents"}
        self.put(incident)
        for changes in ([{}], [incident, {}]):
            error = self.assertAwsError("AccessDeniedException", self.put, *changes)
            self.assertIn(f"arn:aws:events:{REGION}:{SECURITY}:event-bus/default", error.response["Error"]["Message"])
        self.assertEqual(len(self.emulator.bus_events("incidents")), 1)
        self.emulator.advance_clock(7 * 3600)
        self.assertAwsError("ExpiredTokenException", self.put, incident)

    def test_bad_input_of_the_control_interface(self):
        self.bus("incidents")
        for fields, message in (
            ({"name": "incidents"}, "already"),
            ({"name": "default"}, "already"),
            ({"name": "aws.partner"}, "aws"),
            ({"name": "a/b"}, "letters"),
            ({"name": "x", "account": "1"}, "no account"),
        ):
            with self.subTest(fields=fields), self.assertRaisesRegex(EmulatorError, message):
                self.bus(**fields)
        with self.assertRaisesRegex(EmulatorError, "no bus"):
            self.emulator.bus_events("missing")


class FaultsAndCalls(EventBridgeTestCase):
    def test_some_entries_can_be_made_to_fail(self):
        self.arm("events", "PutEvents", {"partial": 2})
        answer = self.put({}, {}, {"Source": "third"})
        self.assertEqual(self.codes(answer), ["InternalFailure", "InternalFailure", None])
        self.assertEqual([event["source"] for event in self.emulator.bus_events()], ["third"])
        self.assertEqual(self.codes(self.put()), [None])

    def test_errors_before_and_after_the_effect(self):
        for when, arrived in (("before", 0), ("after", 1)):
            self.arm("events", "PutEvents", {"error": {"status": 500, "code": "InternalException"}}, when=when)
            self.assertAwsError("InternalException", self.put)
            self.assertEqual(len(self.emulator.bus_events()), arrived)

    def test_calls_are_logged_as_writes_without_their_texts(self):
        self.put({"Detail": '{"a": "confidential"}'})
        (call,) = self.emulator.calls()
        self.assertEqual((call["operation"], call["write"], call["status"]), ("PutEvents", True, 200))
        self.assertRegex(call["params"]["Entries"], r"^\(\d+ bytes\)$")
        self.assertNotIn("confidential", json.dumps(call))
