"""`mailwright serve` as a process, and how it is talked to."""
import json, os, pathlib, queue, re, signal, smtplib, socket, subprocess, threading, time
import urllib.error, urllib.request

from patience import too_late

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

RULES = """
[[rule]]
name = "footer"
when = { direction = "outbound" }
[[rule.action]]
kind = "append"
text = "Grown by Example Orchards."
html = "<p>Grown by Example Orchards.</p>"

[[rule]]
name = "banner"
when = { direction = "inbound", sender = "external" }
[[rule.action]]
kind = "prepend"
text = "From outside."

[[rule]]
name = "junked"
when = { direction = "inbound", subject = { contains = "lottery" } }
[[rule.action]]
kind = "junk"
"""
MESSAGE = ("From: Ann <ann@example.com>\r\nTo: kim@customer.example\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
           "Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
           "Content-Transfer-Encoding: 8bit\r\n\r\nThe äpples are ripe.\r\n.a dot\r\n")
# Resident memory that it may have at any time, in octets.
MEMORY = 900 << 20


def message(subject, **header):
    text = MESSAGE.format(subject=subject)
    for name, value in header.items():
        text = re.sub(rf"(?m)^{name}: .*\r$", f"{name}: {value}\r", text)
    return text.encode()


class Serve:
    """The command as a process, and what it says."""

    def __init__(self, program, folder, *arguments):
        ports = [argument for name in ("page", "aws", "inbound", "outbound") for argument in (f"--{name}", "0")]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MAILWRIGHT_"))}
        self.process = subprocess.Popen([program, "serve", "--rules", "rules", *ports, *arguments], cwd=folder, env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines, self.said = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()
        self.page = self.wait(r"page +http://127\.0\.0\.1:(\d+)/")
        self.inbound = self.wait(r"mail from outside +127\.0\.0\.1:(\d+)")
        self.outbound = self.wait(r"mail of users +127\.0\.0\.1:(\d+)")
        self.aws = self.wait(r"AWS_LAMBDA_RUNTIME_API=127\.0\.0\.1:(\d+)")

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def wait(self, pattern, seconds=60):
        """The first group of the first line from now on that matches."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise SystemExit(f"no line matches {pattern!r}:\n{''.join(self.said)}")
            self.said.append(line)
            if found := re.search(pattern, line):
                return int(found.group(1)) if found.groups() and found.group(1).isdigit() else (found.groups() or (line,))[0]

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        text = status.read_text() if status.exists() else ""
        found = re.search(r"VmHWM:\s+(\d+) kB", text)
        return int(found.group(1)) << 10 if found else 0

    def end(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        expect(code == 0, f"it ended with {code}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def expect(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def send(port, raw, sender="ann@example.com", to=("kim@customer.example",)):
    """By SMTP, as it is. The number and the id that the message gets."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(sender, ["BODY=8BITMIME"])
        for one in to:
            code, text = smtp.rcpt(one)
            expect(code == 250, f"RCPT: {code} {text}")
        code, text = smtp.data(raw)
        expect(code == 250, f"DATA: {code} {text}")
        number, name = re.fullmatch(r"2\.0\.0 taken as #(\d+), message id ([0-9a-f-]{36})", text.decode()).groups()
        return int(number), name


def http(port, path, method="GET", body=None, host=None, **fields):
    """Status, fields and body of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, data=body)
    for name, value in fields.items():
        request.add_header(name.replace("_", "-"), value)
    if host:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def fetch(serve, name):
    return http(serve.aws, f"/messages/{name}")[2]


def talk(port, octets, seconds=20, end=True):
    """Send octets and read until it closes, or nothing comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            connection.sendall(octets)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except OSError:
            pass
        return got


def state(serve):
    """What the page is told."""
    return json.loads(http(serve.page, "/page/state")[2])


def until(serve, holds, what, seconds=20):
    """How long it takes until that holds of what the page is told; in so many seconds, where the machine does nothing else."""
    began = time.monotonic()
    while not holds(told := state(serve)):
        expect(not too_late(began, seconds), f"{what}: {[(m['number'], m['fate']) for m in told['messages']][:20]}")
        time.sleep(0.03)
    return time.monotonic() - began
