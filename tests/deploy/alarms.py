"""Each alarm can go off, whatever the parameters of the stack are.

  alarms.py TEMPLATE

All values that a parameter allows are put in: the ends of a range, each of a list. `Mode` is left at enforce: the other modes
are there to have nothing happen that could go wrong.
"""
import itertools, pathlib, sys

import policy

# Seconds that a message takes at most, one after the other: what one process gets done whatever Concurrency is.
LONGEST = 15
# Seconds between two failures where there is little mail: messages are few, and WorkMail's tries of one lie far apart.
SPARSE = 1_200
# CloudWatch: an alarm looks back a day at most.
DAY = 86_400
# Metrics that there are only with these parameters. All others there may be in any stack.
ONLY = {
    "RulesRefused": lambda p: p["PublishedRules"] == "on" or p["CandidateShare"] != "0",
    "RulesUnread": lambda p: p["PublishedRules"] == "on" or p["CandidateShare"] != "0",
    "LayerRules": lambda p: p["PublishedRules"] == "on",
}
# Metrics that are counted when the function looks for rules, and not with each message.
BY_LOOK = {"RulesSwapped"}


def values(name, parameter):
    """What a parameter may be, as far as it could matter here."""
    if "AllowedValues" in parameter:
        return parameter["AllowedValues"]
    if parameter["Type"] == "Number":
        return [parameter["MinValue"], parameter["Default"], parameter["MaxValue"]]
    return {"CandidateShare": ["0", "0.01", "100"], "AlarmTopic": ["", "arn:aws:sns:eu-west-1:123456789012:mail"]}.get(name, [""])


def holds(condition, conditions, p):
    """CloudFormation's conditions, as policy.py reads them: without the names of short forms, so by their shape."""
    if isinstance(condition, str):
        return holds(conditions[condition], conditions, p)
    if all(isinstance(part, str) and part in conditions for part in condition):
        return any(holds(part, conditions, p) for part in condition)
    if len(condition) == 1:
        return not holds(condition[0], conditions, p)
    name, value = condition
    return str(p[name]) == str(value)


def quiet(name, alarm, condition, template):
    """What is wrong with an alarm that goes off where nothing comes: its parameter says after how many periods."""
    parameter, found = alarm["EvaluationPeriods"], []
    hours = template["Parameters"].get(parameter)
    if hours is None:
        return [f"{name} is no matter of a parameter"]
    for chosen in range(hours["MinValue"], hours["MaxValue"] + 1):
        there = condition is None or holds(condition, template["Conditions"], {parameter: chosen})
        found += [f"{name} looks at {chosen} periods"] if there != (chosen > 0) else []
        found += [f"{name} looks back longer than CloudWatch does"] if chosen * alarm["Period"] > DAY else []
    # Without invocations there is no data, and one invocation is enough.
    found += [f"{name} takes no messages for good"] if alarm["TreatMissingData"] != "breaching" else []
    found += [f"{name} cannot go off"] if (alarm["Threshold"], alarm["Statistic"]) != (1, "Sum") else []
    return found


def faults(template):
    parameters, conditions, resources = template["Parameters"], template["Conditions"], template["Resources"]
    found = []
    for name, resource in resources.items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        alarm, condition = resource["Properties"], resource.get("Condition")
        if alarm["ComparisonOperator"] == "LessThanThreshold":
            found += quiet(name, alarm, condition, template)
            continue
        metric, period = alarm["MetricName"], alarm["Period"]
        threshold, statistic = alarm["Threshold"], alarm["Statistic"]
        by_map = isinstance(threshold, list)
        matter = ["PublishedRules", "CandidateShare", "RulesSeconds"] + ([threshold[1]] if by_map else ["Timeout"])
        for chosen in itertools.product(*(values(each, parameters[each]) for each in matter)):
            p = dict(zip(matter, chosen))
            said = ", ".join(f"{key}={value}" for key, value in p.items())
            there = condition is None or holds(condition, conditions, p)
            occurs = ONLY.get(metric, lambda p: True)(p)
            if there != occurs:
                found.append(f"{name} cannot go off with {said}" if there else f"there is no {name} with {said}")
                continue
            if not there:
                continue
            limit = threshold
            if by_map:
                limit = template["Mappings"][threshold[0]].get(str(p[threshold[1]]), {}).get(threshold[2])
                if limit is None:
                    found.append(f"{name} has no threshold with {said}")
                    continue
            # What the metric can be in a period.
            if metric == "Duration":
                most = p["Timeout"] * 1_000 if statistic == "Maximum" else 0
                # Rules, and what is kept for the answer, take time, and it should be told before it is too late.
                limit += 500
            elif metric in BY_LOOK:
                most = period // p["RulesSeconds"]
            else:
                most = period // LONGEST
            if not (most > limit if alarm["ComparisonOperator"] == "GreaterThanThreshold" else most >= limit):
                found.append(f"{name} cannot go off with {said}: {metric} is {most} at most")
        periods = alarm["EvaluationPeriods"]
        needed = alarm.get("DatapointsToAlarm", periods)
        found += [f"{name} looks back longer than CloudWatch does"] if periods * period > DAY else []
        if needed > 1 and (needed - 1) * SPARSE + period > periods * period:
            found.append(f"{name} does not go off where there is little mail")
        found += [f"{name} takes no messages for a fault"] if alarm["TreatMissingData"] != "notBreaching" else []
    return found


def main():
    template = policy.read(pathlib.Path(sys.argv[1]).read_text(), [])[0]
    found = faults(template)
    for fault in found:
        print(fault)
    count = sum(resource["Type"] == "AWS::CloudWatch::Alarm" for resource in template["Resources"].values())
    print(f"{count} alarms that can go off, {len(found)} faults")
    return bool(found) or not count


if __name__ == "__main__":
    sys.exit(main())
