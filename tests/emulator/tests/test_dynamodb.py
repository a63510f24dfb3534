"""DynamoDB: a table with a log's items, who may use it, and what can go wrong on the way."""
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from emulated_org.client import boto3_session

from .support import ALLOW_EVERYTHING, EmulatorTestCase

REGION = "eu-central-1"
HUB = "111111111111"
TABLE = "rescind-log"
ARN = f"arn:aws:dynamodb:{REGION}:{HUB}:table/{TABLE}"
ACTIONS = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"]


def keys(*positions: int) -> list:
    return [{"pk": {"S": f"log#{position}"}} for position in positions]


class DynamoDbTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.assertEqual(self.emulator.table(account=HUB, region=REGION, name=TABLE), ARN)
        self.table = self.client(self.org["accounts"]["security"], "dynamodb", REGION)

    def put(self, position: int, client=None, **attributes) -> None:
        item = {"pk": {"S": f"log#{position}"}, **attributes}
        client = client or self.table
        client.put_item(TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")

    def get(self, position: int):
        answer = self.table.get_item(TableName=TABLE, Key=keys(position)[0], ConsistentRead=True)
        return answer.get("Item")

    def get_batch(self, *positions: int) -> tuple:
        """The keys that were found, and those that stay unprocessed."""
        request = {TABLE: {"Keys": keys(*positions), "ConsistentRead": True}}
        answer = self.table.batch_get_item(RequestItems=request)
        undone = answer["UnprocessedKeys"].get(TABLE, {}).get("Keys", [])
        return tuple(sorted(one["pk"]["S"] for one in some) for some in (answer["Responses"][TABLE], undone))


class Items(DynamoDbTestCase):
    def test_it_is_put_where_none_stands(self):
        self.put(1, payload={"B": b"first"})
        self.assertAwsError("ConditionalCheckFailedException", self.put, 1, payload={"B": b"second"})
        self.assertEqual(self.get(1)["payload"]["B"], b"first")
        self.assertIsNone(self.get(2))

    def test_a_table_is_made_once_and_forgotten_with_everything(self):
        self.assertRaisesRegex(Exception, "already", self.emulator.table, account=HUB, region=REGION, name=TABLE)
        self.put(1)
        description = self.table.describe_table(TableName=TABLE)["Table"]
        self.assertEqual(description["TableStatus"], "ACTIVE")
        self.assertEqual(description["KeySchema"], [{"AttributeName": "pk", "KeyType": "HASH"}])
        EmulatorTestCase.setUp(self)
        table = self.client(self.org["accounts"]["security"], "dynamodb", REGION)
        self.assertAwsError("ResourceNotFoundException", table.describe_table, TableName=TABLE)

    def test_a_table_of_several_regions_has_the_same_items_in_each(self):
        EmulatorTestCase.setUp(self)
        self.emulator.table(account=HUB, region=REGION, name=TABLE, replicas=["us-east-1"])
        security = self.org["accounts"]["security"]
        self.table, there = (self.client(security, "dynamodb", region) for region in (REGION, "us-east-1"))
        self.put(1, client=there, payload={"B": b"first"})
        self.assertEqual(self.get(1)["payload"]["B"], b"first")
        self.assertAwsError("ConditionalCheckFailedException", self.put, 1)
        for client, other in ((self.table, "us-east-1"), (there, REGION)):
            described = client.describe_table(TableName=TABLE)["Table"]
            self.assertEqual([one["RegionName"] for one in described["Replicas"]], [other])
            self.assertEqual(described["MultiRegionConsistency"], "STRONG")

    def test_items_are_seen_changed_and_removed_beside_all_clients(self):
        self.put(1, count={"N": "1"}, payload={"B": b"\x1f\x8b"})
        self.put(2)
        self.assertEqual([item["pk"]["S"] for item in self.emulator.items(TABLE)], ["log#1", "log#2"])
        changed = {"pk": {"S": "log#1"}, "count": {"N": "7"}}
        answer = self.emulator.change_items(TABLE, put=[changed], remove=["log#2", "log#3"])
        self.assertEqual(answer, {"removed": ["log#2"]})
        self.assertEqual(self.emulator.items(TABLE), [changed])
        self.assertEqual(self.get(1)["count"]["N"], "7")
        self.put(2)

    def test_an_item_has_400_kb_at_most(self):
        self.put(1, payload={"B": bytes(400_000)})
        self.assertAwsError("ValidationException", self.put, 2, payload={"B": bytes(409_600)})

    def test_a_batch_has_16_mb_at_most_and_says_what_is_left(self):
        for position in range(1, 51):
            self.put(position, payload={"B": bytes(350_000)})
        found, undone = self.get_batch(*range(1, 51))
        self.assertTrue(found and undone)
        self.assertEqual(len(found) + len(undone), 50)

    def test_the_log_of_calls_has_no_payloads(self):
        self.put(1, payload={"B": b"secret"})
        (call,) = [call for call in self.emulator.calls() if call["operation"] == "PutItem"]
        self.assertEqual(call["params"]["TableName"], TABLE)
        self.assertRegex(call["params"]["Item"], r"^\(\d+ bytes\)$")
        self.assertTrue(call["write"])
        self.get_batch(1)
        self.assertFalse(self.emulator.calls()[-1]["write"])


class Permissions(DynamoDbTestCase):
    def host(self, *actions: str, resource: str = ARN) -> dict:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        return self.emulator.user(account=HUB, name=f"host-{len(self.emulator.calls())}", policy=document)["access_keys"][0]

    def test_who_may_put_and_get_may_not_delete(self):
        host = self.client(self.host(*ACTIONS), "dynamodb", REGION)
        self.put(1, host)
        request = {TABLE: {"Keys": keys(1)}}
        self.assertEqual(len(host.batch_get_item(RequestItems=request)["Responses"][TABLE]), 1)
        key = keys(1)[0]
        self.assertAwsError("AccessDeniedException", host.delete_item, TableName=TABLE, Key=key)

    def test_a_batch_asks_about_each_of_its_tables(self):
        other = ARN.replace(TABLE, "other-table")
        host = self.client(self.host(*ACTIONS, resource=other), "dynamodb", REGION)
        request = {"other-table": {"Keys": keys(1)}, TABLE: {"Keys": keys(1)}}
        self.assertAwsError("AccessDeniedException", host.batch_get_item, RequestItems=request)
        by_arn = {ARN: {"Keys": keys(1)}}
        self.assertAwsError("AccessDeniedException", host.batch_get_item, RequestItems=by_arn)


class Faults(DynamoDbTestCase):
    def two_hosts(self) -> tuple:
        user = self.emulator.user(account=HUB, name="host", policy=ALLOW_EVERYTHING, keys=2)
        clients = [self.client(key, "dynamodb", REGION) for key in user["access_keys"]]
        return user["access_keys"][0]["access_key_id"], *clients

    def impatient(self):
        """A client that waits for an answer for 0.3 s."""
        session = boto3_session(self.org["accounts"]["security"], REGION)
        client = self.emulator.client(session, "dynamodb", timeout=0.3)
        self.addCleanup(client.close)
        return client

    def test_one_host_is_cut_off_by_its_key_and_the_others_are_not(self):
        key, first, second = self.two_hosts()
        match = {"service": "dynamodb", "access_key_id": key}
        self.emulator.fault(name="cut-off", match=match, action={"disconnect": True}, times=0)
        for call in (lambda: self.put(1, first), lambda: first.describe_table(TableName=TABLE)):
            with self.assertRaises(ConnectionClosedError):
                call()
        self.put(1, second)
        # From nothing else.
        self.client({"access_key_id": key, "secret_access_key": "x"}, "sts", REGION).get_caller_identity()
        self.emulator.release_fault("cut-off")
        self.assertAwsError("ConditionalCheckFailedException", self.put, 1, first)

    def test_a_whole_service_is_out(self):
        action = {"error": {"status": 500, "code": "InternalServerError"}}
        self.emulator.fault(name="out", match={"service": "dynamodb"}, action=action, times=0)
        self.assertAwsError("InternalServerError", self.put, 1)
        self.assertAwsError("InternalServerError", self.get, 1)
        self.emulator.release_fault("out")
        self.put(1)

    def test_a_put_may_be_done_although_its_answer_is_lost_or_an_error(self):
        self.arm("dynamodb", "PutItem", {"disconnect": True}, when="after")
        self.assertRaises(ConnectionClosedError, self.put, 1)
        self.arm("dynamodb", "PutItem", {"error": {"status": 500, "code": "InternalServerError"}}, when="after")
        self.assertAwsError("InternalServerError", self.put, 2)
        self.assertEqual(len(self.emulator.items(TABLE)), 2)

    def test_a_put_that_hangs_and_is_given_up_does_nothing(self):
        self.arm("dynamodb", "PutItem", {"hang": True})
        self.assertRaises(ReadTimeoutError, self.put, 1, self.impatient())
        self.emulator.release_fault("test")
        self.assertEqual(self.emulator.items(TABLE), [])

    def test_it_throttles(self):
        code = "ProvisionedThroughputExceededException"
        self.arm("dynamodb", "PutItem", {"error": {"status": 400, "code": code}})
        self.assertAwsError(code, self.put, 1)
        self.put(1)

    def test_a_batch_leaves_keys_unprocessed(self):
        for position in (1, 2, 3):
            self.put(position)
        self.arm("dynamodb", "BatchGetItem", {"partial": 2})
        self.assertEqual(self.get_batch(1, 2, 3), (["log#3"], ["log#1", "log#2"]))
        self.arm("dynamodb", "BatchGetItem", {"partial": 3})
        self.assertEqual(self.get_batch(1, 2, 3), ([], ["log#1", "log#2", "log#3"]))
        self.assertEqual(self.get_batch(1, 2, 3), (["log#1", "log#2", "log#3"], []))

    def test_a_call_is_late_and_other_faults_apply_as_well(self):
        match = {"service": "dynamodb", "operation": "PutItem"}
        self.emulator.fault(name="slow", match=match, action={"delay": 1})
        self.arm("dynamodb", "PutItem", {"error": {"status": 500, "code": "InternalServerError"}})
        self.assertRaises(ReadTimeoutError, self.put, 1, self.impatient())
        self.assertTrue(self.emulator.fault_reached("test"))
        self.put(1)
