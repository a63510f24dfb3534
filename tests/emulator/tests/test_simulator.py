"""SimulatePrincipalPolicy agrees with enforcement, unless told to lie."""
import json

from .support import REVOKE_POLICY, EmulatorTestCase, revoke_policy

ISSUE_TIME = "aws:TokenIssueTime"


class Simulator(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.arn = self.role(path="/app/")["arn"]
        self.iam = self.client(self.assume_member_role(), "iam")
        document = json.dumps(revoke_policy("2026-01-01T10:00:00Z"))
        self.iam.put_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY, PolicyDocument=document)

    def simulate(self, issued_at: str = "", **parameters) -> dict:
        entries = []
        if issued_at:
            entries = [{"ContextKeyName": ISSUE_TIME, "ContextKeyType": "date", "ContextKeyValues": [issued_at]}]
        request = {"PolicySourceArn": self.arn, "ActionNames": ["s3:GetObject"], "ContextEntries": entries, **parameters}
        return self.iam.simulate_principal_policy(**request)["EvaluationResults"][0]

    def test_an_older_session_is_denied_by_the_revocation(self):
        result = self.simulate("2026-01-01T09:59:59Z")
        self.assertEqual(result["EvalDecision"], "explicitDeny")
        matched = [(found["SourcePolicyId"], found["SourcePolicyType"]) for found in result["MatchedStatements"]]
        self.assertEqual(matched, [(f"role_AppRole_{REVOKE_POLICY}", "IAM Policy")])

    def test_a_newer_session_is_allowed_by_the_roles_own_policy(self):
        result = self.simulate("2026-01-01T10:00:00Z")
        self.assertEqual(result["EvalDecision"], "allowed")
        self.assertEqual(result["MatchedStatements"][0]["SourcePolicyId"], "role_AppRole_permissions")

    def test_without_an_issue_time_the_deny_does_not_match(self):
        result = self.simulate()
        self.assertEqual(result["EvalDecision"], "allowed")
        self.assertEqual(result["MissingContextValues"], [ISSUE_TIME])

    def test_an_unknown_source(self):
        missing = {"PolicySourceArn": "arn:aws:iam::222222222222:role/Missing"}
        self.assertAwsError("NoSuchEntity", self.simulate, **missing)

    def test_each_action_and_resource_has_a_result(self):
        results = self.iam.simulate_principal_policy(
            PolicySourceArn=self.arn,
            ActionNames=["s3:GetObject", "s3:PutObject"],
            ResourceArns=["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"],
        )["EvaluationResults"]
        self.assertEqual(len(results), 4)

    def test_it_can_lie(self):
        self.emulator.switch(simulator_lies="allow_all")
        self.assertEqual(self.simulate("2026-01-01T09:00:00Z")["EvalDecision"], "allowed")
        self.emulator.switch(simulator_lies=None)
        self.assertEqual(self.simulate("2026-01-01T09:00:00Z")["EvalDecision"], "explicitDeny")

    def test_users_can_be_simulated(self):
        operator = self.client(self.shop, "iam")
        arn = operator.get_user(UserName="operator")["User"]["Arn"]
        result = operator.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
        self.assertEqual(result["EvaluationResults"][0]["EvalDecision"], "allowed")
