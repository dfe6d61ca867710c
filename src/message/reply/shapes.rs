//! Replies as mail programs make them, each with the place where its newest text ends: at `‸`; without one there is no
//! such place, or it is in doubt.

use super::clients;
use crate::message::html;

const PLACE: &str = "‸";

const TEXT: &[(&str, &str)] = &[
    ("no reply", "Hello Kim,\n\nthe plan is attached.\n\nAnn\n"),
    ("empty", ""),
    (
        "gmail",
        "Fine with me.\n\n‸On Tue, May 7, 2024 at 10:15 AM Kim Lee <kim@example.com> wrote:\n\n> Shall we meet?\n>\n> Kim\n",
    ),
    (
        "gmail, wrapped",
        "Fine.\n\n‸On Tue, May 7, 2024 at 10:15 AM Kim Lee-Longname Of Example <\nkim@example.com> wrote:\n\n> Shall we meet?\n",
    ),
    (
        "wrapped before wrote",
        "Fine.\n\n‸On 7 May 2024, at 10:15, Kim Lee <kim@example.com>\nwrote:\n\n> Shall we meet?\n",
    ),
    ("crlf", "Fine.\r\n\r\n‸On 7 May 2024, at 10:15, Kim Lee <kim@example.com> wrote:\r\n\r\n> Shall we meet?\r\n"),
    (
        "apple, the attribution in the quote",
        "Fine.\n\n‸> On 7 May 2024, at 10:15, Kim Lee <kim@example.com> wrote:\n> \n> Shall we meet?\n\n",
    ),
    (
        "apple, the attribution in the quote and wrapped",
        "Passt.\n\n‸> Am 07.05.2024 um 10:15 schrieb Kim Lee\n> <kim@example.com>:\n> \n> Treffen wir uns?\n",
    ),
    (
        "apple, answered below the attribution in the quote",
        "Hi,\n\n> On 7 May 2024, at 10:15, Kim Lee wrote:\n> Shall we meet?\n\nYes.\n",
    ),
    ("name alone", "Fine.\n\n‸Kim Lee wrote:\n> Shall we meet?\n"),
    (
        "a paragraph above the name",
        "On 3 May we met.\nIt was nice.\nWe spoke.\nSee below.\n‸Kim Lee wrote:\n> Shall we meet?\n",
    ),
    (
        "a date first, wrapped",
        "Fine.\n\n‸2024-05-07 10:15 GMT+02:00 Kim Lee-Longname Of Example <\nkim@example.com>:\n\n> Shall we meet?\n",
    ),
    ("german", "Passt.\n\n‸Am 07.05.2024 um 10:15 schrieb Kim Lee:\n> Treffen wir uns?\n"),
    (
        "german, gmail",
        "Passt.\n\n‸Am Di., 7. Mai 2024 um 10:15 Uhr schrieb Kim Lee <\nkim@example.com>:\n\n> Treffen wir uns?\n",
    ),
    ("french", "D'accord.\n\n‸Le mar. 7 mai 2024 à 10:15, Kim Lee <kim@example.com> a écrit :\n\n> On se voit ?\n"),
    (
        "french, wrapped",
        "D'accord.\n\n‸Le mar. 7 mai 2024 à 10:15, Kim Lee <kim@example.com>\na écrit :\n\n> On se voit ?\n",
    ),
    ("spanish", "Vale.\n\n‸El mar, 7 may 2024 a las 10:15, Kim Lee (<kim@example.com>) escribió:\n\n> ¿Nos vemos?\n"),
    (
        "italian",
        "Va bene.\n\n‸Il giorno mar 7 mag 2024 alle ore 10:15 Kim Lee <kim@example.com> ha scritto:\n\n> Ci vediamo?\n",
    ),
    ("portuguese", "Certo.\n\n‸Em ter., 7 de mai. de 2024 às 10:15, Kim Lee <kim@example.com> escreveu:\n\n> Vamos?\n"),
    ("dutch", "Prima.\n\n‸Op di 7 mei 2024 om 10:15 schreef Kim Lee <kim@example.com>:\n\n> Zien we elkaar?\n"),
    ("swedish", "Bra.\n\n‸Den tis 7 maj 2024 kl 10:15 skrev Kim Lee <kim@example.com>:\n\n> Ska vi ses?\n"),
    ("finnish", "Sopii.\n\n‸ti 7. toukok. 2024 klo 10.15 Kim Lee (kim@example.com) kirjoitti:\n\n> Tavataanko?\n"),
    ("polish", "Dobrze.\n\n‸wt., 7 maj 2024 o 10:15 Kim Lee <kim@example.com> napisał(a):\n\n> Spotkanie?\n"),
    ("czech", "Dobře.\n\n‸út 7. 5. 2024 v 10:15 odesílatel Kim Lee <kim@example.com> napsal:\n\n> Sejdeme se?\n"),
    ("hungarian", "Jó.\n\n‸Kim Lee <kim@example.com> ezt írta (időpont: 2024. máj. 7., K, 10:15):\n\n> Találkozunk?\n"),
    ("russian", "Хорошо.\n\n‸вт, 7 мая 2024 г. в 10:15, Kim Lee <kim@example.com>:\n\n> Встретимся?\n"),
    (
        "turkish",
        "Olur.\n\n‸Kim Lee <kim@example.com>, 7 May 2024 Sal, 10:15 tarihinde şunu yazdı:\n\n> Buluşalım mı?\n",
    ),
    ("japanese", "了解です。\n\n‸2024年5月7日(火) 10:15 Kim Lee <kim@example.com>:\n\n> 会えますか。\n"),
    ("chinese", "好的。\n\n‸Kim Lee <kim@example.com> 于2024年5月7日周二 10:15写道：\n\n> 见面吗？\n"),
    ("korean", "좋아요.\n\n‸2024년 5월 7일 (화) 오전 10:15, Kim Lee <kim@example.com>님이 작성:\n\n> 만날까요?\n"),
    ("unknown language", "Tá.\n\n‸Ar 7/5/2024 10:15, scríobh Kim Lee (kim@example.com):\n> Cathain?\n"),
    (
        "outlook",
        "Fine.\r\n\r\n‸-----Original Message-----\r\nFrom: Kim Lee <kim@example.com>\r\nSent: Tuesday, May 7, 2024 10:15\r\nTo: Ann <ann@example.net>\r\nSubject: Meeting\r\n\r\nShall we meet?\r\n",
    ),
    (
        "outlook, german",
        "Passt.\n\n‸-----Ursprüngliche Nachricht-----\nVon: Kim Lee [mailto:kim@example.com] \nGesendet: Dienstag, 7. Mai 2024 10:15\nAn: Ann\nBetreff: Treffen\n\nTreffen wir uns?\n",
    ),
    (
        "outlook, underscores",
        "Fine.\n\n‸________________________________\nFrom: Kim Lee <kim@example.com>\nSent: Tuesday, May 7, 2024 10:15\nTo: Ann\nSubject: Meeting\n\nShall we meet?\n",
    ),
    (
        "header alone, french",
        "D'accord.\n\n‸De : Kim Lee <kim@example.com>\nEnvoyé : mardi 7 mai 2024 10:15\nÀ : Ann\nObjet : Réunion\n\nOn se voit ?\n",
    ),
    (
        "header alone, stars",
        "Vale.\n\n‸*De:* Kim Lee <kim@example.com>\n*Enviado el:* martes, 7 de mayo de 2024 10:15\n*Para:* Ann\n*Asunto:* Reunión\n\n¿Nos vemos?\n",
    ),
    (
        "header, many recipients",
        "Ok.\n\n‸From: Kim Lee <kim@example.com>\nSent: Tuesday, May 7, 2024 10:15\nTo: Ann <ann@example.net>;\n Bo <bo@example.net>;\n Cy <cy@example.net>\nCc: Di <di@example.net>\nSubject: Meeting\n\nShall we meet?\n",
    ),
    (
        "header, chinese",
        "好的。\n\n‸发件人: Kim Lee <kim@example.com>\n发送时间: 2024年5月7日 10:15\n收件人: Ann\n主题: 见面\n\n见面吗？\n",
    ),
    (
        "gmail forward",
        "See below.\n\n‸---------- Forwarded message ---------\nFrom: Kim Lee <kim@example.com>\nDate: Tue, May 7, 2024 at 10:15 AM\nSubject: Meeting\nTo: <ann@example.net>\n\nShall we meet?\n",
    ),
    (
        "forward by words, above its header",
        "See.\n\n‸--- begin forwarded text\n\nDate: Sat, 24 Aug 2024 11:39:34 -0400\nTo: Ann\nFrom: Kim <kim@example.com>\n\nShall we?\n\n--- end forwarded text\n",
    ),
    (
        "mulberry",
        "Fine.\n\n‸--Am Montag, 6. Mai 2024 18:41 Uhr +0200 schrieb Kim Lee\n<kim@example.com>:\n\n> Treffen wir uns?\n",
    ),
    (
        "yahoo, classic",
        "Fine.\n\n‸--- On Tue, 5/7/24, Kim Lee <kim@example.com> wrote:\n\nFrom: Kim Lee <kim@example.com>\nSubject: Meeting\nTo: ann@example.net\nDate: Tuesday, May 7, 2024, 10:15 AM\n\nShall we meet?\n",
    ),
    (
        "outlook express, a long line wrapped",
        "Fine.\n\n‸----- Original Message -----\nFrom: \"Kim\" <kim@example.com>\nTo: <ann@example.net>\nSent: Tuesday, May 7, 2024 8:12 PM\nSubject: Meeting\n\n> Shall we meet when all of us are\nthere\n> or before?\n",
    ),
    (
        "forward without a word",
        "‸---------- Forwarded message ---------\nFrom: Kim Lee <kim@example.com>\nDate: Tue, May 7, 2024\nSubject: Meeting\n\nShall we meet?\n",
    ),
    (
        "apple forward",
        "FYI\n\n‸Begin forwarded message:\n\n> From: Kim Lee <kim@example.com>\n> Subject: Meeting\n>\n> Shall we meet?\n",
    ),
    (
        "dashes in a language that is not known",
        "Feic.\n\n‸------ Teachtaireacht ar aghaidh ------\nFrom: kim@example.com\nDate: 7/5/2024\nSubject: Cruinniú\n\nCathain?\n",
    ),
    (
        "telephone, quote without marks",
        "Fine\n\n‸On Tue, May 7, 2024 at 10:15 AM, Kim Lee <kim@example.com> wrote:\n\nShall we meet?\nKim\n",
    ),
    (
        "list footer below the quote",
        "Fine.\n\n‸On 7 May 2024, Kim Lee wrote:\n> Shall we meet?\n\n_______________________________________________\nPlans mailing list\nplans@example.com\n",
    ),
    (
        "signature below the quote",
        "Fine.\n\n‸On 7 May 2024, Kim Lee wrote:\n> Shall we meet?\n\n-- \nAnn\nExample Ltd\n",
    ),
    ("telephone below the quote", "Fine.\n\n‸On 7 May 2024, Kim Lee wrote:\n> Shall we meet?\n\nSent from my phone\n"),
    (
        "quote in quote",
        "Fine.\n\n‸On 7 May 2024, Kim Lee wrote:\n> On 6 May 2024, Ann wrote:\n>> When?\n> Shall we meet?\n",
    ),
    ("initials", "Fine.\n\n‸On 7 May 2024, Kim Lee wrote:\nKL> Shall we meet?\nKL> Tuesday?\n"),
    ("answer below", "On 7 May 2024, Kim Lee wrote:\n> Shall we meet?\n\nYes, on Tuesday.\n"),
    ("answers between", "On 7 May 2024, Kim Lee wrote:\n> Shall we meet?\n\nYes.\n\n> Where?\n\nHere.\n"),
    ("answers between, text above", "Hi,\n\nOn 7 May 2024, Kim Lee wrote:\n> Shall we meet?\nYes.\n> Where?\nHere.\n"),
    ("quote without attribution", "Fine.\n\n> Shall we meet?\n> Kim\n"),
    ("code with marks", "Run this:\n> make all\n> make install\n"),
    ("mbox from", "Hello,\n>From here on all is well.\nAnn\n"),
    ("a journey", "Your trip\n\nFrom: Berlin\nTo: Paris\nDate: 7 May 2024\n\nHave a good time.\n"),
    ("a form", "New request\n\nName: Kim\nSubject: Help\nDate: 7 May\n\nThe printer is on fire.\n"),
    ("wrote in a sentence", "On Tuesday Kim wrote:\n\nthe plan is late. I do not agree, because it is not.\n"),
    (
        "raw header in a bounce",
        "Not delivered.\n\nReceived: by mx.example.com; Tue, 7 May 2024 10:15:00 +0000\nFrom: kim@example.com\nTo: ann@example.net\nSubject: Meeting\n",
    ),
    (
        "a line that looks like a field",
        "Nobody is there to talk\nto :-)\n\n‸-----Original Message-----\nFrom: Kim\nSent: Tuesday\nSubject: Meeting\n\nHello?\n",
    ),
    ("dashes", "Agenda\n\n--- Morning ---\nCoffee\n--- Evening ---\nTea\n"),
    ("original message in a sentence", "Please see the original message for details.\nAnn\n"),
];

const HTML: &[(&str, &str)] = &[
    ("no reply", "<html><body><p>Hello</p><p>Ann</p></body></html>"),
    (
        "gmail",
        r#"<div dir="ltr">Fine.</div><br>‸<div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Tue, May 7, 2024 at 10:15 AM Kim Lee &lt;<a href="mailto:kim@example.com">kim@example.com</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0"><div>Shall we meet?</div></blockquote></div>"#,
    ),
    (
        "gmail, container",
        r#"<div dir="ltr">Fine.</div><br>‸<div class="gmail_quote gmail_quote_container"><div class="gmail_attr">Ar 7/5/2024, Kim:<br></div><blockquote class="gmail_quote">Shall we meet?</blockquote></div>"#,
    ),
    (
        "gmail, old, with extra",
        r#"<div dir="ltr">Fine.</div>‸<div class="gmail_extra"><br><div class="gmail_quote">On 7 May 2024 10:15, Kim <span dir="ltr">&lt;kim@example.com&gt;</span> wrote:<br><blockquote class="gmail_quote">Shall we meet?</blockquote></div><br></div>"#,
    ),
    (
        "gmail, answers between",
        r#"<div class="gmail_quote">On 7 May 2024 10:15, Kim wrote:<br><blockquote class="gmail_quote">Shall we meet?</blockquote><div>Yes.</div><blockquote class="gmail_quote">Where?</blockquote><div>Here.</div></div>"#,
    ),
    (
        "gmail, answer below",
        r#"<div class="gmail_quote">On 7 May 2024 10:15, Kim wrote:<br><blockquote class="gmail_quote">Shall we meet?</blockquote></div><div>Yes.</div>"#,
    ),
    (
        "gmail forward",
        r#"<div dir="ltr">See below.<br><br>‸<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: <b>Kim Lee</b> &lt;kim@example.com&gt;<br>Date: Tue, May 7, 2024<br>Subject: Meeting<br>To: &lt;ann@example.net&gt;<br></div><br><p>Shall we meet?</p><p>One.</p><p>Two.</p><p>Three.</p></div></div>"#,
    ),
    (
        "gmail, signature below",
        r#"<div>Fine.</div>‸<div class="gmail_quote"><div class="gmail_attr">On 7 May 2024, Kim wrote:<br></div><blockquote class="gmail_quote">Shall we meet?</blockquote></div><br clear="all"><span>-- </span><br><div class="gmail_signature">Ann<br>Example Ltd</div>"#,
    ),
    (
        "outlook web",
        r#"<body><div>Fine.</div>‸<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>From:</b> Kim Lee &lt;kim@example.com&gt;<br><b>Sent:</b> Tuesday<br><b>To:</b> Ann<br><b>Subject:</b> Meeting</font></div><div>Shall we meet?</div></body>"#,
    ),
    (
        "outlook web, without the first mark",
        r#"<body><div>Fine.</div>‸<hr tabindex="-1"><div id="x_divRplyFwdMsg" dir="ltr"><b>Od:</b> Kim</div><div>Shall we meet?</div></body>"#,
    ),
    (
        "outlook",
        r#"<body lang="EN-US"><div class="WordSection1"><p class="MsoNormal">Fine.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>‸<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal"><b>From:</b> Kim Lee &lt;kim@example.com&gt; <br><b>Sent:</b> Tuesday, May 7, 2024 10:15 AM<br><b>To:</b> Ann &lt;ann@example.net&gt;<br><b>Subject:</b> Meeting<o:p></o:p></p></div></div><p class="MsoNormal">Shall we meet?<o:p></o:p></p></div></body>"#,
    ),
    (
        "outlook, german",
        "<div class=WordSection1><p class=MsoNormal>Passt.</p>‸<div style='border:none;border-top:solid #B5C4DF 1.0pt'><p class=MsoNormal><b><span lang=DE>Von:</span></b><span lang=DE> Kim Lee [mailto:kim@example.com] <br><b>Gesendet:</b> Dienstag, 7. Mai 2024 10:15<br><b>An:</b> Ann<br><b>Betreff:</b> Treffen</span></p></div><p class=MsoNormal>Treffen?</p></div>",
    ),
    (
        "outlook, plain separator",
        "<p>Fine.</p>‸<p>-----Original Message-----<br>From: Kim<br>Sent: Tuesday<br>To: Ann<br>Subject: Meeting</p><p>Shall we meet?</p>",
    ),
    (
        "webmail with a rule and header lines",
        "<p>Fine.</p>‸<hr><div>From: kim@example.com</div><div>Date: Tuesday</div><div>To: Ann</div><div>Shall we meet?</div>",
    ),
    (
        "new outlook",
        r#"<div>Fine.</div>‸<div id="mail-editor-reference-message-container"><div><div style="border-top:solid"><p><b>Από: </b>Kim</p></div><p>Shall we meet?</p></div></div>"#,
    ),
    (
        "outlook for mac",
        r#"<div>Fine.</div>‸<span id="OLK_SRC_BODY_SECTION"><div><span>From: </span>Kim</div><blockquote id="MAC_OUTLOOK_ATTRIBUTION_BLOCKQUOTE">Shall we meet?</blockquote></span>"#,
    ),
    (
        "netease",
        r#"<html><body><div>Fine.</div><br>‸<pre>At 2024-05-07 10:15:00, "Kim Lee" &lt;kim@example.com&gt; wrote:</pre><blockquote id="isReplyContent"><p>Shall we meet?</p></blockquote></body></html>"#,
    ),
    (
        "thunderbird",
        r#"<html><body><p>Fine.</p>‸<div class="moz-cite-prefix">On 07/05/2024 10:15, Kim Lee wrote:<br></div><blockquote type="cite" cite="mid:a@example.com"><p>Shall we meet?</p></blockquote></body></html>"#,
    ),
    (
        "thunderbird, language not known",
        r#"<p>Tá.</p>‸<div class="moz-cite-prefix">Scríobh Kim Lee<br></div><blockquote type="cite">Cathain?</blockquote>"#,
    ),
    (
        "thunderbird, signature below",
        r#"<p>Fine.</p>‸<div class="moz-cite-prefix">On 07/05/2024, Kim Lee wrote:</div><blockquote type="cite">Shall we meet?</blockquote><div class="moz-signature">-- <br>Ann<br>Example Ltd</div>"#,
    ),
    (
        "thunderbird, answers between",
        r#"<div class="moz-cite-prefix">On 07/05/2024, Kim Lee wrote:</div><blockquote type="cite">Shall we meet?</blockquote><p>Yes.</p><blockquote type="cite">Where?</blockquote><p>Here.</p>"#,
    ),
    (
        "thunderbird forward",
        r#"<p>See below.</p>‸<div class="moz-forward-container"><br><br>-------- Forwarded Message --------<table><tbody><tr><th>Subject: </th><td>Meeting</td></tr><tr><th>From: </th><td>Kim</td></tr></tbody></table><p>Shall we meet?</p></div>"#,
    ),
    (
        "apple mail",
        r#"<body>Fine.<div><br></div><div><br>‸<blockquote type="cite"><div>On 7 May 2024, at 10:15, Kim Lee &lt;kim@example.com&gt; wrote:</div><br><div>Shall we meet?</div></blockquote></div><br></body>"#,
    ),
    (
        "outlook express",
        r#"<DIV>Fine.</DIV>‸<BLOCKQUOTE style="BORDER-LEFT: #000000 2px solid"><DIV>----- Original Message ----- </DIV><DIV><B>From:</B> Kim</DIV><DIV><B>Sent:</B> Tuesday</DIV><DIV><B>Subject:</B> Meeting</DIV><DIV>Shall we meet?</DIV></BLOCKQUOTE>"#,
    ),
    (
        "nothing above the quote",
        r#"<html><head></head><body>‸<blockquote type="cite">On 7 May 2024, Kim wrote:<br>Shall we meet?</blockquote></body></html>"#,
    ),
    (
        "marks as text",
        "<div>Fine.<br><br>‸On 7 May 2024 10:15, Kim Lee wrote:<br>&gt; Shall we meet?<br>&gt;<br>&gt; Kim</div>",
    ),
    (
        "marks as text, answers between",
        "<div>On 7 May 2024 10:15, Kim Lee wrote:<br>&gt; Shall we meet?<br>Yes.<br>&gt; Where?<br>Here.</div>",
    ),
    (
        "apple mail, old",
        r#"<body><div>Fine.</div><br>‸<div><div>On 7 May 2024, at 10:15, Kim Lee wrote:</div><br><blockquote type="cite">Shall we meet?</blockquote></div></body>"#,
    ),
    (
        "apple forward",
        r#"<body>FYI<br>‸<div>Begin forwarded message:<br><blockquote type="cite"><div><b>From: </b>Kim</div><div>Shall we meet?</div></blockquote></div></body>"#,
    ),
    (
        "iphone",
        r#"<body><div>Fine.</div><div><br></div><div>Sent from my phone</div><div><br>‸On 7 May 2024, at 10:15, Kim Lee &lt;kim@example.com&gt; wrote:<br><br></div><blockquote type="cite"><div>Shall we meet?</div></blockquote></body>"#,
    ),
    (
        "yahoo",
        r#"<div>Fine.</div>‸<div id="ydp1yahoo_quoted_1" class="yahoo_quoted"><div>On Tuesday, May 7, 2024, 10:15 AM, Kim Lee &lt;kim@example.com&gt; wrote:</div><div>Shall we meet?</div></div>"#,
    ),
    (
        "proton",
        r#"<div>Fine.</div>‸<div class="protonmail_quote">On Tuesday, May 7th, 2024 at 10:15, Kim wrote:<br><blockquote class="protonmail_quote" type="cite"><div>Shall we meet?</div></blockquote><br></div>"#,
    ),
    (
        "zimbra",
        r#"<div>Fine.</div><br>‸<hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>"Kim"</div><div>Shall we meet?</div>"#,
    ),
    (
        "tuta",
        r#"<div>Fine.</div>‸<div>07.05.2024, 10:15 by kim@example.com:</div><blockquote class="tutanota_quote"><div>Shall we meet?</div></blockquote>"#,
    ),
    (
        "indented with attribution",
        r#"<p>Fine.</p>‸<p>Kim Lee a écrit :</p><blockquote style="border-left:1px solid">On se voit ?</blockquote>"#,
    ),
    ("indented without attribution", "<p>As the poet says:</p><blockquote>Shall I compare thee?</blockquote>"),
    ("indented, and more", "<p>He wrote:</p><blockquote>Shall we?</blockquote><p>I did not answer.</p>"),
    (
        "language pieces in inline tags",
        r#"<p>Fine.</p>‸<p><span>On Tue, </span><b>May 7</b>, 2024 Kim&nbsp;Lee <i>wrote</i>:</p><blockquote type="cite">Shall we meet?</blockquote>"#,
    ),
    (
        "header in a table",
        "<p>Fine.</p>‸<table><tr><td>-----Original Message-----</td></tr><tr><td>From: kim@example.com</td></tr></table><p>Shall we meet?</p>",
    ),
    ("mark in a comment", r#"<p>Hello</p><!-- <div class="gmail_quote">On 7 May 2024, Kim wrote:</div> --><p>Ann</p>"#),
    ("mark with nothing behind it", r#"<p>Hello</p><div id="appendonsend"></div>"#),
    ("a journey", "<p>Your trip</p><hr><p>From Berlin</p><p>To: Paris</p><p>Date: 7 May</p>"),
];

/// What is no reply, or one that cannot be told: the place would be wrong wherever it were.
const NEGATIVE: &[(&str, &str)] = &[
    (
        "answered below the original message",
        "\n----- Original Message -----\nFrom: <kim@example.com>\n\n> Shall we meet?\nYes, today.\n",
    ),
    (
        "answered between, below the original message",
        "Hi, see below.\n\n-----Original Message-----\nFrom: Kim <kim@example.com>\nSent: 7 May 2024\nSubject: Meeting\n\n> Shall we meet?\n\nYes.\n\n> When?\n\nToday.\n",
    ),
    (
        "quoted by other signs, answered below",
        "On 7 May 2024 10:15, Kim Lee wrote:\n--]Shall we meet?\n\nYes, today.\n",
    ),
    (
        "a header without a date that is told of",
        "Then this came:\n\nFrom: \"Kim\"\nTo: \"Ann\"\nSubject: plan\n\nNo.\n\nHow rude.\n",
    ),
    ("code", "To build it:\n\n> git clone https://example.com/a\n> cd a && make\n\nThat is all.\n"),
    ("diff", "Please apply:\n\n--- a/main.c\n+++ b/main.c\n@@ -1,2 +1,2 @@\n-old\n+new\n"),
    ("prompt", "I typed\n\n>>> import this\n>>> print(this.s)\n\nand got an error.\n"),
    ("prose with wrote", "On Monday he wrote:\n\nI will not come. But he came at 10:15 and stayed.\n"),
    ("prose with wrote and a date", "As Kim wrote on 7 May 2024, the plan is late. We wrote: nothing.\n"),
    ("prose from to", "From: the harbour\nthe view is fine.\n\nTo: be seen.\n"),
    ("citation", "As the poet wrote:\n\nShall I compare thee to a summer's day?\n\nNot today.\n"),
    ("table of dates", "Dates:\n\nDate: 7 May 2024\nDate: 8 May 2024\nDate: 9 May 2024\n"),
    ("rules", "Part one\n\n__________\n\nPart two\n\n----------\n\nPart three\n"),
    ("signature alone", "Hello Kim\n\n-- \nAnn\nFrom: the harbour\n"),
    ("minutes", "Minutes\n\nOn 7 May 2024 at 10:15 Kim opened the meeting:\n\n- the plan\n- the budget\n"),
    ("order", "Your order\n\nOrder: 1\nDate: 7 May 2024\nTo: Kim Lee\n\nThank you.\n"),
    ("answers below each", "On 7 May 2024, Kim wrote:\n> One?\nYes.\n\nOn 6 May 2024, Bo wrote:\n> Two?\nNo.\n"),
    ("answer below, no text above", "Kim Lee wrote:\n\n> Shall we meet?\n\nYes, at ten.\nAnn\n"),
    ("answer below a header", "> From: kim@example.com\n> Subject: Meeting\n>\n> Shall we meet?\n\nYes.\n"),
    ("poll", "Which? Reply with a number.\n\n> 1 Monday\n\n> 2 Tuesday\n"),
    ("markdown", "> A quote of somebody famous\n\nHello all,\n\nnews below.\n"),
    ("arrows", "Menu -> File -> Save\n\n-> then close\n"),
    ("log", "2024-05-07 10:15 server started:\n\nok\n2024-05-07 10:16 done\n"),
    ("agenda", "Agenda for 7 May 2024, 10:15:\n\nKim writes: the plan.\nBo writes: the budget.\n"),
];

const NEGATIVE_HTML: &[(&str, &str)] = &[
    ("citation", "<p>As Kim wrote:</p><blockquote>Shall I compare thee?</blockquote><p>Lovely.</p>"),
    ("citation at the end", "<p>A poem.</p><blockquote>Shall I compare thee?</blockquote>"),
    ("pre", "<p>Run</p><pre>&gt; make all\n&gt; make install</pre><p>Done.</p>"),
    ("rules", "<p>One</p><hr><p>Two</p><hr><p>Three</p>"),
    ("newsletter", "<h1>News</h1><hr><p>From our editor</p><p>Subject of the month: bees</p><p>Read on</p>"),
    ("prose with wrote", "<p>On 7 May 2024 Kim wrote that he is late.</p><p>He came.</p>"),
    ("order", "<table><tr><td>Date:</td><td>7 May</td></tr><tr><td>To:</td><td>Kim</td></tr></table><p>Thanks</p>"),
    (
        "answers between",
        "<div>On 7 May 2024, Kim wrote:</div><blockquote type=cite>One?</blockquote>Yes.<blockquote type=cite>Two?</blockquote>No.",
    ),
    ("answer below", "<blockquote type=cite>Shall we meet?</blockquote><div>Yes, at ten.</div>"),
    (
        "indented list",
        "<p>Steps</p><blockquote><ol><li>One</li></ol></blockquote><p>Then</p><blockquote>Two</blockquote>",
    ),
    ("signature with a rule", "<p>Hi</p><hr><div id=Signature>Ann<br>From: Kiel<br>Tel: 1</div>"),
    ("a form", "<p>Name: Kim</p><p>From: web form</p><p>Message: hello</p>"),
];

/// Right, given and wanted places.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    shapes: usize,
    given: usize,
    wanted: usize,
    right: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} shapes, precision {}/{}, recall {}/{}",
            self.shapes, self.right, self.given, self.right, self.wanted
        )
    }
}

/// Every shape of a form, named `program: what`.
fn shapes(html: bool) -> Vec<(String, String)> {
    let escape = |text: &str| text.replace('<', "&lt;").replace('>', "&gt;");
    let mut all = Vec::new();
    for (program, language, line) in clients::ATTRIBUTIONS {
        let name = format!("{program}: {language}");
        let shape = if html {
            let line = escape(&line.replace(" / ", " "));
            format!(
                "<html><body><div>Fine.</div><div><br></div>{PLACE}<div>{line}<br></div>\
                 <blockquote type=\"cite\"><p>Shall we meet?</p></blockquote></body></html>"
            )
        } else {
            format!("Fine.\n\n{PLACE}{}\n\n> Shall we meet?\n>\n> Kim\n", line.replace(" / ", "\n"))
        };
        all.push((name, shape));
    }
    for (program, language, [from, sent, to, subject]) in clients::HEADERS {
        let name = format!("{program}: header, {language}");
        let shape = if html {
            format!(
                "<div class=WordSection1><p class=MsoNormal>Fine.</p>{PLACE}<div style='border:none;border-top:solid \
                 #E1E1E1 1.0pt'><p class=MsoNormal><b>{from}</b> Kim Lee &lt;kim@example.com&gt;<br><b>{sent}</b> 7. 5. \
                 2024 10:15<br><b>{to}</b> Ann &lt;ann@example.net&gt;<br><b>{subject}</b> Meeting</p></div><p \
                 class=MsoNormal>Shall we meet?</p></div>"
            )
        } else {
            format!(
                "Fine.\n\n{PLACE}{from} Kim Lee <kim@example.com>\n{sent} 7. 5. 2024 10:15\n{to} Ann \
                 <ann@example.net>\n{subject} Meeting\n\nShall we meet?\n"
            )
        };
        all.push((name, shape));
    }
    for (program, language, line) in clients::SEPARATORS {
        let name = format!("{program}: separator, {language}");
        let header = ["From: Kim Lee <kim@example.com>", "Date: 7 May 2024 10:15", "To: Ann", "Subject: Meeting"];
        let shape = if html {
            let header = escape(&header.join("\n")).replace('\n', "<br>");
            format!("<div>Fine.<br><br></div>{PLACE}<div>{line}<br>{header}</div><div>Shall we meet?</div>")
        } else {
            format!("Fine.\n\n{PLACE}{line}\n{}\n\nShall we meet?\n", header.join("\n"))
        };
        all.push((name, shape));
    }
    let (written, negative) = if html { (HTML, NEGATIVE_HTML) } else { (TEXT, NEGATIVE) };
    let named = |(name, shape): &(&str, &str)| ((*name).to_owned(), (*shape).to_owned());
    all.extend(written.iter().map(named));
    all.extend(negative.iter().map(|(name, shape)| (format!("none: {name}"), (*shape).to_owned())));
    all
}

/// Compares each shape with its label and prints what a rule author would want to know: how often a place that is
/// given is right, and how many of the places are found; in all and for each program.
fn measure(kind: &str, shapes: &[(String, String)], place: impl Fn(&str) -> Option<usize>) -> Tally {
    let mut all = Tally::default();
    let mut programs: std::collections::BTreeMap<&str, Tally> = std::collections::BTreeMap::new();
    for (name, labelled) in shapes {
        let label = labelled.find(PLACE);
        let source = labelled.replacen(PLACE, "", 1);
        let found = place(&source);
        let program = name.split([':', ',']).next().unwrap_or_default();
        for tally in [&mut all, programs.entry(program).or_default()] {
            tally.shapes += 1;
            tally.given += usize::from(found.is_some());
            tally.wanted += usize::from(label.is_some());
            tally.right += usize::from(found.is_some() && found == label);
        }
        if found != label {
            let shown =
                found.map_or("nowhere", |at| source.get(at..source.floor_char_boundary(at + 40)).unwrap_or("?"));
            println!("{kind}, {name}: {shown:?}");
        }
    }
    for (program, tally) in programs.iter().filter(|(_, tally)| tally.shapes > 1) {
        println!("{kind}, {program}: {tally}");
    }
    println!("{kind}: {all}");
    all
}

/// No place is wrong, and of those that there are hardly any is missed.
fn holds(tally: Tally) {
    assert_eq!(tally.right, tally.given, "a place that is given is right");
    assert!(tally.right * 100 >= tally.wanted * 98, "98 of 100 places are found: {tally}");
    assert!(tally.shapes >= 200, "{tally}");
}

#[test]
fn the_newest_text_ends_where_the_label_says() {
    holds(measure("text", &shapes(false), super::reply_end));
}

#[test]
fn the_newest_html_ends_where_the_label_says() {
    holds(measure("html", &shapes(true), html::reply_end));
}

/// Each of these has its place: none is among those that may be missed.
#[test]
fn what_stands_at_a_quote_is_told_from_an_answer() {
    for labelled in [
        // The attribution of a quote inside the quote.
        "Fine.\n\n‸On 7 May 2024, Kim Lee wrote:\n> Tuesday.\n\nOn 6 May 2024, Ann Bo wrote:\n>> Shall we meet?\n",
        "Fine.\n\n‸Kim Lee wrote:\nABC> Shall we meet?\n",
    ] {
        assert_eq!(super::reply_end(&labelled.replacen(PLACE, "", 1)), labelled.find(PLACE), "{labelled}");
    }
    assert_eq!(super::reply_end("Fine.\n\nKim Lee wrote:\nABCD> Shall we meet?\n"), None);
    for labelled in [
        // A message that is forwarded with a quote of its own, and goes on below that.
        "<div>See.</div>‸<div class=gmail_quote>Dear Ann,<br>one<br>two<br>three<br>four<br>\
         <blockquote type=cite>five</blockquote>Kim</div>",
        // Spaces that are only seen in the source.
        "<p>Fine.</p>‸<p>Kim Lee wrote:</p><blockquote type=cite>Shall we meet?</blockquote><p>&zwnj;&#8203;</p>",
        // All of it in the cell of a table.
        "<table><tr><td><p>Fine.</p>‸<p>Kim Lee wrote:</p><blockquote type=cite>Shall we meet?</blockquote></td></tr></table>",
    ] {
        assert_eq!(html::reply_end(&labelled.replacen(PLACE, "", 1)), labelled.find(PLACE), "{labelled}");
    }
}
