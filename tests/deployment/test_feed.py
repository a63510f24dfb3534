"""What leads GuardDuty's findings to rescind's queue."""
import unittest

from places import ACCOUNT, DEPLOYMENT, HUB_ROLE, REGION
from template import Template

PATTERN = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}
RULES = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:rescind-alerts"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/rescind-findings"



def summed(id: str, metric: str, namespace: str, dimension: tuple) -> dict:
    """A metric of a metric-math alarm, summed up over a minute."""
    name, value = dimension
    about = {"Namespace": namespace, "MetricName": metric, "Dimensions": [{"Name": name, "Value": value}]}
    return {"Id": id, "ReturnData": False, "MetricStat": {"Metric": about, "Period": 60, "Stat": "Sum"}}


def missed(name: str, says: str, expression: str, metrics: list, times: int) -> dict:
    """An alarm that is raised when something does not come: also when its metrics do not come."""
    return {
        "AlarmName": name,
        "AlarmDescription": says,
        "Metrics": [{"Id": "came", "Label": name, "ReturnData": True, "Expression": expression}, *metrics],
        "EvaluationPeriods": times,
        "Threshold": 1,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "breaching",
    }


QUEUE = ("QueueName", "rescind-findings")
UNREAD = missed(
    "rescind-findings-unread",
    "For five minutes nobody has asked rescind's queue for findings: rescind does not run, or may not receive.",
    "FILL(messages, 0) + FILL(empty, 0)",
    [summed("messages", "NumberOfMessagesReceived", "AWS/SQS", QUEUE),
     summed("empty", "NumberOfEmptyReceives", "AWS/SQS", QUEUE)],
    5,
)
RULE = ("RuleName", "rescind-heartbeat")
HEARTBEAT = missed(
    "rescind-heartbeat",
    "For five minutes no heartbeat of this region has reached rescind's bus: its findings do not either. The polls find "
    "them later.",
    "FILL(sent, 0) - FILL(failed, 0)",
    [summed("sent", "Invocations", "AWS/Events", RULE), summed("failed", "FailedInvocations", "AWS/Events", RULE)],
    5,
)


def central(**parameters) -> Template:
    return Template((DEPLOYMENT / "feed-central.yaml").read_text(), **parameters)


def region(**parameters) -> Template:
    text = (DEPLOYMENT / "feed-region.yaml").read_text()
    return Template(text, region="eu-west-1", CentralBusArn=BUS, **parameters)


def by_name(template: Template, kind: str, key: str) -> dict:
    return {each[key]: each for each in template.resources(kind).values()}


def queue_policy(queue: str, rules: list) -> dict:
    """What a queue's policy is to be: our rules send, and nobody talks to it in the clear."""
    send = {
        "Sid": "OurRulesSend",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {"aws:SourceArn": rules}},
    }
    tls = {
        "Sid": "OnlyByTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [send, tls] if rules else [tls]}


def policies_of_queues(template: Template) -> dict:
    """Of each queue, by its logical name, the policy."""
    found = {}
    for each in template.resources("AWS::SQS::QueuePolicy").values():
        for queue in each["Queues"]:
            found[queue.removeprefix("ref:")] = each["PolicyDocument"]
    return found


class Central(unittest.TestCase):
    def test_both_rules_send_findings_to_the_queue(self):
        template = central()
        rules = template.resources("AWS::Events::Rule").values()
        self.assertEqual({rule.get("EventBusName") for rule in rules}, {None, "rescind-findings"})
        for rule in rules:
            self.assertEqual(rule["EventPattern"], PATTERN)
            (target,) = rule["Targets"]
            self.assertEqual(target["Arn"], f"{QUEUES}:rescind-findings")
            self.assertEqual(target["DeadLetterConfig"], {"Arn": f"{QUEUES}:rescind-findings-undelivered"})
            self.assertNotIn("RoleArn", target)

    def test_only_our_rules_may_send(self):
        rules = [f"{RULES}/rescind-findings", f"{RULES}/rescind-findings/rescind-findings"]
        self.assertEqual(
            policies_of_queues(central()),
            {
                "Findings": queue_policy(f"{QUEUES}:rescind-findings", rules),
                "Dead": queue_policy(f"{QUEUES}:rescind-findings-dead", []),
                "Undelivered": queue_policy(f"{QUEUES}:rescind-findings-undelivered", rules),
            },
        )

    def test_what_cannot_be_read_goes_to_the_dead_letter_queue(self):
        queues = by_name(central(), "AWS::SQS::Queue", "QueueName")
        redrive = queues["rescind-findings"]["RedrivePolicy"]
        self.assertEqual(redrive, {"deadLetterTargetArn": f"{QUEUES}:rescind-findings-dead", "maxReceiveCount": 20})
        self.assertEqual(
            queues["rescind-findings-dead"]["RedriveAllowPolicy"],
            {"redrivePermission": "byQueue", "sourceQueueArns": [f"{QUEUES}:rescind-findings"]},
        )
        # A dead message keeps the time at which it was first sent.
        kept = {name: queue["MessageRetentionPeriod"] for name, queue in queues.items()}
        self.assertEqual(kept["rescind-findings-dead"], 14 * 24 * 3600)
        self.assertLess(kept["rescind-findings"], kept["rescind-findings-dead"])

    def test_every_queue_is_encrypted(self):
        for queue in central().resources("AWS::SQS::Queue").values():
            self.assertIs(queue["SqsManagedSseEnabled"], True)
            self.assertNotIn("KmsMasterKeyId", queue)
        with_key = central(Encryption="kms", HubRoleArn=HUB_ROLE)
        for queue in with_key.resources("AWS::SQS::Queue").values():
            self.assertEqual(queue["KmsMasterKeyId"], f"arn:aws:kms:{REGION}:{ACCOUNT}:key/Key")
            self.assertNotIn("SqsManagedSseEnabled", queue)

    def test_the_key_lets_eventbridge_and_the_hub_in(self):
        self.assertEqual(central().resources("AWS::KMS::Key"), {})
        key = central(Encryption="kms", HubRoleArn=HUB_ROLE).properties("Key")
        administers, sends, reads = key["KeyPolicy"]["Statement"]
        self.assertEqual(administers["Principal"], {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        self.assertEqual(sends["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual(sends["Action"], ["kms:GenerateDataKey", "kms:Decrypt"])
        self.assertEqual(sends["Condition"]["StringEquals"], {"aws:SourceAccount": ACCOUNT})
        self.assertEqual(sends["Condition"]["ArnLike"], {"aws:SourceArn": f"{RULES}/*"})
        self.assertEqual((reads["Principal"], reads["Action"]), ({"AWS": HUB_ROLE}, "kms:Decrypt"))
        # Whatever the suffix of the partition's host names is.
        self.assertEqual(reads["Condition"], {"StringLike": {"kms:ViaService": f"sqs.{REGION}.*"}})

    def test_a_key_without_its_reader_is_refused(self):
        rule = central().raw["Rules"]["KeyNeedsItsReader"]
        template = central(Encryption="kms")
        self.assertTrue(template.resolved(rule["RuleCondition"]))
        self.assertFalse(template.resolved(rule["Assertions"][0]["Assert"]))

    def test_alarms_watch_the_queues(self):
        watched = {
            (alarm["Dimensions"][0]["Value"], alarm["MetricName"], alarm["Threshold"])
            for alarm in central(OldestMessageSeconds=600).resources("AWS::CloudWatch::Alarm").values()
            if "MetricName" in alarm
        }
        self.assertEqual(watched, {
            ("rescind-findings-dead", "ApproximateNumberOfMessagesVisible", 0),
            ("rescind-findings-undelivered", "ApproximateNumberOfMessagesVisible", 0),
            ("rescind-findings", "ApproximateAgeOfOldestMessage", 600),
        })

    def test_an_alarm_is_raised_when_nobody_asks_the_queue(self):
        alarm = by_name(central(), "AWS::CloudWatch::Alarm", "AlarmName")["rescind-findings-unread"]
        self.assertEqual(alarm, UNREAD)

    def test_alarms_notify_the_topic_if_there_is_one(self):
        for alarm in central(AlertTopicArn=TOPIC).resources("AWS::CloudWatch::Alarm").values():
            self.assertEqual((alarm["AlarmActions"], alarm["OKActions"]), ([TOPIC], [TOPIC]))
        for alarm in central().resources("AWS::CloudWatch::Alarm").values():
            self.assertNotIn("AlarmActions", alarm)


class Region(unittest.TestCase):
    def test_findings_go_to_the_central_bus(self):
        self.assertEqual(central().attribute("Bus", "Arn"), BUS)
        rule = by_name(region(), "AWS::Events::Rule", "Name")["rescind-findings"]
        self.assertEqual(rule["EventPattern"], PATTERN)
        self.assertNotIn("EventBusName", rule)
        (target,) = rule["Targets"]
        self.assertEqual(target["Arn"], BUS)
        self.assertEqual(target["RoleArn"], f"arn:aws:iam::{ACCOUNT}:role/rescind-findings-eu-west-1")
        dead = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:rescind-findings-undelivered"
        self.assertEqual(target["DeadLetterConfig"], {"Arn": dead})

    def test_its_role_can_send_there_and_nothing_else(self):
        (role,) = region().resources("AWS::IAM::Role").values()
        self.assertIn("eu-west-1", role["RoleName"])
        (policy,) = role["Policies"]
        (allowed,) = policy["PolicyDocument"]["Statement"]
        self.assertEqual((allowed["Action"], allowed["Resource"]), ("events:PutEvents", BUS))
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(trusted["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual(trusted["Condition"], {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnEquals": {"aws:SourceArn": [region().attribute(rule, "Arn") for rule in ["Forward", "Heartbeat"]]},
        })

    def test_only_our_rule_may_send_to_its_dead_letter_queue(self):
        queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:rescind-findings-undelivered"
        rule = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/rescind-findings"
        self.assertEqual(policies_of_queues(region()), {"Undelivered": queue_policy(queue, [rule])})
        (made,) = region().resources("AWS::SQS::Queue").values()
        self.assertIs(made["SqsManagedSseEnabled"], True)

    def test_an_alarm_watches_it(self):
        alarms = by_name(region(), "AWS::CloudWatch::Alarm", "AlarmName")
        alarm = alarms["rescind-findings-undelivered"]
        self.assertEqual(alarm["Dimensions"][0]["Value"], "rescind-findings-undelivered")
        self.assertNotIn("AlarmActions", alarm)

    def test_a_heartbeat_goes_the_way_of_the_findings_and_an_alarm_misses_it(self):
        rules = by_name(region(), "AWS::Events::Rule", "Name")
        findings, heartbeat = rules["rescind-findings"], rules["rescind-heartbeat"]
        self.assertEqual(heartbeat["ScheduleExpression"], "rate(1 minute)")
        (target,), (wanted,) = heartbeat["Targets"], findings["Targets"]
        self.assertEqual((target["Arn"], target["RoleArn"]), (wanted["Arn"], wanted["RoleArn"]))
        # What is not delivered is counted; it need not be kept.
        self.assertNotIn("DeadLetterConfig", target)
        # It ends at the bus: the rule there takes findings only.
        for rule in central().resources("AWS::Events::Rule").values():
            self.assertEqual(rule["EventPattern"], PATTERN)
        self.assertEqual(by_name(region(), "AWS::CloudWatch::Alarm", "AlarmName")["rescind-heartbeat"], HEARTBEAT)


if __name__ == "__main__":
    unittest.main()
