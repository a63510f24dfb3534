"""What IAM is asked about a call."""
from typing import List

from ..policy.documents import Request
from ..protocol.calls import Call
from ..state.directory import Directory
from .condition_keys import condition_keys_of
from .organizations.asked import tagged
from .resources import resources_of


def questions_of(call: Call, account: str, directory: Directory) -> List[Request]:
    """A question for each resource, all of which have to be allowed. Their contexts are those of the call alone."""
    actions = [call.action]
    if call.service == "organizations" and call.operation != "TagResource" and tagged(call):
        # Who makes something with tags has to be allowed to tag it.
        actions.append("organizations:TagResource")
    if call.service == "s3" and "x-amz-object-lock-mode" in {name.lower() for name in call.headers.keys()}:
        # Who puts an object that is to be kept has to be allowed to say for how long.
        actions.append("s3:PutObjectRetention")
    questions = []
    for resource in resources_of(call, account, directory):
        keys = condition_keys_of(call, account, directory, resource)
        context = {name.lower(): values for name, values in keys.items()}
        questions += [Request(action, resource, context) for action in actions]
    return questions
