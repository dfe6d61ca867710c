"""Functions that answer: scripts, one that is attached, the bootstrap; and those of the README."""
import json, os, re, shutil, subprocess, sys, time, urllib.request

from served import *


def shown(name, language):
    """A block of the README."""
    text = (ROOT / "README.md").read_text()
    return re.search(rf"<!-- {name} -->\n```{language}\n(.*?)```\n<!-- /{name} -->", text, re.S).group(1)


def what_the_readme_says(program, folder):
    shutil.copytree(ROOT / "rules", folder / "rules", dirs_exist_ok=True)
    (folder / "rules/rules.toml").unlink()
    with Serve(program, folder) as serve:
        commands = shown("serve", "sh").replace("127.0.0.1:2587", f"127.0.0.1:{serve.outbound}").replace("127.0.0.1:8620", f"127.0.0.1:{serve.page}")
        for command in commands.splitlines():
            done = subprocess.run(command.replace("curl", "curl -sSf", 1), shell=True, cwd=folder, capture_output=True, text=True, timeout=60)
            expect(done.returncode == 0, f"{command}: {done.stderr}")
        serve.wait(r"^#1 +outbound +rewritten, 1 edit")
    (folder / "function.py").write_text(shown("function", "python"))
    with Serve(program, folder, "--", sys.executable, "function.py") as serve:
        for subject, answer in (("Harvest plan", "deliver"), ("You won the lottery", "drop")):
            number, _ = send(serve.outbound, message(subject))
            serve.wait(rf"^#{number} +outbound +unchanged +{answer}")

FUNCTION = """
import json, os, urllib.request
api, endpoint = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/", os.environ["AWS_ENDPOINT_URL"]
while True:
    with urllib.request.urlopen(api + "next") as request:
        name, event = request.headers["Lambda-Runtime-Aws-Request-Id"], json.load(request)
    urllib.request.urlopen(f"{endpoint}/messages/{event['messageId']}").read()
    print("asks at", os.environ["AWS_LAMBDA_RUNTIME_API"])
    print("\\x1b]0;title\\x07seen", event["flowDirection"], os.environ.get("AWS_PROFILE"))
    kind = "response" if "fails" not in event["subject"] else "error"
    answer = {"actions": [{"action": {"type": "BOUNCE", "parameters": {"bounceMessage": "no"}}, "allRecipients": True}]}
    urllib.request.urlopen(api + name + "/" + kind, json.dumps(answer).encode())
"""


def a_function_of_ten_lines(program, folder):
    (folder / "function.py").write_text(FUNCTION)
    os.environ["AWS_PROFILE"] = "mine"
    try:
        with Serve(program, folder, "--rule-timeout", "2", "--fallback", "drop", "--", sys.executable, "function.py") as serve:
            number, _ = send(serve.outbound, message("Harvest plan"))
            port = serve.wait(r"asks at 127\.0\.0\.1:(\d+)")
            # Its own port is for a function alone: no page from elsewhere, no S3, no mail.
            expect(port != serve.aws, "a process has a port of its own")
            expect(http(port, "/2018-06-01/runtime/invocation/next", Origin="http://evil.example")[0] == 403, "no page takes its work")
            expect({http(port, path)[0] for path in ("/", "/messages/x", "/rewritten-mail?list-type=2", "/2018-06-01/runtime/nothing")} == {404}, "there is nothing else")
            expect(http(port, "/2018-06-01/runtime/invocation/x/response", "POST", b"{}")[0] == 400, "nothing is answered that was not asked")
            serve.wait(r"^  \| \\x1b\]0;title\\x07seen OUTBOUND None")
            serve.wait(rf"^#{number} +outbound +unchanged +bounce")
            number, _ = send(serve.outbound, message("It fails"))
            serve.wait(rf"^#{number} +try 1 failed: the function failed")
            serve.wait(rf"^#{number} +outbound +fallback +drop")
            article = json.loads(http(serve.page, "/page/messages/1")[2])["html"]
            expect("another function answered" in article and "started anew" in state(serve)["who"], article[:2000])
            # Its rules change: it is started again, and answers again.
            rules = folder / "rules/rules.toml"
            rules.write_text(rules.read_text() + "\n# changed\n")
            rules.write_text(rules.read_text().replace("Grown", "Picked"))
            serve.wait(r"^2 messages ran again")
            serve.end()
    finally:
        del os.environ["AWS_PROFILE"]


ATTACHED = """
import json, os, sys, urllib.request
base = f"http://127.0.0.1:{sys.argv[1]}"
api = base + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        name, event = request.headers["Lambda-Runtime-Aws-Request-Id"], json.load(request)
    kind = "DROP" if "Grown" in open("rules/rules.toml").read() else "DEFAULT"
    answer = {"actions": [{"action": {"type": kind}, "allRecipients": True}]}
    urllib.request.urlopen(api + name + "/response", json.dumps(answer).encode())
"""


def a_function_that_is_attached(program, folder):
    (folder / "function.py").write_text(ATTACHED)
    with Serve(program, folder, "--attach", "--rule-timeout", "1") as serve:
        def attach():
            return subprocess.Popen([sys.executable, "function.py", str(serve.aws)], cwd=folder, stderr=subprocess.DEVNULL)

        answers = lambda: [m["answer"] for m in state(serve)["messages"]]
        for nth in range(5):
            send(serve.outbound, message(f"Harvest {nth}"))
        serve.wait(r"^#\d+ +waits for a function")
        function = attach()
        try:
            until(serve, lambda told: all(m["answer"] == "drop" for m in told["messages"]), "it answers")
            # A rule file is saved: all go through it again.
            rules = folder / "rules/rules.toml"
            rules.write_text(rules.read_text().replace("Grown", "Picked"))
            serve.wait(r"^5 messages ran again")
            expect(answers() == ["deliver"] * 5, answers())
            # It ends, as one that is debugged does. Messages wait for the next, longer than the rule's time.
            function.kill(), function.wait()
            number, _ = send(serve.outbound, message("While it is away"))
            serve.wait(rf"^#{number} +waits for a function")
            time.sleep(2)
            expect(state(serve)["messages"][-1]["fate"] == "waiting", "it waits")
            function = attach()
            serve.wait(rf"^#{number} +outbound +unchanged +deliver")
            # It is another function now: whoever looks at the page says so.
            fields = {"Content_Type": "application/json"}
            expect(http(serve.page, "/page/again", "POST", b"{}", **fields)[0] == 202, "all run again")
            serve.wait(r"^6 messages ran again")
            expect(http(serve.page, "/page/again", "POST", b"{}")[0] == 415, "no form can ask for it")
            expect(http(serve.page, "/page/again", "POST", b"{}", Origin="http://evil.example", **fields)[0] == 403, "nor a page from elsewhere")
            expect("must read its rules itself" in state(serve)["who"], state(serve)["who"])
        finally:
            function.kill(), function.wait()
        # It was asked for work, took it, and never answers: that is a try that failed.
        request = urllib.request.Request(f"http://127.0.0.1:{serve.aws}/2018-06-01/runtime/invocation/next")
        number, _ = send(serve.outbound, message("Never answered"))
        with urllib.request.urlopen(request, timeout=30) as taken:
            name = taken.headers["Lambda-Runtime-Aws-Request-Id"]
        # What a newer rule set overtakes may be answered still, by a function that stands in a debugger.
        rules.write_text(rules.read_text().replace("Picked", "Grown"))
        time.sleep(1.5)
        answer = json.dumps({"actions": [{"action": {"type": "DEFAULT"}, "allRecipients": True}]}).encode()
        expect(http(serve.aws, f"/2018-06-01/runtime/invocation/{name}/response", "POST", answer)[0] == 202, "the answer is taken")
        serve.end()


SLOW = """
import json, os, sys, time, urllib.request
base = os.environ.get("AWS_LAMBDA_RUNTIME_API") or sys.argv[1]
api = f"http://{base}/2018-06-01/runtime/invocation/"
def held(word):
    while os.path.exists("cli/" + word):
        time.sleep(0.01)
while True:
    with urllib.request.urlopen(api + "next") as request:
        name, event = request.headers["Lambda-Runtime-Aws-Request-Id"], json.load(request)
    print("at", event["subject"], "in", os.getpid(), flush=True)
    if event["subject"] == "Held":
        held("held")
    if event["subject"] == "Ends":
        os._exit(3)
    answer = {"actions": [{"action": {"type": "DROP"}, "allRecipients": True}]}
    urllib.request.urlopen(api + name + "/response", json.dumps(answer).encode())
"""


def a_message_that_waits(program, folder):
    """It holds up no other: another process of the function answers, one that is started, or one that is attached."""
    (folder / "function.py").write_text(SLOW)
    (folder / "cli").mkdir()
    hold = folder / "cli/held"

    def holds_up_no_other(serve, others=5):
        hold.touch()
        held, _ = send(serve.outbound, message("Held"))
        serve.wait(r"at Held in (\d+)") if serve.started else until(serve, lambda told: told["messages"][-1]["fate"] == "waiting", "it waits")
        time.sleep(0 if serve.started else 0.5)
        numbers = [send(serve.outbound, message(f"Other {nth}"))[0] for nth in range(others)]
        until(serve, lambda told: [m["answer"] for m in told["messages"][-others:]] == ["drop"] * others, "the others", 10)
        return held, numbers

    with Serve(program, folder, "--processes", "2", "--", sys.executable, "function.py") as serve:
        serve.started = True
        held, _ = holds_up_no_other(serve)
        # A process that ends takes down what it is at, and no more: the other holds its message still.
        number, _ = send(serve.outbound, message("Ends"))
        serve.wait(rf"^#{number} +try 1 failed: the function has ended")
        expect([m["fate"] for m in state(serve)["messages"] if m["number"] in (held, number)] == ["waiting"] * 2, "both wait")
        # Rules are saved: all processes end before a new one begins, and what they were at is tried again by it.
        before = {int(found) for found in re.findall(r"in (\d+)", "".join(serve.said))}
        hold.unlink()
        serve.wait(rf"^#{held} +outbound +unchanged +drop")
        rules = folder / "rules/rules.toml"
        rules.write_text(rules.read_text().replace("Grown", "Picked"))
        again = serve.wait(r"at Held in (\d+)")
        expect(again not in before, f"{again} is one of {before}")
        expect(len(processes_of(serve)) <= 2, processes_of(serve))
        serve.end()
    with Serve(program, folder, "--processes", "1", "--", sys.executable, "function.py") as serve:
        hold.touch()
        send(serve.outbound, message("Held"))
        serve.wait(r"at Held in (\d+)")
        number, _ = send(serve.outbound, message("Behind it"))
        hold.unlink()
        serve.wait(r"^#1 +outbound +unchanged +drop")
        serve.wait(rf"^#{number} +outbound +unchanged +drop")
        expect(len(processes_of(serve)) == 1, processes_of(serve))
    with Serve(program, folder, "--attach", "--rule-timeout", "1") as serve:
        serve.started = False
        attached = [subprocess.Popen([sys.executable, "function.py", f"127.0.0.1:{serve.aws}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
        try:
            holds_up_no_other(serve)
            hold.unlink()
            until(serve, lambda told: told["messages"][0]["answer"] == "drop", "the one that was held")
            # One function and more messages than it answers in the rule's time: they wait their turn, and lose no time by it.
            gone = attached.pop()
            gone.kill(), gone.wait()
            hold.touch()
            held, _ = send(serve.outbound, message("Held"))
            number, _ = send(serve.outbound, message("Behind it"))
            time.sleep(2)
            hold.unlink()
            serve.wait(rf"^#{number} +outbound +unchanged +drop")
        finally:
            [function.kill() for function in attached]


def processes_of(serve):
    """Those that it has started."""
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(serve.process.pid)], capture_output=True, text=True).stdout
    return told.split()


def the_bootstrap(program, folder, bootstrap):
    faults = ("throttle:put:2", "unavailable:fetch:1", "lost:put-back:1")
    with Serve(program, folder, *(a for fault in faults for a in ("--fault", fault)), "--", bootstrap) as serve:
        raw = message("Harvest plan")
        number, name = send(serve.outbound, raw)
        serve.wait(r'"fate":"rewritten".*"retries":4')
        serve.wait(rf"^#{number} +outbound +rewritten +deliver")
        after = fetch(serve, name)
        expect(after.startswith(b"X-Mailwright-Mark: ") and after.count(b"Grown by Example Orchards.") == 1, "marked, and once")
        # Its log says which rules matched, and so does the page.
        expect(state(serve)["messages"][0]["rules"] == [0], state(serve)["messages"])
        article = json.loads(http(serve.page, f"/page/messages/{number}")[2])["html"]
        expect("rules that matched: footer" in article, article[:2000])
