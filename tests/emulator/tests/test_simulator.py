"""SimulatePrincipalPolicy agrees with enforcement, unless switched to lie."""
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

    def test_each_action_has_a_result_and_each_resource_one_below_it(self):
        deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::two/*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        self.iam.put_role_policy(RoleName="AppRole", PolicyName="narrow", PolicyDocument=document)
        resources = ["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"]
        results = self.iam.simulate_principal_policy(
            PolicySourceArn=self.arn, ActionNames=["s3:GetObject", "s3:PutObject"], ResourceArns=resources
        )["EvaluationResults"]
        self.assertEqual([result["EvalActionName"] for result in results], ["s3:GetObject", "s3:PutObject"])
        self.assertEqual([result["EvalDecision"] for result in results], ["allowed", "explicitDeny"])
        specific = results[1]["ResourceSpecificResults"]
        self.assertEqual([result["EvalResourceName"] for result in specific], resources)
        self.assertEqual([result["EvalResourceDecision"] for result in specific], ["allowed", "explicitDeny"])
        self.assertEqual([len(result["MatchedStatements"]) for result in specific], [1, 1])

    def test_one_resource_is_the_result_itself(self):
        result = self.simulate(ResourceArns=["arn:aws:s3:::one/*"])
        self.assertEqual(result["EvalResourceName"], "arn:aws:s3:::one/*")
        self.assertNotIn("ResourceSpecificResults", result)

    def test_sessions_differ_by_their_user_id(self):
        session = self.session()
        deny = revoke_policy("2026-01-01T00:00:00Z")
        deny["Statement"][0]["Condition"] = {"StringEquals": {"aws:userid": session["principal_id"]}}
        self.iam.put_role_policy(RoleName="AppRole", PolicyName=REVOKE_POLICY, PolicyDocument=json.dumps(deny))
        entry = {"ContextKeyName": "aws:userid", "ContextKeyType": "string"}
        for user_id, decision in ((session["principal_id"], "explicitDeny"), ("AROAOTHER:i-1", "allowed")):
            result = self.simulate(ContextEntries=[{**entry, "ContextKeyValues": [user_id]}])
            self.assertEqual(result["EvalDecision"], decision)
        self.assertAwsError("AccessDenied", self.client(session, "iam").list_users)
        self.client(self.session(session_name="another"), "iam").list_users()

    def test_pages_and_what_stands_below(self):
        self.emulator.switch(simulator_pages=True, simulator_answers_below=True)
        request = {"PolicySourceArn": self.arn, "ActionNames": ["s3:GetObject", "s3:PutObject"]}
        pages = list(self.iam.get_paginator("simulate_principal_policy").paginate(**request))
        self.assertEqual([len(page["EvaluationResults"]) for page in pages], [1, 1])
        self.assertEqual([page["IsTruncated"] for page in pages], [True, False])
        result = pages[1]["EvaluationResults"][0]
        self.assertEqual((result["EvalActionName"], result["MatchedStatements"]), ("s3:PutObject", []))
        below = result["ResourceSpecificResults"][0]
        self.assertEqual((below["EvalResourceDecision"], below["MissingContextValues"]), ("allowed", [ISSUE_TIME]))

    def test_it_can_ignore_the_context(self):
        self.emulator.switch(simulator_ignores_context=True)
        result = self.simulate("2026-01-01T09:59:59Z")
        self.assertEqual((result["EvalDecision"], result["MissingContextValues"]), ("allowed", [ISSUE_TIME]))

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
