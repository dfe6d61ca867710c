"""The page of `replay --report`."""
import pathlib, subprocess, time

from patience import too_late
from hostile import CALM, FOOTER, HOSTILE, PIXEL, SUBJECT, mail

RULES = f"""
[[rule]]
name = "footer"
[[rule.action]]
kind = "append"
html = "<p>{FOOTER}</p>"
text = "{FOOTER}"
"""


def check(browser, server, mailwright, work):
    """What is wrong with it."""
    (work / "mail").mkdir()
    (work / "rules.toml").write_text(RULES)
    for name, (kind, body) in CALM.items():
        (work / "mail" / f"{name}.eml").write_bytes(mail(name, kind, body, "Hello"))
    for name, body in HOSTILE.items():
        (work / "mail" / f"{name}.eml").write_bytes(mail(name, "text/html", body.replace("URL", server.url), SUBJECT))
    page = work / "page.html"
    subprocess.run([mailwright, "replay", work / "mail", "--rules", work / "rules.toml", "--domains", "example.com",
                    "--report", page, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return look(browser, server, page)


def look(browser, server, page):
    wrong = []
    target, session = browser.open(page)
    address = browser.evaluate(session, "location.href.split('#')[0]")
    count = browser.evaluate(session, "document.querySelectorAll('details.message').length")
    if count != len(HOSTILE) + len(CALM):
        wrong.append(f"{count} entries")
    footers, without = 0, []
    for number in range(1, count + 1):
        path = browser.evaluate(session, f"(m => {{ m.open = true; m.scrollIntoView(); return m.dataset.path }})(document.getElementById('m{number}'))")
        name = pathlib.Path(path).stem
        if browser.evaluate(session, "document.querySelectorAll('details.message[open]').length") != 1:
            wrong.append(f"{name}: not the only one that is open")
        browser.settle(0.6)
        browser.click_frames(session)
        browser.settle(0.2)
        # Seen when the frames are there.
        began, wanted = time.monotonic(), 2 if name.startswith("calm") else 1
        while (len(shown := browser.shown()) < wanted or not any(FOOTER in text for text in shown)) and not too_late(began, 3):
            browser.settle(0.1)
        if name.startswith("calm"):
            after = browser.evaluate(session, "document.querySelector('details.message[open] iframe[title=After]').getAttribute('srcdoc')")
            if FOOTER not in after or len(shown) != 2 or [FOOTER in text for text in shown].count(True) != 1:
                wrong.append(f"{name}: the footer is not seen in the frame of what goes out: {shown}")
            if name == "calm-picture" and "<img src=\"data:image/png;base64," + PIXEL not in browser.evaluate(
                    session, "document.querySelector('details.message[open] iframe').getAttribute('srcdoc')"):
                wrong.append(f"{name}: the picture of the message is not shown")
        footers += any(FOOTER in text for text in shown)
        if not any(FOOTER in text for text in shown):
            without.append(name)
        wrong += [f"{name}: {what}" for what in browser.acted(session, address)]
    browser.settle(1)
    wrong += [f"a request reached the server: {seen}" for seen in server.seen]
    server.seen.clear()
    # The page's own script works: the policy lets it through, and no other.
    if browser.evaluate(session, "document.getElementById('filter').hidden") is not False:
        wrong.append("the filter does not work")
    left = browser.evaluate(session, "(w => { w.value = 'calm-'; w.dispatchEvent(new Event('input', {bubbles: true})); "
                                     "return document.querySelectorAll('details.message:not([hidden])').length })(document.getElementById('words'))")
    if left != len(CALM):
        wrong.append(f"the filter leaves {left} messages")
    print(f"the footer is seen in the frames of {footers} messages of {count}; not in: {', '.join(without) or 'none'}")
    browser.call("Target.closeTarget", targetId=target)
    return wrong
