"""The operations of REST services, by method and path."""
import re
from typing import Dict, Tuple
from urllib.parse import SplitResult, parse_qsl, unquote

FUNCTION = "(?P<FunctionName>[^/]+)"
LAYER, VERSION = "(?P<LayerName>[^/]+)", r"(?P<VersionNumber>\d+)"

REST_OPERATIONS = {
    "guardduty": [
        ("GET", r"/detector", "ListDetectors"),
        ("POST", r"/detector", "CreateDetector"),
        ("GET", r"/detector/(?P<DetectorId>[^/]+)", "GetDetector"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings", "ListFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/get", "GetFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/archive", "ArchiveFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/unarchive", "UnarchiveFindings"),
        ("POST", r"/detector/(?P<DetectorId>[^/]+)/findings/create", "CreateSampleFindings"),
        ("GET", r"/detector/(?P<DetectorId>[^/]+)/member", "ListMembers"),
        ("GET", r"/admin", "ListOrganizationAdminAccounts"),
    ],
    "account": [
        ("POST", r"/listRegions", "ListRegions"),
    ],
    "lambda": [
        ("GET", r"/2015-03-31/functions/?", "ListFunctions"),
        ("POST", r"/2015-03-31/functions/?", "CreateFunction"),
        ("GET", rf"/2015-03-31/functions/{FUNCTION}", "GetFunction"),
        ("DELETE", rf"/2015-03-31/functions/{FUNCTION}", "DeleteFunction"),
        ("PUT", rf"/2015-03-31/functions/{FUNCTION}/code", "UpdateFunctionCode"),
        ("GET", rf"/2015-03-31/functions/{FUNCTION}/configuration", "GetFunctionConfiguration"),
        ("PUT", rf"/2015-03-31/functions/{FUNCTION}/configuration", "UpdateFunctionConfiguration"),
        ("GET", rf"/2015-03-31/functions/{FUNCTION}/policy", "GetPolicy"),
        ("POST", rf"/2015-03-31/functions/{FUNCTION}/policy", "AddPermission"),
        ("DELETE", rf"/2015-03-31/functions/{FUNCTION}/policy/(?P<StatementId>[^/]+)", "RemovePermission"),
        ("POST", rf"/2021-10-31/functions/{FUNCTION}/url", "CreateFunctionUrlConfig"),
        ("GET", rf"/2021-10-31/functions/{FUNCTION}/url", "GetFunctionUrlConfig"),
        ("DELETE", rf"/2021-10-31/functions/{FUNCTION}/url", "DeleteFunctionUrlConfig"),
        ("GET", rf"/2018-10-31/layers/{LAYER}/versions", "ListLayerVersions"),
        ("POST", rf"/2018-10-31/layers/{LAYER}/versions", "PublishLayerVersion"),
        ("GET", rf"/2018-10-31/layers/{LAYER}/versions/{VERSION}", "GetLayerVersion"),
        ("DELETE", rf"/2018-10-31/layers/{LAYER}/versions/{VERSION}", "DeleteLayerVersion"),
        ("POST", rf"/2018-10-31/layers/{LAYER}/versions/{VERSION}/policy", "AddLayerVersionPermission"),
    ],
    "securityhub": [
        ("POST", r"/findings/import", "BatchImportFindings"),
        ("PATCH", r"/findings/batchupdate", "BatchUpdateFindings"),
    ],
    "s3": [
        ("GET", r"/", "ListBuckets"),
        ("PUT", r"/(?P<Bucket>[^/]+)/?", "CreateBucket"),
        ("DELETE", r"/(?P<Bucket>[^/]+)/?", "DeleteBucket"),
        ("GET", r"/(?P<Bucket>[^/]+)/?", "ListBucket"),
        ("HEAD", r"/(?P<Bucket>[^/]+)/?", "ListBucket"),
        ("GET", r"/(?P<Bucket>[^/]+)/(?P<Key>.+)", "GetObject"),
        ("PUT", r"/(?P<Bucket>[^/]+)/(?P<Key>.+)", "PutObject"),
        ("DELETE", r"/(?P<Bucket>[^/]+)/(?P<Key>.+)", "DeleteObject"),
    ],
}
# What an operation of S3 is about, if the query says it: (method, word) -> operation.
S3_SUBRESOURCES = {
    ("GET", "policy"): "GetBucketPolicy",
    ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("GET", "acl"): "GetBucketAcl",
    ("PUT", "acl"): "PutBucketAcl",
    ("GET", "object-lock"): "GetBucketObjectLockConfiguration",
    ("GET", "versioning"): "GetBucketVersioning",
    ("GET", "versions"): "ListBucketVersions",
    ("GET", "versionId"): "GetObjectVersion",
}


def rest_operation(service: str, method: str, url: SplitResult) -> Tuple[str, Dict[str, str]]:
    """The operation and what its path names; an empty text if there is none."""
    for verb, pattern, operation in REST_OPERATIONS[service]:
        match = re.fullmatch(pattern, url.path)
        if match and verb == method:
            named = {name: unquote(value) for name, value in match.groupdict().items()}
            if service == "s3":
                operation = _of_query(method, url.query, operation)
            return operation, named
    return "", {}


def _of_query(method: str, query: str, otherwise: str) -> str:
    words = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    return next((S3_SUBRESOURCES[method, word] for word in words if (method, word) in S3_SUBRESOURCES), otherwise)
