"""S3: a bucket for objects that are put once and kept, and what can go wrong on the way."""
from botocore.exceptions import ConnectionClosedError

from emulated_org.client import boto3_session

from .support import EmulatorTestCase

REGION = "eu-central-1"
HUB = "111111111111"
BUCKET = "example-witness"
KEY = "checkpoints/rescind/0011/00000000000000000042"


class S3TestCase(EmulatorTestCase):
    LOCK = {"mode": "COMPLIANCE", "days": 400}

    def setUp(self) -> None:
        super().setUp()
        arn = self.emulator.bucket(account=HUB, region=REGION, name=BUCKET, lock=self.LOCK)
        self.assertEqual(arn, f"arn:aws:s3:::{BUCKET}")
        self.bucket = self.client(self.org["accounts"]["security"], "s3", REGION)

    def put(self, key: str = KEY, text: bytes = b"first", client=None, **more):
        client = client or self.bucket
        return client.put_object(
            Bucket=BUCKET, Key=key, Body=text, IfNoneMatch="*", ChecksumAlgorithm="SHA256", ContentType="text/plain", **more
        )

    def get(self, key: str = KEY) -> bytes:
        return self.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read()


class Objects(S3TestCase):
    def test_one_is_put_where_none_stands(self):
        self.put()
        self.assertAwsError("PreconditionFailed", self.put, text=b"second")
        self.assertEqual(self.get(), b"first")
        (found,) = self.emulator.objects(BUCKET)
        self.assertEqual((found["key"], found["text"], found["versions"]), (KEY, "first", 1))
        self.assertEqual((found["mode"], found["content_type"]), ("COMPLIANCE", "text/plain"))
        self.assertTrue(found["retained_until"])

    def test_another_account_uses_it_by_its_name(self):
        other = self.client(self.shop, "s3", REGION)
        self.put(client=other)
        self.assertEqual(self.get(), b"first")

    def test_pages_have_a_thousand_keys(self):
        put = [{"key": f"checkpoints/{number:020}", "text": "x"} for number in range(1100)]
        self.emulator.change_objects(BUCKET, put=put)
        first = self.bucket.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/")
        self.assertEqual((len(first["Contents"]), first["IsTruncated"]), (1000, True))
        rest = self.bucket.list_objects_v2(
            Bucket=BUCKET, Prefix="checkpoints/", ContinuationToken=first["NextContinuationToken"]
        )
        self.assertEqual((len(rest["Contents"]), rest["IsTruncated"]), (100, False))

    def test_objects_are_changed_and_removed_beside_all_clients(self):
        self.put()
        self.emulator.change_objects(BUCKET, put=[{"key": KEY, "text": "forged"}])
        self.assertEqual(self.get(), b"forged")
        self.assertEqual(self.emulator.change_objects(BUCKET, remove=[KEY, "none"]), {"removed": [KEY]})
        self.assertAwsError("NoSuchKey", self.get)

    def test_what_the_bucket_does_can_be_read(self):
        lock = self.bucket.get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"]
        self.assertEqual(lock["ObjectLockEnabled"], "Enabled")
        self.assertEqual(lock["Rule"]["DefaultRetention"]["Days"], 400)
        self.assertEqual(self.bucket.get_bucket_versioning(Bucket=BUCKET)["Status"], "Enabled")
        self.emulator.bucket(account=HUB, region=REGION, name="example-plain", lock=None, versioned=False)
        self.assertAwsError(
            "ObjectLockConfigurationNotFoundError", self.bucket.get_object_lock_configuration, Bucket="example-plain"
        )
        self.assertNotIn("Status", self.bucket.get_bucket_versioning(Bucket="example-plain"))
        self.assertAwsError("NoSuchBucket", self.bucket.list_objects_v2, Bucket="example-none")


class Permissions(S3TestCase):
    def host(self, *actions: str):
        resource = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}],
        }
        user = self.emulator.user(account=HUB, name=f"host-{len(self.emulator.calls())}", policy=document)
        return self.client(user["access_keys"][0], "s3", REGION)

    def test_who_puts_with_a_retention_may_set_it(self):
        retention = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2030-01-01T00:00:00Z"}
        may_put = self.host("s3:PutObject")
        self.put(client=may_put)
        self.assertAwsError("AccessDenied", self.put, "other", client=may_put, **retention)
        self.put("other", client=self.host("s3:PutObject", "s3:PutObjectRetention"), **retention)
        found = {one["key"]: one for one in self.emulator.objects(BUCKET)}
        self.assertEqual(found["other"]["mode"], "GOVERNANCE")
        self.assertTrue(found["other"]["retained_until"].startswith("2030-01-01"))

    def test_each_look_at_the_bucket_has_an_action_of_its_own(self):
        nobody = self.host("s3:GetObject")
        for look in (nobody.list_objects_v2, nobody.get_object_lock_configuration, nobody.get_bucket_versioning):
            self.assertAwsError("AccessDenied", look, Bucket=BUCKET)
        host = self.host("s3:ListBucket", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning")
        for look in (host.list_objects_v2, host.get_object_lock_configuration, host.get_bucket_versioning):
            look(Bucket=BUCKET)


class Faults(S3TestCase):
    def once(self):
        """A client that tries once."""
        session = boto3_session(self.org["accounts"]["security"], REGION)
        client = self.emulator.client(session, "s3")
        self.addCleanup(client.close)
        return client

    def test_a_put_may_be_done_although_its_answer_is_lost(self):
        self.arm("s3", "PutObject", {"disconnect": True}, when="after")
        self.assertRaises(ConnectionClosedError, self.put, client=self.once())
        self.assertEqual(len(self.emulator.objects(BUCKET)), 1)
        self.assertAwsError("PreconditionFailed", self.put)

    def test_one_host_is_cut_off_by_its_key(self):
        key = self.org["accounts"]["security"]["access_key_id"]
        match = {"service": "s3", "access_key_id": key}
        self.emulator.fault(name="cut-off", match=match, action={"disconnect": True}, times=0)
        self.assertRaises(ConnectionClosedError, self.put, client=self.once())
        self.put(client=self.client(self.shop, "s3", REGION))
        self.emulator.release_fault("cut-off")
        self.assertAwsError("PreconditionFailed", self.put)
