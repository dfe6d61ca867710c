#!/usr/bin/env python3
"""Holds what the checker found against what is allowed: judge.py SET ENDS FOUND REPORT ALLOWED

SET is the name of the rule set, ENDS of the line ends, FOUND is the checker's output, REPORT that of `mailwright replay --json` on the same messages, ALLOWED allowed.tsv.
Exit status: 0 when nothing is found beyond what is allowed and mailwright owned up to no fault of its own, else 1.
"""
import collections, fnmatch, json, sys

rule_set, ends, found, report, allowed = sys.argv[1:]
name = f"{rule_set}, {ends}"

said, owned_up = {}, []
for line in open(report, encoding="utf-8"):
    message = json.loads(line)
    if "totals" in message:
        continue
    rules = (message.get("rules") or {}).get("rules", [])
    footer = rules[0]["verdict"] if rules else {"is": "nothing"}
    said[message["path"]] = footer["is"] + (": " + footer["why"] if footer.get("why") else "")
    faults = [message["failure"]] + [rule["verdict"].get("why") for rule in rules]
    if any(fault and "bug" in fault for fault in faults):
        owned_up.append((message["path"], next(f for f in faults if f and "bug" in f)))

limits = []
for number, line in enumerate(open(allowed, encoding="utf-8"), 1):
    if line.startswith("#") or not line.strip():
        continue
    columns = line.rstrip("\n").split("\t")
    if len(columns) != 6 or not columns[5].strip():
        sys.exit(f"allowed.tsv:{number}: six columns, parted by tabs, and a reason in the last")
    if fnmatch.fnmatch(rule_set, columns[0]):
        limits.append((*columns[1:4], int(columns[4])))

used, new = collections.Counter(), []
lines = open(found, encoding="utf-8", errors="replace").read().splitlines()
if not lines or " with violations: " not in lines[-1]:
    sys.exit(f"{name}: the checker did not come to its end:\n" + "\n".join(lines[-20:]))
paths = {path.split("/corpus-check/", 1)[-1]: verdict for path, verdict in said.items()}
for line in lines[:-1]:
    # A Content-Type of several lines goes on.
    if line[:1].isspace():
        continue
    path, kind, what = (line.split("\t") + ["", ""])[:3]
    if kind == "oracle-gave-up":
        continue
    verdict = paths.get(path, "nothing")
    for limit in limits:
        wanted_kind, wanted_verdict, wanted_path, most = limit
        fits = wanted_kind == kind and wanted_verdict in verdict and fnmatch.fnmatch(path, wanted_path)
        if fits and used[limit] < most:
            used[limit] += 1
            break
    else:
        new.append((path, kind, what, verdict))

for path, why in owned_up:
    print(f"BUG\t{path}\t{why}")
for row in new:
    print("NEW\t" + "\t".join(row))
for limit in limits:
    if used[limit] < limit[3]:
        print(f"note: allowed.tsv allows {limit[3]} of {limit[:3]}, and there are {used[limit]} in {name}")
print(f"{name}: {len(new)} beyond what is allowed, {sum(used.values())} allowed, {len(owned_up)} bugs owned up to")
sys.exit(1 if new or owned_up else 0)
