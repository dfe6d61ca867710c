#!/usr/bin/env python3
"""Signs messages and verifies them again with dkimpy, which shares no code with us.

    signatures.py sign FOLDER       makes a key and writes signed messages to FOLDER/before, the public key beside them
    signatures.py verify FOLDER     prints "name <tab> before <tab> after" for each message that also stands in FOLDER/after

Before and after are True where dkimpy verifies the signature, else False. Exit status 3: dkimpy or openssl is missing.
"""
import base64, itertools, pathlib, subprocess, sys

try:
    import dkim
    subprocess.run(["openssl", "version"], check=True, capture_output=True)
except (ImportError, OSError, subprocess.CalledProcessError):
    sys.exit(3)

HEADER = ("Received: from mx.example.net by mail.example.com; Tue, 7 May 2024 10:15:00 +0200\n"
          "From:  Kim  Park <kim@example.net>\nTo: ann@example.com\nSubject: The   plan\n\tfor May \n"
          "Date: Tue, 7 May 2024 10:15:00 +0200\nMessage-ID: <1@example.net>\nX-Mailer: Mail\nMIME-Version: 1.0\n")
PLAIN = "Content-Type: text/plain; charset=utf-8\n\n"
ALTERNATIVE = ('Content-Type: multipart/alternative; boundary="b"\n\npreamble\n--b\n\nHello  Ann,\n\nthe plan.\n--b\n'
               'Content-Type: text/html\n\n<p>Hello Ann</p>\n--b--\n')
BODIES = {
    "text": PLAIN + "Hello  Ann,\n\tthe plan.  \n",
    "lines-below": PLAIN + "Hello Ann\n\n\n \n\n",
    "no-line-end": PLAIN + "Hello Ann",
    "empty": PLAIN,
    "white-space": PLAIN + " \n\t\n",
    "alternative": ALTERNATIVE,
    "octets": PLAIN.replace("\n\n", "\nContent-Transfer-Encoding: 8bit\n\n") + "Grüße\n",
}


def sign(folder):
    key = subprocess.run(["openssl", "genrsa", "-traditional", "1024"], check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=key, check=True, capture_output=True).stdout
    (folder / "public").write_bytes(b"v=DKIM1; k=rsa; p=" + base64.b64encode(public))
    (folder / "before").mkdir()
    forms = [b"simple", b"relaxed"]
    for (name, body), header, text, length in itertools.product(BODIES.items(), forms, forms, [False, True]):
        raw = (HEADER + body).replace("\n", "\r\n").encode()
        fields = [b"from", b"to", b"subject", b"date", b"message-id", b"content-type", b"x-absent", b"x-mailer", b"subject"]
        signature = dkim.sign(raw, b"sel", b"example.net", key, canonicalize=(header, text), include_headers=fields, length=length)
        path = folder / "before" / f"{name}-{header.decode()}-{text.decode()}{'-l' if length else ''}.eml"
        path.write_bytes(signature + raw)


def verify(folder):
    public = (folder / "public").read_bytes()

    def verdict(raw):
        try:
            return dkim.verify(raw, dnsfunc=lambda name, timeout=5: public)
        except dkim.DKIMException:
            return False

    for before in sorted((folder / "before").iterdir()):
        after = folder / "after" / before.name
        if after.exists():
            print(before.name, verdict(before.read_bytes()), verdict(after.read_bytes()), sep="\t")


if __name__ == "__main__":
    {"sign": sign, "verify": verify}[sys.argv[1]](pathlib.Path(sys.argv[2]))
