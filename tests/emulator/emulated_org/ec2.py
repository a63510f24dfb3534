"""Amazon EC2's DescribeInstances, without the seconds that moto's EC2 takes to load."""
from .moto_bridge import forward, is_loaded
from .protocol import Answer, Call

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def describe_instances(call: Call, account: str) -> Answer:
    """Nobody can have started an instance until moto's EC2 was loaded to do so."""
    if is_loaded("ec2"):
        return forward(call, account)
    body = (
        f'<DescribeInstancesResponse xmlns="{NAMESPACE}"><requestId>{call.request_id}</requestId>'
        "<reservationSet/></DescribeInstancesResponse>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())
