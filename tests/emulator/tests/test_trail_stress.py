"""LookupEvents as it is at its worst: late, out of order, throttled, dark; and records that were injected."""
import json
from datetime import datetime, timedelta, timezone

from botocore.exceptions import ClientError

from emulated_org.client import EmulatorError

from .support import EmulatorTestCase

REGION = "eu-central-1"
KEY = "ASIAEXAMPLEEXAMPLE42"


class StressTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.cloudtrail = self.client(self.shop, "cloudtrail", REGION)

    def inject(self, *records, region: str = REGION) -> list:
        return self.emulator.cloudtrail_records(self.shop["id"], region, *records)

    def request(self, **more) -> dict:
        return {"LookupAttributes": [{"AttributeKey": "AccessKeyId", "AttributeValue": KEY}], **more}

    def seen(self, size: int = 50, between=lambda: None) -> list:
        """All pages; `between` is called before each page but the first."""
        events, answer = [], self.cloudtrail.lookup_events(**self.request(MaxResults=size))
        while True:
            events += answer["Events"]
            if "NextToken" not in answer:
                return events
            between()
            answer = self.cloudtrail.lookup_events(**self.request(MaxResults=size), NextToken=answer["NextToken"])

    def clock(self) -> datetime:
        return datetime.fromisoformat(self.emulator.get("clock")["now"].replace("Z", "+00:00"))


class Late(StressTestCase):
    def numbers(self, events: list) -> list:
        return [json.loads(event["CloudTrailEvent"])["requestParameters"]["n"] for event in events]

    def recorded(self, number: int, **settings) -> None:
        """So many events, a second from each other, of which the last is now."""
        self.emulator.cloudtrail(**settings)
        start = self.clock() - timedelta(seconds=number)
        for n in range(number):
            time = (start + timedelta(seconds=n)).isoformat()
            self.inject({"access_key_id": KEY, "time": time, "requestParameters": {"n": n}})

    def test_events_come_one_by_one_and_out_of_order(self):
        self.recorded(30, delay_seconds=100, jitter_seconds=10_000, seed=7)
        self.assertEqual(self.seen(), [])
        arrived, order = set(), []
        for _ in range(12):
            self.emulator.advance_clock(1000)
            now = self.numbers(self.seen())
            self.assertEqual(now, sorted(now, reverse=True))
            self.assertLessEqual(arrived, set(now))
            order += sorted(set(now) - arrived)
            arrived = set(now)
        self.assertEqual(arrived, set(range(30)))
        self.assertNotEqual(order, sorted(order))

    def test_the_seed_decides_when(self):
        seen = []
        for seed in (7, 7, 8):
            self.setUp()
            self.recorded(20, jitter_seconds=10_000, seed=seed)
            self.emulator.advance_clock(5000)
            seen.append(self.numbers(self.seen()))
        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])

    def test_pages_stay_correct_while_records_arrive(self):
        self.recorded(40)
        arriving = iter(range(40, 100))

        def later() -> None:
            n = next(arriving)
            self.inject({"access_key_id": KEY, "requestParameters": {"n": n}})
            # One that is older than all there are: the last page has it.
            early = {"access_key_id": KEY, "time": "2020-01-01T00:00:00Z", "requestParameters": {"n": -n}}
            self.inject(early)

        numbers = self.numbers(self.seen(10, later))
        self.assertEqual(numbers[:40], list(range(39, -1, -1)))
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertGreater(len(numbers), 40)
        self.assertTrue(all(number < 0 for number in numbers[40:]))


class Refused(StressTestCase):
    def code(self, region: str = REGION) -> str:
        try:
            self.client(self.shop, "cloudtrail", region).lookup_events(**self.request())
        except ClientError as error:
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
            return error.response["Error"]["Code"]
        return "works"

    def test_a_region_can_be_dark(self):
        self.emulator.cloudtrail(dark_regions=[REGION])
        self.assertEqual((self.code(), self.code("us-east-1")), ("AccessDeniedException", "works"))
        self.emulator.cloudtrail(dark_regions=[])
        self.assertEqual(self.code(), "works")

    def test_more_than_so_many_a_second_are_throttled(self):
        self.emulator.cloudtrail(per_second=1)
        codes = [self.code() for _ in range(20)]
        self.assertEqual(set(codes), {"works", "ThrottlingException"})
        self.assertEqual(self.code("us-east-1"), "works")
        # Those that were throttled do not count, so that it ends.
        while self.code() != "works":
            pass
        self.emulator.cloudtrail(per_second=0)
        self.assertEqual({self.code() for _ in range(20)}, {"works"})

    def test_settings_are_checked_and_kept(self):
        settings = {"delay_seconds": 900, "jitter_seconds": 60.5, "seed": 3, "per_second": 2,
                    "dark_regions": ["eu-north-1"], "addresses": {KEY: "198.51.100.7"}}
        self.assertEqual(self.emulator.cloudtrail(**settings), settings)
        for wrong in (
            {"delay_seconds": -1},
            {"jitter_seconds": "long"},
            {"seed": 1.5},
            {"per_second": True},
            {"dark_regions": "eu-central-1"},
            {"addresses": [KEY]},
            {"delay": 1},
        ):
            with self.subTest(wrong=wrong), self.assertRaisesRegex(EmulatorError, "400"):
                self.emulator.cloudtrail(**{"seed": 9, **wrong})
        self.assertEqual(self.emulator.cloudtrail(addresses={}), settings)


class Injected(StressTestCase):
    def record(self, **fields) -> dict:
        (id,) = self.inject(fields)
        attribute = {"AttributeKey": "EventId", "AttributeValue": id}
        (event,) = self.cloudtrail.lookup_events(LookupAttributes=[attribute])["Events"]
        self.assertEqual(event["EventId"], id)
        return json.loads(event["CloudTrailEvent"])

    def test_what_is_not_stated_is_there(self):
        record = self.record(access_key_id=KEY, event="ec2:DescribeInstances")
        self.assertEqual((record["eventSource"], record["eventName"]), ("ec2.amazonaws.com", "DescribeInstances"))
        self.assertEqual((record["awsRegion"], record["recipientAccountId"]), (REGION, self.shop["id"]))
        self.assertTrue(record["readOnly"])
        identity = record["userIdentity"]
        self.assertEqual((identity["type"], identity["accessKeyId"]), ("AssumedRole", KEY))
        (event,) = self.seen()
        self.assertEqual((event["Username"], event["EventName"]), ("app", "DescribeInstances"))

    def test_a_key_that_somebody_has_is_theirs(self):
        self.role()
        stolen = self.session()
        identity = self.record(access_key_id=stolen["access_key_id"])["userIdentity"]
        self.assertEqual(identity["principalId"], stolen["principal_id"])
        self.assertEqual(identity["sessionContext"]["sessionIssuer"]["userName"], "AppRole")
        user = self.emulator.user(account=self.shop["id"], name="ci", policy=None)["access_keys"][0]
        identity = self.record(access_key_id=user["access_key_id"])["userIdentity"]
        self.assertEqual((identity["type"], identity["userName"]), ("IAMUser", "ci"))

    def test_what_is_stated_counts(self):
        record = self.record(
            access_key_id=KEY,
            eventName="CreateUser",
            eventTime="2026-11-22T03:00:00Z",
            awsRegion="us-east-1",
            errorCode="AccessDenied",
            userIdentity={"sessionContext": {"sourceIdentity": "eve"}},
            requestParameters={"userName": "mallory"},
        )
        self.assertEqual((record["eventName"], record["readOnly"]), ("CreateUser", False))
        self.assertEqual((record["eventTime"], record["awsRegion"]), ("2026-11-22T03:00:00Z", "us-east-1"))
        self.assertEqual((record["errorCode"], record["requestParameters"]), ("AccessDenied", {"userName": "mallory"}))
        context = record["userIdentity"]["sessionContext"]
        self.assertEqual((context["sourceIdentity"], context["sessionIssuer"]["type"]), ("eve", "Role"))
        identity = {"type": "AWSAccount", "principalId": "AIDA", "accountId": "999999999999"}
        self.assertEqual(self.record(userIdentity=identity)["userIdentity"], identity)

    def test_a_record_is_repeated(self):
        start = datetime(2026, 11, 22, 3, tzinfo=timezone.utc)
        self.inject({"access_key_id": KEY, "time": start.isoformat(), "repeat": 120, "step_seconds": 2})
        events = self.seen()
        self.assertEqual(len({event["EventId"] for event in events}), 120)
        times = [start + timedelta(seconds=2 * n) for n in reversed(range(120))]
        self.assertEqual([event["EventTime"] for event in events], times)
        first, last = times[-1], times[0]
        for wanted, number in (
            ({"StartTime": last}, 1),
            ({"EndTime": first}, 1),
            ({"StartTime": first + timedelta(seconds=2), "EndTime": last - timedelta(seconds=2)}, 50),
        ):
            self.assertEqual(len(self.cloudtrail.lookup_events(**self.request(**wanted))["Events"]), number)

    def test_the_latest_are_kept(self):
        old = {"access_key_id": KEY, "time": "2026-01-01T00:00:00Z"}
        self.inject({**old, "eventName": "First"}, {**old, "repeat": 9})
        self.inject({"access_key_id": "ASIAEXAMPLEEXAMPLE43", "repeat": 100_000})
        self.assertEqual([event["EventName"] for event in self.seen()], [])
        self.inject({**old, "eventName": "Last"})
        self.assertEqual([event["EventName"] for event in self.seen()], ["Last"])
        with self.assertRaisesRegex(EmulatorError, "more than the 100000 that are kept"):
            self.inject({"repeat": 100_001})

    def test_what_is_refused(self):
        for wrong in (
            {"event": "iam"},
            {"repeat": 0},
            {"repeat": 2, "eventID": "one"},
            {"time": "yesterday"},
            {"event_name": "CreateUser"},
            {"step_seconds": 1e300, "repeat": 2},
        ):
            with self.subTest(wrong=wrong), self.assertRaisesRegex(EmulatorError, "400"):
                self.inject({"access_key_id": KEY}, wrong)
        self.assertEqual(self.seen(), [])
