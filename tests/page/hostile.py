"""Mail that tries to act in the page that shows it, and mail that does not."""
FOOTER, RAN = "Footer-of-the-company", "mailwright-script-ran"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SAY = f"console.log('{RAN}')"

# URL stands for the counting server. Those in CONTROL run or load something in a page that nothing protects.
HOSTILE = {
    "script": f"<script>{SAY};fetch('URL/fetch');new Image().src='URL/image'</script>",
    "onerror": f"<img src=x onerror=\"{SAY}\">",
    "onload-body": f"<body onload=\"{SAY}\">",
    "svg-onload": f"<svg onload=\"{SAY}\"><script>{SAY}</script><image href='URL/svg' xlink:href='URL/svg2'/></svg>",
    "svg-style": "<svg><style><p><link rel=preconnect href='URL/'><img src='URL/svg-style'></style></svg>",
    "javascript-link": f"<a href=\"javascript:{SAY}\" style='position:fixed;inset:0;display:block'>everywhere</a>",
    "link": "<a href='URL/link' target=_top style='position:fixed;inset:0;display:block'>everywhere</a>",
    "link-here": "<a href='URL/here' ping='URL/ping' style='position:fixed;inset:0;display:block'>everywhere</a>",
    "image-map": "<img usemap=#m src=cid:pixel@example.net style='position:fixed;width:400px;height:400px'><map name=m>"
                 "<area shape=default href='URL/area'></map>",
    "meta-refresh": "<meta http-equiv=refresh content='0;url=URL/refresh'>",
    "form": "<form action='URL/form' target=_top><button style='position:fixed;inset:0;width:100%'>Send</button>"
            "<input autofocus onfocus=\"" + SAY + "\"></form>",
    "button-formaction": "<button form=f formaction='URL/formaction' style='position:fixed;inset:0'>Go</button><form id=f></form>",
    "iframe": "<iframe src='URL/iframe'></iframe>",
    "iframe-srcdoc": f"<iframe srcdoc=\"<script>{SAY}</script><img src='URL/srcdoc'>\"></iframe>",
    "breakout": f"</iframe></details></main><script>{SAY}</script><img src='URL/breakout'>",
    "breakout-quoted": f"\"></iframe><script>{SAY}</script><img src=\"URL/quoted\">",
    "breakout-references": f"&quot;&gt;&lt;/iframe&gt;&lt;script&gt;{SAY}&lt;/script&gt;&amp;quot;&amp;gt;&amp;lt;script&amp;gt;{SAY}",
    "css-url": "<style>body{background:url(URL/css)} p{content:image-set('URL/set' 1x)}</style><p>x</p>"
               "<div style=\"background-image:url('URL/style')\">x</div><ul style='list-style-image:url(URL/list)'><li>x</ul>",
    "css-import": "<style>@import 'URL/import'; @import url(URL/import2); @font-face{font-family:f;src:url(URL/font)} p{font-family:f}"
                  "</style><p>x</p>",
    "css-breakout": f"<style></style><script>{SAY}</script><style>",
    "style-in-select": f"<select><style></select><img src='URL/select' onerror=\"{SAY}\"></style></select>",
    "base": "<base href='URL/'><img src=based>",
    "link-elements": "<link rel=stylesheet href='URL/sheet'><link rel=preconnect href='URL/'><link rel=dns-prefetch href='URL/'>"
                     "<link rel=prefetch href='URL/prefetch'><link rel=icon href='URL/icon'><link rel=preload as=image href='URL/preload'>",
    "images": "<img src='URL/src'><img srcset='URL/srcset 1x'><picture><source srcset='URL/source'><img></picture><image src='URL/image'>"
              "<input type=image src='URL/input'><body background='URL/background'><table background='URL/table'><tr><td background='URL/td'>"
              "<video poster='URL/poster' src='URL/video' autoplay></video><audio src='URL/audio' autoplay></audio><track src='URL/track'>",
    "objects": "<object data='URL/object'></object><embed src='URL/embed'><applet codebase='URL/' code=x></applet>",
    "frameset": "<frameset><frame src='URL/frame'></frameset>",
    "math": f"<math><mtext><table><mglyph><style><img src=x onerror=\"{SAY}\"></style></mglyph></table></mtext></math>",
    "noscript": f"<noscript><p title=\"</noscript><img src='URL/noscript' onerror='{SAY}'>\"></noscript>",
    "template": f"<template shadowrootmode=open><script>{SAY}</script><img src='URL/shadow'></template>"
                f"<div><template shadowrootmode=open><img src='URL/shadow2'></template></div>",
    "plaintext": f"<xmp><script>{SAY}</script></xmp><textarea></textarea><script>{SAY}</script></textarea><plaintext><script>{SAY}",
    "data-link": "<a href='data:text/html,<script>console.log(1)</script>' style='position:fixed;inset:0'>x</a>",
    "never-closed": f"<p>Hello<script>{SAY};//",
    "attribute-never-closed": "<p>Hello<img src='URL/open",
    "nul": f"<scr\0ipt>{SAY}</scr\0ipt><img src=x onerr\0or=\"{SAY}\" onerror=\"{SAY}\">",
    "utf-7": f"+ADw-script+AD4-{SAY}+ADw-/script+AD4-",
    "isindex": f"<isindex type=image src='URL/isindex' onerror=\"{SAY}\">",
    "marquee": f"<marquee onstart=\"{SAY}\">x</marquee><details open ontoggle=\"{SAY}\"><summary>x</summary></details>"
               f"<style>@keyframes k{{}}</style><p style='animation:k 1ms' onanimationstart=\"{SAY}\">x</p>",
    "dialog": f"<dialog open style='position:fixed;inset:0'><form method=dialog action='URL/dialog'><button>x</button></form></dialog>",
    "object-svg": "<object type=image/svg+xml data=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' "
                  "onload='console.log(1)'><image href='URL/object-svg'/></svg>\"></object>",
    "image-svg": f"<img src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{SAY.replace(chr(39), '%22')}'>"
                 "<image href='URL/image-svg'/></svg>\">",
}
CONTROL = ["script", "onerror", "svg-onload", "meta-refresh", "iframe", "css-url", "css-import", "images", "link-elements", "objects"]
SUBJECT = f"</summary></details><script>{SAY}</script><img src=x onerror={SAY}> \"'"
CALM = {
    "calm-html": ("text/html", "<html><body><p>Hello Kim.</p></body></html>"),
    "calm-plain": ("text/plain", f"Hello Kim.\r\n<script>{SAY}</script>"),
    "calm-picture": ("text/html", "<p>Hello</p><img src='cid:pixel@example.net' width=40 height=40 alt=picture-of-the-message>"),
}


def mail(name, kind, body, subject):
    head = f"From: a@example.net\r\nTo: b@example.com\r\nSubject: {subject}\r\nMessage-ID: <{name}@example.net>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    boundary = "boundary-of-this-message"
    return (f"{head}Content-Type: multipart/related; boundary={boundary}\r\n\r\n--{boundary}\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n"
            f"{body}\r\n--{boundary}\r\nContent-Type: image/png\r\nContent-ID: <pixel@example.net>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            f"{PIXEL}\r\n--{boundary}--\r\n").encode()
