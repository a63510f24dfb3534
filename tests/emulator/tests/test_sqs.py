"""SQS: what a consumer of a queue of findings sees of it."""
import http.client
import json
import threading
import time
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from emulated_org.client import EmulatorError

from .support import EmulatorTestCase

REGION = "eu-central-1"
SECURITY = "111111111111"
ALL = ["All"]


class SqsTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.security = self.org["accounts"]["security"]
        self.sqs = self.client(self.security, "sqs", REGION)
        self.url = self.queue("findings")["url"]

    def queue(self, name: str, **fields) -> dict:
        return self.emulator.queue(**{"account": SECURITY, "region": REGION, "name": name, **fields})

    def state(self, name: str = "findings") -> tuple:
        state = self.emulator.queue_state(name)
        return state["visible"], state["in_flight"], state["sent"], state["deleted"]

    def receive(self, url: str = "", **parameters) -> list:
        request = {"QueueUrl": url or self.url, "MaxNumberOfMessages": 10, **parameters}
        return self.sqs.receive_message(**request).get("Messages", [])

    def release(self, message: dict, url: str = "") -> None:
        self.sqs.change_message_visibility(
            QueueUrl=url or self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    def delete(self, message: dict, url: str = "") -> None:
        self.sqs.delete_message(QueueUrl=url or self.url, ReceiptHandle=message["ReceiptHandle"])


class StandardQueues(SqsTestCase):
    def test_a_message_is_hidden_while_in_flight_and_gone_once_deleted(self):
        sent = self.sqs.send_message(QueueUrl=self.url, MessageBody="héllo")
        self.assertEqual(self.state(), (1, 0, 1, 0))
        (message,) = self.receive(AttributeNames=ALL)
        self.assertEqual((message["MessageId"], message["Body"]), (sent["MessageId"], "héllo"))
        self.assertEqual(message["MD5OfBody"], sent["MD5OfMessageBody"])
        attributes = message["Attributes"]
        self.assertEqual(attributes["ApproximateReceiveCount"], "1")
        self.assertLess(abs(int(attributes["SentTimestamp"]) / 1000 - time.time()), 60)
        self.assertIn("SenderId", attributes)
        self.assertEqual(self.receive(), [])
        self.assertEqual(self.state(), (0, 1, 1, 0))
        self.delete(message)
        self.delete(message)
        self.assertEqual(self.state(), (0, 0, 1, 1))

    def test_a_message_comes_back_with_a_new_handle_and_a_higher_count(self):
        id = self.emulator.message("findings", {"key": "value"})
        (first,) = self.receive(AttributeNames=ALL)
        self.assertEqual((first["MessageId"], json.loads(first["Body"])), (id, {"key": "value"}))
        self.release(first)
        (second,) = self.receive(MessageSystemAttributeNames=["ApproximateReceiveCount"])
        self.assertEqual(second["Attributes"], {"ApproximateReceiveCount": "2"})
        self.assertNotEqual(first["ReceiptHandle"], second["ReceiptHandle"])
        self.delete(first)
        self.assertEqual(self.state(), (0, 1, 1, 0))
        self.assertAwsError("InvalidParameterValue", self.release, first)
        self.release(second)
        self.assertAwsError("AWS.SimpleQueueService.MessageNotInflight", self.release, second)
        self.delete(second)
        self.assertEqual(self.state(), (0, 0, 1, 1))

    def test_the_visibility_timeout_runs_in_real_time(self):
        self.emulator.message("findings", "text")
        self.assertEqual(len(self.receive(VisibilityTimeout=1)), 1)
        self.emulator.advance_clock(60)
        self.assertEqual(self.receive(), [])
        self.assertEqual(len(self.receive(WaitTimeSeconds=5)), 1)

    def test_batches_succeed_and_fail_entry_by_entry(self):
        for number in range(3):
            self.emulator.message("findings", str(number))
        handles = [message["ReceiptHandle"] for message in self.receive()]
        entries = [{"Id": f"e{number}", "ReceiptHandle": handle} for number, handle in enumerate(handles[:2])]
        entries.append({"Id": "wrong", "ReceiptHandle": "wrong"})
        answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        self.assertEqual([entry["Id"] for entry in answer["Successful"]], ["e0", "e1"])
        (failed,) = answer["Failed"]
        self.assertEqual((failed["Id"], failed["Code"]), ("wrong", "ReceiptHandleIsInvalid"))
        self.assertTrue(failed["SenderFault"])
        entry = {"Id": "a", "ReceiptHandle": handles[2], "VisibilityTimeout": 0}
        answer = self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=[entry])
        self.assertEqual(answer["Successful"], [{"Id": "a"}])
        self.assertEqual(self.state(), (1, 0, 3, 2))

    def test_messages_received_too_often_go_to_the_dead_letter_queue(self):
        dead = self.queue("dead")
        url = self.queue("redriven", dead_letter="dead", max_receive_count=2)["url"]
        id = self.emulator.message("redriven", "poison")
        for _ in range(2):
            self.release(self.receive(url)[0], url)
        self.assertEqual(self.receive(url), [])
        self.assertEqual(self.state("redriven"), (0, 0, 1, 0))
        (message,) = self.receive(dead["url"], AttributeNames=ALL)
        self.assertEqual(message["MessageId"], id)
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        expected = {"deadLetterTargetArn": dead["arn"], "maxReceiveCount": 2}
        self.assertEqual(json.loads(attributes["RedrivePolicy"]), expected)

    def test_attributes_and_url(self):
        self.emulator.message("findings", "a")
        self.emulator.message("findings", "b")
        self.receive(MaxNumberOfMessages=1)
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=ALL)["Attributes"]
        self.assertEqual(attributes["QueueArn"], f"arn:aws:sqs:{REGION}:{SECURITY}:findings")
        self.assertEqual(attributes["ApproximateNumberOfMessages"], "1")
        self.assertEqual(attributes["ApproximateNumberOfMessagesNotVisible"], "1")
        self.assertEqual(attributes["VisibilityTimeout"], "30")
        self.assertNotIn("FifoQueue", attributes)
        self.assertEqual(self.url, f"https://sqs.{REGION}.amazonaws.com/{SECURITY}/findings")
        self.assertEqual(self.sqs.get_queue_url(QueueName="findings")["QueueUrl"], self.url)
        self.assertEqual(len(self.receive(f"{self.emulator.endpoint}/{SECURITY}/findings")), 1)


class LongPolling(SqsTestCase):
    def in_background(self, **parameters) -> tuple:
        found: list = []
        client = self.client(self.security, "sqs", REGION)

        def run() -> None:
            request = {"QueueUrl": self.url, "WaitTimeSeconds": 20, **parameters}
            found.extend(client.receive_message(**request).get("Messages", []))

        thread = threading.Thread(target=run)
        thread.start()
        return thread, found

    def test_receivers_wait_without_holding_up_anything_and_share_what_comes(self):
        receivers = [self.in_background() for _ in range(4)]
        began = time.monotonic()
        self.client(self.shop, "iam").list_users()
        for number in range(4):
            self.emulator.message("findings", str(number))
        for thread, _ in receivers:
            thread.join(timeout=10)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(sorted(m["Body"] for _, found in receivers for m in found), ["0", "1", "2", "3"])

    def test_an_empty_answer_comes_after_the_wait(self):
        began = time.monotonic()
        self.assertEqual(self.receive(WaitTimeSeconds=1), [])
        self.assertGreaterEqual(time.monotonic() - began, 1)

    def test_a_waiting_receiver_that_left_takes_no_message_along(self):
        body = json.dumps({"QueueUrl": self.url, "WaitTimeSeconds": 20})
        connection = http.client.HTTPConnection(urlsplit(self.emulator.endpoint).netloc)
        key = self.security["access_key_id"]
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/sqs/aws4_request",
            "X-Amz-Target": "AmazonSQS.ReceiveMessage",
        }
        connection.request("POST", "/", body, headers)
        while not self.emulator.calls():
            time.sleep(0.01)
        connection.close()
        self.emulator.message("findings", "text")
        time.sleep(0.2)
        self.assertEqual(self.state(), (1, 0, 1, 0))
        self.assertIsNone(self.emulator.calls()[0]["status"])

    def test_a_reset_ends_the_wait(self):
        thread, _ = self.in_background()
        while not self.emulator.calls():
            time.sleep(0.01)
        threading.excepthook, hook = lambda arguments: None, threading.excepthook
        self.addCleanup(setattr, threading, "excepthook", hook)
        self.emulator.reset()
        thread.join(timeout=5)
        self.assertFalse(thread.is_alive())


class FifoQueues(SqsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.queue("findings.fifo", fifo=True)["url"]

    def bodies(self, **parameters) -> list:
        return [message["Body"] for message in self.receive(**parameters)]

    def test_a_group_is_blocked_while_one_of_its_messages_is_in_flight(self):
        for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            self.emulator.message("findings.fifo", body, group=group)
        (first,) = self.receive(MaxNumberOfMessages=1, AttributeNames=ALL)
        self.assertEqual((first["Body"], first["Attributes"]["MessageGroupId"]), ("a1", "a"))
        self.assertIn("SequenceNumber", first["Attributes"])
        self.assertIn("MessageDeduplicationId", first["Attributes"])
        self.assertEqual(self.bodies(), ["b1"])
        self.assertEqual(self.bodies(), [])
        self.release(first)
        (again,) = self.receive(MaxNumberOfMessages=1)
        self.assertEqual(again["Body"], "a1")
        self.delete(again)
        self.assertEqual(self.bodies(), ["a2"])

    def test_messages_of_a_group_keep_their_order(self):
        for number in range(5):
            self.emulator.message("findings.fifo", str(number), group="a")
        self.assertEqual(self.bodies(), ["0", "1", "2", "3", "4"])

    def test_an_expired_handle_deletes_nothing(self):
        self.emulator.message("findings.fifo", "text", group="a")
        (message,) = self.receive()
        self.release(message)
        self.assertAwsError("InvalidParameterValue", self.delete, message)

    def test_duplicates_are_sent_once(self):
        request = {"QueueUrl": self.url, "MessageGroupId": "a", "MessageDeduplicationId": "once"}
        first = self.sqs.send_message(MessageBody="1", **request)
        second = self.sqs.send_message(MessageBody="2", **request)
        self.assertEqual(first["MessageId"], second["MessageId"])
        self.assertEqual(self.bodies(), ["1"])
        self.assertAwsError("MissingParameter", self.sqs.send_message, QueueUrl=self.url, MessageBody="x")


class Refusals(SqsTestCase):
    def test_errors_have_the_names_that_sdks_know(self):
        missing = self.url + "-missing"
        error = self.assertAwsError("AWS.SimpleQueueService.NonExistentQueue", self.receive, missing)
        self.assertIsInstance(error, self.sqs.exceptions.QueueDoesNotExist)
        cases = [
            ("InvalidParameterValue", self.receive, {"MaxNumberOfMessages": 11}),
            ("InvalidParameterValue", self.receive, {"WaitTimeSeconds": 21}),
            ("InvalidParameterValue", self.receive, {"VisibilityTimeout": 43201}),
            ("ReceiptHandleIsInvalid", self.sqs.delete_message, {"QueueUrl": self.url, "ReceiptHandle": "x"}),
            ("AWS.SimpleQueueService.EmptyBatchRequest", self.delete_batch, {"ids": []}),
            ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", self.delete_batch, {"ids": ["a", "a"]}),
            ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", self.delete_batch, {"ids": list("abcdefghijk")}),
            ("AWS.SimpleQueueService.InvalidBatchEntryId", self.delete_batch, {"ids": ["a b"]}),
        ]
        for code, call, parameters in cases:
            with self.subTest(code=code):
                self.assertAwsError(code, call, **parameters)

    def delete_batch(self, ids: list) -> None:
        entries = [{"Id": id, "ReceiptHandle": "x"} for id in ids]
        self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)

    def test_a_queue_belongs_to_one_account_and_region(self):
        other_account = self.client(self.shop, "sqs", REGION)
        other_region = self.client(self.security, "sqs", "us-east-1")
        self.assertAwsError("AccessDenied", other_account.receive_message, QueueUrl=self.url)
        self.assertAwsError("InvalidAddress", other_region.receive_message, QueueUrl=self.url)
        code = "AWS.SimpleQueueService.NonExistentQueue"
        self.assertAwsError(code, other_region.get_queue_url, QueueName="findings")

    def test_policies_decide_and_batches_need_the_single_action(self):
        arn = f"arn:aws:sqs:*:{SECURITY}:findings"
        statement = {"Effect": "Allow", "Action": "sqs:DeleteMessage", "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.emulator.role(account=SECURITY, name="Consumer", policy=policy)
        session = self.emulator.session(account=SECURITY, role="Consumer")
        sqs = self.client(session, "sqs", REGION)
        self.emulator.message("findings", "text")
        (message,) = self.receive()
        entries = [{"Id": "a", "ReceiptHandle": message["ReceiptHandle"]}]
        sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        self.assertAwsError("AccessDenied", sqs.receive_message, QueueUrl=self.url)
        entries[0]["VisibilityTimeout"] = 0
        self.assertAwsError("AccessDenied", sqs.change_message_visibility_batch, QueueUrl=self.url, Entries=entries)
        self.emulator.advance_clock(7 * 3600)
        self.assertAwsError("ExpiredToken", sqs.receive_message, QueueUrl=self.url)

    def test_bad_input_of_the_control_interface(self):
        place = {"account": SECURITY, "region": REGION}
        cases = [
            ("queues", {**place, "name": "findings"}, "already"),
            ("queues", {**place, "name": "x", "fifo": True}, "fifo"),
            ("queues", {**place, "name": "x", "dead_letter": "missing"}, "no queue"),
            ("messages", {"queue": "missing", "body": ""}, "no queue"),
            ("messages", {"queue": "findings", "body": 1}, "body"),
            ("events", {**place, "queue": "findings", "finding_id": "missing"}, "no finding"),
            ("faults", {"name": "x", "match": {"operation": "ReceiveMessage"}, "action": {"partial": 1}}, "partial"),
        ]
        for path, fields, message in cases:
            with self.subTest(path=path, fields=fields), self.assertRaisesRegex(EmulatorError, message):
                self.emulator.post(path, fields)


class FaultsAndCalls(SqsTestCase):
    def test_some_entries_of_a_batch_can_be_made_to_fail(self):
        for number in range(3):
            self.emulator.message("findings", str(number))
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(self.receive())
        ]
        self.arm("sqs", "DeleteMessageBatch", {"partial": 2})
        answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        self.assertEqual([entry["Id"] for entry in answer["Successful"]], ["2"])
        failures = [{"Id": id, "Code": "InternalError", "SenderFault": False} for id in "01"]
        self.assertEqual(answer["Failed"], failures)
        self.assertEqual(self.state(), (0, 2, 3, 1))
        answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries[:2])
        self.assertEqual(len(answer["Successful"]), 2)

    def test_errors_before_and_after_the_effect(self):
        self.emulator.message("findings", "text")
        error = {"error": {"status": 503, "code": "ServiceUnavailable"}}
        self.arm("sqs", "ReceiveMessage", error)
        self.assertAwsError("ServiceUnavailable", self.receive)
        self.assertEqual(self.state(), (1, 0, 1, 0))
        self.arm("sqs", "ReceiveMessage", error, when="after")
        self.assertAwsError("ServiceUnavailable", self.receive)
        self.assertEqual(self.state(), (0, 1, 1, 0))

    def test_calls_are_logged(self):
        with self.assertRaises(ClientError):
            self.receive(self.url + "-missing")
        self.emulator.message("findings", "text")
        (message,) = self.receive()
        self.delete(message)
        missing, received, deleted = self.emulator.calls()
        code = "AWS.SimpleQueueService.NonExistentQueue"
        self.assertEqual((missing["status"], missing["error_code"]), (400, code))
        self.assertEqual((received["operation"], received["write"], received["status"]), ("ReceiveMessage", False, 200))
        self.assertEqual((deleted["write"], deleted["params"]["QueueUrl"]), (True, self.url))


class Events(SqsTestCase):
    def finding(self, **fields) -> dict:
        request = {
            "account": SECURITY,
            "region": REGION,
            "member": self.shop["id"],
            "role": "AppRole",
            "principal_id": "AROAEXAMPLE:i-0abc1234def567890",
            "access_key_id": "ASIAEXAMPLE",
            **fields,
        }
        return self.emulator.exfiltration(**request)

    def body(self) -> dict:
        (message,) = self.receive()
        self.delete(message)
        return json.loads(message["Body"])

    def event(self, **fields) -> dict:
        return self.emulator.event(queue="findings", account=SECURITY, region=REGION, **fields)

    def test_a_finding_can_send_its_event_at_once(self):
        answer = self.finding(event_to="findings")
        event = self.body()
        self.assertEqual(event["detail"], answer["finding"])
        self.assertEqual((event["source"], event["detail-type"]), ("aws.guardduty", "GuardDuty Finding"))
        self.assertEqual((event["version"], event["resources"]), ("0", []))
        self.assertEqual((event["account"], event["region"]), (SECURITY, REGION))
        self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertNotEqual(event["id"], answer["finding_id"])

    def test_wraps_and_forgeries(self):
        id = self.finding()["finding_id"]
        self.event(finding_id=id, change={"accountId": "333333333333", "resource": {"resourceType": "Other"}})
        detail = self.body()["detail"]
        self.assertEqual((detail["accountId"], detail["resource"]["resourceType"]), ("333333333333", "Other"))
        self.assertIn("accessKeyDetails", detail["resource"])
        self.event(finding_id=id, wrap="sns")
        notification = self.body()
        self.assertEqual(notification["Type"], "Notification")
        self.assertEqual(json.loads(notification["Message"])["detail"]["id"], id)
        self.event(finding_id=id, wrap="raw")
        self.assertEqual(self.body()["id"], id)

    def test_many_at_once(self):
        ids = [self.finding()["finding_id"] for _ in range(3)]
        self.assertEqual(len(self.event(finding_id=ids)["message_ids"]), 3)
        self.assertEqual([json.loads(m["Body"])["detail"]["id"] for m in self.receive()], ids)
