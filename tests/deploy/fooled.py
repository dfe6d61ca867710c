"""Tries to fool policy.py and alarms.py: each change of the template or of the code below must be found out, for the reason given.

  fooled.py
"""
import pathlib, sys

import alarms
import policy

ROLE = "              - Sid: WriteTheLog\n"
STATEMENT = "              - Sid: More\n                Effect: Allow\n                Action: {}\n                Resource: {}\n"
# What stands in the template, what takes its place, and what must be said.
TEMPLATES = [
    # Too much.
    (ROLE, STATEMENT.format("s3:DeleteObject", "!Sub ${Bucket.Arn}/rewritten/*") + ROLE, "s3:DeleteObject is granted and not called"),
    (ROLE, STATEMENT.format("s3:*", "!Sub ${Bucket.Arn}/rewritten/*") + ROLE, "s3:* is granted and not called"),
    (ROLE, STATEMENT.format('"*"', '"*"') + ROLE, "* is granted and not called"),
    (ROLE, STATEMENT.format("[s3:GetObject]", "!Sub ${Bucket.Arn}/*") + ROLE, "s3:GetObject is granted on"),
    (ROLE, STATEMENT.format("secretsmanager:GetSecretValue", "!Ref StampKey") + ROLE, "secretsmanager:GetSecretValue is granted"),
    ("Resource: !Sub ${Bucket.Arn}/rewritten/*\n", "Resource: !Sub ${Bucket.Arn}/*\n", "s3:PutObject is granted on"),
    (":message/${OrganizationId}/*\n              - Sid", ":message/*\n              - Sid", "GetRawMessageContent is granted on"),
    ("                    Condition:\n                      StringEquals: { s3:prefix: rules.json }\n", "", "s3:ListBucketVersions is granted under"),
    ("- HasAttachments\n                  - Sid", "- HasTopic\n                  - Sid", "s3:PutObject is granted on"),
    ("- HasDirectory\n", "- HasTopic\n", "workmail:DescribeUser is granted on"),
    ("                Action:\n                  - workmailm", "                NotAction:\n                  - workmailm", "the wrong way round"),
    ("      Policies:\n        - PolicyName: calls", "      ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonS3FullAccess]\n      Policies:\n        - PolicyName: calls", "managed policies"),
    ("Principal: { Service: lambda.amazonaws.com }", 'Principal: { AWS: "*" }', "somebody else than Lambda"),
    ("      Role: !GetAtt Role.Arn\n", "      Role: !GetAtt Role.Arn\n      Policies: [AdministratorAccess]\n", "policies beside its role"),
    ("                    Action: kms:Decrypt\n                    Resource: !Ref EnvironmentKey\n", '                    Action: kms:Decrypt\n                    Resource: "*"\n', "kms:Decrypt is granted on"),
    ("                  - HasEnvironmentKey\n", "                  - HasTopic\n", "kms:Decrypt is granted on"),
    # Too little.
    ("                  - workmailmessageflow:PutRawMessageContent\n", "", "PutRawMessageContent is called and not granted"),
    ("                      - workmail:ListGroups\n", "", "workmail:ListGroups is called and not granted"),
    ("                      - s3:GetObjectVersion\n                    Resource", "                    Resource", "s3:GetObjectVersion is called and not granted"),
]
# Alarms that could not go off.
ALARMS = [
    ("!FindInMap [SlowAfter, !Ref Timeout, Milliseconds]", "10000", "SlowAlarm cannot go off"),
    ('"9": { Milliseconds: 6300 }', '"9": { Milliseconds: 9100 }', "SlowAlarm cannot go off"),
    ("AllowedValues: [5, 6, 7", "AllowedValues: [3, 5, 6, 7", "SlowAlarm has no threshold"),
    ("MetricName: RulesUnread\n", "MetricName: RulesSwapped\n", "RulesUnreadAlarm cannot go off"),
    ("  RulesRefusedAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: HasRuleSets\n", "  RulesRefusedAlarm:\n    Type: AWS::CloudWatch::Alarm\n", "RulesRefusedAlarm cannot go off"),
    ("Condition: HasPublishedRules\n    Properties:\n      AlarmDescription", "Condition: HasRuleSets\n    Properties:\n      AlarmDescription", "LayerRulesAlarm cannot go off"),
    ("Condition: HasRuleSets\n", "Condition: HasCandidate\n", "there is no RulesRefusedAlarm"),
    ("      Period: 3600\n", "      Period: 60\n", "RejectedAlarm cannot go off"),
    ("      TreatMissingData: breaching\n", "      TreatMissingData: missing\n", "QuietAlarm takes no messages for good"),
    ("  QuietAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: HasQuietAlarm\n", "  QuietAlarm:\n    Type: AWS::CloudWatch::Alarm\n", "QuietAlarm looks at 0 periods"),
    ("    MaxValue: 24\n", "    MaxValue: 25\n", "QuietAlarm looks back longer"),
    ("      Period: 300\n      EvaluationPeriods: 12\n", "      Period: 60\n      EvaluationPeriods: 5\n", "ErrorsAlarm does not go off where there is little mail"),
]
# The same with the code.
CODE = [
    (".put_raw_message_content()", ".nothing()", "PutRawMessageContent is granted and not called"),
    (".list_groups_for_entity()", ".nothing()", "workmail:ListGroupsForEntity is granted and not called"),
    ("pub mod aws;", "fn more(s: &S3) { s.other\n    .delete_object()\n    .send() }", "s3:DeleteObject is called and not granted"),
    ("pub mod aws;", "fn more(s: &S3) { s.0.list_objects_v2().send() }", "s3:ListBucket is called and not granted"),
    ("pub mod aws;", "fn more(s: &S3) { let request = s.describe_organization ( ); }", "workmail:DescribeOrganization is called"),
]


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    text, sources = (root / "template.yaml").read_text(), [root / "src/flow", root / "src/bin"]
    _, code = policy.read(text, sources)
    known = policy.operations()
    cases = [(text.replace(old, new, 1), code, why, old in text) for old, new, why in TEMPLATES]
    cases += [(text, code.replace(old, new), why, old in code) for old, new, why in CODE]
    fooled = []
    for template, code, why, there in cases:
        found, _ = policy.faults(policy.read(template, [])[0], code, known)
        if not there or not any(why in fault for fault in found):
            fooled.append(f"not found out: {why}" + ("" if there else " (what it changes is not there)") + f": {found}")
    for old, new, why in ALARMS:
        found = alarms.faults(policy.read(text.replace(old, new, 1), [])[0])
        if old not in text or not any(why in fault for fault in found):
            fooled.append(f"not found out: {why}: {found}")
    for line in fooled:
        print(line)
    print(f"{len(cases) + len(ALARMS)} tries to fool these tests, {len(fooled)} went through")
    return bool(fooled)


sys.exit(main())
