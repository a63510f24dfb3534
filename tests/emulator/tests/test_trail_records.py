"""What stands in CloudTrail's records: what was asked for, what was made, from where, and in which accounts."""
import json
import re

from .support import ALLOW_EVERYTHING, EmulatorTestCase, from_sts

REGION = "eu-central-1"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
REMOVED = "<sensitiveDataRemoved>"
WRITTEN = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M")
NOBODY = {"Version": "2012-10-17", "Statement": []}


def trust_of(arn: str) -> dict:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class RecordsTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.role()
        self.stolen = self.session()
        self.playground = self.org["accounts"]["playground"]

    def records(self, name: str, region: str = "us-east-1", account=None) -> list:
        """All of them, with what LookupEvents says of each."""
        attribute = {"AttributeKey": "EventName", "AttributeValue": name}
        cloudtrail = self.client(account or self.shop, "cloudtrail", region)
        events = cloudtrail.lookup_events(LookupAttributes=[attribute])["Events"]
        return [(event, json.loads(event["CloudTrailEvent"])) for event in events]

    def record(self, *where, **more) -> dict:
        ((_, record),) = self.records(*where, **more)
        return record

    def thief(self, service: str, region: str = REGION):
        return self.client(self.stolen, service, region)


class Sessions(RecordsTestCase):
    def chained(self) -> dict:
        self.role("Deploy", account=self.playground["id"], trust=trust_of("arn:aws:iam::222222222222:root"))
        role_arn = f"arn:aws:iam::{self.playground['id']}:role/Deploy"
        return self.thief("sts").assume_role(RoleArn=role_arn, RoleSessionName="app", DurationSeconds=1800)

    def test_a_role_of_another_account_is_recorded_in_both(self):
        answer = self.chained()
        own, foreign = self.record("AssumeRole", REGION), self.record("AssumeRole", REGION, self.playground)
        self.assertEqual(own["userIdentity"]["accessKeyId"], self.stolen["access_key_id"])
        caller = {"type": "AWSAccount", "principalId": self.stolen["principal_id"], "accountId": self.shop["id"]}
        self.assertEqual(foreign["userIdentity"], caller)
        accounts = [own["recipientAccountId"], foreign["recipientAccountId"]]
        self.assertEqual(accounts, [self.shop["id"], self.playground["id"]])
        self.assertEqual(own["sharedEventID"], foreign["sharedEventID"])
        self.assertNotEqual(own["eventID"], foreign["eventID"])
        same = ("eventTime", "requestID", "requestParameters", "responseElements", "resources", "awsRegion")
        self.assertEqual([own[name] for name in same], [foreign[name] for name in same])
        arn = "arn:aws:iam::333333333333:role/Deploy"
        asked = {"roleArn": arn, "roleSessionName": "app", "durationSeconds": 1800}
        self.assertEqual(own["requestParameters"], asked)
        self.assertTrue(own["readOnly"])
        made, user = own["responseElements"], answer["AssumedRoleUser"]
        self.assertEqual(made["assumedRoleUser"], {"assumedRoleId": user["AssumedRoleId"], "arn": user["Arn"]})
        credentials = answer["Credentials"]
        self.assertEqual(made["credentials"]["accessKeyId"], credentials["AccessKeyId"])
        self.assertEqual(made["credentials"]["sessionToken"], credentials["SessionToken"])
        moment = credentials["Expiration"].strftime("%b %-d, %Y, %-I:%M:%S %p")
        self.assertEqual(made["credentials"]["expiration"], moment)
        self.assertNotIn(credentials["SecretAccessKey"], json.dumps([own, foreign]))

    def test_the_other_accounts_record_has_neither_key_nor_name(self):
        answer = self.chained()
        ((event, _),) = self.records("AssumeRole", REGION, self.playground)
        self.assertNotIn("AccessKeyId", event)
        self.assertNotIn("Username", event)
        resources = {(resource["ResourceType"], resource["ResourceName"]) for resource in event["Resources"]}
        self.assertIn(("AWS::IAM::AccessKey", answer["Credentials"]["AccessKeyId"]), resources)
        self.assertIn(("AWS::STS::AssumedRole", answer["AssumedRoleUser"]["Arn"]), resources)
        cloudtrail = self.client(self.playground, "cloudtrail", REGION)
        attribute = {"AttributeKey": "AccessKeyId", "AttributeValue": self.stolen["access_key_id"]}
        self.assertEqual(cloudtrail.lookup_events(LookupAttributes=[attribute])["Events"], [])

    def test_within_an_account_there_is_one_record(self):
        self.role("Deploy", trust=trust_of("arn:aws:iam::222222222222:root"))
        self.thief("sts").assume_role(RoleArn="arn:aws:iam::222222222222:role/Deploy", RoleSessionName="app")
        record = self.record("AssumeRole", REGION)
        self.assertNotIn("sharedEventID", record)
        self.assertEqual(record["resources"][0]["accountId"], self.shop["id"])

    def test_a_denied_one_is_recorded_with_its_caller_only(self):
        self.role("Closed", account=self.playground["id"], trust=NOBODY)
        closed = {"RoleArn": "arn:aws:iam::333333333333:role/Closed", "RoleSessionName": "app"}
        self.assertAwsError("AccessDenied", self.thief("sts").assume_role, **closed)
        record = self.record("AssumeRole", REGION)
        self.assertEqual((record["errorCode"], record["responseElements"]), ("AccessDenied", None))
        self.assertEqual(record["requestParameters"]["roleArn"], closed["RoleArn"])
        self.assertEqual(self.records("AssumeRole", REGION, self.playground), [])

    def test_what_a_user_gets_is_recorded(self):
        user = self.emulator.user(account=self.shop["id"], name="ci", policy=ALLOW_EVERYTHING)["access_keys"][0]
        sts = self.client(user, "sts")
        token = sts.get_session_token(DurationSeconds=900)["Credentials"]
        federated = sts.get_federation_token(Name="eve", Policy=json.dumps(ALLOW_EVERYTHING))
        plain = self.record("GetSessionToken", REGION)
        self.assertEqual(plain["responseElements"]["credentials"]["accessKeyId"], token["AccessKeyId"])
        self.assertEqual(plain["requestParameters"], {"durationSeconds": 900})
        record = self.record("GetFederationToken", REGION)
        arn = "arn:aws:sts::222222222222:federated-user/eve"
        self.assertEqual(record["responseElements"]["federatedUser"]["arn"], arn)
        self.assertEqual(
            record["responseElements"]["credentials"]["accessKeyId"], federated["Credentials"]["AccessKeyId"]
        )
        self.assertEqual(record["requestParameters"], {"name": "eve", "policy": json.dumps(ALLOW_EVERYTHING)})

    def test_a_call_comes_from_the_address_of_its_credential(self):
        self.emulator.cloudtrail(addresses={self.stolen["access_key_id"]: "198.51.100.7"})
        chained = from_sts(self.chained())
        iam = self.client(chained, "iam")
        iam.create_user(UserName="eve")
        iam.put_user_policy(UserName="eve", PolicyName="all", PolicyDocument=json.dumps(ALLOW_EVERYTHING))
        key = iam.create_access_key(UserName="eve")["AccessKey"]
        eve = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        self.client(eve, "iam").list_roles()
        for name, region, account in (
            ("AssumeRole", REGION, self.shop),
            ("AssumeRole", REGION, self.playground),
            ("CreateUser", "us-east-1", self.playground),
            ("ListRoles", "us-east-1", self.playground),
        ):
            self.assertEqual(self.record(name, region, account)["sourceIPAddress"], "198.51.100.7")
        self.client(self.session(), "iam").list_users()
        self.assertEqual(self.record("ListUsers")["sourceIPAddress"], "127.0.0.1")
        with self.assertRaisesRegex(Exception, "does not appear to be an IPv4 or IPv6 address"):
            self.emulator.cloudtrail(addresses={"ASIA": "here"})


class Made(RecordsTestCase):
    def test_iam_says_what_it_made_and_of_which_documents(self):
        iam = self.thief("iam")
        trust = json.dumps(trust_of("arn:aws:iam::999999999999:root"))
        tags = [{"Key": "Team", "Value": "Shop"}]
        role = iam.create_role(RoleName="made", AssumeRolePolicyDocument=trust, Tags=tags, MaxSessionDuration=7200)
        record = self.record("CreateRole")
        asked = {"roleName": "made", "assumeRolePolicyDocument": trust, "maxSessionDuration": 7200,
                 "tags": [{"key": "Team", "value": "Shop"}]}
        self.assertEqual(record["requestParameters"], asked)
        made = record["responseElements"]["role"]
        self.assertEqual((made["arn"], made["roleId"]), (role["Role"]["Arn"], role["Role"]["RoleId"]))
        self.assertRegex(made["createDate"], WRITTEN)
        self.assertTrue(made["assumeRolePolicyDocument"].startswith("%7B"))
        iam.update_assume_role_policy(RoleName="made", PolicyDocument=trust)
        record = self.record("UpdateAssumeRolePolicy")
        self.assertEqual(record["requestParameters"], {"roleName": "made", "policyDocument": trust})
        self.assertIsNone(record["responseElements"])

    def test_a_users_key_is_named_and_its_secret_is_not(self):
        iam = self.thief("iam")
        user = iam.create_user(UserName="eve")["User"]
        key = iam.create_access_key(UserName="eve")["AccessKey"]
        iam.create_login_profile(UserName="eve", Password="correct horse")
        made = self.record("CreateUser")["responseElements"]["user"]
        self.assertEqual((made["userName"], made["userId"], made["arn"]), ("eve", user["UserId"], user["Arn"]))
        record = self.record("CreateAccessKey")
        self.assertEqual(record["responseElements"]["accessKey"]["accessKeyId"], key["AccessKeyId"])
        self.assertEqual(record["responseElements"]["accessKey"]["status"], "Active")
        self.assertNotIn(key["SecretAccessKey"], json.dumps(record))
        record = self.record("CreateLoginProfile")
        self.assertEqual(record["requestParameters"], {"userName": "eve", "password": HIDDEN})
        self.assertEqual(record["responseElements"]["loginProfile"]["userName"], "eve")

    def test_reads_have_no_elements(self):
        self.thief("iam").get_role(RoleName="AppRole")
        record = self.record("GetRole")
        self.assertEqual((record["requestParameters"], record["responseElements"]), ({"roleName": "AppRole"}, None))

    def test_a_function_is_named_as_lambda_names_it_and_its_code_is_hidden(self):
        function = self.function()
        record = self.record("CreateFunction20150331", REGION)
        self.assertEqual(record["eventSource"], "lambda.amazonaws.com")
        asked = record["requestParameters"]
        self.assertEqual((asked["functionName"], asked["code"]), ("tool", {"zipFile": HIDDEN}))
        self.assertEqual(asked["role"], "arn:aws:iam::222222222222:role/AppRole")
        self.assertEqual(asked["environment"], {})
        self.assertEqual(record["responseElements"]["functionArn"], function["FunctionArn"])
        client = self.thief("lambda")
        client.add_permission(
            FunctionName="tool", StatementId="out", Action="lambda:InvokeFunction", Principal="999999999999"
        )
        record = self.record("AddPermission20150331v2", REGION)
        asked = {"functionName": "tool", "statementId": "out", "action": "lambda:InvokeFunction",
                 "principal": "999999999999"}
        self.assertEqual(record["requestParameters"], asked)
        client.delete_function(FunctionName="tool")
        self.assertEqual(self.record("DeleteFunction20150331", REGION)["requestParameters"], {"functionName": "tool"})
        self.assertAwsError("ResourceNotFoundException", client.get_function, FunctionName="tool")

    def function(self) -> dict:
        return self.thief("lambda").create_function(
            FunctionName="tool",
            Runtime="python3.12",
            Role="arn:aws:iam::222222222222:role/AppRole",
            Handler="tool.handler",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
            Environment={"Variables": {"TOKEN": "a secret"}},
        )

    def test_secrets_are_hidden(self):
        secrets = self.thief("secretsmanager")
        arn = secrets.create_secret(Name="db", SecretString="a secret")["ARN"]
        self.assertEqual(secrets.get_secret_value(SecretId="db")["SecretString"], "a secret")
        made = self.record("CreateSecret", REGION)
        self.assertEqual((made["requestParameters"]["name"], made["requestParameters"]["secretString"]), ("db", HIDDEN))
        self.assertEqual(made["responseElements"]["aRN"], arn)
        read = self.record("GetSecretValue", REGION)
        self.assertEqual((read["requestParameters"], read["responseElements"]), ({"secretId": "db"}, None))
        self.assertTrue(read["readOnly"])
        ssm = self.thief("ssm")
        ssm.put_parameter(Name="/db", Value="a secret", Type="SecureString")
        ssm.get_parameter(Name="/db", WithDecryption=True)
        self.assertEqual(self.record("PutParameter", REGION)["requestParameters"]["value"], HIDDEN)
        self.assertEqual(
            self.record("GetParameter", REGION)["requestParameters"], {"name": "/db", "withDecryption": True}
        )

    def test_keys_and_grants(self):
        kms = self.thief("kms")
        key = kms.create_key(Description="app")["KeyMetadata"]
        principal = "arn:aws:iam::999999999999:root"
        grant = kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=principal, Operations=["Decrypt"])
        made = self.record("CreateKey", REGION)["responseElements"]["keyMetadata"]
        self.assertEqual((made["keyId"], made["arn"]), (key["KeyId"], key["Arn"]))
        self.assertRegex(made["creationDate"], WRITTEN)
        record = self.record("CreateGrant", REGION)
        asked = {"keyId": key["KeyId"], "granteePrincipal": principal, "operations": ["Decrypt"]}
        self.assertEqual(record["requestParameters"], asked)
        self.assertEqual(record["responseElements"], {"grantId": grant["GrantId"], "grantToken": HIDDEN})
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"a secret")
        record = self.record("Encrypt", REGION)
        self.assertEqual((record["readOnly"], record["responseElements"]), (True, None))
        self.assertEqual(record["requestParameters"], {"keyId": key["KeyId"], "plaintext": HIDDEN})

    def test_a_buckets_policy(self):
        s3 = self.thief("s3", "us-east-1")
        s3.create_bucket(Bucket="files")
        document = {"Version": "2012-10-17", "Statement": []}
        s3.put_bucket_policy(Bucket="files", Policy=json.dumps(document))
        asked = self.record("PutBucketPolicy")["requestParameters"]
        self.assertEqual((asked["bucketName"], asked["bucketPolicy"]), ("files", document))
        self.assertEqual(json.loads(s3.get_bucket_policy(Bucket="files")["Policy"]), document)
        self.assertEqual(self.record("CreateBucket")["requestParameters"], {"bucketName": "files"})

    def test_newer_operations_of_ec2_are_wrapped(self):
        profile = {"Name": "AppRole"}
        self.assertAwsError(
            "InvalidInstanceID.NotFound", self.thief("ec2").associate_iam_instance_profile,
            InstanceId="i-0abc1234def567890", IamInstanceProfile=profile,
        )
        record = self.record("AssociateIamInstanceProfile", REGION)
        asked = {"InstanceId": "i-0abc1234def567890", "IamInstanceProfile": profile}
        self.assertEqual(record["requestParameters"], {"AssociateIamInstanceProfileRequest": asked})

    def test_a_trail_that_is_stopped_changes_nothing_here(self):
        self.thief("s3", "us-east-1").create_bucket(Bucket="logs")
        trails = self.thief("cloudtrail")
        trails.create_trail(Name="all", S3BucketName="logs")
        trails.stop_logging(Name="all")
        self.assertEqual(self.record("StopLogging", REGION)["requestParameters"], {"name": "all"})

    def test_ec2_writes_sets_of_items(self):
        ec2 = self.thief("ec2")
        image = ec2.describe_images()["Images"][0]["ImageId"]
        profile = {"Arn": "arn:aws:iam::222222222222:instance-profile/AppRole"}
        answer = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", UserData="a secret",
            IamInstanceProfile=profile,
        )
        record = self.record("RunInstances", REGION)
        asked = record["requestParameters"]
        self.assertEqual(asked["instancesSet"], {"items": [{"imageId": image, "minCount": 1, "maxCount": 1}]})
        self.assertEqual((asked["iamInstanceProfile"], asked["userData"]), ({"arn": profile["Arn"]}, REMOVED))
        (made,) = record["responseElements"]["instancesSet"]["items"]
        self.assertEqual(made["instanceId"], answer["Instances"][0]["InstanceId"])
        ec2.terminate_instances(InstanceIds=[made["instanceId"]])
        asked = self.record("TerminateInstances", REGION)["requestParameters"]
        self.assertEqual(asked, {"instancesSet": {"items": [{"instanceId": made["instanceId"]}]}})
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        ranges = [{"CidrIp": "0.0.0.0/0"}]
        permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        asked = self.record("AuthorizeSecurityGroupIngress", REGION)["requestParameters"]
        item = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
        self.assertEqual(asked, {"groupId": group, "ipPermissions": {"items": [item]}})
        ec2.create_key_pair(KeyName="eve")
        made = self.record("CreateKeyPair", REGION)["responseElements"]
        self.assertEqual((made["keyName"], made["keyMaterial"]), ("eve", REMOVED))
        ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": ["i-0abc1234def567890"]}])
        asked = self.record("DescribeInstances", REGION)["requestParameters"]
        items = [{"name": "instance-id", "valueSet": {"items": [{"value": "i-0abc1234def567890"}]}}]
        self.assertEqual(asked, {"filterSet": {"items": items}})
