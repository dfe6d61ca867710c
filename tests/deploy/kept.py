"""A deployment leaves parameters as they are that it does not name: a function that was switched off stays off.

  kept.py TEMPLATE CONFIGURATION PAGE...

Asks SAM itself: the configuration that it reads for `sam deploy`, and what it then sends to CloudFormation. And the pages tell
nobody to have SAM write parameters down, which it would set again each time.
"""
import pathlib, re, sys

import yaml
from samcli.commands.deploy.deploy_context import DeployContext
from samcli.lib.config.samconfig import SamConfig
from samcli.lib.deploy.deployer import Deployer


class CloudFormation:
    """A stack that is there, with all its parameters."""

    def __init__(self, parameters):
        self.parameters, self.sent = parameters, None

    def describe_stacks(self, **_):
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    def get_template_summary(self, **_):
        return {"Parameters": [{"ParameterKey": name} for name in self.parameters]}

    def create_change_set(self, **asked):
        self.sent = {entry["ParameterKey"]: entry for entry in asked["Parameters"]}
        return {"Id": "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/x/y"}


def sent(template, named):
    """What is sent of each parameter by `sam deploy --parameter-overrides` with those."""
    client = CloudFormation(template["Parameters"])
    parameters = DeployContext.merge_parameters(template, named)
    Deployer(client).create_changeset(
        stack_name="mailwright", cfn_template="", parameter_values=parameters, capabilities=[], role_arn=None,
        notification_arns=[], s3_uploader=None, tags=[],
    )
    return client.sent


def main():
    lines = pathlib.Path(sys.argv[1]).read_text().split("\nResources:")[0]
    parameters = yaml.safe_load("Parameters:" + lines.split("\nParameters:")[1].split("\n# CloudFormation")[0].split("\nMappings:")[0])
    configuration = pathlib.Path(sys.argv[2]).resolve()
    faults = []
    say = lambda wrong, what: faults.append(what) if wrong else None

    config = SamConfig(str(configuration.parent), configuration.name)
    for environment in ("default", "x86_64"):
        try:
            deployed = config.get_all(["deploy"], "parameters", environment)
        except KeyError:
            deployed = {}
        say("parameter_overrides" in deployed, f"{configuration.name} sets parameters at each deployment ({environment})")
    say(config.get_all(["deploy"], "parameters").get("stack_name") != "mailwright", "sam deploy does not know its stack")
    built = config.get_all(["build"], "parameters", "x86_64")
    say(built.get("parameter_overrides") != "Architecture=x86_64", "sam build --config-env x86_64 builds for another processor")
    same = {key: value for key, value in built.items() if key != "parameter_overrides"}
    say(same != config.get_all(["build"], "parameters"), "for x86_64 it is built in another way")

    for named in ({}, {"Mode": "off"}, {"CandidateShare": "5", "PublishedRules": "on"}):
        said = sent(parameters, named)
        say(set(said) != set(parameters["Parameters"]), f"SAM does not send all parameters: {sorted(said)}")
        for name, entry in said.items():
            kept = entry.get("UsePreviousValue") is True and "ParameterValue" not in entry
            set_to = entry.get("ParameterValue") == named.get(name) and "UsePreviousValue" not in entry
            say(not (set_to if name in named else kept), f"with {named} SAM sends {entry}")

    pages = [page for given in map(pathlib.Path, sys.argv[3:]) for page in ([given] if given.is_file() else given.rglob("*.md"))]
    for page in pages:
        for command in re.findall(r"^ *sam deploy[^\n]*", page.read_text(), re.M):
            say("--guided" in command, f"{page} has SAM write parameters down: {command.strip()}")
    for fault in faults:
        print(fault)
    print(f"{len(parameters['Parameters'])} parameters, {len(pages)} pages, {len(faults)} faults")
    return bool(faults) or len(pages) < 5


sys.exit(main())
