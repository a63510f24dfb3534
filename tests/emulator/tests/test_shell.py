"""The shell runs what the AWS CLI would run, and refuses what it would refuse."""
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from shell.line import commands
from shell.outcome import Shell

from .support import ALLOW_EVERYTHING, ROOT, EmulatorTestCase

REGION = "eu-central-1"
WORKED, MISSPELLED, NOT_CONFIGURED, REFUSED = 0, 252, 253, 254
TRUST = {"Version": "2012-10-17", "Statement": []}


class ShellTestCase(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.shell = Shell(self.emulator.endpoint, {"default": self.shop})

    def status(self, line: str) -> int:
        return self.shell.run(line)["status"]

    def answer(self, line: str):
        outcome = self.shell.run(line)
        self.assertEqual(outcome["status"], WORKED, outcome)
        return outcome["answer"]


class Runs(ShellTestCase):
    def test_what_the_thief_made_is_taken_away(self):
        iam = self.client(self.shop, "iam")
        iam.create_user(UserName="eve")
        key = iam.create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]
        iam.put_user_policy(UserName="eve", PolicyName="all", PolicyDocument=json.dumps(ALLOW_EVERYTHING))
        self.assertEqual(self.status("aws iam delete-user --user-name eve"), REFUSED)
        listed = self.answer("aws iam list-access-keys --user-name eve --query 'AccessKeyMetadata[].AccessKeyId'")
        self.assertEqual(listed, [key])
        for line in (
            f"aws iam update-access-key --user-name eve --access-key-id {key} --status Inactive",
            f"aws iam delete-access-key --user-name eve --access-key-id {key}",
            "aws iam delete-user-policy --user-name eve --policy-name all --no-cli-pager",
            "aws --output json iam delete-user --user-name=eve",
        ):
            self.answer(line)
        self.assertEqual(self.answer("aws iam list-users --query 'Users[].UserName'"), ["operator"])

    def test_an_error_is_that_of_the_service(self):
        outcome = self.shell.run("aws iam delete-role --role-name nobody")
        self.assertEqual((outcome["status"], outcome["error"]["code"]), (REFUSED, "NoSuchEntity"))
        self.assertIn("nobody", outcome["error"]["message"])

    def test_documents_lists_flags_and_numbers(self):
        self.answer(
            f"aws iam create-role --role-name made --assume-role-policy-document '{json.dumps(TRUST)}'"
            " --max-session-duration 7200 --tags Key=team,Value=shop '{\"Key\": \"stage\", \"Value\": \"a b\"}'"
        )
        role = self.answer("aws iam get-role --role-name made")["Role"]
        self.assertEqual((role["MaxSessionDuration"], role["AssumeRolePolicyDocument"]), (7200, TRUST))
        tags = {tag["Key"]: tag["Value"] for tag in role["Tags"]}
        self.assertEqual(tags, {"team": "shop", "stage": "a b"})
        self.answer("aws iam untag-role --role-name made --tag-keys team stage")
        self.answer("aws iam tag-role --role-name made --tags '[{\"Key\": \"one\", \"Value\": \"1\"}]'")
        tags = self.answer("aws iam list-role-tags --role-name made")["Tags"]
        self.assertEqual(tags, [{"Key": "one", "Value": "1"}])
        self.answer("aws iam create-login-profile --user-name operator --password 'a b' --no-password-reset-required")
        self.assertEqual(self.emulator.calls()[-1]["params"]["PasswordResetRequired"], "false")

    def test_other_services_and_regions(self):
        self.answer(f"aws secretsmanager create-secret --name db --secret-string text --region {REGION}")
        self.answer(
            f"aws secretsmanager delete-secret --secret-id db --force-delete-without-recovery --region {REGION}"
        )
        line = f"aws secretsmanager list-secrets --region {REGION}"
        self.assertEqual(self.answer(line)["SecretList"], [])
        self.answer("aws s3api create-bucket --bucket files --region us-east-1")
        self.answer("aws s3api put-bucket-policy --bucket files --region us-east-1 --policy "
                    f"'{json.dumps(TRUST)}'")
        self.answer("aws s3api delete-bucket-policy --bucket files --region us-east-1")
        outcome = self.shell.run("aws lambda delete-function --function-name tool --region eu-central-1")
        self.assertEqual((outcome["status"], outcome["error"]["code"]), (REFUSED, "ResourceNotFoundException"))
        filters = "Name=instance-id,Values=i-0abc1234def567890,i-0abc1234def567891"
        self.role()
        instance = {"account": self.shop["id"], "region": REGION, "role": "AppRole"}
        self.emulator.instance(**instance, instance_id="i-0abc1234def567890")
        found = self.answer(f"aws ec2 describe-instances --filters {filters} --region {REGION}")
        self.assertEqual(found["Reservations"][0]["Instances"][0]["InstanceId"], "i-0abc1234def567890")

    def test_all_pages_are_read(self):
        for number in range(3):
            self.emulator.cloudtrail_records(self.shop["id"], REGION, {"repeat": 30, "eventName": f"Name{number}"})
        attribute = "AttributeKey=EventSource,AttributeValue=iam.amazonaws.com"
        line = f"aws cloudtrail lookup-events --lookup-attributes {attribute} --region {REGION}"
        self.assertEqual(len(self.answer(line)["Events"]), 90)
        self.assertEqual(len(self.answer(f"{line} --no-paginate")["Events"]), 50)

    def test_files_are_read(self):
        with TemporaryDirectory() as directory:
            path = Path(directory, "trust.json")
            path.write_text(json.dumps(TRUST))
            self.answer(f"aws iam create-role --role-name made --assume-role-policy-document file://{path}")
        self.assertEqual(self.status("aws iam update-assume-role-policy --role-name made --policy-document file://no"),
                         MISSPELLED)

    def test_parameters_can_be_one_document(self):
        asked = json.dumps({"RoleName": "other", "AssumeRolePolicyDocument": json.dumps(TRUST)})
        answer = self.answer(f"aws iam create-role --role-name made --cli-input-json '{asked}'")
        self.assertEqual(answer["Role"]["RoleName"], "made")

    def test_options_that_the_cli_names_otherwise(self):
        line = "aws ecs update-service --cluster a --service b --disable-execute-command --region eu-central-1"
        self.assertIn("no service ecs", self.shell.run(line)["error"]["message"])

    def test_profiles(self):
        playground = self.org["accounts"]["playground"]
        shell = Shell(self.emulator.endpoint, {"default": self.shop, "other": playground}, REGION)
        accounts = [
            shell.run(f"aws sts get-caller-identity {profile} --query Account")["answer"]
            for profile in ("", "--profile other")
        ]
        self.assertEqual(accounts, [self.shop["id"], playground["id"]])
        self.assertEqual(shell.run("aws iam list-users --profile nobody")["status"], NOT_CONFIGURED)


class Refuses(ShellTestCase):
    def test_what_the_cli_does_not_know(self):
        for line in (
            "aws iam remove-role --role-name made",
            "aws iam delete-role",
            "aws iam delete-role --role made",
            "aws iam DeleteRole --role-name made",
            "aws iam delete-role --role-name made --role-name made",
            "aws iam delete-role --role-name made twice",
            "aws iam delete-role made",
            "aws iam create-login-profile --user-name eve --password x --password-reset-required true",
            "aws ecs update-service --cluster a --service b --no-enable-execute-command --region eu-central-1",
            "aws iam delete-role --cli-input-json '{\"Role\": \"made\"}'",
            "aws iam delete-role --cli-input-json made",
            "aws iam create-role --role-name made --assume-role-policy-document {} --max-session-duration long",
            "aws iam tag-role --role-name made --tags Name=one,Value=1",
            "aws iam tag-role --role-name made --tags '[{\"Name\": \"one\"}]'",
            "aws iam tag-role --role-name made --tags '[{'",
            "aws iam tag-role --role-name made --tags one",
            "aws iam list-users --output xml",
            "aws iam list-users --query '['",
            "aws iam",
            "aws nothing list-users",
            "aws s3 ls",
            "aws config stop-configuration-recorder --configuration-recorder-name default",
            "gcloud iam list",
        ):
            with self.subTest(line=line):
                self.assertEqual(self.status(line), MISSPELLED)
        self.assertEqual(self.emulator.calls(), [])

    def test_what_a_shell_would_see_more_in(self):
        for line in (
            "aws iam get-role --role-name $ROLE",
            'aws iam get-role --role-name "$(cat role)"',
            "aws iam get-role --role-name `cat role`",
            "aws iam list-users | cat",
            "aws iam list-users; aws iam list-roles",
            "aws iam list-users && aws iam list-roles",
            "aws iam list-users > users",
            "aws iam get-role --role-name a*",
            "aws iam get-role --role-name 'a",
        ):
            with self.subTest(line=line):
                self.assertEqual(self.status(line), MISSPELLED)
        for quoted in ("'$R;|&>*`'", '"a;b|c&d*"', "a\\$b\\;c"):
            with self.subTest(quoted=quoted):
                self.assertEqual(self.status(f"aws iam get-role --role-name {quoted}"), REFUSED)

    def test_a_region_has_to_be_stated(self):
        self.assertEqual(self.status("aws kms list-keys"), NOT_CONFIGURED)
        self.assertEqual(self.status(f"aws kms list-keys --region {REGION}"), WORKED)
        self.assertEqual(self.status("aws iam list-users"), WORKED)

    def test_comments_and_lines_that_go_on(self):
        text = "# first \\\n\naws iam list-users \\\n  --path-prefix /a/\n  # aws\n  aws iam list-roles\n"
        self.assertEqual(list(commands(text)), ["aws iam list-users --path-prefix /a/", "aws iam list-roles"])


class CommandLine(ShellTestCase):
    def test_commands_can_be_checked_only(self):
        text = "aws iam delete-role --role-name made\naws iam delete-role\naws kms list-keys\n"
        command = [sys.executable, "-m", "shell", "--check"]
        done = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=False)
        outcomes = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([outcome["status"] for outcome in outcomes], [WORKED, MISSPELLED, WORKED])
        self.assertIn("RoleName", outcomes[1]["error"]["message"])
        self.assertEqual((done.returncode, self.emulator.calls()), (MISSPELLED, []))

    def run_shell(self, text: str, *more: str) -> tuple:
        command = [sys.executable, "-m", "shell", "--endpoint", self.emulator.endpoint,
                   "--credentials", json.dumps(self.shop), *more]
        done = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def test_each_command_has_its_line(self):
        text = "# look\naws iam list-users\n\naws iam get-user --user-name eve\naws iam list-roles\n"
        status, lines = self.run_shell(text)
        self.assertEqual([line["status"] for line in lines], [WORKED, REFUSED, WORKED])
        self.assertEqual(status, REFUSED)
        self.assertEqual(lines[0]["command"], "aws iam list-users")
        self.assertEqual(lines[0]["answer"]["Users"][0]["UserName"], "operator")
        playground = json.dumps(self.org["accounts"]["playground"])
        line = "aws sts get-caller-identity --profile other"
        status, lines = self.run_shell(line, "--region", REGION, "--profile", "other", playground)
        self.assertEqual((status, lines[0]["answer"]["Account"]), (WORKED, "333333333333"))
