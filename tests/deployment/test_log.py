"""The table of a log that outlives the machine, and the bucket of its witness."""
import json
import unittest

from places import ACCOUNT, DEPLOYMENT, FILLED, HUB_ROLE, POLICIES, REGION, policy
from template import PARTITIONS, Template

BUCKET = FILLED["WITNESS_BUCKET"]
REPLICAS = {"SecondRegion": "eu-west-1", "ThirdRegion": "eu-west-3"}
# What changes or removes an item that stands there, or writes without the condition that it stands nowhere.
CHANGES = {"BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLInsert", "PartiQLUpdate", "UpdateItem"}


def log(partition: str = "aws", **parameters) -> Template:
    return Template((DEPLOYMENT / "log.yaml").read_text(), partition=partition, HubRoleArn=HUB_ROLE, **parameters)


def witness(**parameters) -> Template:
    given = {"WitnessBucket": BUCKET, "HubRoleArn": HUB_ROLE} | parameters
    return Template((DEPLOYMENT / "witness.yaml").read_text(), **given)


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def statements(document: dict) -> dict:
    found = {statement["Sid"]: statement for statement in document["Statement"]}
    assert len(found) == len(document["Statement"])
    return found


class Table(unittest.TestCase):
    def test_its_only_key_is_pk(self):
        table = log().properties("Log")
        self.assertEqual(table["KeySchema"], [{"AttributeName": "pk", "KeyType": "HASH"}])
        self.assertEqual(table["AttributeDefinitions"], [{"AttributeName": "pk", "AttributeType": "S"}])
        self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(table["SSESpecification"], {"SSEEnabled": True})

    def test_it_outlives_its_stack(self):
        about = log().raw["Resources"]["Log"]
        self.assertEqual((about["DeletionPolicy"], about["UpdateReplacePolicy"]), ("Retain", "Retain"))

    def test_it_is_of_one_region_or_strongly_consistent_in_three(self):
        for given, regions, consistency in [
            ({}, [REGION], None), (REPLICAS, [REGION, "eu-west-1", "eu-west-3"], "STRONG"),
        ]:
            table = log(**given).properties("Log")
            self.assertEqual([replica["Region"] for replica in table["Replicas"]], regions)
            self.assertEqual(table.get("MultiRegionConsistency"), consistency)

    def test_each_replica_is_protected_and_can_be_restored(self):
        for replica in log(**REPLICAS).properties("Log")["Replicas"]:
            self.assertIs(replica["DeletionProtectionEnabled"], True)
            self.assertEqual(replica["PointInTimeRecoverySpecification"], {"PointInTimeRecoveryEnabled": True})

    def test_nobody_but_the_hub_puts_and_nobody_changes(self):
        for partition in PARTITIONS:
            replicates = f"arn:{partition}:iam::{ACCOUNT}:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"
            for replica in log(partition, **REPLICAS).properties("Log")["Replicas"]:
                found = statements(replica["ResourcePolicy"]["PolicyDocument"])
                self.assertEqual(set(found), {"OnlyTheHubPuts", "NobodyChanges"})
                arn = f"arn:{partition}:dynamodb:{replica['Region']}:{ACCOUNT}:table/rescind-log"
                for statement in found.values():
                    about = (statement["Effect"], statement["Principal"], statement["Resource"])
                    self.assertEqual(about, ("Deny", "*", arn))
                puts, changes = found["OnlyTheHubPuts"], found["NobodyChanges"]
                self.assertEqual(puts["Action"], "dynamodb:PutItem")
                self.assertEqual(puts["Condition"], {"ArnNotLike": {"aws:PrincipalArn": [HUB_ROLE, replicates]}})
                self.assertEqual(set(changes["Action"]), {f"dynamodb:{action}" for action in CHANGES})
                self.assertEqual(changes["Condition"], {"ArnNotLike": {"aws:PrincipalArn": replicates}})


class Alarms(unittest.TestCase):
    def setUp(self):
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:rescind-alerts"
        self.alarms = log(AlertTopicArn=topic).resources("AWS::CloudWatch::Alarm")
        for alarm in self.alarms.values():
            self.assertEqual((alarm["AlarmActions"], alarm["OKActions"]), ([topic], [topic]))

    def test_they_are_named_after_what_is_wrong(self):
        names = {alarm["AlarmName"] for alarm in self.alarms.values()}
        self.assertEqual(names, {f"rescind-log-{what}" for what in ["leader", "throttled", "errors"]})

    def test_no_leader_is_noticed_by_puts_that_do_not_come(self):
        """Also when the metric does not come at all: DynamoDB reports nothing of a table that is not used."""
        alarm = self.alarms["LeaderAlarm"]
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        self.assertEqual(dimensions, {"TableName": "rescind-log", "Operation": "PutItem"})
        self.assertEqual((alarm["MetricName"], alarm["Statistic"]), ("SuccessfulRequestLatency", "SampleCount"))
        self.assertEqual((alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]), (60, 1, 1))
        self.assertEqual(alarm["ComparisonOperator"], "LessThanThreshold")
        self.assertEqual(alarm["TreatMissingData"], "breaching")

    def test_a_table_that_is_not_used_neither_throttles_nor_fails(self):
        for name, metrics in [
            ("ThrottledAlarm", [("WriteThrottleEvents", None), ("ReadThrottleEvents", None)]),
            ("ErrorsAlarm", [("SystemErrors", each) for each in ["PutItem", "GetItem", "BatchGetItem"]]),
        ]:
            alarm = self.alarms[name]
            asked, *summed = alarm["Metrics"]
            found = []
            for each in summed:
                about = each["MetricStat"]["Metric"]
                dimensions = {one["Name"]: one["Value"] for one in about["Dimensions"]}
                self.assertEqual((about["Namespace"], dimensions["TableName"]), ("AWS/DynamoDB", "rescind-log"))
                self.assertIn(f"FILL({each['Id']}, 0)", asked["Expression"])
                found.append((about["MetricName"], dimensions.get("Operation")))
            self.assertEqual(found, metrics)
            self.assertEqual(alarm["TreatMissingData"], "notBreaching")
            self.assertEqual((alarm["Threshold"], alarm["ComparisonOperator"]), (0, "GreaterThanThreshold"))

    def test_there_is_nobody_to_notify_without_a_topic(self):
        for alarm in log().resources("AWS::CloudWatch::Alarm").values():
            self.assertNotIn("AlarmActions", alarm)


class Bucket(unittest.TestCase):
    def test_it_outlives_its_stack_with_its_policy(self):
        for name in ["Bucket", "Policy"]:
            about = witness().raw["Resources"][name]
            self.assertEqual((about["DeletionPolicy"], about["UpdateReplacePolicy"]), ("Retain", "Retain"))

    def test_what_is_in_it_is_locked(self):
        self.assertEqual(witness().parameters["RetentionMode"], "COMPLIANCE")
        for mode in ["COMPLIANCE", "GOVERNANCE"]:
            bucket = witness(RetentionMode=mode, RetentionDays=30).properties("Bucket")
            self.assertIs(bucket["ObjectLockEnabled"], True)
            self.assertEqual(bucket["ObjectLockConfiguration"], {
                "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Days": 30}},
            })
            self.assertEqual(bucket["VersioningConfiguration"], {"Status": "Enabled"})
            self.assertNotIn("LifecycleConfiguration", bucket)

    def test_it_is_encrypted_and_not_public(self):
        bucket = witness().properties("Bucket")
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        self.assertEqual(rule["ServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        closed = bucket["PublicAccessBlockConfiguration"]
        self.assertEqual((len(closed), set(closed.values())), (4, {True}))
        self.assertEqual(bucket["OwnershipControls"], {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})

    def test_its_policy_lets_the_hub_do_what_its_role_may_and_no_more(self):
        document = witness().properties("Policy")["PolicyDocument"]
        self.assertEqual(document, policy("witness-bucket.json"))
        found = statements(document)
        allowed = [each for each in found.values() if each["Effect"] == "Allow"]
        self.assertEqual({str(each["Principal"]) for each in allowed}, {str({"AWS": HUB_ROLE})})
        role = policy("hub-role-witness.json")["Statement"]
        self.assertEqual(
            [(listed(each["Action"]), each["Resource"].replace("arn:*:", "arn:aws:")) for each in role],
            [(listed(each["Action"]), each["Resource"]) for each in allowed],
        )

    def test_its_policy_denies_what_would_hide_or_remove_a_checkpoint(self):
        found = statements(witness().properties("Policy")["PolicyDocument"])
        denied = {sid: each for sid, each in found.items() if each["Effect"] == "Deny"}
        self.assertEqual(set(denied), {"OnlyTheHubPuts", "OnlyWhereNoneStands", "NobodyDeletes", "OnlyByTls"})
        self.assertEqual({each["Principal"] for each in denied.values()}, {"*"})
        conditions = {sid: each.get("Condition") for sid, each in denied.items()}
        self.assertEqual(conditions, {
            "OnlyTheHubPuts": {"ArnNotEquals": {"aws:PrincipalArn": HUB_ROLE}},
            "OnlyWhereNoneStands": {"Null": {"s3:if-none-match": "true"}},
            "NobodyDeletes": None,
            "OnlyByTls": {"Bool": {"aws:SecureTransport": "false"}},
        })
        self.assertEqual(
            set(denied["NobodyDeletes"]["Action"]),
            {"s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"},
        )
        self.assertEqual(len(denied["OnlyByTls"]["Resource"]), 2)


class Permissions(unittest.TestCase):
    def test_the_hub_can_remove_nothing(self):
        """What the documents allow, word for word: no wildcard, nothing that deletes, overwrites or frees."""
        allowed = {
            "hub-role-log.json": {
                "dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem",
            },
            "hub-role-kms.json": {"kms:GetPublicKey", "kms:Sign"},
            "hub-role-witness.json": {
                "s3:GetBucketObjectLockConfiguration", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket",
                "s3:ListBucketVersions", "s3:PutObject", "s3:PutObjectRetention",
            },
        }
        for name, actions in allowed.items():
            document = json.loads((POLICIES / name).read_text())
            found = {action for each in document["Statement"] for action in listed(each["Action"])}
            self.assertEqual(found, actions, name)
            self.assertEqual({each["Effect"] for each in document["Statement"]}, {"Allow"})
            for each in document["Statement"]:
                self.assertNotIn("*", listed(each["Resource"]))


if __name__ == "__main__":
    unittest.main()
