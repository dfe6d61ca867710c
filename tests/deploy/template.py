"""Holds template.yaml against what it speaks of: the variables that the function reads, the metrics and log fields that it
writes, the rules that the layer takes along, and what every bucket and every grant to WorkMail must have.

  template.py TEMPLATE ROOT
"""
import json, pathlib, re, sys

import yaml

# Variables that the function reads and the template leaves as they are.
LEFT = {"MAILWRIGHT_DIRECTORY_TTL"}
# Fields of the log that Lambda or CloudWatch write.
OF_CLOUDWATCH = {"@timestamp"}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, kept as `{form: argument}`."""


def short_form(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, True)
    else:
        argument = loader.construct_mapping(node, True)
    return {tag: argument}


Template.add_multi_constructor("", lambda loader, tag, node: short_form(loader, tag, node) if tag.startswith("!") else None)


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def strings(path):
    """The string literals of a source file, tests left out."""
    code = pathlib.Path(path).read_text().split("#[cfg(test)]")[0]
    return set(re.findall(r'"((?:[^"\\]|\\.)*)"', code))


def main():
    template = yaml.load(pathlib.Path(sys.argv[1]).read_text(), Template)
    root = pathlib.Path(sys.argv[2])
    resources, parameters = template["Resources"], template["Parameters"]
    of = lambda kind: {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}
    faults = []
    say = lambda wrong, what: faults.append(what) if wrong else None

    # Parameters: asked for in a group, and used.
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    say(sorted(grouped) != sorted(parameters), f"parameters and their groups differ: {sorted(set(grouped) ^ set(parameters))}")
    body = [template["Resources"], template["Conditions"], template["Outputs"]]
    used = {v["!Ref"] for v in walk(body) if isinstance(v, dict) and "!Ref" in v}
    used |= {name for v in walk(body) if isinstance(v, str) for name in re.findall(r"\$\{(\w+)\}", v)}
    say(set(parameters) - used, f"parameters that nothing uses: {sorted(set(parameters) - used)}")
    for name, parameter in parameters.items():
        say(len(parameter.get("Description", "")) < 30, f"{name} does not say what it is for")

    # Variables: those that the function reads.
    variables = set(resources["Function"]["Properties"]["Environment"]["Variables"])
    read = {s for s in strings(root / "src/flow/config.rs") if re.fullmatch(r"MAILWRIGHT_[A-Z_]+", s)}
    say(variables - read, f"variables that the function does not read: {sorted(variables - read)}")
    say(read - variables - LEFT, f"variables that the template does not set: {sorted(read - variables - LEFT)}")

    # Metrics: those that the function writes.
    metrics = strings(root / "src/flow/metrics.rs")
    page = (root / "docs/operations.md").read_text()
    alarms = of("AWS::CloudWatch::Alarm")
    for name, alarm in alarms.items():
        own = alarm["Namespace"] == {"!Ref": "AWS::StackName"}
        say(own and alarm["MetricName"] not in metrics, f"{name} is about {alarm['MetricName']}, which nothing writes")
        say(f"| `{name}` |" not in page, f"docs/operations.md does not say what to do about {name}")
        say("AlarmActions" not in alarm, f"{name} tells nobody")
    # A text, and what stands in it under a condition: looked at as if each held.
    body, under = of("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["!Sub"]
    for name, value in under.items():
        body = body.replace(f"${{{name}}}", value["!If"][1]["!Sub"])
        say(value["!If"][2] != "", f"{name} is something where it should be nothing")
    dashboard = json.loads(re.sub(r"\$\{[\w:.]+\}", "x", body))
    fields = strings(root / "src/flow/report.rs") | set(re.findall(r"(\w+) = ", (root / "src/flow/report.rs").read_text()))
    shown, taken = set(), []
    for widget in dashboard["widgets"]:
        properties, namespace, row = widget["properties"], None, []
        for metric in properties.get("metrics", []):
            names = [n for n in metric if isinstance(n, str)]
            row = [old if n == "." else n for n, old in zip(names, row + [None] * len(names))] if names != ["..."] else row
            say(row and row[0] == "x" and row[1] not in metrics, f"the dashboard shows {row}, which nothing writes")
        for field in re.findall(r"[@\w]+", properties.get("query", "x | x").split("| sort")[0].split("fields ")[-1]):
            known = field in fields | OF_CLOUDWATCH | {"filter", "fields", "or", "original", "failed", "x"}
            say(not known, f"the dashboard asks the log for {field}, which no line has")
        place = (widget["x"], widget["y"], widget["width"], widget["height"])
        over = [o for o in taken if o[0] < place[0] + place[2] and place[0] < o[0] + o[2] and o[1] < place[1] + place[3] and place[1] < o[1] + o[3]]
        say(over or place[0] + place[2] > 24, f"the widget {properties['title']} lies over another")
        taken.append(place)
    say(any(f"${{{name}.Arn}}" not in body for name in alarms), "the dashboard does not show all alarms")

    # Buckets: private, encrypted, by TLS alone; rewritten mail is gone after a day with all that is left of it.
    # A statement under a condition is looked at as if it held.
    plain = lambda statement: statement["Fn::If"][1] if "Fn::If" in statement else statement
    policies = {p["Bucket"]["!Ref"]: [plain(s) for s in p["PolicyDocument"]["Statement"]] for p in of("AWS::S3::BucketPolicy").values()}
    for name, bucket in of("AWS::S3::Bucket").items():
        block = bucket.get("PublicAccessBlockConfiguration", {})
        say(len(block) != 4 or not all(block.values()), f"{name} is not closed to the public")
        say("BucketEncryption" not in bucket, f"{name} is not encrypted")
        denied = [s for s in policies.get(name, []) if s["Effect"] == "Deny" and s["Principal"] == "*"]
        tls = [s for s in denied if s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} and s["Action"] == "s3:*"]
        say(not tls or len(tls[0]["Resource"]) != 2, f"{name} can be reached without TLS")
    mail = resources["Bucket"]["Properties"]
    lifecycle = {key: value for rule in mail["LifecycleConfiguration"]["Rules"] for key, value in rule.items()}
    say(mail["VersioningConfiguration"]["Status"] != "Enabled", "Bucket keeps no versions")
    say(lifecycle.get("ExpirationInDays") != 1, "rewritten mail stays longer than a day")
    say(lifecycle.get("NoncurrentVersionExpiration") != {"NoncurrentDays": 1}, "old versions of rewritten mail stay")
    say(lifecycle.get("ExpiredObjectDeleteMarker") is not True, "delete markers stay")

    # Rules: whoever else may not publish them may not do it by deleting or restoring either.
    kept = [s for s in policies["RulesBucket"] if s["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": {"!Ref": "Publishers"}}}]
    writes = {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}
    of_all = [s for s in kept if s["Effect"] == "Deny" and s["Principal"] == "*" and writes <= set(s["Action"]) and s["Resource"] == {"!Sub": "${RulesBucket.Arn}/*"}]
    say(not of_all, "others than Publishers may publish rules")

    # WorkMail: its organization alone may invoke the function and read the bucket.
    (invoked,) = of("AWS::Lambda::Permission").values()
    workmail = {"!Sub": "workmail.${AWS::Region}.amazonaws.com"}
    say(invoked["Principal"] != workmail, "somebody else than WorkMail may invoke the function")
    say(invoked.get("SourceAccount") != {"!Ref": "AWS::AccountId"}, "other accounts' WorkMail may invoke the function")
    say("organization/${OrganizationId}" not in str(invoked.get("SourceArn")), "other organizations may invoke the function")
    for bucket, statements in policies.items():
        for allowed in (s for s in statements if s["Effect"] == "Allow"):
            condition = allowed["Condition"]
            sound = (
                bucket == "Bucket"
                and allowed["Principal"] == {"Service": workmail}
                and condition["StringEquals"] == {"aws:SourceAccount": {"!Ref": "AWS::AccountId"}}
                and condition["ArnLike"]["aws:SourceArn"]["!Sub"].endswith(":message/${OrganizationId}/*")
                and set(allowed["Action"]) == {"s3:GetObject", "s3:GetObjectVersion"}
            )
            say(not sound, f"the policy of {bucket} allows {allowed['Action']} too widely")
    prefix = resources["Function"]["Properties"]["Environment"]["Variables"]["MAILWRIGHT_PREFIX"]
    reads = [s["Resource"]["!Sub"] for s in policies["Bucket"] if s["Effect"] == "Allow"]
    say(reads != [f"${{Bucket.Arn}}/{prefix}/*"], f"WorkMail may read {reads}, and messages lie under {prefix}/")

    # The layer: its files stand right under /opt, where the function looks for *.toml.
    layer = root / of("AWS::Serverless::LayerVersion")["Rules"]["ContentUri"]
    rules = resources["Function"]["Properties"]["Environment"]["Variables"]["MAILWRIGHT_RULES"]
    say(not list(layer.glob("*.toml")), "the layer has no rule file at its top")
    say(rules != "/opt", f"the function looks for rules in {rules}, and the layer is unpacked in /opt")

    for fault in faults:
        print(fault)
    print(f"{len(parameters)} parameters, {len(variables)} variables, {len(alarms)} alarms, {len(taken)} widgets, {len(faults)} faults")
    return bool(faults)


sys.exit(main())
