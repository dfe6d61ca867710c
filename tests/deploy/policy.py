"""Holds the role in template.yaml against the calls that the function makes.

  policy.py TEMPLATE SOURCE...

Every operation of an AWS SDK that the code calls must be granted, and nothing else may be, apart from what Lambda calls in the
function's name. What is granted must be confined to the resources below, under the condition below. Which operations there are
is read from the SDKs, so that a call counts by its name wherever and on whatever it is made.
"""
import json, pathlib, re, subprocess, sys

import yaml

# Resources of each service or action, and the condition of the template under which they are granted.
MESSAGES = "arn:${AWS::Partition}:workmailmessageflow:${AWS::Region}:${AWS::AccountId}:message/${OrganizationId}/*"
ORGANIZATION = "arn:${AWS::Partition}:workmail:${AWS::Region}:${AWS::AccountId}:organization/${OrganizationId}"
CONFINED = {
    "workmailmessageflow": {MESSAGES: None},
    "workmail": {ORGANIZATION: "HasDirectory"},
    "s3:PutObject": {"${Bucket.Arn}/rewritten/*": None, "${Attachments.Arn}/attachments/*": "HasAttachments"},
    # Links lead to attachments; of rules it is one object each.
    "s3:GetObject": {
        "${Attachments.Arn}/attachments/*": "HasAttachments",
        "${RulesBucket.Arn}/rules.json": "HasPublishedRules",
        "${RulesBucket.Arn}/candidate.json": "HasCandidate",
    },
    "s3:GetObjectVersion": {"${RulesBucket.Arn}/rules.json": "HasPublishedRules"},
    "s3:ListBucketVersions": {"RulesBucket.Arn": "HasPublishedRules"},
    "logs": {"${Log.Arn}": None},
    "kms": {"EnvironmentKey": "HasEnvironmentKey"},
    # X-Ray knows no resources (Service Authorization Reference).
    "xray": {"*": "HasTracing"},
}
# What a grant holds under besides: the versions of one object, and not what else lies in the bucket.
UNDER = {"s3:ListBucketVersions": {"StringEquals": {"s3:prefix": "rules.json"}}}
# What Lambda calls in the name of the function.
BY_LAMBDA = {"kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# Operations whose action has another name (Service Authorization Reference).
OTHER_ACTIONS = {
    "s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket", "s3:ListObjects": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket", "s3:ListObjectVersions": "s3:ListBucketVersions", "s3:CopyObject": "s3:PutObject", "s3:UploadPart": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject", "s3:CompleteMultipartUpload": "s3:PutObject", "s3:DeleteObjects": "s3:DeleteObject",
}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, kept as their arguments."""


Template.add_multi_constructor("!", lambda loader, tag, node: (
    loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode)
    else loader.construct_sequence(node, True) if isinstance(node, yaml.SequenceNode)
    else loader.construct_mapping(node, True)))


def operations():
    """What each SDK can call, as a method, and the action that it needs: a file for each under src/client/."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--features", "lambda"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    known = {}
    for package in packages:
        if package["name"].startswith("aws-sdk-"):
            service = package["name"].removeprefix("aws-sdk-")
            files = (pathlib.Path(package["manifest_path"]).parent / "src/client").glob("*.rs")
            # What changes a request, and is none.
            for file in (file for file in files if file.stem != "customize"):
                action = f"{service}:" + "".join(word.capitalize() for word in file.stem.split("_"))
                known.setdefault(file.stem, set()).add(OTHER_ACTIONS.get(action, action))
    return known


def faults(template, code, known):
    """Everything that is wrong, and how much was looked at."""
    # Without comments and tests; a call is a method without arguments, however it is broken over lines.
    code = re.sub(r"//[^\n]*", "", code)
    called = set(re.findall(r"\.\s*(\w+)\s*\(\s*\)", code)) & known.keys()
    # With several services that have it, one that is granted will do.
    made, either = set(), []
    for name in called:
        made |= known[name] if len(known[name]) == 1 else set()
        either += [known[name]] if len(known[name]) > 1 else []
    # A link is signed by the function and taken by S3 in its name.
    if "Links::signed" in code:
        made.add("s3:GetObject")
    # A version has an action of its own.
    if re.search(r"\.(set_)?version_id\(", code):
        made.add("s3:GetObjectVersion")
    # A statement under a condition is `Fn::If: [condition, statement, nothing]`.
    statements = [
        statement.get("Fn::If", [None, statement])[:2]
        for policy in template["Resources"]["Role"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    many = lambda value: [value] if isinstance(value, str) else value
    granted = {}
    found = []
    for condition, statement in statements:
        found += [f"statement {statement.get('Sid')} is written the wrong way round"] if statement.keys() & {"NotAction", "NotResource"} else []
        for action in many(statement.get("Action", [])):
            wrong = statement.get("Condition") != UNDER.get(action)
            found += [f"{action} is granted under {statement.get('Condition')}, and should be under {UNDER.get(action)}"] if wrong else []
            for resource in many(statement.get("Resource", [])):
                granted.setdefault(action, {})[resource] = condition
    found += [f"{action} is called and not granted" for action in sorted(made - granted.keys())]
    found += [f"one of {sorted(some)} is called and none granted" for some in either if not some & granted.keys()]
    wanted = made.union(*either) | BY_LAMBDA
    found += [f"{action} is granted and not called" for action in sorted(granted.keys() - wanted)]
    for action, on in sorted(granted.items()):
        confined = CONFINED.get(action, CONFINED.get(action.split(":")[0]))
        found += [f"{action} is granted on {on}, and should be on {confined}"] if on != confined else []
    role = template["Resources"]["Role"]["Properties"]
    found += ["the role has managed policies"] if role.get("ManagedPolicyArns") else []
    function = template["Resources"]["Function"]["Properties"]
    found += ["the function has policies beside its role"] if "Policies" in function or function["Role"] != "Role.Arn" else []
    trusted = role["AssumeRolePolicyDocument"]["Statement"]
    only = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    found += ["somebody else than Lambda may take the role"] if trusted != only else []
    found += [] if made else ["no call was found in the code"]
    return found, f"{len(made)} actions called, {len(granted)} granted"


def files(sources):
    for source in map(pathlib.Path, sources):
        yield from [source] if source.is_file() else sorted(source.rglob("*.rs"))


def read(template, sources):
    code = "\n".join(path.read_text().split("#[cfg(test)]")[0] for path in files(sources))
    return yaml.load(template, Template), code


def main():
    template, code = read(pathlib.Path(sys.argv[1]).read_text(), sys.argv[2:])
    found, looked_at = faults(template, code, operations())
    for fault in found:
        print(fault)
    print(f"{looked_at}, {len(found)} faults")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
