"""A CloudFormation template, as CloudFormation would see it for given parameters."""
import re

import yaml

from places import ACCOUNT, REGION, REQUIRED

# Of each partition, the suffix of its host names.
PARTITIONS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-us-gov": "amazonaws.com",
}
NOTHING = object()  # AWS::NoValue


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def short_form(loader, tag, node):
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if tag == "GetAtt" else text}
    return {name: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


class Template:
    """Its resources and outputs, with every intrinsic function resolved."""

    def __init__(self, text: str, region: str = REGION, partition: str = "aws", **parameters: object):
        self.raw = yaml.load(text, Loader)
        self.pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::URLSuffix": PARTITIONS[partition],
        }
        declared = self.raw.get("Parameters", {})
        unknown = set(parameters) - set(declared)
        assert not unknown, f"no such parameter: {unknown}"
        self.parameters = {name: about["Default"] for name, about in declared.items() if "Default" in about}
        self.parameters |= parameters
        missing = set(declared) - set(self.parameters)
        assert not missing, f"no value for {missing}"

    @classmethod
    def of(cls, text: str, **parameters: object) -> "Template":
        """With a value for each parameter that has no default, and with these."""
        declared = yaml.load(text, Loader).get("Parameters", {})
        wanted = {name: REQUIRED[name] for name, about in declared.items() if "Default" not in about}
        return cls(text, **wanted | parameters)

    def properties(self, resource: str) -> dict:
        """The properties of one resource."""
        return self.resolved(self.raw["Resources"][resource]["Properties"])

    def resources(self, kind: str) -> dict:
        """The properties of all resources of a type that are made."""
        made = {
            name: about for name, about in self.raw["Resources"].items()
            if about["Type"] == kind and ("Condition" not in about or self.condition(about["Condition"]))
        }
        return {name: self.properties(name) for name in made}

    def condition(self, name: str) -> bool:
        return self.resolved(self.raw["Conditions"][name])

    def resolved(self, node):
        if isinstance(node, list):
            return [one for one in map(self.resolved, node) if one is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, value), = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self.function(name, value)
            if name == "Condition" and isinstance(value, str):
                return self.condition(value)
        done = {key: self.resolved(value) for key, value in node.items()}
        return {key: value for key, value in done.items() if value is not NOTHING}

    def function(self, name: str, value):
        if name == "Fn::If":
            condition, then, otherwise = value
            return self.resolved(then if self.condition(condition) else otherwise)
        if name == "Fn::Base64":
            return self.resolved(value)
        if name == "Fn::GetAtt":
            return self.attribute(*value)
        if name == "Ref":
            return self.reference(value)
        if name == "Fn::Sub" and isinstance(value, str):
            return self.filled(value, {})
        if name == "Fn::Sub":
            return self.filled(value[0], self.resolved(value[1]))
        value = self.resolved(value)
        if name == "Fn::Equals":
            return value[0] == value[1]
        if name == "Fn::And":
            return all(value)
        if name == "Fn::Not":
            return not value[0]
        if name == "Fn::Join":
            return value[0].join(value[1])
        if name == "Fn::Select":
            return value[1][int(value[0])]
        if name == "Fn::Split":
            return value[1].split(value[0])
        raise AssertionError(f"{name} is not known to these tests")

    def filled(self, text: str, values: dict) -> str:
        """With what ${…} stands for, and ${!…} as ${…}."""
        def stands_for(found) -> str:
            name, _, attribute = found[1].partition(".")
            return str(values[name] if name in values else self.attribute(name, attribute) if attribute else self.reference(name))

        return re.sub(r"\$\{!", "${", re.sub(r"\$\{([\w:.]+)\}", stands_for, text))

    def reference(self, name: str):
        if name == "AWS::NoValue":
            return NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self.raw["Resources"][name]["Type"]
        if kind == "AWS::SNS::Topic":
            return f"arn:{self.pseudo['AWS::Partition']}:sns:{self.pseudo['AWS::Region']}:{ACCOUNT}:{self.properties(name)['TopicName']}"
        own = {"AWS::Events::EventBus": "Name", "AWS::IAM::Role": "RoleName"}.get(kind)
        return self.properties(name)[own] if own else f"ref:{name}"

    def attribute(self, name: str, attribute: str) -> str:
        kind, own = self.raw["Resources"][name]["Type"], self.properties(name)
        arn, where = f"arn:{self.pseudo['AWS::Partition']}", f"{self.pseudo['AWS::Region']}:{ACCOUNT}"
        if kind == "AWS::SQS::Queue" and attribute == "QueueName":
            return own["QueueName"]
        if kind == "AWS::ECS::Service" and attribute == "Name":
            return f"name:{name}"
        assert attribute == "Arn", f"{name}.{attribute} is not known to these tests"
        if kind == "AWS::SQS::Queue":
            return f"{arn}:sqs:{where}:{own['QueueName']}"
        if kind == "AWS::Events::EventBus":
            return f"{arn}:events:{where}:event-bus/{own['Name']}"
        if kind == "AWS::Events::Rule":
            bus = own.get("EventBusName", "default")
            return f"{arn}:events:{where}:rule/{'' if bus == 'default' else bus + '/'}{own['Name']}"
        if kind == "AWS::IAM::Role":
            return f"{arn}:iam::{ACCOUNT}:role{own.get('Path', '/')}{own.get('RoleName', name)}"
        if kind == "AWS::KMS::Key":
            return f"{arn}:kms:{where}:key/{name}"
        raise AssertionError(f"the ARN of a {kind} is not known to these tests")
