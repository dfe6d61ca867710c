#!/usr/bin/env python3
"""Holds messages whose attachments were taken off against what they were: parts.py BEFORE AFTER REPORT

Python's own parser reads both; no code is shared with the program that is checked. What must hold:
  [kept]   each part that is left is one that was there, its fields and its octets the same, in the same order; but for texts
           that are shown, notices, pictures of blocks, and file names where REPORT (of `replay --json`) says that some changed
  [gone]   what is gone is no text that is shown, no signature and nothing under one
  [empty]  no multipart is left without a part
  [defect] the parser finds no defect that it did not find before
  [text]   each line of a text that is shown is still there, in order, but for files that are uuencoded in it
Prints "path <tab> class <tab> what" for each violation, then how many messages were rewritten, and fails where there is one.
"""
import email, email.policy, json, pathlib, re, sys

before_dir, after_dir, report = map(pathlib.Path, sys.argv[1:4])
BODY = {"text/plain", "text/html"}
SEALED = {"multipart/signed", "multipart/encrypted"}
MAX_DEPTH = 100


def parse(raw):
    return email.message_from_bytes(raw, policy=email.policy.compat32)


def leaves(message, depth=0, sealed=False, shown=True):
    """(part, is it under a signature or encryption, is it shown) of each leaf, in order; attached messages are looked into.
    What is sealed inside of an attached message may go with it."""
    attached = message.get_content_maintype() == "message"
    sealed = sealed or message.get_content_type() in SEALED and shown
    if not message.is_multipart() or depth > MAX_DEPTH:
        return [(message, sealed, shown)]
    out = []
    for part in message.get_payload():
        out += leaves(part, depth + 1, sealed, shown and not attached)
    return out


def is_text(part, shown):
    name = part.get_filename() or part.get_param("name")
    return part.get_content_type() in BODY and not name and part.get_content_disposition() != "attachment"


def is_notice(part):
    return part["X-Mailwright-Notice"] is not None and part.get_content_type() == "text/plain"


def octets(part):
    payload = part.get_payload()
    return payload if isinstance(payload, str) else str(payload)


def fields(part, named):
    wanted = [(name.lower(), value) for name, value in part.raw_items() if name.lower().startswith("content-")]
    # A name that changed: all but what a name is made of.
    if named:
        wanted = [(name, re.split(r";", str(value), maxsplit=1)[0].strip().lower()) for name, value in wanted]
    return wanted


def same(old, new, named):
    return octets(old).rstrip("\r\n") == octets(new).rstrip("\r\n") and fields(old, named) == fields(new, named)


def lines(part):
    data = part.get_payload(decode=True) or b""
    return [line.rstrip() for line in re.split(rb"\r\n|\n|\r", data) if line.strip()]


def empty(message, depth=0):
    if message.get_content_maintype() != "multipart" or depth > MAX_DEPTH:
        return 0
    parts = message.get_payload() if message.is_multipart() else []
    return int(not parts) + sum(empty(part, depth + 1) for part in parts)


def defects(message):
    return sorted(type(defect).__name__ for part in message.walk() for defect in part.defects)


def check(path, before, after, named):
    old, new = parse(before), parse(after)
    olds, news = leaves(old), leaves(new)
    at = 0
    gone = []
    for part, _, shown in news:
        if is_notice(part) or (part.get("Content-ID") or "").endswith("@mailwright>"):
            continue
        found = next((i for i in range(at, len(olds)) if same(olds[i][0], part, named)), None)
        if found is None and is_text(part, shown):
            # An edited text: the next that is one of its type.
            kind = part.get_content_type()
            found = next((i for i in range(at, len(olds)) if is_text(*olds[i][::2]) and olds[i][2] == shown and olds[i][0].get_content_type() == kind), None)
            if found is not None and kind == "text/plain" and b"\nbegin" not in before:
                left = iter(lines(part))
                lost = [line for line in lines(olds[found][0]) if not any(line in other for other in left)]
                if lost and part.get_content_charset() == olds[found][0].get_content_charset():
                    yield "text", f"{len(lost)} lines are gone or elsewhere"
        if found is None:
            if not is_text(part, shown):
                yield "kept", f"{part.get_content_type()} is none that was there"
            continue
        gone += olds[at:found]
        at = found + 1
    gone += olds[at:]
    notices = sum(is_notice(part) for part, _, _ in news)
    for part, sealed, shown in gone:
        if sealed:
            yield "gone", f"{part.get_content_type()} under a signature or encryption"
        elif shown and is_text(part, shown) and part.get_payload(decode=True).strip() and not notices:
            yield "gone", f"a text that is shown ({part.get_content_type()})"
    if empty(new) > empty(old):
        yield "empty", "a multipart without a part"
    if len(defects(new)) > len(defects(old)):
        yield "defect", ", ".join(set(defects(new)) - set(defects(old)) or set(defects(new)))


total = rewritten = faults = 0
for line in report.open(encoding="utf-8"):
    told = json.loads(line)
    if "totals" in told or "path" not in told:
        continue
    total += 1
    where = pathlib.Path(told["path"])
    try:
        inside = where.resolve().relative_to(before_dir.resolve())
    except ValueError:
        continue
    before, after = (before_dir / inside).read_bytes(), (after_dir / inside).read_bytes()
    rules = (told.get("rules") or {}).get("rules", [])
    if told.get("failure") and "bug" in told["failure"] or any("bug" in (r["verdict"].get("why") or "") for r in rules):
        print(f"{inside}\tbug\tmailwright owns up to one")
        faults += 1
    if before == after:
        continue
    rewritten += 1
    named = any("renamed" in effect for rule in rules for effect in rule.get("effects", []))
    for kind, what in check(inside, before, after, named):
        print(f"{inside}\t{kind}\t{what}")
        faults += 1
print(f"{total} messages, {rewritten} rewritten, {faults} violations")
sys.exit(1 if faults or not rewritten else 0)
