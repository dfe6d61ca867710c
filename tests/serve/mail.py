"""Mail that comes in, rules that change, and what goes wrong."""
import json, shutil, smtplib, subprocess, time

from served import *


def mail_goes_both_ways(program, folder):
    with Serve(program, folder) as serve:
        raw = message("Harvest plan")
        number, name = send(serve.outbound, raw)
        serve.wait(rf"^#{number} +outbound +rewritten, 1 edit +deliver .*Harvest plan")
        after = fetch(serve, name)
        expect(after.startswith(raw.split(b"\r\n.a dot")[0]) and b"Grown by Example Orchards." in after, "the footer is there")
        expect(b"\r\n.a dot\r\n" in after and b"\xc3\xa4pples" in after, "dots and octets came as they were")
        number, name = send(serve.inbound, message("Order", From="kim@customer.example"), "kim@customer.example", ["ann@example.com"])
        serve.wait(rf"^#{number} +inbound +rewritten")
        after = fetch(serve, name)
        expect(after.startswith(b"Return-Path: <kim@customer.example>\r\n") and b"From outside." in after, "sender and banner are there")
        # Mail from outside that forges an internal sender is inbound all the same.
        number, name = send(serve.inbound, message("You won the lottery"), "ann@example.com", ["ann@example.com"])
        serve.wait(rf"^#{number} +inbound +unchanged +junk")
        # Mail of users that lacks them gets a Date and a Message-ID, as a server does to which it is submitted; so the rewrite is taken.
        bare = "From: ann@example.com\r\nTo: kim@customer.example\r\nSubject: Bare\r\n\r\nThe pears too.\r\n"
        with smtplib.SMTP("127.0.0.1", serve.outbound, timeout=30) as smtp:
            smtp.ehlo(), smtp.mail("ann@example.com"), smtp.rcpt("kim@customer.example")
            expect(smtp.data(bare)[1].endswith(b", Date and Message-ID added"), "it is said")
        serve.wait(r"^#4 +outbound +rewritten, 1 edit .*smtp, Date and Message-ID added")
        # Pasted it has none, and the put says what lacks; so do the page and the log.
        http(serve.page, "/page/messages", "POST", bare.encode(), Content_Type="message/rfc822")
        serve.wait(r"a required header field is missing \(Date\)")
        article = json.loads(http(serve.page, "/page/messages/5")[2])["html"]
        expect("a required header field is missing (Date)" in article, article[:3000])
        with smtplib.SMTP("127.0.0.1", serve.inbound, timeout=30) as smtp:
            smtp.ehlo(), smtp.mail("kim@customer.example")
            expect(smtp.rcpt("lee@customer.example")[0] == 550, "nothing is relayed")
        # A rule file is saved: all runs again, and the message in the flow is the new one.
        rules = folder / "rules/rules.toml"
        text = rules.read_text()
        rules.write_text(text.replace("Example Orchards", "Other Orchards"))
        serve.wait(r"^the rules have changed: 3 rules")
        serve.wait(r"^5 messages ran again")
        expect(b"ann@example.com" in fetch(serve, name), "it can be fetched still")
        rules.write_text("[[rule]]\nname = 3\n")
        serve.wait(r"^the rule files cannot be used")
        serve.wait(r"`name` takes a string")
        number, name = send(serve.outbound, message("After a fault"))
        serve.wait(rf"^#{number} +outbound +rewritten")
        expect(b"Other Orchards" in fetch(serve, name), "the last good rules stay")
        rules.write_text(text)
        serve.wait(r"^the rules have changed")
        serve.end()


def rules_that_change_while_messages_wait(program, folder):
    """No object can be stored: what a rule rewrites is tried again for a minute. Rules that rewrite nothing show at once."""
    rules = folder / "rules/rules.toml"
    text = rules.read_text()
    with Serve(program, folder, "--fault", "throttle:put", "--rule-timeout", "120", "--quiet") as serve:
        for nth in range(150):
            send(serve.outbound, message(f"Held {nth}"))
        expect({m["fate"] for m in state(serve)["messages"]} == {"waiting"}, "all are in transit")
        for nth in range(3):
            # They are at it, wait between two tries, or have their turn yet to come.
            time.sleep(nth)
            rules.write_text(text.replace("outbound", "inbound"))
            until(serve, lambda told: told["messages"][-1]["fate"] == "unchanged", "rules that were saved", 1.2)
            until(serve, lambda told: {m["fate"] for m in told["messages"]} == {"unchanged"}, "all of them", 10)
            # Now they have passed, and under the rules before they run into the fault again.
            rules.write_text(text + f"# {nth}")
            rules.write_text(text.replace("Grown", f"Picked {nth}"))
            until(serve, lambda told: told["messages"][-1]["fate"] == "waiting", "what is tried again is said to wait", 3)
        # What a try has found out is shown while the next is waited for.
        until(serve, lambda told: told["messages"][-1]["rules"] == [0] and told["messages"][-1]["fate"] == "waiting", "the rules of a try that failed", 20)
        article = json.loads(http(serve.page, "/page/messages/150")[2])["html"]
        expect("try 1 failed" in article and "in transit" in article and "<b>footer</b>" in article, article[:3000])
        # What somebody looks at goes first, then the newest.
        http(serve.page, "/page/messages/7")
        rules.write_text(text.replace("outbound", "inbound"))
        until(serve, lambda told: told["messages"][6]["fate"] == "unchanged", "the one that is looked at", 1.2)
        expect(serve.memory() < MEMORY, f"{serve.memory() >> 20} MB")
    rules.write_text(text)
    # A call that hangs, and a rule that is saved over and over: what is overtaken is given up.
    with Serve(program, folder, "--fault", "hang:put", "--rule-timeout", "120", "--quiet") as serve:
        for nth in range(30):
            send(serve.outbound, message(f"Held {nth}"))
        for nth in range(5):
            rules.write_text(text.replace("Grown", f"Picked {nth}"))
            time.sleep(0.5)
        rules.write_text(text.replace("outbound", "inbound"))
        until(serve, lambda told: told["messages"][-1]["fate"] == "unchanged", "rules that were saved", 1.2)
        until(serve, lambda told: {m["fate"] for m in told["messages"]} == {"unchanged"}, "all of them", 10)


def swaks(program, folder):
    with Serve(program, folder) as serve:
        done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(serve.outbound), "--from", "ann@example.com", "--to",
                               "kim@customer.example", "--header", "Subject: By swaks", "--pipeline"], capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0, done.stdout + done.stderr)
        serve.wait(r"^#1 +outbound +rewritten, .*By swaks")


def faults(program, folder):
    for fault, says in (
        ("frozen", r"^#1 +outbound +original.* deliver"),
        ("rejected", r"^#1 +outbound +original.* deliver"),
        ("throttle:put:2", r"^#1 +outbound +rewritten.* deliver"),
        ("gone:fetch", r"^#1 +outbound +original.* deliver"),
        ("unavailable:invoke:1", r"^#1 +try 1 failed: the function cannot be invoked.*again in 1 s"),
        ("throttle:invoke", r"^#1 +outbound +fallback +bounce"),
        ("lost:invoke:1", r"^#1 +outbound +rewritten.* deliver"),
    ):
        with Serve(program, folder, "--rule-timeout", "2", "--fallback", "bounce", "--fault", fault) as serve:
            send(serve.outbound, message("Harvest plan"))
            serve.wait(says)
    done = subprocess.run([program, "serve", "--rules", "rules", "--fault", "slow"], cwd=folder, capture_output=True, text=True, timeout=60)
    expect(done.returncode == 2 and "kinds are throttle" in done.stderr, done.stderr)
