"""GuardDuty: criteria, order, pages, and findings of any shape."""
import http.client
import json
from urllib.parse import urlsplit

from .support import EmulatorTestCase

REGION = "eu-central-1"


class Findings(EmulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.guardduty = self.client(self.org["accounts"]["security"], "guardduty", REGION)
        self.detector = self.org["detectors"][REGION]

    def inject(self, *findings: dict, **fields) -> list:
        request = {"account": "111111111111", "region": REGION, "findings": list(findings), **fields}
        return self.emulator.findings(**request)["finding_ids"]

    def listed(self, criterion: dict = None, **parameters) -> list:
        request = {"DetectorId": self.detector, **parameters}
        if criterion:
            request["FindingCriteria"] = {"Criterion": criterion}
        return self.guardduty.list_findings(**request)["FindingIds"]

    def test_each_region_has_its_own_detector(self):
        self.assertEqual(self.guardduty.list_detectors()["DetectorIds"], [self.detector])
        other = self.client(self.org["accounts"]["security"], "guardduty", "us-east-1")
        self.assertEqual(other.list_detectors()["DetectorIds"], [self.org["detectors"]["us-east-1"]])
        self.assertAwsError("BadRequestException", other.list_findings, DetectorId=self.detector)
        self.assertEqual(self.client(self.shop, "guardduty", REGION).list_detectors()["DetectorIds"], [])

    def test_criteria(self):
        self.inject(
            {"id": "a", "type": "T1", "updatedAt": "2026-01-01T00:00:00.000Z", "severity": 2.0},
            {"id": "b", "type": "T2", "updatedAt": "2026-01-01T00:00:01.000Z", "severity": 8, "service": {"archived": True}},
            {
                "id": "c",
                "type": "T2",
                "updatedAt": "2026-01-01T00:00:02.000Z",
                "severity": "high",
                "resource": {"resourceType": "AttackSequence"},
            },
            {"id": "d", "type": "T3", "updatedAt": 1767225603000, "severity": None},
        )
        second = 1767225601000
        cases = [
            ({"type": {"Eq": ["T1", "T3"]}}, ["a", "d"]),
            ({"type": {"Equals": ["T2"]}}, ["b", "c"]),
            ({"type": {"NotEquals": ["T2"]}}, ["a", "d"]),
            ({"type": {"Neq": ["T1"]}}, ["b", "c", "d"]),
            ({"service.archived": {"Eq": ["false"]}}, ["a", "c", "d"]),
            ({"updatedAt": {"GreaterThan": second}}, ["c", "d"]),
            ({"updatedAt": {"GreaterThanOrEqual": second}}, ["b", "c", "d"]),
            ({"updatedAt": {"Gte": second, "Lt": second + 1000}}, ["b"]),
            ({"updatedAt": {"LessThan": second}}, ["a"]),
            ({"updatedAt": {"Lte": second}}, ["a", "b"]),
            ({"severity": {"Gte": 7}}, ["b"]),
            ({"resource.resourceType": {"Equals": ["AttackSequence", "Unheard"]}}, ["c"]),
        ]
        for criterion, expected in cases:
            with self.subTest(criterion=criterion):
                self.assertEqual(self.listed(criterion), expected)

    def test_order(self):
        self.inject(
            {"id": "a", "updatedAt": "2026-01-02T00:00:00.000Z"},
            {"id": "b", "updatedAt": "2026-01-01T00:00:00.000Z"},
            {"id": "c", "updatedAt": "2026-01-03T00:00:00Z"},
        )
        order = {"AttributeName": "updatedAt", "OrderBy": "ASC"}
        self.assertEqual(self.listed(SortCriteria=order), ["b", "a", "c"])
        self.assertEqual(self.listed(SortCriteria={**order, "OrderBy": "DESC"}), ["c", "a", "b"])

    def test_pages_lose_nothing_while_findings_change(self):
        ids = self.inject(*({"id": f"{number:03}"} for number in range(120)))
        page = self.guardduty.list_findings(DetectorId=self.detector, MaxResults=50)
        seen = page["FindingIds"]
        self.emulator.advance_clock(60)
        # An update moves a finding to the end, a new one comes in between.
        self.inject({"id": "000"}, {"id": "0005", "updatedAt": "2020-01-01T00:00:00Z"})
        while page["NextToken"]:
            page = self.guardduty.list_findings(
                DetectorId=self.detector, MaxResults=50, NextToken=page["NextToken"]
            )
            self.assertLessEqual(len(page["FindingIds"]), 50)
            seen = seen + page["FindingIds"]
        self.assertEqual(sorted(seen), ids)

    def test_limits(self):
        too_many = {"DetectorId": self.detector, "FindingIds": ["x"] * 51}
        self.assertAwsError("BadRequestException", self.guardduty.get_findings, **too_many)
        wrong = {"DetectorId": self.detector, "NextToken": "wrong"}
        self.assertAwsError("BadRequestException", self.guardduty.list_findings, **wrong)

    def test_the_same_id_again_is_an_update(self):
        self.inject({"id": "a", "severity": 2})
        self.inject({"id": "a", "severity": 8, "service": {"count": 7}})
        finding = self.guardduty.get_findings(DetectorId=self.detector, FindingIds=["a", "missing"])["Findings"]
        self.assertEqual([(found["Severity"], found["Service"]["Count"]) for found in finding], [(8, 7)])

    def test_archiving(self):
        self.inject({"id": "a"}, {"id": "b", "service": "not an object"})
        self.guardduty.archive_findings(DetectorId=self.detector, FindingIds=["a", "b", "missing"])
        archived = {"service.archived": {"Eq": ["true"]}}
        self.assertEqual(self.listed(archived), ["a"])
        self.guardduty.unarchive_findings(DetectorId=self.detector, FindingIds=["a"])
        self.assertEqual(self.listed(archived), [])

    def test_sample_findings(self):
        create = {"DetectorId": self.detector, "FindingTypes": ["Recon:EC2/PortProbeUnprotectedPort"]}
        self.guardduty.create_sample_findings(**create)
        self.guardduty.create_sample_findings(**create)
        ids = self.listed()
        self.assertEqual(len(ids), 1)
        finding = self.guardduty.get_findings(DetectorId=self.detector, FindingIds=ids)["Findings"][0]
        self.assertTrue(finding["Title"].startswith("[SAMPLE] "))
        self.assertEqual(finding["Service"]["Count"], 2)
        self.assertEqual(finding["Service"]["AdditionalInfo"]["Value"], '{"sample": true}')

    def test_raw_findings_come_back_as_they_are(self):
        raw = {"id": "odd", "severity": "8", "updatedAt": 12, "resource": [], "service": None, "x": {"\u00fc": 1e3}}
        self.inject(raw, raw=True)
        self.assertEqual(self.listed(), ["odd"])
        self.assertEqual(self.raw_findings(["odd"]), [raw])

    def test_an_exfiltration_finding_is_complete(self):
        self.role()
        session = self.session()
        injected = self.emulator.exfiltration(
            account="111111111111",
            region=REGION,
            member="222222222222",
            role="AppRole",
            principal_id=session["principal_id"],
            access_key_id=session["access_key_id"],
            updated_at="2026-01-01T00:00:00.000Z",
            severity=5,
            overrides={"service": {"count": 3}, "extra": True},
        )
        finding = injected["finding"]
        self.assertEqual(self.raw_findings([injected["finding_id"]]), [finding])
        self.assertEqual((finding["accountId"], finding["severity"], finding["extra"]), ("222222222222", 5, True))
        self.assertEqual((finding["service"]["count"], finding["service"]["detectorId"]), (3, self.detector))
        self.assertEqual(finding["resource"]["accessKeyDetails"]["accessKeyId"], session["access_key_id"])
        self.assertEqual(finding["resource"]["instanceDetails"]["instanceId"], "i-0abc1234def567890")
        address = finding["service"]["action"]["awsApiCallAction"]["remoteIpDetails"]["ipAddressV4"]
        self.assertTrue(address.startswith("203.0.113."))
        self.assertEqual(finding["updatedAt"], "2026-01-01T00:00:00.000Z")

    def test_a_finding_about_a_user(self):
        user = self.emulator.user(account="222222222222", name="ci", policy=None)
        request = {"account": "111111111111", "region": REGION, "member": "222222222222", "user": "ci"}
        key = user["access_keys"][0]["access_key_id"]
        injected = self.emulator.exfiltration(**request, access_key_id=key, error_code="AccessDenied")
        finding = self.raw_findings([injected["finding_id"]])[0]
        details = {"accessKeyId": key, "principalId": user["user_id"], "userName": "ci", "userType": "IAMUser"}
        self.assertEqual(finding["resource"], {"resourceType": "AccessKey", "accessKeyDetails": details})
        self.assertEqual(finding["type"], "UnauthorizedAccess:IAMUser/MaliciousIPCaller")
        self.assertEqual(finding["service"]["action"]["awsApiCallAction"]["errorCode"], "AccessDenied")
        self.assertEqual(self.unknown_fields(finding), [])

    def test_an_attack_sequence(self):
        self.role(path="/app/")
        session = self.session(issued_at="2026-01-01T10:00:00Z", duration=10**9)
        user = self.emulator.user(account="222222222222", name="ci", policy=None)
        role_actor = {
            "role": "AppRole",
            "principal_id": session["principal_id"],
            "access_key_id": session["access_key_id"],
        }
        key = user["access_keys"][0]["access_key_id"]
        user_actor = {"user": "ci", "principal_id": user["user_id"], "access_key_id": key}
        injected = self.emulator.attack_sequence(
            account="111111111111",
            region=REGION,
            member="222222222222",
            actors=[{"account": "222222222222", **actor} for actor in (role_actor, user_actor)],
            updated_at="2026-01-01T11:00:00.000Z",
        )
        finding = self.raw_findings([injected["finding_id"]])[0]
        self.assertEqual(self.unknown_fields(finding), [])
        self.assertEqual(finding["resource"], {"resourceType": "AttackSequence"})
        self.assertEqual((finding["severity"], finding["updatedAt"]), (9.0, "2026-01-01T11:00:00.000Z"))
        parsed = self.guardduty.get_findings(DetectorId=self.detector, FindingIds=[finding["id"]])["Findings"][0]
        by_role, by_user = parsed["Service"]["Detection"]["Sequence"]["Actors"]
        account = {"Uid": "222222222222", "Name": "shop"}
        self.assertEqual(by_role["User"]["Account"], account)
        self.assertEqual((by_role["User"]["Type"], by_role["User"]["Uid"]), ("AssumedRole", session["principal_id"]))
        self.assertEqual(by_role["User"]["CredentialUid"], session["access_key_id"])
        self.assertEqual(by_role["Session"]["Issuer"], "arn:aws:iam::222222222222:role/app/AppRole")
        self.assertEqual(by_role["Session"]["CreatedTime"].isoformat()[:19], "2026-01-01T10:00:00")
        self.assertEqual((by_user["User"]["Type"], by_user["User"]["CredentialUid"]), ("IAMUser", key))
        self.assertNotIn("Session", by_user)

    def unknown_fields(self, finding: dict) -> list:
        """The names in a finding that GuardDuty's service model does not have."""
        return list(_unknown(self.guardduty.meta.service_model.shape_for("Finding"), finding))

    def raw_findings(self, ids: list) -> list:
        """GetFindings without an SDK, which would hide what it does not know."""
        credential = f"{self.org['accounts']['security']['access_key_id']}/20260101/{REGION}/guardduty/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"}
        connection = http.client.HTTPConnection(urlsplit(self.emulator.endpoint).netloc, timeout=10)
        self.addCleanup(connection.close)
        connection.request("POST", f"/detector/{self.detector}/findings/get", json.dumps({"findingIds": ids}), headers)
        return json.load(connection.getresponse())["findings"]


def _unknown(shape, value, path: str = ""):
    if shape.type_name == "list":
        for item in value:
            yield from _unknown(shape.member, item, path + "[]")
    elif shape.type_name == "structure":
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, below in value.items():
            if name in members:
                yield from _unknown(members[name], below, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif shape.type_name == "timestamp" and not isinstance(value, (int, float)):
        yield f"{path} is no number"


class Members(EmulatorTestCase):
    def test_the_administrator_sees_the_accounts_of_the_organization(self):
        guardduty = self.client(self.org["accounts"]["security"], "guardduty", REGION)
        detector = self.org["detectors"][REGION]
        pages = guardduty.get_paginator("list_members").paginate(
            DetectorId=detector, OnlyAssociated="false", PaginationConfig={"PageSize": 1}
        )
        members = {one["AccountId"]: one["RelationshipStatus"] for page in pages for one in page["Members"]}
        shop = self.org["accounts"]["shop"]["id"]
        self.assertEqual(members[shop], "Enabled")
        self.assertNotIn("111111111111", members)
        change = {"account": "111111111111", "region": REGION, "frequency": "SIX_HOURS", "status": "DISABLED"}
        self.emulator.post("detectors", {**change, "members": {shop: None}})
        self.assertNotIn(shop, [one["AccountId"] for one in guardduty.list_members(DetectorId=detector)["Members"]])
        detector = guardduty.get_detector(DetectorId=detector)
        self.assertEqual((detector["Status"], detector["FindingPublishingFrequency"]), ("DISABLED", "SIX_HOURS"))
