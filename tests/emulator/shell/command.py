"""A command of the AWS CLI: the service, the operation, its parameters, and the CLI's own options."""
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Tuple

import jmespath
from botocore import xform_name
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from .line import Misspelled, words
from .values import value_of

# Commands that are not named as their service.
RENAMED = {"s3api": "s3", "configservice": "config", "deploy": "codedeploy"}
# By these names the CLI has no commands of the service; its own `aws s3` is not here.
NOT_THERE = tuple(RENAMED.values())
# Options that are not named as their parameter: (service, parameter's name in kebab case) -> the option.
RENAMED_OPTIONS = {
    ("ec2", "no-egress"): "ingress",
    ("ecs", "no-enable-execute-command"): "disable-execute-command",
    ("eks", "version"): "kubernetes-version",
    ("sns", "endpoint"): "notification-endpoint",
}
INPUT = "--cli-input-json"
# Options of the CLI itself -> whether they take a value.
GLOBALS = {
    "--region": True,
    "--profile": True,
    "--output": True,
    "--query": True,
    "--no-cli-pager": False,
    "--no-paginate": False,
}
OUTPUTS = ("json", "text", "table", "yaml", "off")


@dataclass(frozen=True)
class Command:
    service: str
    operation: str
    parameters: Dict[str, object]
    # Of the CLI itself, without the dashes.
    options: Dict[str, str]


def read_command(line: str, model_of: Callable[[str], Optional[ServiceModel]]) -> Command:
    """Raises Misspelled, as the CLI would end with status 252."""
    program, *rest = words(line)
    if program != "aws":
        raise Misspelled(f"{program}: only aws is here")
    positional, options = _split(rest)
    if len(positional) != 2:
        raise Misspelled(f"a service and an operation are expected, not: {' '.join(positional)}")
    service = RENAMED.get(positional[0], positional[0])
    model = None if positional[0] in NOT_THERE else model_of(service)
    if model is None:
        raise Misspelled(f"unknown service: {positional[0]}")
    operation = next((name for name in model.operation_names if kebab(name) == positional[1]), None)
    if operation is None:
        raise Misspelled(f"unknown operation: {positional[0]} {positional[1]}")
    of_cli = {name: values for name, values in options.items() if name in GLOBALS}
    own = {name: values for name, values in options.items() if name not in GLOBALS}
    options_of_cli = _of_cli(of_cli)
    shape = model.operation_model(operation).input_shape
    parameters = _parameters(model.operation_model(operation), own)
    report = ParamValidator().validate(parameters, shape) if shape else None
    if report and report.has_errors():
        raise Misspelled(report.generate_report())
    return Command(service, operation, parameters, options_of_cli)


def kebab(name: str) -> str:
    """``PutRolePolicy`` as the CLI writes it: ``put-role-policy``."""
    return xform_name(name, "-")


def _split(rest: List[str]) -> Tuple[List[str], Dict[str, List[str]]]:
    """What stands before the first option of the operation, and the words of each option."""
    positional: List[str] = []
    options: Dict[str, List[str]] = {}
    words_of = positional
    for word in rest:
        if word.startswith("--"):
            name, is_joined, value = word.partition("=")
            if name in options:
                raise Misspelled(f"{name} twice")
            words_of = options[name] = [value] if is_joined else []
            wanted = GLOBALS.get(name)
        else:
            words_of.append(word)
            wanted = GLOBALS.get(name) if words_of is not positional else None
        if words_of is not positional and wanted is not None and len(words_of) == int(wanted):
            # The CLI's own options may stand in front of the service.
            words_of = positional
    return positional, options


def _parameters(operation, options: Dict[str, List[str]]) -> Dict[str, object]:
    shape, own = operation.input_shape, dict(options)
    parameters = dict(_value(INPUT, shape, own.pop(INPUT))) if INPUT in own and shape else {}
    known = _known(operation)
    for option, given in own.items():
        if option[2:] not in known:
            raise Misspelled(f"unknown option: {option}, there are --{', --'.join(sorted(known)) or 'none'}")
        name, flag = known[option[2:]]
        if flag is not None and given:
            raise Misspelled(f"{option} takes no value")
        parameters[name] = _value(option, shape.members[name], given) if flag is None else flag
    return parameters


def _known(operation) -> Dict[str, Tuple[str, Optional[bool]]]:
    """Option without its dashes -> the parameter, and what a flag says of it."""
    known: Dict[str, Tuple[str, Optional[bool]]] = {}
    for name, member in (operation.input_shape.members if operation.input_shape else {}).items():
        if member.type_name == "boolean":
            known[kebab(name)], known[f"no-{kebab(name)}"] = (name, True), (name, False)
        else:
            known[kebab(name)] = (name, None)
    service = operation.service_model.service_name
    return {RENAMED_OPTIONS.get((service, option), option): meant for option, meant in known.items()}


def _value(option: str, member, given: List[str]) -> object:
    try:
        return value_of(member, given)
    except Misspelled as error:
        raise Misspelled(f"{option}: {error}") from None


def _of_cli(options: Dict[str, List[str]]) -> Dict[str, str]:
    for name, given in options.items():
        if len(given) != int(GLOBALS[name]):
            raise Misspelled(f"{name}: expected {int(GLOBALS[name])} arguments")
    if "--output" in options and options["--output"][0] not in OUTPUTS:
        raise Misspelled(f"--output is one of {', '.join(OUTPUTS)}")
    try:
        jmespath.compile(options.get("--query", ["@"])[0])
    except jmespath.exceptions.JMESPathError as error:
        raise Misspelled(f"--query: {error}") from None
    return {name[2:]: "".join(given) for name, given in options.items()}
