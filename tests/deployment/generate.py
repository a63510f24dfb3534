"""Writes into the CloudFormation templates what they have from elsewhere.

    python3 tests/deployment/generate.py

1. The policy documents: what stands under a line that ends with "# policies/NAME.json".
2. member-role.yaml as the TemplateBody of member-role-stackset.yaml.
3. What an instance runs when it starts: the text under a line that ends with "| # policies/NAME.mime" or "….sh".

Run it after a change of either; a test sees when it was not. Needs the standard library only.
"""
import json
import re
import textwrap
from pathlib import Path

POLICIES = Path(__file__).resolve().parents[2] / "policies"
DEPLOYMENT = POLICIES / "deployment"
SOURCE = re.compile(r"^( *)(?:- )?\w+: # policies/([\w-]+\.json)\n", re.MULTILINE)
STARTED = re.compile(r"^( *)(?:[\w:]+: !Sub|-) \| # policies/([\w/-]+\.(?:mime|sh))\n", re.MULTILINE)
BODY = "      TemplateBody: |\n"
# The placeholders of policies/*.json and of what instances run, and the parameters of the templates.
PARAMETERS = {
    "CLUSTER": "Cluster",
    "CONFIGURATION_SECRET_ARN": "ConfigurationSecretArn",
    "DRILL_ROLE": "DrillRole",
    "EXTERNAL_ID": "ExternalId",
    "HUB_ACCOUNT": "HubAccount",
    "HUB_ROLE_ARN": "HubRoleArn",
    "LEDGER_VOLUME": "Ledger",
    "LOG_TABLE": "LogTable",
    # Its stack is one of the management account.
    "MANAGEMENT_ACCOUNT": "AWS::AccountId",
    "MEMBER_ROLE": "MemberRole",
    "OPT_OUTS_SECRET_ARN": "OptOutsSecretArn",
    "ORG_ID": "OrganizationId",
    "PACKAGE_SHA256": "PackageSha256",
    "PACKAGE_URL": "PackageUrl",
    "PARTITION": "AWS::Partition",
    "REGION": "AWS::Region",
    "SECRETS": "Secrets",
    "SIGNING_KEY_ARN": "SigningKeyArn",
    "SIGNING_KEY_SECRET_ARN": "SigningKeySecretArn",
    "SOURCE_IDENTITY": "SourceIdentity",
    "WITNESS_BUCKET": "WitnessBucket",
}
# Where a template makes the role itself, its name and path are two parameters.
OF_ITS_OWN = ("role/${MEMBER_ROLE}", "role${RolePath}${RoleName}")
# The one that stands for several: in a list, the parameter's values take its place.
SEVERAL = ("${DEPLOYERS}", "Deployers")


def main() -> None:
    for template in sorted(DEPLOYMENT.glob("**/*.yaml")):
        template.write_text(with_scripts(with_documents(template.read_text())))
    outer = DEPLOYMENT / "member-role-stackset.yaml"
    outer.write_text(with_body(outer.read_text(), (DEPLOYMENT / "member-role.yaml").read_text()))


def with_documents(text: str) -> str:
    """The template with each policy document as its JSON file has it."""
    done, rest = "", text
    makes_the_role = "\n  RolePath:\n" in text
    while found := SOURCE.search(rest):
        depth = len(found[1]) + 2
        source = (POLICIES / found[2]).read_text()
        document = json.loads(source.replace(*OF_ITS_OWN) if makes_the_role else source)
        done += rest[: found.end()] + "\n".join(block(document, depth)) + "\n"
        rest = below(rest[found.end():], depth)
    return done + rest


def with_scripts(text: str) -> str:
    """The template with what an instance runs, as the file has it."""
    done, rest = "", text
    while found := STARTED.search(rest):
        depth = len(found[1]) + 2
        script = named((POLICIES / found[2]).read_text())
        done += rest[: found.end()] + textwrap.indent(script, " " * depth)
        rest = below(rest[found.end():], depth)
    return done + rest


def with_body(outer: str, inner: str) -> str:
    """The outer template with the inner one as its TemplateBody, and what follows it as it was."""
    before, mark, after = outer.partition(BODY)
    return before + mark + textwrap.indent(inner, " " * 8) + below(after, 8)


def below(text: str, depth: int) -> str:
    """What follows the lines that are indented at least so far, with the blank lines before it."""
    lines = text.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith(" " * depth)), len(lines))
    while end and not lines[end - 1].strip():
        end -= 1
    return "".join(lines[end:])


def block(value, depth: int):
    """The lines of a mapping or a list."""
    pad = " " * depth
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                first, *more = block(item, depth + 2)
                yield f"{pad}- {first.lstrip()}"
                yield from more
            else:
                yield f"{pad}- {scalar(item)}"
        return
    for key, item in value.items():
        if isinstance(item, list) and SEVERAL[0] in item:
            yield f"{pad}{scalar(key)}: {several([one for one in item if one != SEVERAL[0]])}"
        elif isinstance(item, (dict, list)):
            yield f"{pad}{scalar(key)}:"
            yield from block(item, depth + 2)
        else:
            yield f"{pad}{scalar(key)}: {scalar(item)}"


def several(fixed: list) -> str:
    """These, and the values of the parameter that stands for several."""
    if not fixed:
        return f"!Ref {SEVERAL[1]}"
    # CloudFormation can put two lists together only as texts.
    first = ", ".join(scalar(one) for one in fixed)
    return f'!Split [",", !Join [",", [{first}, !Join [",", !Ref {SEVERAL[1]}]]]]'


def scalar(text: str) -> str:
    """A text, with its placeholders as references to parameters."""
    if not isinstance(text, str):
        return json.dumps(text)
    if whole := re.fullmatch(r"\$\{(\w+)\}", text):
        return f"!Ref {PARAMETERS[whole[1]]}"
    if "${" in text:
        return "!Sub " + json.dumps(named(text))
    is_plain = re.fullmatch(r"[a-zA-Z][\w:*/.-]*", text) and text.lower() not in ("true", "false", "null")
    return text if is_plain else json.dumps(text)


def named(text: str) -> str:
    """With the parameters for the placeholders. One that no template knows is an error, and not a parameter of its name."""
    return re.sub(r"\$\{([A-Z][A-Z0-9_]+)\}", lambda found: "${" + PARAMETERS[found[1]] + "}", text)


if __name__ == "__main__":
    main()
