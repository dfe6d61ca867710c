"""What no client should send, to each port: it goes on serving, within its memory."""
import base64, json, queue, re, smtplib, socket, threading, time, urllib.request, zlib

from served import *


def still_serves(serve, what):
    number, _ = send(serve.outbound, message(f"After {what}"))
    serve.wait(rf"^#{number} +outbound +rewritten")
    expect(serve.memory() < MEMORY, f"{what}: {serve.memory() >> 20} MB")


def smtp_is_abused(program, folder):
    with Serve(program, folder) as serve:
        port = serve.outbound
        hello = b"EHLO me\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<kim@customer.example>\r\nDATA\r\n"
        # Pipelined, ends included.
        got = talk(port, hello + message("Pipelined").replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")
        expect(b"354" in got and b"taken as" in got and got.endswith(b"bye\r\n"), got)
        serve.wait(r"Pipelined")
        # Smuggling: nothing but CR LF . CR LF ends a message.
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r"):
            inner = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<kim@customer.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
            got = talk(port, hello + b"Subject: outer\r\n\r\nx" + end + inner + b"QUIT\r\n")
            expect(b"550 5.6.0" in got and b"taken as" not in got, (end, got))
        for octets, code in (
            (b"EHLO " + b"x" * 100_000 + b"\r\n", b"500"),
            (b"x" * 3_000_000, b"220"),
            (b"EHLO me\nMAIL FROM:<a@example.com>\n", b"500"),
            (b"\x00\xff\xfe\r\n" * 30, b"421"),
            (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + hello, b"421"),
            (b"EHLO me\r\nMAIL FROM:<a@example.com> SIZE=99999999999999999999\r\n", b"501"),
            (b"EHLO me\r\nMAIL FROM:<a@example.com> SIZE=50000000\r\n", b"552"),
            (b"EHLO me\r\nMAIL FROM:<" + b"a" * 1_500 + b"@example.com>\r\n", b"501"),
            (b"NOOP\r\n" * 2_000, b"421"),
            (b"EHLO me\r\nMAIL FROM:<ann@example.com>\r\n" + b"".join(b"RCPT TO:<r%d@x.example>\r\n" % n for n in range(600)), b"452"),
        ):
            got = talk(port, octets)
            expect(code in got, (octets[:60], got[:300]))
        expect(b"taken as" not in talk(port, hello + b"Subject: cut off\r\n\r\nx"), "half a message is none")
        # Larger than WorkMail takes.
        got = talk(port, hello + (b"x" * 998 + b"\r\n") * 41_000 + b".\r\nQUIT\r\n", 120)
        expect(b"552 5.3.4" in got, got)
        still_serves(serve, "abuse of SMTP")
        # Ten messages of 30 MB at a time: some are asked to come later, none hurts.
        large = hello + b"Subject: large\r\n\r\n" + (b"y" * 998 + b"\r\n") * 30_000 + b".\r\nQUIT\r\n"
        replies = [None] * 10
        threads = [threading.Thread(target=lambda n=n: replies.__setitem__(n, talk(port, large, 120))) for n in range(10)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        expect(all(b"taken as" in reply or b"452 4.3" in reply for reply in replies), replies)
        wait_until_quiet(serve)
        still_serves(serve, "large messages")


def wait_until_quiet(serve):
    """Until nothing has been said for a while."""
    while True:
        try:
            serve.said.append(serve.lines.get(timeout=5))
        except queue.Empty:
            return


def http_is_abused(program, folder):
    with Serve(program, folder) as serve:
        number, name = send(serve.outbound, message("Harvest plan"))
        serve.wait(rf"^#{number} ")
        for path in ("/messages/../../../../etc/passwd", "/messages/..%2f..%2fetc%2fpasswd", "/messages/" + "a" * 5_000, "/messages/", "/messages/%00",
                     "/../../etc/passwd", "/my-bucket/../../../etc/passwd", "/my-bucket/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f/x", "/%ff%fe/x",
                     "/my-bucket/" + "k" * 3_000):
            code, _, body = http(serve.aws, path)
            expect(code in (400, 404) and b"root:" not in body, (path, code, body[:200]))
        # Keys are names: they may be anything, and come back as they were, and no file is written.
        for nth, key in enumerate(("../../../tmp/escaped", "%00", "%2e%2e%2f%2e%2e", "\0", "a\0/..", "..\\..\\x", "a//b", "//", ".", "./x", "<x>&amp;", "ä", "a\u0308",
                                   "\U0001f34e\u202e", "a\r\nX-Evil: 1\r\n\r\nb", "k" * 1_024, "ä" * 512)):
            path, content = "/my-bucket/" + urllib.request.quote(key, safe=""), b"content %d" % nth
            code, fields, _ = http(serve.aws, path, "PUT", content)
            got = http(serve.aws, path)
            expect(code == 200 and got[2] == content and "X-Evil" not in fields and "X-Evil" not in got[1], key)
        expect(http(serve.aws, "/my-bucket/" + "k" * 1_025, "PUT", b"x")[0] == 400 and http(serve.aws, "/my-bucket/" + "%C3%A4" * 513, "PUT", b"x")[0] == 400, "too long a key")
        # One request is one request: whoever counts its octets otherwise gets no second answer.
        head = f"PUT /my-bucket/s HTTP/1.1\r\nHost: 127.0.0.1:{serve.aws}\r\n"
        smuggled = f"GET /my-bucket/smuggled HTTP/1.1\r\nHost: 127.0.0.1:{serve.aws}\r\n\r\n"
        for length in ("Transfer-Encoding: chunked\r\nContent-Length: 4", "Content-Length: 4\r\nContent-Length: 5", "Content-Length: 4, 4", "Content-Length: +4",
                       "Content-Length: 0x4", "Content-Length: -1", "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding: chunked, identity",
                       "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding:\r\n chunked"):
            got = talk(serve.aws, f"{head}{length}\r\n\r\n0\r\n\r\n{smuggled}".encode(), 0.7)
            expect(got.count(b"HTTP/1.1 ") == 1 and (b" 400 " in got or "chunked\r\nContent" in length), (length, got))
        for body in ("4\nhihi\n0\n\n", "-4\r\nhihi\r\n0\r\n\r\n", "4\r\nhihiX0\r\n\r\n", "ffffffffffffffff1\r\nhihi\r\n0\r\n\r\n", '4;a="\n"\r\nhihi\r\n0\r\n\r\n'):
            got = talk(serve.aws, f"{head}Transfer-Encoding: chunked\r\n\r\n{body}{smuggled}".encode(), 0.7)
            expect(got.count(b"HTTP/1.1 ") <= 1 and b" 200 " not in got, (body, got))
        # Names that somebody else can have for this machine, and other ways to write its address.
        for port in (serve.page, serve.aws):
            for host in ("evil.example", "127.0.0.1.nip.io", "localtest.me", "localhost.evil.example", "localhost.", "127.1", "2130706433", "0x7f.1", "user@127.0.0.1", "127.0.0.1:x", ""):
                got = talk(port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode(), end=False)
                expect(re.match(rb"HTTP/1.1 40[03] ", got), (host, got[:100]))
            for request in (f"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:{port}", "GET / HTTP/1.0", "GET / HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example",
                            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}", f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: a\r\n b"):
                got = talk(port, f"{request}\r\nConnection: close\r\n\r\n".encode(), end=False)
                expect(re.match(rb"HTTP/1.[01] 40[03] ", got), (request, got[:100]))
        expect(b"<x>" not in http(serve.aws, "/my-bucket?list-type=2")[2], "keys are escaped in lists")
        crc = base64.b64encode(zlib.crc32(b"Hello").to_bytes(4, "big")).decode()
        chunked = {"x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x_amz_decoded_content_length": "5", "Content_Encoding": "aws-chunked"}
        for body, code in (
            (f"5\r\nHello\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n", 200),
            ("5\r\nHello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400),
            ("ffffffff\r\nHello\r\n0\r\n\r\n", 400),
            ("4\r\nHell\r\n0\r\n\r\n", 400),
            ("5\r\nHello", 400),
        ):
            expect(http(serve.aws, "/my-bucket/chunked", "PUT", body.encode(), **chunked)[0] == code, body)
        expect(http(serve.aws, "/my-bucket/chunked")[2] == b"Hello", "what was whole is there")
        # Tags and lists of parts that are none, and much of them.
        upload = re.search(rb"<UploadId>([^<]*)<", http(serve.aws, "/my-bucket/parts?uploads", "POST", b"")[2])[1].decode()
        tag, part = b"<Tag><Key>k</Key><Value>v</Value></Tag>", b"<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"
        for body in (b"", b"<", b"\xff", b"<Tagging>", b"<Tagging><TagSet><Tag>", b"<Tagging><TagSet>" + tag * 100_000 + b"</TagSet></Tagging>", b"<Tag" * 1_000_000,
                     b"<Tagging><TagSet>" + b"<Tag>" * 1_000_000, b"<Tagging><TagSet><Tag><Key>&#x0;</Key><Value>&#99999999;</Value></Tag></TagSet></Tagging>"):
            expect(http(serve.aws, "/my-bucket/chunked?tagging", "PUT", body)[0] == 400, body[:80])
        for body in (b"", b"<CompleteMultipartUpload>", b"<CompleteMultipartUpload></CompleteMultipartUpload>", b"<CompleteMultipartUpload>" + part * 50_000 + b"</CompleteMultipartUpload>",
                     b"<Part" * 1_000_000, b"<CompleteMultipartUpload>" + b"<Part>" * 1_000_000):
            expect(http(serve.aws, f"/my-bucket/parts?uploadId={upload}", "POST", body)[0] == 400, body[:80])
        for path in ("?uploadId=../../x", f"?uploadId={upload}&max-parts=-1&part-number-marker=99999999999999999999", "?uploadId=%00", "?attributes", "?tagging&versionId=../x"):
            code, _, body = http(serve.aws, f"/my-bucket/parts{path}")
            expect(code in (200, 400, 404) and b"passwd" not in body, (path, code, body[:200]))
        expect(http(serve.aws, "/my-bucket/k", "PUT", b"x", x_amz_tagging="&".join(f"k{n}=v" for n in range(5_000)))[0] == 400, "thousands of tags")
        for body in (b"", b"{", b"[]", b"null", b'{"content":{"s3Reference":{"bucket":"../..","key":"../../etc/passwd"}}}', b"[" * 100_000):
            expect(http(serve.aws, f"/messages/{name}", "POST", body)[0] == 400, body[:80])
        # Pages of others: neither the page nor the endpoints answer them.
        for port in (serve.page, serve.aws):
            for fields in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"},
                           {"Host": f"127.0.0.1.evil.example:{port}"}):
                lines = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": f"127.0.0.1:{port}"} | fields).items())
                got = talk(port, f"POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\n{lines}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode(), end=False)
                expect(b" 403 " in got.split(b"\r\n")[0], (fields, got[:200]))
        # A header of more than 64 KiB, as one field, many, or an address.
        lines = f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        for octets in (f"{lines}X: {'x' * 100_000}\r\n\r\n", lines + "".join(f"X-{n}: {'x' * 1_000}\r\n" for n in range(90)) + "\r\n",
                       f"GET /{'x' * 65_000} HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {'x' * 1_000}\r\n\r\n"):
            for port in (serve.page, serve.aws):
                got = talk(port, octets.encode(), end=False)
                expect(b" 431 " in got.split(b"\r\n")[0], (octets[:80], got[:100]))
        for port in (serve.page, serve.aws):
            expect(b" 200 " in talk(port, f"{lines}X: {'x' * 60_000}\r\n\r\n".encode(), end=False), "60 KB are taken")
        # What cannot be understood is said in our own words.
        for path, says in (("/page/messages/x", "numbers"), ("/page/messages/-1", "numbers"), ("/page/messages/99999999999999999999999/before.eml", "numbers"),
                           ("/page/messages/%ff", "numbers"), ("/page/state?since=x", "since"), ("/page/state?since=1&since=2", "since"), ("/nothing", "nothing here"),
                           ("/page/again", "not done here")):
            code, fields, body = http(serve.page, path)
            expect(400 <= code < 500 and says in json.loads(body)["error"], (path, code, body))
        for octets in (b"\x16\x03\x01\x02\x00" + b"x" * 100, b"GET / HTTP/1.1\r\nHost: " + b"x" * 200_000, b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 10_000,
                       b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(5_000)),
                       b"PUT /my-bucket/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx",
                       b"PUT /my-bucket/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            for port in (serve.page, serve.aws):
                got = talk(port, octets)
                expect(b" 200 " not in got.split(b"\r\n")[0], (octets[:60], got[:100]))
        # Eight objects of 60 MB at a time.
        body = bytes(60 << 20)
        codes = [None] * 8

        def put(number):
            try:
                codes[number] = http(serve.aws, f"/my-bucket/large-{number}", "PUT", body)[0]
            except OSError as error:
                codes[number] = str(error)
        threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        expect(any(code == 200 for code in codes), codes)
        still_serves(serve, "abuse of HTTP")


def many_connections(program, folder):
    with Serve(program, folder) as serve:
        begun = b"GET / HTTP/1.1\r\nHost: l"
        sends = b"POST /page/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: message/rfc822\r\nContent-Length: 1000\r\n\r\nSubj"
        puts = b"PUT /my-bucket/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nSubj"
        kept = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        data = b"EHLO me\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\nSubj"
        asks = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for port, firsts in ((serve.inbound, (b"", b"EH", data)), (serve.aws, (b"", begun, kept, puts, asks)), (serve.page, (b"", begun, kept, sends))):
            for first in firsts:
                open_ones = []
                for _ in range(400 if first else 1_000):
                    try:
                        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
                        connection.sendall(first)
                        open_ones.append(connection)
                    except OSError:
                        pass
                # While they are all there, whoever wants something gets it; where they send, when they have hardly sent for a while.
                seconds = 5 if first in (sends, puts, data) else 2
                began = time.monotonic()
                while not answers(serve, port):
                    expect(not too_late(began, seconds), f"port {port} does not answer beside connections that sent {first[:60]}")
                    time.sleep(0.05)
                still_serves(serve, "many connections")
                [connection.close() for connection in open_ones]
        # When they have gone, all ports serve again.
        began = time.monotonic()
        while http_status(serve.page) != 200 or http_status(serve.aws) != 200:
            expect(not too_late(began, 20), "a port does not serve any more")
            time.sleep(0.2)
        number, _ = send(serve.inbound, message("In again", From="kim@customer.example"), "kim@customer.example", ["ann@example.com"])
        serve.wait(rf"^#{number} +inbound")
        # Slow clients on all places: they are closed when their time is over, and say so.
        slow = [socket.create_connection(("127.0.0.1", serve.aws), timeout=60) for _ in range(20)]
        [connection.sendall(b"GET / HTTP/1.1\r\nHost: l") for connection in slow]
        for connection in slow:
            try:
                while connection.recv(1_000):
                    pass
            except ConnectionResetError:
                pass
            except TimeoutError:
                expect(False, "a header that never ends is waited for")


def answers(serve, port):
    """Whether somebody who comes now is served."""
    try:
        if port not in (serve.page, serve.aws):
            return send(port, message("In between", From="kim@customer.example"), "kim@customer.example", ["ann@example.com"])
        return http(port, "/")[0] == 200
    except (OSError, smtplib.SMTPException):
        return False


def http_status(port):
    try:
        return http(port, "/")[0]
    except OSError:
        return 0


def terminal_is_safe(program, folder):
    with Serve(program, folder) as serve:
        subject = "=?utf-8?q?=1B[2J=1B]0;owned=07_=E2=80=AEtxt.exe?="
        number, _ = send(serve.outbound, message(subject))
        serve.wait(rf"^#{number} +outbound +rewritten")
        wait_until_quiet(serve)
        said = "".join(serve.said)
        expect("\x1b" not in said and "\x07" not in said and "\u202e" not in said and "\\x1b[2J" in said, said)
