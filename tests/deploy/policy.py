"""Holds the role in template.yaml against the calls that the function makes.

  policy.py TEMPLATE SOURCE...

Every operation of an AWS SDK that the code sends must be granted, and nothing else may be, apart from writing the log,
which Lambda does in the function's name. What only the directory needs must be granted only where it is switched on.
"""
import pathlib, re, sys

import yaml

# Operations as the SDKs name them, and the actions that they need (Service Authorization Reference).
SERVICES = {
    "get_raw_message_content": "workmailmessageflow:GetRawMessageContent",
    "put_raw_message_content": "workmailmessageflow:PutRawMessageContent",
    "put_object": "s3:PutObject",
    "get_object": "s3:GetObject",
    "describe_entity": "workmail:DescribeEntity",
    "describe_user": "workmail:DescribeUser",
    "list_group_members": "workmail:ListGroupMembers",
    "list_groups": "workmail:ListGroups",
    "list_groups_for_entity": "workmail:ListGroupsForEntity",
    "list_mail_domains": "workmail:ListMailDomains",
}
# What is granted under a condition of the template, and what is granted without.
SWITCHED = {"workmail": "HasDirectory", "xray": "HasTracing"}
# What may be read, and under which condition: links lead to attachments, and of rules it is one object each.
READS = {
    "${Attachments.Arn}/attachments/*": None,
    "${RulesBucket.Arn}/rules.json": "HasPublishedRules",
    "${RulesBucket.Arn}/candidate.json": "HasCandidate",
}
# What Lambda calls in the name of the function. X-Ray takes no resources (Service Authorization Reference).
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
WITHOUT_RESOURCE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, kept as their arguments."""


Template.add_multi_constructor("!", lambda loader, tag, node: (
    loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode)
    else loader.construct_sequence(node, True) if isinstance(node, yaml.SequenceNode)
    else loader.construct_mapping(node, True)))


def main():
    template = yaml.load(pathlib.Path(sys.argv[1]).read_text(), Template)
    code = "\n".join(path.read_text() for root in sys.argv[2:] for path in sorted(pathlib.Path(root).rglob("*.rs")))
    # `client.operation()`: the way in which SDK calls are written.
    called = set(re.findall(r"\bclient\s*\.\s*(\w+)\(\)", code))
    unknown = called - SERVICES.keys()
    made = {SERVICES[name] for name in called & SERVICES.keys()}
    # A link is signed by the function and taken by S3 in its name.
    if "Links::signed" in code:
        made.add("s3:GetObject")
    # A statement under a condition is `Fn::If: [condition, statement, nothing]`.
    switched = [
        statement.get("Fn::If", [None, statement])[:2]
        for policy in template["Resources"]["Role"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    statements = [statement for _, statement in switched]
    actions = lambda s: [s["Action"]] if isinstance(s["Action"], str) else s["Action"]
    granted = {action for statement in statements for action in actions(statement)}
    everything = lambda s: s["Resource"] in ("*", ["*"]) and not WITHOUT_RESOURCE.issuperset(actions(s))
    wide = [s["Sid"] for s in statements if everything(s) or any("*" in a for a in actions(s))]
    faults = [f"the code calls {name}, which this check does not know" for name in sorted(unknown)]
    faults += [f"{action} is called and not granted" for action in sorted(made - granted)]
    faults += [f"{action} is granted and not called" for action in sorted(granted - made - BY_LAMBDA)]
    faults += [f"statement {sid} is not confined" for sid in wide]
    faults += [
        f"{action} is granted {'under ' + condition if condition else 'without a condition'}"
        for condition, statement in switched for action in actions(statement)
        if action != "s3:GetObject" and condition != SWITCHED.get(action.split(":")[0])
    ]
    reads = {s["Resource"]: condition for condition, s in switched if "s3:GetObject" in actions(s)}
    faults += [f"s3:GetObject is granted on {reads}, and not on {READS}"] if reads != READS else []
    faults += [] if made else ["no call was found in the code"]
    for fault in faults:
        print(fault)
    print(f"{len(made)} calls, {len(granted)} actions granted, {len(faults)} faults")
    return bool(faults)


sys.exit(main())
