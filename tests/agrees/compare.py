#!/usr/bin/env python3
"""Reads every message of tests/golden and what becomes of it with Python's `email`: compare.py GOLDEN

Shares no code with us, so that it shares no mistake either. For each folder with an expected.eml it compares the tree of
content types, the header fields, and each part, its transfer encoding and charset undone. What differs and is not what
the rules of the folder ask for is printed: "folder <tab> what <tab> detail". The words of what:

  tree      the parts are not the same, and the message is no part of a new multipart with a block beside it either
  header    a field that no rule names is gone, new, or changed
  part      a part that is no text differs
  text      a text differs by more than the blocks that the rules put in
  charset   a text cannot be read in its charset any more
"""
import difflib, email, email.policy, fnmatch, html, html.parser, pathlib, re, sys, tomllib, urllib.parse

FIELDS_OF_A_BODY = {"content-type", "content-transfer-encoding", "content-disposition", "mime-version"}
OURS = "x-mailwright-mark"


class Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []

    def handle_data(self, data):
        self.found.append(data)


def words(text):
    """Text without markup, quote marks and white space: wrapping and quoting do not matter here."""
    parser = Text()
    parser.feed(text)
    parser.close()
    return re.sub(r"[\s>\ufeff]+", "", "".join(parser.found))


def tree(part):
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        return [part.get_content_type(), [tree(child) for child in part.get_payload()]]
    return part.get_content_type()


def leaves(part):
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        return [leaf for child in part.get_payload() for leaf in leaves(child)]
    return [part]


def content(part):
    """The octets of a part. An attached message is what it is written as."""
    payload = part.get_payload()
    if part.get_content_maintype() == "message" and isinstance(payload, list):
        return b"\0".join(repr([child.items(), tree(child), [content(leaf) for leaf in leaves(child)]]).encode(
            "utf-8", "surrogateescape") for child in payload)
    return part.get_payload(decode=True) or b""


def text(part):
    octets = content(part)
    label = part.get_content_charset() or "us-ascii"
    try:
        return octets.decode(label), None
    except (LookupError, ValueError) as error:
        return octets.decode("latin-1"), error


def rules_of(folder):
    own = folder / "rules.toml"
    rules = tomllib.loads((own if own.exists() else folder.parent / "rules.toml").read_text(encoding="utf-8"))
    blocks, named, masks, gateways = [], set(), False, []
    for rule in rules.get("rule", []):
        actions = rule.get("action", [])
        for action in [actions] if isinstance(actions, dict) else actions:
            blocks += [action[key] for key in ("text", "html") if isinstance(action.get(key), str)]
            masks |= action["kind"] in ("redact", "replace")
            gateways += [action["gateway"].split("{{")[0]] if "gateway" in action else []
            if "subject" in action["kind"]:
                named.add("subject")
            if action["kind"] in ("set_header", "add_header", "remove_header"):
                names = action["name"]
                named |= {name.lower() for name in ([names] if isinstance(names, str) else names)}
            if action["kind"] == "broken_signatures":
                named |= {"dkim-signature", "x-original-dkim-signature", "x-original-authentication-results"}
    # What a template fills in is not known here: any text.
    patterns = ["".join(".*" if part.startswith("{{") else re.escape(words(part))
                        for part in re.split(r"(\{\{.*?\}\})", block)) for block in blocks]
    return [re.compile(pattern) for pattern in sorted(patterns, key=len, reverse=True)], named, masks, gateways


def only_blocks(before, after, blocks):
    """True if `after` is `before` with blocks put in, taken out or exchanged. Blocks are looked for as a whole: where one
    begins and ends with what stands around it, it can be cut out at several places, and all come to the same."""
    strip = lambda text: re.sub("|".join(f"(?:{block.pattern})" for block in blocks), "", text) if blocks else text
    return strip(before) == strip(after)


def differences(before, after, blocks):
    return [(before[a:b], after[c:d]) for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, False).get_opcodes()
            if tag != "equal"]


def compare(folder):
    read = lambda name: email.message_from_bytes((folder / name).read_bytes(), policy=email.policy.compat32)
    before, after = read("message.eml"), read("expected.eml")
    blocks, named, masks, gateways = rules_of(folder)
    moved = set()
    if tree(before) != tree(after):
        children = after.get_payload() if after.is_multipart() else []
        same = lambda child: tree(child) == tree(before) and [*map(content, leaves(child))] == [*map(content, leaves(before))]
        inner = [child for child in children if same(child)][:1]
        beside = [child for child in children if child not in inner]
        if not inner or not beside or any(not only_blocks("", words(text(child)[0]), blocks) for child in beside):
            yield "tree", f"{tree(before)} became {tree(after)}"
            return
        # The message went down into a part of a new multipart, and its fields of a body with it.
        moved = {name.lower() for name, _ in before.items() if name.lower().startswith("content-")}
        parts = leaves(inner[0])
        for name in moved:
            if before.get_all(name) != inner[0].get_all(name):
                yield "header", f"{name} of the part is not that of the message"
    else:
        parts = leaves(after)

    def kept(message):
        skip = named | {OURS} | moved | (FIELDS_OF_A_BODY if moved or not before.is_multipart() else set())
        # What a mask hides may stand in any field.
        is_skipped = lambda name: any(fnmatch.fnmatchcase(name.lower(), meant) for meant in skip)
        return [(name, "" if masks else str(value)) for name, value in message.items() if not is_skipped(name)]

    if kept(before) != kept(after):
        yield "header", f"{[f for f in kept(before) if f not in kept(after)]} {[f for f in kept(after) if f not in kept(before)]}"

    for old, new in zip(leaves(before), parts, strict=True):
        fields = lambda part: [(n, str(v)) for n, v in part.items() if n.lower() not in FIELDS_OF_A_BODY]
        if old is not before and not masks and fields(old) != fields(new):
            yield "header", f"of a part of type {old.get_content_type()}"
        if old.get_content_maintype() != "text":
            if not masks and content(old) != content(new):
                yield "part", old.get_content_type()
            continue
        (was, wrong_before), (now, wrong_after) = text(old), text(new)
        if wrong_after and not wrong_before:
            yield "charset", f"{new.get_content_charset()}: {wrong_after}"
        for gateway in gateways:
            # A link is what leads there, past the gateway. Soft line breaks of flowed text are no part of it.
            if "flowed" in (new.get("content-type") or ""):
                was, now = (re.sub(r" \r?\n", "" if "delsp" in new["content-type"] else " ", t) for t in (was, now))
            link = re.compile(re.escape(gateway) + r"""([^\s"'<>()&]+)""")
            was, now = (link.sub(lambda m: urllib.parse.unquote(m[1]), t) for t in (was, now))
        if masks or was == now:
            continue
        plain = not old.get_content_type().startswith("text/html")
        was, now = (re.sub(r"[\s>\ufeff]+", "", t) if plain else words(t) for t in (was, now))
        if not only_blocks(was, now, blocks):
            yield "text", f"{old.get_content_type()}: {differences(was, now, blocks)}"


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/expected.eml"))
    for folder in folders:
        for what, detail in compare(folder):
            print(folder.name, what, detail.replace("\n", " ")[:300], sep="\t")
    print(f"{len(folders)} messages read")


main()
