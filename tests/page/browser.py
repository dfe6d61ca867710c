"""Chromium, told what to do through a pipe, and a server that counts what reaches it."""
import json, os, select, shutil, socket, subprocess, threading, time

from patience import too_late


def chromium():
    """The path of Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Server:
    """Counts the connections that reach it, and has pages."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.seen, self.pages = [], {}
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            client.settimeout(0.5)
            try:
                first = client.recv(500).split(b"\r\n")[0].decode("ascii", "replace")
                page = self.pages.get((first.split(" ") + [""])[1])
                status = "200 Yes\r\nContent-Type: text/html" if page else "404 No"
                client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(page or b'')}\r\nConnection: close\r\n\r\n".encode() + (page or b""))
            except OSError:
                first = "a connection"
            client.close()
            self.seen.append(first or "a connection")


class Browser:
    """Chromium, told what to do through a pipe (its DevTools protocol)."""

    def __init__(self, chromium, profile):
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()

        def pipes():
            os.dup2(to_browser, 1000), os.dup2(from_browser, 1001)
            os.dup2(1000, 3), os.dup2(1001, 4)

        arguments = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
                     "--disable-background-networking", "--window-size=1400,1000", f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(arguments, preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser), os.close(from_browser)
        self.next, self.buffer, self.events, self.answers = 0, b"", [], {}
        self.frames, self.new, self.gone = {}, [], set()

    def call(self, method, session=None, **params):
        self.next += 1
        message = {"id": self.next, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.write, json.dumps(message).encode() + b"\0")
        wanted, until = self.next, time.monotonic() + 60
        while wanted not in self.answers:
            if session in self.gone:
                raise RuntimeError(f"{method}: the frame is gone")
            if not self.pump(until - time.monotonic()):
                raise SystemExit(f"Chromium does not answer {method}")
        answer = self.answers.pop(wanted)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def pump(self, seconds):
        """Take in what comes within some seconds; false where nothing does."""
        if seconds <= 0 or not select.select([self.read], [], [], seconds)[0]:
            return False
        *whole, self.buffer = (self.buffer + os.read(self.read, 1 << 20)).split(b"\0")
        for text in whole:
            message = json.loads(text)
            if "id" in message:
                self.answers[message["id"]] = message
            elif message["method"] == "Target.attachedToTarget":
                self.new.append(message["params"]["sessionId"])
            elif message["method"] == "Target.detachedFromTarget":
                self.frames.pop(message["params"]["sessionId"], None)
                self.gone.add(message["params"]["sessionId"])
            else:
                self.events.append(message)
        return True

    def settle(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.pump(until - time.monotonic())
            self.attach()

    def attach(self):
        """A sandboxed frame is a process of its own: watched before it begins."""
        while self.new:
            session = self.new.pop(0)
            self.frames[session] = True
            try:
                self.watch(session)
                self.call("Runtime.runIfWaitingForDebugger", session)
            except RuntimeError:
                self.frames.pop(session, None)  # gone already

    def watch(self, session):
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable", session)
        self.call("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True)

    def shown(self):
        """The texts that are seen in each frame, in their order."""
        found = []
        for session in list(self.frames):
            try:
                found += [text for url, text in texts(self.call("DOMSnapshot.captureSnapshot", session, computedStyles=[]))]
            except RuntimeError:
                pass  # closed meanwhile
        return found

    def open(self, place):
        """A tab that shows a file, or what is at an address."""
        self.events.clear()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.new.remove(session)
        self.frames.clear()
        self.watch(session)
        self.call("Page.navigate", session, url=place if isinstance(place, str) else place.as_uri())
        self.settle(0.5)
        # What is there when a page has been read is seen soon; it is read when the machine has time.
        began = time.monotonic()
        while self.evaluate(session, "document.readyState") != "complete" and not too_late(began, 20):
            self.settle(0.1)
        self.settle(1)
        return target, session

    def evaluate(self, session, expression, wait=False):
        """The value of an expression; of the promise that it is, if it is to be waited for."""
        return self.call("Runtime.evaluate", session, expression=expression, returnByValue=True, awaitPromise=wait)["result"].get("value")

    def said(self):
        """Everything that a script said, and every dialogue."""
        logged = [e for e in self.events if e["method"] in ("Runtime.consoleAPICalled", "Page.javascriptDialogOpening")]
        return [json.dumps(e["params"].get("args", e["params"]))[:200] for e in logged]

    def requests(self, own):
        """Every request that is not for the page itself or for what stands in it."""
        urls = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("file:", "data:", "about:", own))]

    def click_frames(self, session):
        """Click into each frame of the message that is open, at several places."""
        of_open = "document.querySelectorAll('details.message[open] iframe')"
        for index in range(self.evaluate(session, f"{of_open}.length")):
            x, y, width, height = self.evaluate(session, f"(f => {{ f.scrollIntoView({{block: 'center'}}); const r = f.getBoundingClientRect(); "
                f"return [r.x, r.y, r.width, r.height] }})({of_open}[{index}])")
            for left, top in ((0.5, 0.5), (0.1, 0.1), (0.15, 0.3)):
                for kind in ("mousePressed", "mouseReleased"):
                    self.call("Input.dispatchMouseEvent", session, type=kind, x=x + width * left, y=y + height * top, button="left", clickCount=1)

    def acted(self, session, address, own="file:"):
        """What a message did that it may not: run, load, lead away, open a window. Then the slate is clean."""
        wrong = [f"a script ran: {said}" for said in self.said()] + [f"a request: {url}" for url in self.requests(own)]
        if self.evaluate(session, "location.href.split('#')[0]") != address:
            wrong.append("the page went elsewhere")
            self.call("Page.navigate", session, url=address)
            self.settle(2)
        pages = [t["url"] for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        if len(pages) > 2:
            wrong.append(f"a window was opened: {pages}")
        self.events.clear()
        return wrong


def texts(snapshot):
    """Every text that has a box of a size that can be seen, by document."""
    strings = snapshot["strings"]
    for document in snapshot["documents"]:
        layout = document["layout"]
        seen = [strings[text] for text, (_, _, width, height) in zip(layout["text"], layout["bounds"]) if text >= 0 and width > 8 and height > 8]
        yield strings[document["documentURL"]], " ".join(seen)
