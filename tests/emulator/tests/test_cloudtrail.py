"""CloudTrail lists what the emulator was asked, by whom, and how it answered."""
import json
from datetime import datetime, timedelta, timezone

from .support import REVOKE_POLICY, EmulatorTestCase, revoke_policy

REGION = "eu-central-1"
ALLOW_ROLES = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["iam:*", "cloudtrail:LookupEvents"], "Resource": "*"},
    ],
}


class CloudTrail(EmulatorTestCase):
    ORGANIZATION = {"member_policy": ALLOW_ROLES}

    def setUp(self) -> None:
        super().setUp()
        self.role(path="/app/")
        self.stolen = self.session()
        self.member = self.assume_member_role()

    def lookup(self, name: str = "", value: str = "", region: str = "us-east-1", **parameters) -> list:
        """Looked up by the operator, whose own look-ups are events as well."""
        if name:
            parameters["LookupAttributes"] = [{"AttributeKey": name, "AttributeValue": value}]
        return self.client(self.shop, "cloudtrail", region).lookup_events(**parameters)["Events"]

    def names(self, *args, **parameters) -> list:
        return [event["EventName"] for event in self.lookup(*args, **parameters)]

    def revoke(self) -> None:
        document = json.dumps(revoke_policy("2099-01-01T00:00:00Z"))
        iam = self.client(self.member, "iam", REGION)
        iam.put_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY, PolicyDocument=document)

    def test_an_event_is_complete(self):
        self.revoke()
        (event,) = self.lookup("EventName", "PutRolePolicy")
        self.assertEqual((event["EventSource"], event["ReadOnly"]), ("iam.amazonaws.com", "false"))
        self.assertEqual((event["Username"], event["AccessKeyId"]), ("rescind", self.member["access_key_id"]))
        resources = {(resource["ResourceType"], resource["ResourceName"]) for resource in event["Resources"]}
        self.assertEqual(resources, {("AWS::IAM::Role", "AppRole"), ("AWS::IAM::Policy", REVOKE_POLICY)})
        age = datetime.now(timezone.utc) - event["EventTime"]
        self.assertLess(abs(age), timedelta(minutes=1))
        detail = json.loads(event["CloudTrailEvent"])
        self.assertEqual(detail["eventID"], event["EventId"])
        document = json.dumps(revoke_policy("2099-01-01T00:00:00Z"))
        asked = {"roleName": "AppRole", "policyName": REVOKE_POLICY, "policyDocument": document}
        self.assertEqual(detail["requestParameters"], asked)
        self.assertEqual((detail["awsRegion"], detail["readOnly"]), ("us-east-1", False))
        self.assertIn("Boto3", detail["userAgent"])
        identity = detail["userIdentity"]
        self.assertEqual((identity["type"], identity["accountId"]), ("AssumedRole", self.shop["id"]))
        self.assertEqual(identity["sessionContext"]["sessionIssuer"]["arn"], self.shop["member_role_arn"])
        self.assertEqual(identity["sessionContext"]["sourceIdentity"], "rescind")
        self.assertNotIn("errorCode", detail)

    def test_a_denied_call_says_so(self):
        thief = self.client(self.stolen, "dynamodb", REGION)
        thief.list_tables()
        self.revoke()
        error = self.assertAwsError("AccessDeniedException", thief.list_tables)
        denied, allowed = self.lookup("AccessKeyId", self.stolen["access_key_id"], REGION)
        detail = json.loads(denied["CloudTrailEvent"])
        self.assertEqual(detail["errorCode"], "AccessDeniedException")
        self.assertIn("explicit deny", detail["errorMessage"])
        self.assertEqual(detail["requestID"], error.response["ResponseMetadata"]["RequestId"])
        self.assertEqual(detail["userIdentity"]["principalId"], self.stolen["principal_id"])
        self.assertNotIn("errorCode", json.loads(allowed["CloudTrailEvent"]))

    def test_regions_and_accounts_are_apart(self):
        self.client(self.stolen, "dynamodb", REGION).list_tables()
        self.client(self.stolen, "iam", REGION).list_users()
        key = ("AccessKeyId", self.stolen["access_key_id"])
        self.assertEqual(self.names(*key, REGION), ["ListTables"])
        self.assertEqual(self.names(*key, "us-east-1"), ["ListUsers"])
        other = self.client(self.org["accounts"]["playground"], "cloudtrail", REGION)
        self.assertEqual(other.lookup_events()["Events"], [])

    def test_data_events_are_not_there(self):
        s3 = self.client(self.shop, "s3", REGION)
        s3.list_buckets()
        self.assertAwsError("NoSuchBucket", s3.get_object, Bucket="missing", Key="key")
        self.assertEqual(self.names("EventSource", "s3.amazonaws.com", REGION), ["ListBuckets"])

    def test_attributes(self):
        user = self.emulator.user(account=self.shop["id"], name="ci", policy=None)
        iam = self.client(self.member, "iam")
        key = user["access_keys"][0]["access_key_id"]
        iam.update_access_key(UserName="ci", AccessKeyId=key, Status="Inactive")
        iam.get_user(UserName="ci")
        (event,) = self.lookup("EventName", "UpdateAccessKey")
        cases = [
            ("Username", "rescind", ["GetUser", "UpdateAccessKey"]),
            ("ResourceName", "ci", ["GetUser", "UpdateAccessKey"]),
            ("ResourceType", "AWS::IAM::AccessKey", ["UpdateAccessKey"]),
            ("EventId", event["EventId"], ["UpdateAccessKey"]),
            ("ReadOnly", "false", ["UpdateAccessKey"]),
            ("EventSource", "iam.amazonaws.com", ["GetUser", "UpdateAccessKey"]),
            ("EventName", "getuser", []),
        ]
        for name, value, expected in cases:
            with self.subTest(name=name):
                self.assertEqual(self.names(name, value), expected)
        by_user = json.loads(self.lookup("EventName", "LookupEvents")[0]["CloudTrailEvent"])["userIdentity"]
        self.assertEqual((by_user["type"], by_user["userName"]), ("IAMUser", "operator"))
        self.assertNotIn("sessionContext", by_user)

    def test_times(self):
        iam = self.client(self.stolen, "iam")
        iam.list_users()
        self.emulator.advance_clock(3600)
        iam.list_roles()
        later = datetime.now(timezone.utc) + timedelta(minutes=30)
        key = ("AccessKeyId", self.stolen["access_key_id"])
        self.assertEqual(self.names(*key, StartTime=later), ["ListRoles"])
        self.assertEqual(self.names(*key, EndTime=later), ["ListUsers"])
        wrong = {"StartTime": later, "EndTime": later - timedelta(minutes=1)}
        self.assertAwsError("InvalidTimeRangeException", self.lookup, **wrong)

    def test_pages_hold_still_while_events_arrive(self):
        iam = self.client(self.stolen, "iam")
        for _ in range(5):
            iam.list_users()
        attribute = {"AttributeKey": "EventName", "AttributeValue": "ListUsers"}
        request = {"LookupAttributes": [attribute], "MaxResults": 2}
        cloudtrail = self.client(self.member, "cloudtrail", "us-east-1")
        seen, answer = [], cloudtrail.lookup_events(**request)
        while True:
            seen += [event["EventId"] for event in answer["Events"]]
            if "NextToken" not in answer:
                break
            iam.list_users()
            answer = cloudtrail.lookup_events(**request, NextToken=answer["NextToken"])
        self.assertEqual((len(seen), len(set(seen))), (5, 5))
        token = cloudtrail.lookup_events(**request)["NextToken"]
        self.assertAwsError("InvalidNextTokenException", cloudtrail.lookup_events, NextToken=token)

    def test_events_can_be_late(self):
        self.emulator.delay_cloudtrail(300)
        self.client(self.stolen, "iam").list_users()
        key = ("AccessKeyId", self.stolen["access_key_id"])
        self.assertEqual(self.names(*key), [])
        self.emulator.advance_clock(301)
        self.assertEqual(self.names(*key), ["ListUsers"])
        self.emulator.reset()
        self.assertEqual(self.emulator.cloudtrail()["delay_seconds"], 0)

    def test_what_is_refused(self):
        self.assertAwsError("InvalidMaxResultsException", self.lookup, MaxResults=50 + 1)
        one = {"AttributeKey": "EventName", "AttributeValue": "x"}
        two = [one, {"AttributeKey": "Username", "AttributeValue": "y"}]
        self.assertAwsError("InvalidLookupAttributesException", self.lookup, LookupAttributes=two)
        self.role("Nothing", policy=None)
        thief = self.client(self.session("Nothing"), "cloudtrail", REGION)
        self.assertAwsError("AccessDeniedException", thief.lookup_events)
