"""The topic that the alarms notify: a message that is lost on the way is not missed by anybody."""
import fnmatch
import unittest

from places import ACCOUNT, DEPLOYMENT, REGION, TEMPLATES, policy
from template import Template

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:rescind-alerts"


def alerts(**parameters) -> Template:
    return Template.of((DEPLOYMENT / "alerts.yaml").read_text(), **parameters)


def statements(document: dict) -> dict:
    return {each["Sid"]: each for each in document["Statement"]}


class Topic(unittest.TestCase):
    def test_its_key_is_one_whose_policy_lets_the_alarms_and_the_hub_in(self):
        key, topic = alerts().properties("Key"), alerts().properties("Topic")
        # Not alias/aws/sns, which takes nothing from CloudWatch.
        self.assertEqual(topic["KmsMasterKeyId"], alerts().attribute("Key", "Arn"))
        made = statements(key["KeyPolicy"])
        self.assertEqual(made.pop("AccountAdministers")["Principal"], {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        self.assertEqual(made, statements(policy("topic-key.json")))
        self.assertIs(key["EnableKeyRotation"], True)

    def test_eventbridge_is_not_asked_about_a_source_that_it_does_not_name(self):
        """SNS: conditions about the source are not supported for EventBridge to encrypted topics."""
        for each in alerts().properties("Key")["KeyPolicy"]["Statement"]:
            self.assertNotEqual(each["Principal"].get("Service"), "events.amazonaws.com")

    def test_without_encryption_there_is_no_key_to_pay_for(self):
        plain = alerts(Encryption="none")
        self.assertEqual(plain.resources("AWS::KMS::Key"), {})
        self.assertNotIn("KmsMasterKeyId", plain.properties("Topic"))

    def test_every_alarm_of_the_kit_may_publish_and_nobody_elses(self):
        made = alerts()
        (named,) = made.resources("AWS::SNS::TopicPolicy").values()
        self.assertEqual(named["Topics"], [TOPIC])
        about = statements(named["PolicyDocument"])
        publish = about["AlarmsTell"]
        self.assertEqual(publish["Principal"], {"Service": "cloudwatch.amazonaws.com"})
        self.assertEqual((publish["Action"], publish["Resource"]), ("sns:Publish", TOPIC))
        self.assertEqual(publish["Condition"]["StringEquals"], {"aws:SourceAccount": ACCOUNT})
        pattern = publish["Condition"]["ArnLike"]["aws:SourceArn"]
        self.assertEqual(statements(made.properties("Key")["KeyPolicy"])["AlarmsTell"]["Condition"], publish["Condition"])
        alarms = [
            alarm["AlarmName"] for template in TEMPLATES
            for alarm in Template.of(template.read_text()).resources("AWS::CloudWatch::Alarm").values()
        ]
        self.assertGreater(len(alarms), 8)
        for name in alarms:
            arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"
            self.assertTrue(fnmatch.fnmatchcase(arn, pattern), name)
        for other in [f"arn:aws:cloudwatch:{REGION}:999988887777:alarm:rescind-x", f"arn:aws:sns:{REGION}:{ACCOUNT}:x"]:
            self.assertFalse(fnmatch.fnmatchcase(other, pattern))
        self.assertEqual((about["OnlyByTls"]["Effect"], about["OnlyByTls"]["Action"]), ("Deny", "sns:Publish"))

    def test_the_hub_may_notify_it_as_well(self):
        allowed = statements(policy("hub-role-permissions.json"))["Notify"]["Resource"]
        self.assertTrue(any(fnmatch.fnmatchcase(TOPIC, pattern) for pattern in allowed))

    def test_somebody_gets_an_e_mail_where_an_address_is_given(self):
        self.assertEqual(alerts().resources("AWS::SNS::Subscription"), {})
        (asked,) = alerts(Email="security@example.com").resources("AWS::SNS::Subscription").values()
        self.assertEqual(asked, {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "security@example.com"})


if __name__ == "__main__":
    unittest.main()
