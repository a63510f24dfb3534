"""The Terraform modules: formatted, valid, and with the same documents as the CloudFormation templates.

The provider for AWS is not needed for the documents: each module keeps them in documents.tf, which
has nothing of AWS in it, and Terraform itself is asked what they are.
"""
import fnmatch
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from places import ACCOUNT, DEPLOYERS, DEPLOYMENT, FILLED, HUB, HUB_ROLE, POLICIES, REGION, REQUIRED, ROOT, SECRET, TERRAFORM, policy
from template import Template
from test_alerts import alerts
from test_feed import BUS, HEARTBEAT, PATTERN, UNREAD, central, policies_of_queues, region
from test_host import host, user_data
from test_log import BUCKET, REPLICAS, log, witness

MODULES = sorted(path.parent.name for path in TERRAFORM.glob("*/main.tf"))
# A folder with the provider for AWS, as `terraform providers mirror` makes it.
MIRROR = os.environ.get("RESCIND_TERRAFORM_MIRROR")
TRUST = {
    "hub_role_arn": HUB_ROLE,
    "external_id": FILLED["EXTERNAL_ID"],
    "organization_id": FILLED["ORG_ID"],
    "source_identity": FILLED["SOURCE_IDENTITY"],
}


def terraform(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    # A configuration file of the user's could name mirrors and tokens.
    env = os.environ | {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return subprocess.run(["terraform", *arguments], cwd=cwd, env=env, capture_output=True, text=True)


def document(module: str, name: str, variables: dict, where: str = REGION, partition: str = "aws"):
    """A local of the module's documents.tf, as Terraform evaluates it."""
    with tempfile.TemporaryDirectory() as scratch:
        # The module reads policies/*.json by a relative path, so that is kept.
        here = Path(scratch) / "policies" / "deployment" / "terraform" / module
        here.mkdir(parents=True)
        for file in POLICIES.glob("*.json"):
            shutil.copy(file, Path(scratch) / "policies")
        (here.parents[1] / "hub").mkdir()
        for file in [HUB / "host.mime", HUB / "hosts.sh"]:
            shutil.copy(file, here.parents[1] / "hub")
        for file in ["documents.tf", "variables.tf"]:
            shutil.copy(TERRAFORM / module / file, here)
        known = {"account": ACCOUNT, "partition": partition, "region": where}
        # What a template has as a reference.
        known |= {"cluster": "ref:Cluster", "log_group": "ref:Logs", "volume": "ref:Ledger"}
        values = "\n".join(f"  {key} = {json.dumps(value)}" for key, value in known.items())
        (here / "asked.tf").write_text(
            f'locals {{\n{values}\n}}\noutput "asked" {{\n  value     = local.{name}\n  sensitive = true\n}}\n'
        )
        (here / "terraform.tfvars.json").write_text(json.dumps(variables))
        for step in (["init", "-backend=false"], ["apply", "-auto-approve"], ["output", "-json", "asked"]):
            done = terraform(*step, "-no-color", cwd=here)
            if done.returncode != 0:
                raise AssertionError(done.stderr + done.stdout)
        found = json.loads(done.stdout)
        if isinstance(found, dict):
            return {key: json.loads(value) for key, value in found.items()}
        return json.loads(found) if found and found.startswith(("{", "[")) else found


def in_camel_case(value):
    """What CloudFormation has with a capital, as ECS itself has it."""
    if isinstance(value, list):
        return [in_camel_case(one) for one in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: in_camel_case(item) for key, item in value.items()}
    return value


def of_module(module: str) -> str:
    """All of a module's files."""
    return "".join(file.read_text() for file in sorted((TERRAFORM / module).glob("*.tf")))


@unittest.skipUnless(shutil.which("terraform"), "terraform is not on the PATH")
class Documents(unittest.TestCase):
    def test_the_remediation_role(self):
        self.assertEqual(document("member-role", "trust", TRUST), policy("member-role-trust.json"))
        named = TRUST | {"role_name": "Remediation", "role_path": "/security/"}
        self.assertEqual(document("member-role", "permissions", named), policy("member-role-permissions.json"))
        (denied,) = [s for s in document("member-role", "permissions", TRUST)["Statement"] if s["Effect"] == "Deny"]
        self.assertEqual(denied["Resource"], "arn:*:iam::*:role/RescindRemediation")
        users = document("member-role", "users", TRUST | {"user_keys": True})
        self.assertEqual(users, policy("member-role-users.json"))
        users = document("member-role", "users", TRUST | {"user_keys": "contain"})
        self.assertEqual(users, policy("member-role-users-contain.json"))
        self.assertEqual(document("member-role", "quarantine", TRUST), policy("quarantine.json"))

    def test_one_that_only_contains_writes_no_policy_whatever_else_is_asked_for(self):
        named = TRUST | {"role_name": "Remediation", "role_path": "/security/"}
        given = named | {"contain_only": True, "user_keys": True}
        self.assertEqual(document("member-role", "permissions", given), policy("member-role-contain-only.json"))
        for variables in [TRUST, given]:
            # Terraform has no output that is null.
            with self.assertRaisesRegex(AssertionError, 'Output "asked" not found'):
                document("member-role", "users", variables)

    def test_a_permissions_boundary_is_of_the_same_account(self):
        bounded = TRUST | {"permissions_boundary": "limits/Rescind"}
        asked = document("member-role", "boundary", bounded)
        self.assertEqual(asked, f"arn:aws:iam::{ACCOUNT}:policy/limits/Rescind")
        for module in [m for m in MODULES if "aws_iam_role\"" in of_module(m)]:
            text = of_module(module)
            roles = re.findall(r'^resource "aws_iam_role" "\w+" \{\n(.*?)^\}', text, re.S | re.M)
            for block in roles:
                self.assertRegex(block, r"(?m)^  permissions_boundary += local\.boundary$", module)
            # Word for word the same in each, so that one was asked for all.
            self.assertIn((TERRAFORM / "member-role" / "documents.tf").read_text().split("\n\n")[-1], text, module)
        # Without one it is null, and Terraform has no output that is null.
        with self.assertRaisesRegex(AssertionError, 'Output "asked" not found'):
            document("member-role", "boundary", TRUST)
        with self.assertRaisesRegex(AssertionError, "The name of a policy is expected"):
            document("member-role", "boundary", TRUST | {"permissions_boundary": HUB_ROLE})

    def test_what_is_no_single_role_is_refused(self):
        for hub in ["*", f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:iam::*:role/RescindHub"]:
            with self.assertRaisesRegex(AssertionError, "The ARN of one role is expected"):
                document("member-role", "trust", TRUST | {"hub_role_arn": hub})

    def test_the_hub_role(self):
        variables = {"member_role": FILLED["MEMBER_ROLE"]}
        self.assertEqual(document("hub-role", "permissions", variables), policy("hub-role-permissions.json"))
        also = document("hub-role", "organization_deny", variables)
        self.assertEqual(also, policy("hub-role-organization-deny.json"))
        for name, file in [("archive", "hub-role-archive.json"), ("security_hub", "hub-role-security-hub.json")]:
            self.assertEqual(document("hub-role", name, variables), policy(file))
        for name, given in [("log", "log_table"), ("kms", "signing_key_arn"), ("witness", "witness_bucket")]:
            asked = document("hub-role", name, variables | {given: FILLED[given.upper()]})
            self.assertEqual(asked, policy(f"hub-role-{name}.json"))
        text = (DEPLOYMENT / "hub-role.yaml").read_text()
        for host, partition in [("ec2", "aws"), ("ec2", "aws-cn"), ("ec2", "aws-eusc"), ("ecs", "aws-eusc")]:
            trust = Template(text, partition=partition, Host=host).properties("Role")["AssumeRolePolicyDocument"]
            self.assertEqual(document("hub-role", "trust", {"host": host}, partition=partition), trust)

    def test_the_hub_enters_the_role_for_drills_where_there_is_one(self):
        text = (DEPLOYMENT / "hub-role.yaml").read_text()
        made = Template(text, DrillRole=FILLED["DRILL_ROLE"]).properties("Role")["Policies"]
        (wanted,) = [inline["PolicyDocument"] for inline in made if inline["PolicyName"] == "RescindDrill"]
        self.assertEqual(document("hub-role", "drill", {"drill_role": FILLED["DRILL_ROLE"]}), wanted)

    def test_the_role_for_drills(self):
        variables = TRUST | {"role_name": FILLED["DRILL_ROLE"]}
        self.assertEqual(document("drill-role", "trust", variables), policy("member-role-trust.json"))
        self.assertEqual(document("drill-role", "permissions", variables), policy("drill-role-permissions.json"))

    def test_the_seal_and_the_guard(self):
        for name in ["seal", "guard"]:
            module = f"organization-{name}"
            variables = {"member_role": FILLED["MEMBER_ROLE"], "deployers": DEPLOYERS, "target_ids": ["r-root"]}
            self.assertEqual(document(module, "content", variables), policy(f"{module}.json"))
            # Nobody could deploy again; and what is not a pattern could be another statement.
            for deployers in [[], ["*"], ['arn:aws:iam::*:role/x"],"Action":"*']]:
                with self.assertRaisesRegex(AssertionError, "ARN patterns of roles are expected"):
                    document(module, "content", variables | {"deployers": deployers})

    def test_the_delegation(self):
        variables = {"hub_role_arn": HUB_ROLE, "organization_id": FILLED["ORG_ID"]}
        asked = document("organization-deny-delegation", "delegation", variables)
        self.assertEqual(asked, policy("organization-deny-delegation.json"))
        for hub in ["*", f"arn:aws:iam::{ACCOUNT}:root"]:
            with self.assertRaisesRegex(AssertionError, "The ARN of one role is expected"):
                document("organization-deny-delegation", "delegation", variables | {"hub_role_arn": hub})

    def test_the_feed(self):
        variables = {"encryption": "kms", "hub_role_arn": HUB_ROLE}
        with_key = central(Encryption="kms", HubRoleArn=HUB_ROLE)
        wanted = {
            with_key.properties(queue)["QueueName"]: document
            for queue, document in policies_of_queues(with_key).items()
        }
        self.assertEqual(document("feed-central", "queue_policies", variables), wanted)
        key = document("feed-central", "key_policy", variables)
        self.assertEqual(key, with_key.properties("Key")["KeyPolicy"])
        self.assertEqual(document("feed-central", "pattern", variables), PATTERN)

    def test_the_feed_of_a_region(self):
        variables = {"central_bus_arn": BUS}
        wanted = region()
        role = wanted.properties("Sender")
        asked = {name: document("feed-region", name, variables, "eu-west-1")
                 for name in ["queue_policy", "trust", "send", "pattern"]}
        self.assertEqual(asked, {
            "queue_policy": policies_of_queues(wanted)["Undelivered"],
            "trust": role["AssumeRolePolicyDocument"],
            "send": role["Policies"][0]["PolicyDocument"],
            "pattern": PATTERN,
        })


    def test_the_topic(self):
        variables, wanted = {"hub_role_arn": HUB_ROLE}, alerts()
        self.assertEqual(document("alerts", "key_policy", variables), wanted.properties("Key")["KeyPolicy"])
        self.assertEqual(document("alerts", "topic_policy", variables), wanted.properties("TopicPolicy")["PolicyDocument"])
        # Without encryption there is no key, and the topic has none.
        self.assertRegex(of_module("alerts"), r'count = var\.encryption == "kms" \? 1 : 0\n')
        self.assertRegex(of_module("alerts"), r"kms_master_key_id = one\(aws_kms_key\.topic\[\*\]\.arn\)\n")

    def test_the_host(self):
        about = {"package_sha256": REQUIRED["PackageSha256"], "instance_profile_name": "RescindHub", "vpc_id": "vpc-0",
                 "subnet_id": "subnet-0", "availability_zone": "eu-central-1a", "image_id": "ami-0"}
        url = "s3://example-packages/rescind_0.1.0_arm64.deb"
        asked = document("host", "user_data", about | {"package_url": url})
        self.assertEqual(asked, user_data(host(PackageUrl=url)))
        wanted = host(PackageUrl=url).properties("PackagePolicy")["PolicyDocument"]
        self.assertEqual(document("host", "package", about | {"package_url": url}), wanted)
        self.assertEqual(document("host", "host", about | {"package_url": url}), policy("hub-role-host.json"))
        for url in ["https://example.com/x'; rm -rf /;'.deb", "http://example.com/x.rpm"]:
            with self.assertRaisesRegex(AssertionError, "The address of a package is expected"):
                document("host", "user_data", about | {"package_url": url})

    def test_the_hosts(self):
        key, chat = f"{SECRET}/ledger.key-AbCdEf", f"{SECRET}/chat-AbCdEf"
        variables = {
            "image": REQUIRED["Image"], "hub_role_arn": HUB_ROLE, "vpc_id": "vpc-0", "image_id": "ami-0",
            "first_subnet_id": "subnet-0", "second_subnet_id": "subnet-1", "signing_key_secret_arn": key, "secret_arns": [chat],
            "configuration_secret_arn": REQUIRED["ConfigurationSecretArn"], "opt_outs_secret_arn": REQUIRED["OptOutsSecretArn"],
        }
        made = Template.of((HUB / "hosts.yaml").read_text(), SigningKeySecretArn=key, SecretArns=[chat])
        wanted = made.resolved(made.raw["Resources"]["Launch"]["Properties"]["LaunchTemplateData"]["UserData"])
        self.assertEqual(document("hosts", "user_data", variables), wanted)
        role = made.properties("InstanceRole")
        inline = {each["PolicyName"]: each["PolicyDocument"] for each in role["Policies"]}
        self.assertEqual(document("hosts", "configuration", variables), inline["RescindConfiguration"])
        self.assertEqual(document("hosts", "secrets", variables), inline["RescindSecrets"])
        self.assertEqual(document("hosts", "instance_trust", variables), role["AssumeRolePolicyDocument"])
        trust = made.properties("ExecutionRole")["AssumeRolePolicyDocument"]
        self.assertEqual(document("hosts", "execution_trust", variables), trust)
        (container,) = document("hosts", "containers", variables)
        self.assertEqual(container, in_camel_case(made.properties("Task")["ContainerDefinitions"][0]))
        for wrong in ["rescind:latest", "rescind"]:
            with self.assertRaisesRegex(AssertionError, "An image is expected, by its digest"):
                document("hosts", "user_data", variables | {"image": wrong})
        # It stands in a script that root runs, and in no stack.
        with self.assertRaisesRegex(AssertionError, "ARNs of secrets are expected"):
            document("hosts", "user_data", variables | {"secret_arns": ["xoxb-1234"]})

    def test_the_log(self):
        for replicas, given in [([], {}), (list(REPLICAS.values()), REPLICAS)]:
            wanted = {
                replica["Region"]: replica["ResourcePolicy"]["PolicyDocument"]
                for replica in log(**given).properties("Log")["Replicas"]
            }
            variables = {"hub_role_arn": HUB_ROLE, "replica_regions": replicas}
            self.assertEqual(document("log", "table_policies", variables), wanted)
        for regions in [["eu-west-1"], ["eu-west-1", "eu-west-1"], ["eu-west-1", "eu-west-2", "eu-west-3"]]:
            with self.assertRaisesRegex(AssertionError, "Two regions are expected, or none"):
                document("log", "name", {"hub_role_arn": HUB_ROLE, "replica_regions": regions})

    def test_the_bucket(self):
        asked = document("witness", "bucket_policy", {"bucket_name": BUCKET, "hub_role_arn": HUB_ROLE})
        self.assertEqual(asked, witness().properties("Policy")["PolicyDocument"])


class Modules(unittest.TestCase):
    def test_the_delegation_cannot_touch_the_seal_and_the_guard(self):
        write = policy("organization-deny-delegation.json")["Statement"][1]
        (key,) = write["Condition"]["Null"]
        for name in ["seal", "guard"]:
            (tags,) = re.findall(r"^  tags = \{ (.+) = \"true\" \}$", of_module(f"organization-{name}"), re.MULTILINE)
            self.assertEqual(f"aws:ResourceTag/{tags}", key)

    def test_their_dead_mans_alarms_are_those_of_the_templates(self):
        for module, wanted in [("feed-central", UNREAD), ("feed-region", HEARTBEAT)]:
            text = "".join(file.read_text() for file in sorted((TERRAFORM / module).glob("*.tf")))
            (block,) = re.findall(r'^resource "aws_cloudwatch_metric_alarm" "missed" \{\n(.*?)^\}', text, re.S | re.M)
            for line in [f'evaluation_periods  = {wanted["EvaluationPeriods"]}', "threshold           = 1",
                         'comparison_operator = "LessThanThreshold"', 'treat_missing_data = "breaching"']:
                self.assertIn(line, block)
            self.assertIn(json.dumps(wanted["AlarmDescription"]), block)
            queries = re.findall(r"metric_query \{\n(.*?)^  \}", block, re.S | re.M)
            came, *summed = [dict(re.findall(r'(\w+)\s+= "(.*)"', query)) for query in queries]
            self.assertEqual(came["expression"], wanted["Metrics"][0]["Expression"])
            named = [(query["id"], query["namespace"], query["metric_name"], query["stat"]) for query in summed]
            self.assertEqual(re.findall(r"period +=? *(\d+)", "".join(queries)), ["60", "60"])
            self.assertEqual(named, [
                (m["Id"], m["MetricStat"]["Metric"]["Namespace"], m["MetricStat"]["Metric"]["MetricName"], "Sum")
                for m in wanted["Metrics"][1:]
            ])

    def test_the_table_is_that_of_the_template(self):
        text = (TERRAFORM / "log" / "main.tf").read_text()
        (table,) = re.findall(r'^resource "aws_dynamodb_table" "log" \{\n(.*?)^\}', text, re.S | re.M)
        (replica,) = re.findall(r'dynamic "replica" \{(.*?)^  \}', table, re.S | re.M)
        for where, lines in [
            (table, ['billing_mode = "PAY_PER_REQUEST"', 'hash_key                    = "pk"',
                     "deletion_protection_enabled = true", "prevent_destroy = true"]),
            (replica, ['consistency_mode            = "STRONG"', "deletion_protection_enabled = true",
                       "point_in_time_recovery      = true"]),
        ]:
            for line in lines:
                self.assertIn(line, where)
        for block in ["point_in_time_recovery", "server_side_encryption"]:
            self.assertRegex(table, rf"  {block} \{{\n    enabled = true\n  \}}")

    def test_the_alarms_of_the_table_are_those_of_the_template(self):
        text = (TERRAFORM / "log" / "alarms.tf").read_text()
        for alarm in log().resources("AWS::CloudWatch::Alarm").values():
            self.assertIn(json.dumps(alarm["AlarmDescription"]), text)
            for metric in alarm.get("Metrics", [])[1:]:
                about = metric["MetricStat"]["Metric"]
                operation = [each["Value"] for each in about["Dimensions"] if each["Name"] == "Operation"]
                dimensions = f'{{ Operation = "{operation[0]}" }}' if operation else "{}"
                wanted = rf'{metric["Id"]}\s+= \{{ name = "{about["MetricName"]}", dimensions = {re.escape(dimensions)} \}}'
                self.assertRegex(text, wanted)
            if "Metrics" in alarm:
                self.assertIn(json.dumps(alarm["Metrics"][0]["Expression"]), text)
        for line in ['metric_name         = "SuccessfulRequestLatency"', 'statistic           = "SampleCount"',
                     'Operation = "PutItem" }', 'treat_missing_data = "breaching"', 'treat_missing_data = "notBreaching"']:
            self.assertIn(line, text)

    def test_the_host_is_that_of_the_template(self):
        text = of_module("host")
        alarm = host().properties("HostAlarm")
        for line in [json.dumps(alarm["AlarmDescription"]), f'alarm_name          = "{alarm["AlarmName"]}"',
                     'treat_missing_data  = "breaching"', "prevent_destroy = true", 'http_tokens                 = "required"',
                     "http_put_response_hop_limit = 1", "associate_public_ip_address = false",
                     # Else a new package would be a new instance, which the volume is not attached to.
                     "user_data_replace_on_change = false", "stop_instance_before_detaching = true"]:
            self.assertIn(line, text)

    def test_the_hosts_are_those_of_the_template(self):
        text, template = of_module("hosts"), Template.of((HUB / "hosts.yaml").read_text())
        alarm, service = template.properties("HostsAlarm"), template.properties("Service")
        for line in [json.dumps(alarm["AlarmDescription"]), f'alarm_name          = "{alarm["AlarmName"]}"',
                     'treat_missing_data  = "breaching"', "threshold           = 2", 'statistic           = "SampleCount"',
                     "min_size                  = 2", "max_size                  = 2", "min_healthy_percentage = 50",
                     f'scheduling_strategy           = "{service["SchedulingStrategy"]}"',
                     f'availability_zone_rebalancing = "{service["AvailabilityZoneRebalancing"]}"',
                     "deployment_minimum_healthy_percent = 50", "deployment_maximum_percent         = 100",
                     "enable   = true", "rollback = true", 'network_mode             = "bridge"', 'http_tokens = "required"',
                     "http_put_response_hop_limit = 1", "delete_on_termination = true", "encrypted             = true"]:
            self.assertIn(line, text)
        # Two subnets of one zone are no two zones.
        self.assertRegex(text, r"condition     = length\(distinct\(\[for subnet in data\.aws_subnet\.hosts : "
                               r"subnet\.availability_zone\]\)\) == 2\n")

    def test_the_bucket_is_that_of_the_template(self):
        text = (TERRAFORM / "witness" / "main.tf").read_text()
        for line in ["object_lock_enabled = true", 'status = "Enabled"', "mode = var.retention_mode", "days = var.retention_days",
                     'sse_algorithm = "AES256"', 'object_ownership = "BucketOwnerEnforced"', "prevent_destroy = true"]:
            self.assertIn(line, text)
        closed = re.findall(r"^  (?:block|ignore|restrict)_public_\w+\s+= true$", text, re.MULTILINE)
        self.assertEqual(len(closed), 4)

    def test_there_are_as_many_as_the_readme_names(self):
        named = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \|", (TERRAFORM / "README.md").read_text(), re.MULTILINE)
        named = [name for cell in named for name in re.findall(r"`([\w-]+)`", cell)]
        self.assertEqual(sorted(named), MODULES)

    def test_the_readmes_example_gives_each_module_what_it_takes(self):
        readme = (TERRAFORM / "README.md").read_text()
        examples = re.findall(r'^module "\w+" \{\n(.*?)^\}', readme, re.S | re.M)
        self.assertGreater(len(examples), 5)
        outputs = set()
        for example in examples:
            (module,) = re.findall(r"//policies/deployment/terraform/([\w-]+)\?ref=", example)
            variables = (TERRAFORM / module / "variables.tf").read_text()
            declared = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', variables, re.S | re.M)
            required = {name for name, about in declared if "\n  default " not in f"\n{about}"}
            given = set(re.findall(r"^  (\w+) +=", example, re.MULTILINE)) - {"source", "providers", "depends_on"}
            self.assertLessEqual(given, {name for name, _ in declared}, module)
            self.assertEqual(required - given, set(), module)
            # Every alarm notifies somebody.
            self.assertEqual("alert_topic_arn" in dict(declared), "alert_topic_arn" in given, module)
            outputs |= {(used, output) for used, output in re.findall(r"module\.(\w+)\.(\w+)", example)}
        named = dict(re.findall(r'^module "(\w+)" \{\n  source +=.*/terraform/([\w-]+)\?', readme, re.MULTILINE))
        for used, output in outputs:
            self.assertRegex(of_module(named[used]), rf'(?m)^output "{output}" ', f"{used}.{output}")

    def test_the_packages_have_what_the_modules_read(self):
        """Else a module that was installed with rescind asks for a file that is not there."""
        packed = (ROOT / "Cargo.toml").read_text()
        kinds = [re.findall(rf'^  {form}"(policies/[^"]+)"', packed, re.MULTILINE) for form in [r"\[", r"\{ source = "]]
        read = set()
        for module in MODULES:
            for path in re.findall(r'"\$\{path\.module\}/([^"$]+)"', of_module(module)):
                found = (TERRAFORM / module / path).resolve()
                read |= {str(found.relative_to(ROOT))} if found.is_file() else set()
        self.assertLess({"policies/deployment/hub/host.mime", "policies/deployment/member-role.yaml"}, read)
        for path in read:
            for sources in kinds:
                self.assertTrue(any(fnmatch.fnmatchcase(path, source) for source in sources), path)

    def test_resources_use_the_documents(self):
        """Every policy argument is one of the locals that were looked at above."""
        for module in MODULES:
            text = (TERRAFORM / module / "main.tf").read_text()
            for key, value in re.findall(r"^\s+(policy|assume_role_policy|content)\s*=\s*(.+)$", text, re.MULTILINE):
                self.assertRegex(value, r"^local\.\w+(\[each\.key\])?$", f"{module}: {key}")

    def test_the_stackset_deploys_the_template(self):
        text = (TERRAFORM / "member-role-stackset" / "main.tf").read_text()
        body = re.search(r'template_body\s*=\s*file\("\$\{path\.module\}/(.+)"\)', text)
        found = (TERRAFORM / "member-role-stackset" / body[1]).resolve()
        self.assertEqual(found, DEPLOYMENT / "member-role.yaml")
        self.assertEqual(text.count("failure_tolerance_count"), 2)
        self.assertNotIn("failure_tolerance_percentage", text)
        parameters = re.search(r"parameters = \{(.*?)\}", text, re.DOTALL)[1]
        handed = set(re.findall(r"^\s+(\w+)\s*=", parameters, re.MULTILINE))
        declared = re.search(r"^Parameters:\n(.*?)^\w", found.read_text(), re.DOTALL | re.MULTILINE)[1]
        self.assertEqual(handed, set(re.findall(r"^  (\w+):", declared, re.MULTILINE)))

    @unittest.skipUnless(shutil.which("terraform"), "terraform is not on the PATH")
    def test_they_are_formatted(self):
        done = terraform("fmt", "-check", "-recursive", "-diff", cwd=TERRAFORM)
        self.assertEqual((done.stdout, done.returncode), ("", 0), done.stderr)

    @unittest.skipUnless(shutil.which("terraform"), "terraform is not on the PATH")
    @unittest.skipUnless(MIRROR, "terraform validate needs the provider for AWS: a folder in RESCIND_TERRAFORM_MIRROR")
    def test_they_are_valid(self):
        for module in MODULES:
            with self.subTest(module), tempfile.TemporaryDirectory() as scratch:
                shutil.copytree(POLICIES, Path(scratch) / "policies")
                here = Path(scratch) / "policies" / "deployment" / "terraform" / module
                started = terraform("init", "-backend=false", f"-plugin-dir={MIRROR}", "-no-color", cwd=here)
                self.assertEqual(started.returncode, 0, started.stderr)
                done = terraform("validate", "-no-color", cwd=here)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
