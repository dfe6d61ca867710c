"""The page of `serve`: messages arrive, rule files are saved, and who may ask for what."""
import collections, http.client, json, re, smtplib, socket, subprocess, threading, time

from hostile import CALM, FOOTER, HOSTILE, PIXEL, SUBJECT, mail
from patience import too_late, too_long

OTHER = "Another-footer-of-the-company"
BAD = '[[rule]]\nname = "footer"\nwhn = { direction = "inbound" }\n'
# At most so long from a file that is saved until it is seen. Saved up to so many times: some other thing may just have begun.
SEEN_WITHIN, TRIES = 1.0, 3
OPEN = "document.querySelector('details.message[open]')"


def rules(footer):
    return f"""
[[rule]]
name = "footer"
[[rule.action]]
kind = "append"
html = "<p>{footer}</p>"
text = "{footer}"

[[rule]]
name = "never"
when = {{ subject = {{ contains = "no message has this" }} }}
[[rule.action]]
kind = "drop"
"""


class Served:
    """`mailwright serve`, started on ports that are free."""

    def __init__(self, mailwright, folder, *arguments):
        self.process = subprocess.Popen([mailwright, "serve", "--rules", folder, "--domains", "example.com",
                                         "--page", "0", "--inbound", "0", "--outbound", "0", "--aws", "0", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        page = re.search(r"http://(127\.0\.0\.1:(\d+))/", said)
        inbound = re.search(r"127\.0\.0\.1:(\d+) .*inbound", said)
        self.aws = int(re.search(r"RUNTIME_API=127\.0\.0\.1:(\d+)", said)[1])
        if not page or not inbound:
            raise SystemExit(f"serve does not start: {said}")
        self.url, self.host, self.port, self.smtp = page[0].rstrip("/"), page[1], int(page[2]), int(inbound[1])
        # What it says is of no interest, but has to be taken.
        threading.Thread(target=lambda: collections.deque(self.process.stdout, maxlen=0), daemon=True).start()

    def ask(self, method, path, body=None, **fields):
        """What it answers, as a program that is no browser hears it; fields with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Host": self.host} | {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def give(self, raw, **fields):
        answer, body = self.ask("POST", "/page/messages?name=given.eml", raw, **{"Content_Type": "message/rfc822"} | fields)
        return answer.status, json.loads(body)


def check(browser, server, mailwright, work):
    """What is wrong with it."""
    folder = work / "rules"
    folder.mkdir()
    (folder / "1.toml").write_text(rules(FOOTER))
    served = Served(mailwright, folder)
    try:
        target, session = browser.open(served.url + "/")
        wrong = arrives(browser, session, served)
        wrong += reloads(browser, session, folder)
        wrong += for_everybody(browser, session)
        wrong += inert(browser, session, server, served)
        wrong += elsewhere(browser, server, served)
        wrong += refused(served)
        browser.call("Target.closeTarget", targetId=target)
        if served.process.poll() is not None:
            wrong.append("serve has ended")
    finally:
        served.process.terminate()
        served.process.wait()
    return wrong + waits(browser, mailwright, folder) + attached(browser, mailwright, folder)


def waits(browser, mailwright, folder):
    """Messages wait to be tried again; rules that are saved are seen all the same."""
    wrong = []
    (folder / "1.toml").write_text(rules(FOOTER))
    served = Served(mailwright, folder, "--fault", "throttle:put", "--rule-timeout", "120")
    try:
        target, session = browser.open(served.url + "/")
        for nth in range(30):
            served.give(mail("held", "text/html", "<p>Hello Kim.</p>", f"Held {nth}"))
        if until(browser, session, f"{OPEN}?.dataset.fate === 'waiting' && {OPEN}.querySelector('article').textContent.includes('in transit')") is None:
            wrong.append("a message that waits to be tried again is not shown as one")
        for _ in range(TRIES):
            (folder / "1.toml").write_text(rules(FOOTER).replace('"footer"', '"footer"\nwhen = { direction = "outbound" }'))
            took = until(browser, session, f"{OPEN}.dataset.fate === 'unchanged'")
            print(f"beside messages that wait a rule file that was saved is seen after {took or 0:.2f} s")
            if took is not None and not too_long(took, SEEN_WITHIN):
                break
            # They wait again.
            (folder / "1.toml").write_text(rules(FOOTER))
            until(browser, session, f"{OPEN}.dataset.fate === 'waiting'")
        else:
            wrong.append(f"beside messages that wait rules that were saved are seen after {took} s")
        browser.call("Target.closeTarget", targetId=target)
    finally:
        served.process.terminate()
        served.process.wait()
    return wrong


def attached(browser, mailwright, folder):
    """Another function answers: the page says so, and sends it all messages again when it is asked to."""
    wrong = []
    (folder / "1.toml").write_text(rules(FOOTER))
    served = Served(mailwright, folder, "--attach")
    kind, base = ["DROP"], "/2018-06-01/runtime/invocation/"

    def function():
        while served.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", served.aws, timeout=60)
                connection.request("GET", base + "next")
                answer = connection.getresponse()
                name, _ = answer.getheader("Lambda-Runtime-Aws-Request-Id"), answer.read()
                connection.request("POST", f"{base}{name}/response", json.dumps({"actions": [{"action": {"type": kind[0]}, "allRecipients": True}]}))
                connection.getresponse().read()
            except OSError:
                pass

    try:
        target, session = browser.open(served.url + "/")
        until(browser, session, "document.getElementById('link').dataset.is === 'live'")
        browser.evaluate(session, "(s => { s.value = 'Subject: x\\n\\nDear Ann'; s.dispatchEvent(new Event('input')); })(document.getElementById('source'))")
        hint = browser.evaluate(session, "document.getElementById('hint').textContent")
        if "no From and no Date" not in hint:
            wrong.append(f"it is not said what a pasted message lacks: {hint}")
        served.give(mail("sent", "text/html", "<p>Hello Kim.</p>", "Sent"))
        threading.Thread(target=function, daemon=True).start()
        if until(browser, session, f"{OPEN}?.dataset.answer === 'drop' && {OPEN}.querySelector('article').textContent.includes('another function answered')") is None:
            wrong.append("it is not said that another function answered")
        said = browser.evaluate(session, "document.getElementById('who').textContent + [...document.querySelectorAll('#each b')].map(b => b.textContent).join()")
        if "must read its rules itself" not in said or "0" in said:
            wrong.append(f"it is not said who answers, or rules are counted that nobody knows of: {said}")
        browser.evaluate(session, "document.getElementById('who').prepend('/a/path/without/any/blank'.repeat(9))")
        if browser.evaluate(session, "(n => n.scrollWidth > n.clientWidth)(document.getElementById('rules'))"):
            wrong.append("a long name of a function is wider than its place")
        kind[0] = "DEFAULT"
        browser.evaluate(session, "document.querySelector('#again button').click()")
        if until(browser, session, f"{OPEN}.dataset.answer === 'deliver'") is None:
            wrong.append("the messages do not run again")
        kind[0] = "BOUNCE"
        (folder / "1.toml").write_text(rules(OTHER))
        if until(browser, session, f"{OPEN}.dataset.answer === 'bounce'") is None:
            wrong.append("the messages do not run again when a rule file is saved")
        browser.call("Target.closeTarget", targetId=target)
    finally:
        served.process.terminate()
        served.process.wait()
    return wrong


def until(browser, session, expression, seconds=5.0):
    """How long it took until an expression held; None where it never did."""
    began = time.monotonic()
    while True:
        if browser.evaluate(session, expression):
            return time.monotonic() - began
        if too_late(began, seconds):
            return None
        browser.settle(0.02)


def rendered(browser, wanted, lacking=None, seconds=4.0):
    """Whether a text is seen in just one of the frames of the open message."""
    began = time.monotonic()
    while True:
        browser.settle(0.1)
        shown = browser.shown()
        if [wanted in text for text in shown].count(True) == 1 and not any(lacking and lacking in text for text in shown):
            return True
        if too_late(began, seconds):
            return False


def rows(count):
    return f"document.querySelectorAll('details.message').length === {count}"


def arrives(browser, session, served):
    """A message that is typed into the box, one that a program gives, and several at once."""
    wrong = []
    if until(browser, session, "document.getElementById('link').dataset.is === 'live'") is None:
        return ["the page is not live"]
    if not browser.evaluate(session, "document.getElementById('who').hidden && document.getElementById('again').hidden"):
        wrong.append("of the function that is built in it is said that it is another")
    if browser.evaluate(session, "document.getElementById('welcome').hidden"):
        wrong.append("an empty page does not say how messages come in")
    # As somebody would: into the box, by the clipboard.
    browser.evaluate(session, "document.getElementById('source').focus()")
    browser.call("Input.insertText", session, text=mail("pasted", "text/html", "<p>Hello Kim.</p>", "Typed & <b>sent</b>").decode().replace("\r\n", "\n"))
    browser.evaluate(session, "document.querySelector('#paste button[type=submit]').click()")
    if until(browser, session, rows(1)) is None:
        return [*wrong, "a message that is pasted does not arrive: " + str(browser.evaluate(session, "document.getElementById('refused').textContent"))]
    if not rendered(browser, FOOTER):
        wrong.append(f"the footer is not seen in the frame of what goes out: {browser.shown()}")
    if browser.evaluate(session, "document.querySelector('details.message strong').textContent") != "Typed & <b>sent</b>":
        wrong.append("the subject is not shown as text")
    raw, sent = browser.evaluate(session, f"fetch('/page/messages/1/before.eml').then(r => r.text())", wait=True), mail("pasted", "text/html", "<p>Hello Kim.</p>", "Typed & <b>sent</b>").decode()
    if raw != sent:
        wrong.append("what was pasted is not what was taken in")
    if browser.evaluate(session, "document.querySelector('#each button b').textContent") != "1":
        wrong.append("the rule does not count the message")
    for name, (kind, body) in CALM.items():
        served.give(mail(name, kind, body, f"Of {name}"))
    if until(browser, session, rows(1 + len(CALM))) is None:
        wrong.append("messages that a program gives do not arrive")
    with smtplib.SMTP("127.0.0.1", served.smtp) as client:
        client.sendmail("kim@customer.example", ["ann@example.com"], mail("by-smtp", "text/plain", "Hello Ann.", "By SMTP"))
    if until(browser, session, "[...document.querySelectorAll('details.message strong')].some(s => s.textContent === 'By SMTP')") is None:
        wrong.append("a message by SMTP does not arrive")
    elif not rendered(browser, FOOTER):
        wrong.append(f"the footer is not seen in the frame of what came by SMTP: {browser.shown()}")
    # Dropped anywhere on the page, two at a time.
    dropped = "[" + ",".join(json.dumps(mail(f"dropped-{nth}", "text/plain", "Hello Ann.", f"Dropped {nth}").decode()) for nth in range(2)) + "]"
    browser.evaluate(session, "(all => { const files = new DataTransfer(); all.forEach((text, nth) => files.items.add(new File([text], `d${nth}.eml`)));"
                              "document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })); })(" + dropped + ")")
    if until(browser, session, "['Dropped 0', 'Dropped 1'].every(name => [...document.querySelectorAll('details.message strong')].some(s => s.textContent === name))") is None:
        wrong.append("messages that are dropped on the page do not arrive")
    # Only the messages that a rule matched.
    filtered = browser.evaluate(session, "(b => { b[1].click(); const left = document.querySelectorAll('details.message:not([hidden])').length; b[1].click(); return left })"
                                         "(document.querySelectorAll('#each button'))")
    if filtered != 0:
        wrong.append(f"a rule that matches nothing leaves {filtered} messages")
    return wrong


def reloads(browser, session, folder):
    """A rule file that is saved, a bad one, and a good one again: nobody touches the page."""
    wrong = []
    browser.evaluate(session, "window.untouched = true")
    for tried in range(TRIES):
        if tried:
            (folder / "1.toml").write_text(rules(FOOTER))
            rendered(browser, FOOTER, lacking=OTHER)
        (folder / "1.toml").write_text(rules(OTHER))
        took = until(browser, session, f"[...{OPEN}.querySelectorAll('iframe')].some(f => f.srcdoc.includes('{OTHER}'))")
        print(f"a rule file that was saved is seen after {took or 0:.2f} s")
        if took is None or not rendered(browser, OTHER, lacking=FOOTER):
            wrong.append("rules that were saved are not seen")
            break
        if not too_long(took, SEEN_WITHIN):
            break
    else:
        wrong.append(f"rules that were saved are seen after {took:.2f} s")
    (folder / "1.toml").write_text(BAD)
    took = until(browser, session, "!document.getElementById('problems').hidden")
    said = browser.evaluate(session, "document.getElementById('problems').textContent")
    if took is None or "unknown key `whn`" not in said or "1.toml:3:1" not in said:
        wrong.append(f"a bad rule file is not shown: {said}")
    if not rendered(browser, OTHER):
        wrong.append("after a bad rule file the last good rules are not shown")
    (folder / "1.toml").write_text(rules(FOOTER))
    if until(browser, session, "document.getElementById('problems').hidden") is None:
        wrong.append("problems stay when they are gone")
    if not rendered(browser, FOOTER, lacking=OTHER):
        wrong.append("the rules that were good again are not seen")
    if browser.evaluate(session, "window.untouched") is not True:
        wrong.append("the page was loaded anew")
    return wrong


def for_everybody(browser, session):
    """It fits each screen, whatever can be worked has a name, and keys do what the mouse does."""
    wrong = []
    for width in (360, 700, 1100, 1400):
        browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        browser.settle(0.2)
        if browser.evaluate(session, "document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"at {width} pixels the page is wider than the screen")
    browser.call("Emulation.clearDeviceMetricsOverride", session)
    for node in browser.call("Accessibility.getFullAXTree", session)["nodes"]:
        role, name = node.get("role", {}).get("value"), node.get("name", {}).get("value")
        if role in ("button", "textbox", "searchbox", "combobox", "radio", "link", "navigation", "main", "Iframe") and not name and not node["ignored"]:
            wrong.append(f"a {role} has no name")

    def press(key):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", session, type=kind, key=key, text=key if kind == "keyDown" and len(key) == 1 else "")
        browser.settle(0.2)

    browser.evaluate(session, "document.activeElement.blur()")
    first = browser.evaluate(session, f"{OPEN}.id")
    press("j")
    went = until(browser, session, f"{OPEN}?.id !== '{first}'")
    press("k")
    if went is None or until(browser, session, f"{OPEN}?.id === '{first}'") is None:
        wrong.append("j and k do not go from message to message")
    press("3")
    if until(browser, session, f"(v => v && getComputedStyle(v).display !== 'none')({OPEN}?.querySelector('.view.source'))") is None:
        wrong.append("3 does not show the source")
    press("1")
    press("n")
    if until(browser, session, "document.getElementById('sheet').open && document.activeElement.id === 'source'") is None:
        wrong.append("n does not open the box for messages")
    browser.evaluate(session, "document.getElementById('sheet').close()")
    return wrong


def hostile(server):
    """By name: what others tried, and what would be too much."""
    for name, body in HOSTILE.items():
        yield name, mail(name, "text/html", body.replace("URL", server.url), SUBJECT)
    head = "From: a@example.net\r\nTo: b@example.com\r\nSubject: many\r\nMessage-ID: <many@example.net>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    part = f"--x\r\nContent-Type: text/html\r\n\r\n<img src='{server.url}/part'><script>console.log('mailwright-script-ran')</script>\r\n"
    yield "2,000 parts", (head + part * 2_000 + "--x--\r\n").encode()
    name = "--x\r\nContent-Type: text/plain; name=\"<script>console.log('mailwright-script-ran')</script>\"\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
    yield "names of files", (head + name * 30 + "--x--\r\n").encode()
    yield "3 MB of HTML", mail("huge", "text/html", f"<p>x<img src='{server.url}/huge'></p>\r\n" * 70_000, "huge")


def inert(browser, session, server, served):
    """Nothing of hostile mail acts, and the page goes on."""
    wrong = []
    address = browser.evaluate(session, "location.href.split('#')[0]")
    browser.events.clear()
    server.seen.clear()
    footers = 0
    for name, raw in hostile(server):
        status, said = served.give(raw)
        if status != 201:
            wrong.append(f"{name}: {said}")
            continue
        number = said["number"]
        if until(browser, session, f"!['waiting', undefined].includes(document.getElementById('m{number}')?.dataset.fate)", 30) is None:
            wrong.append(f"{name}: it does not arrive")
            continue
        browser.evaluate(session, f"document.getElementById('m{number}').open = true")
        if until(browser, session, f"{OPEN}.dataset.filled === {OPEN}.dataset.change", 30) is None:
            wrong.append(f"{name}: it is not shown")
        browser.settle(0.5)
        browser.click_frames(session)
        browser.settle(0.2)
        began = time.monotonic()
        while not (seen := any(FOOTER in text for text in browser.shown())) and name in HOSTILE and not too_late(began, 2):
            browser.settle(0.1)
        footers += seen
        wrong += [f"{name}: {what}" for what in browser.acted(session, address, served.url + "/")]
    browser.settle(1)
    wrong += [f"a request reached the server: {seen}" for seen in server.seen]
    print(f"the footer is seen in the frames of {footers} hostile messages")
    if footers < len(HOSTILE):
        wrong.append(f"the footer is seen in the frames of {footers} hostile messages")
    return wrong


def elsewhere(browser, server, served):
    """A page from another port of this machine: it reads nothing and changes nothing."""
    wrong = []
    before = json.loads(served.ask("GET", "/page/state")[1])
    page = ("<script>const at = 'URL', tried = [];"
            "const seen = (what, promise) => tried.push(promise.then(r => [what, r.type === 'opaque' ? 'opaque' : r.status], () => [what, 'refused']));"
            "seen('read', fetch(at + '/page/state'));"
            "seen('read a message', fetch(at + '/page/messages/1'));"
            "seen('read source', fetch(at + '/page/messages/1/before.eml'));"
            "seen('send', fetch(at + '/page/messages', {method: 'POST', headers: {'Content-Type': 'message/rfc822'}, body: 'Subject: x\\n\\nx'}));"
            "seen('send as a form would', fetch(at + '/page/messages', {method: 'POST', mode: 'no-cors', body: 'Subject: x\\n\\nx'}));"
            "const events = new EventSource(at + '/page/events'); tried.push(new Promise(done => {"
            "events.onopen = () => done(['events', 'open']); events.onerror = () => done(['events', 'refused']); }));"
            "const frame = document.createElement('iframe'); frame.src = at + '/'; document.documentElement.append(frame);"
            "const picture = new Image(); tried.push(new Promise(done => { picture.onload = () => done(['picture', 'loaded']);"
            "picture.onerror = () => done(['picture', 'refused']); picture.src = at + '/page/messages/1/before.eml'; }));"
            "const form = document.createElement('form'); form.method = 'post'; form.enctype = 'text/plain'; form.action = at + '/page/messages';"
            "form.target = 'out'; form.innerHTML = '<input name=\"Subject: x\" value=x>'; document.documentElement.append(form);"
            "Promise.all(tried).then(all => { window.result = all; form.submit(); });</script><iframe name=out></iframe>")
    server.pages["/attack"] = page.replace("URL", served.url).encode()
    target, session = browser.open(server.url + "/attack")
    if until(browser, session, "Boolean(window.result)", 10) is None:
        wrong.append("the page from elsewhere did not get to try")
    browser.settle(1)
    result = browser.evaluate(session, "window.result") or []
    for what, came in result:
        if came not in ("refused", "opaque"):
            wrong.append(f"a page from elsewhere may {what}: {came}")
    if len(result) != 7:
        wrong.append(f"a page from elsewhere tried {len(result)} things")
    browser.call("Target.closeTarget", targetId=target)
    server.pages.clear()
    server.seen.clear()
    after = json.loads(served.ask("GET", "/page/state")[1])
    if before["change"] != after["change"]:
        wrong.append("a page from elsewhere changed something")
    return wrong


def refused(served):
    """What is refused, said by whoever can say anything."""
    wrong = []
    small = mail("x", "text/plain", "x", "x")
    message = {"Content_Type": "message/rfc822"}
    paths = ["/page/state", "/page/messages/1", "/page/messages/1/before.eml", "/page/messages/1/after.txt", "/page/events"]
    for fields in ({"Host": "evil.example"}, {"Host": f"evil.example:{served.port}"}, {"Host": "127.0.0.1.evil.example"},
                   {"Origin": "http://evil.example"}, {"Origin": f"http://127.0.0.1:{served.port + 1}"}, {"Origin": "null"},
                   {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
                   {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}):
        for path in paths:
            answer, body = served.ask("GET", path, **fields)
            if answer.status != 403 or b"Subject" in body:
                wrong.append(f"GET {path} with {fields}: {answer.status}")
        status, said = served.ask("POST", "/page/messages", small, **message | fields)
        if status.status != 403:
            wrong.append(f"POST with {fields}: {status.status}")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "message/rfc822x"):
        answer, _ = served.ask("POST", "/page/messages", small, Content_Type=kind)
        if answer.status != 415:
            wrong.append(f"POST of {kind}: {answer.status}")
    for method in ("OPTIONS", "PUT", "DELETE"):
        answer, _ = served.ask(method, "/page/messages", Origin=served.url)
        if answer.status < 400 or any(name.lower().startswith("access-control") for name, _ in answer.getheaders()):
            wrong.append(f"{method}: {answer.status} {answer.getheaders()}")
    for path in ("/page/messages/0", "/page/messages/999999", "/page/messages/1/../../etc/passwd", "/page/messages/1/x.eml",
                 "/page/messages/1/before.html", "/page/messages/-1", "/etc/passwd", "/page/messages/%2e%2e/%2e%2e"):
        answer, _ = served.ask("GET", path)
        if not 400 <= answer.status < 500:
            wrong.append(f"GET {path}: {answer.status}")
    # A message of 40 MiB is more than WorkMail takes: said so, and no more.
    status, said = served.give(b"Subject: large\r\n\r\n" + b"x" * (40 << 20))
    if status != 413 or "40 MB" not in said["error"]:
        wrong.append(f"a message that is too large: {status} {said}")
    for query, why in (("from=nobody", "no address"), ("direction=up", "inbound or outbound"), ("to=a@example.com,%3Cb", "no address")):
        answer, body = served.ask("POST", f"/page/messages?{query}", small, **message)
        if answer.status != 422 or why not in json.loads(body)["error"]:
            wrong.append(f"{query}: {answer.status} {body}")
    # Whoever begins and never ends holds nobody up.
    waiting = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(20)]
    for each in waiting:
        each.sendall(f"POST /page/messages HTTP/1.1\r\nHost: {served.host}\r\nContent-Type: message/rfc822\r\nContent-Length: 1000\r\n\r\nSubj".encode())
    answer, _ = served.ask("GET", "/page/state")
    if answer.status != 200:
        wrong.append(f"with clients that wait: {answer.status}")
    for each in waiting:
        each.close()
    for path, wanted in (("/", {"content-security-policy": "default-src 'none'; script-src 'sha256-", "x-frame-options": "DENY"}),
                         ("/page/messages/1", {"content-type": "application/json", "content-security-policy": "default-src 'none'"}),
                         ("/page/messages/1/before.txt", {"content-type": "text/plain; charset=utf-8", "content-security-policy": "default-src 'none'"}),
                         ("/page/messages/1/before.eml", {"content-type": "message/rfc822", "content-disposition": "attachment; filename=\"message-1-before.eml\""})):
        answer, _ = served.ask("GET", path)
        for name, value in (wanted | {"x-content-type-options": "nosniff", "cache-control": "no-store", "referrer-policy": "no-referrer",
                                      "cross-origin-resource-policy": "same-origin"}).items():
            if not (answer.getheader(name) or "").startswith(value):
                wrong.append(f"{path}: {name} is {answer.getheader(name)}")
    status, said = served.give(small)
    if status != 201:
        wrong.append(f"after all that a message is not taken in: {status} {said}")
    return wrong
