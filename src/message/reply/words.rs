//! The words by which mail programs in many languages mark what a reply quotes.
//!
//! All in lower case; they are looked up in a lower-case line.

/// What a line of a quoted message's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderKey {
    From,
    Date,
    To,
    Subject,
}

/// The header field that a label stands for, without its colon.
#[allow(clippy::too_many_lines)] // a list
pub(super) fn header_key(label: &str) -> Option<HeaderKey> {
    Some(match label {
        "from"
        | "von"
        | "de"
        | "da"
        | "van"
        | "från"
        | "fra"
        | "lähettäjä"
        | "od"
        | "odesílatel"
        | "odosielateľ"
        | "от"
        | "від"
        | "від кого"
        | "от кого"
        | "kimden"
        | "gönderen"
        | "feladó"
        | "de la"
        | "expeditor"
        | "από"
        | "发件人"
        | "寄件者"
        | "寄件人"
        | "差出人"
        | "送信者"
        | "送信元"
        | "보낸 사람"
        | "보낸사람"
        | "발신"
        | "מאת"
        | "من"
        | "từ"
        | "dari"
        | "saatja"
        | "no"
        | "nuo"
        | "pošiljatelj"
        | "expéditeur"
        | "remitente"
        | "mittente"
        | "afzender"
        | "avsändare"
        | "absender"
        | "nadawca"
        | "отправитель"
        | "จาก" => HeaderKey::From,
        "sent"
        | "date"
        | "gesendet"
        | "datum"
        | "envoyé"
        | "envoyé le"
        | "enviado"
        | "enviada"
        | "enviado el"
        | "enviada em"
        | "enviado em"
        | "enviat"
        | "fecha"
        | "inviato"
        | "data"
        | "verzonden"
        | "skickat"
        | "sendt"
        | "dato"
        | "lähetetty"
        | "päiväys"
        | "päivämäärä"
        | "wysłano"
        | "wysłane"
        | "odesláno"
        | "odoslané"
        | "dátum"
        | "отправлено"
        | "дата"
        | "надіслано"
        | "gönderildi"
        | "gönderilen"
        | "tarih"
        | "gönderme tarihi"
        | "elküldve"
        | "trimis"
        | "trimis la"
        | "στάλθηκε"
        | "ημερομηνία"
        | "发送时间"
        | "发送日期"
        | "日期"
        | "寄件日期"
        | "傳送時間"
        | "送信日時"
        | "送信日"
        | "日時"
        | "日付"
        | "보낸 날짜"
        | "보낸날짜"
        | "날짜"
        | "发送"
        | "נשלח"
        | "תאריך"
        | "تاريخ الإرسال"
        | "التاريخ"
        | "ngày"
        | "đã gửi"
        | "tanggal"
        | "dikirim"
        | "saadetud"
        | "kuupäev"
        | "nosūtīts"
        | "išsiųsta"
        | "poslano"
        | "date d'envoi"
        | "sent at"
        | "изпратено"
        | "ส่ง"
        | "วันที่" => HeaderKey::Date,
        "to" | "an" | "à" | "a" | "para" | "aan" | "till" | "til" | "vastaanottaja" | "do" | "komu" | "pro"
        | "кому" | "kime" | "alıcı" | "címzett" | "către" | "catre" | "προς" | "收件人" | "收件者" | "宛先"
        | "받는 사람" | "받는사람" | "수신" | "אל" | "إلى" | "đến" | "tới" | "kepada" | "ke" | "saaja" | "kam"
        | "kam:" | "za" | "prima" | "destinataire" | "destinatario" | "destinatário" | "empfänger" | "до" | "per"
        | "ถึง" => HeaderKey::To,
        "subject" | "betreff" | "objet" | "asunto" | "oggetto" | "assunto" | "onderwerp" | "ämne" | "emne" | "aihe"
        | "temat" | "předmět" | "predmet" | "тема" | "konu" | "tárgy" | "subiect" | "θέμα" | "主题" | "主題"
        | "主旨" | "件名" | "제목" | "נושא" | "الموضوع" | "chủ đề" | "subjek" | "perihal" | "teema" | "temats"
        | "tema" | "assumpte" | "относно" | "sujet" | "เรื่อง" => HeaderKey::Subject,
        _ => return None,
    })
}

/// "Wrote", as it stands in the line above a quote ("On … wrote:"); found anywhere in the line.
pub(super) const WROTE: &[&str] = &[
    "wrote",
    "writes",
    "schrieb",
    "schreibt",
    "geschrieben",
    "a écrit",
    "escribió",
    "escribio",
    "ha scritto",
    "escreveu",
    "schreef",
    "skrev",
    "pisze",
    "napisał",
    "kirjoitti",
    "napsal",
    "napísal",
    "írta",
    "a scris",
    "написал",
    "пишет",
    "написа",
    "пише",
    "yazdı",
    "έγραψε",
    "va escriure",
    "je napisao",
    "je napisala",
    "je pisao",
    "kirjutas",
    "rakstīja",
    "rašė",
    "viết",
    "menulis",
    "写道",
    "寫道",
    "のメール",
    "書きました",
    "작성",
    "썼습니다",
    "כתב",
    "كتب",
    "كتابة",
    "نوشت",
    "เขียนว่า",
];

/// How such a line begins; it may be wrapped before it comes to "wrote".
pub(super) const OPENERS: &[&str] = &[
    "on ",
    "am ",
    "le ",
    "el ",
    "il ",
    "em ",
    "a ",
    "op ",
    "den ",
    "på ",
    "w dniu ",
    "dnia ",
    "dne ",
    "dňa ",
    "în ",
    "pe ",
    "в ",
    "at ",
    "on\u{a0}",
    "στις ",
    "na ",
    "la ",
    "al ",
    "em\u{a0}",
    "le\u{a0}",
    "vào ",
    "pada ",
    "ב",
    "在 ",
    "于 ",
    "om ",
    "zo ",
    "il giorno ",
    "missatge de ",
    "في ",
    "wiadomość napisana przez ",
    "u ",
];

/// What stands between dashes, or alone on a line, above a whole message that is quoted or passed on.
pub(super) const SEPARATORS: &[&str] = &[
    "original message",
    "original-message",
    "originalmessage",
    "forwarded message",
    "begin forwarded message",
    "begin forwarded text",
    "forwarded by",
    "original appointment",
    "reply message",
    "ursprüngliche nachricht",
    "urspruengliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "ursprünglicher termin",
    "message d'origine",
    "message d’origine",
    "message original",
    "message initial",
    "message transféré",
    "message transmis",
    "début du message réexpédié",
    "début du message transféré",
    "mensaje original",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "messaggio originale",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "mensagem original",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "início da mensagem encaminhada",
    "início da mensagem reencaminhada",
    "oorspronkelijk bericht",
    "origineel bericht",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "ursprungligt meddelande",
    "originalmeddelande",
    "vidarebefordrat meddelande",
    "vidarebefordrat brev",
    "oprindelig meddelelse",
    "videresendt meddelelse",
    "videresendt besked",
    "opprinnelig melding",
    "videresendt melding",
    "alkuperäinen viesti",
    "välitetty viesti",
    "edelleenlähetetty viesti",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "wiadomość przekazana",
    "przekazana wiadomość",
    "treść przekazanej wiadomości",
    "původní zpráva",
    "přeposlaná zpráva",
    "pôvodná správa",
    "preposlaná správa",
    "eredeti üzenet",
    "továbbított üzenet",
    "mesaj original",
    "mesajul original",
    "mesaj redirecționat",
    "исходное сообщение",
    "оригинальное сообщение",
    "пересылаемое сообщение",
    "пересланное сообщение",
    "перенаправленное сообщение",
    "вихідне повідомлення",
    "переслане повідомлення",
    "özgün ileti",
    "orijinal mesaj",
    "orijinal ileti",
    "iletilen mesaj",
    "yönlendirilen ileti",
    "αρχικό μήνυμα",
    "προωθημένο μήνυμα",
    "原始邮件",
    "原始郵件",
    "转发邮件",
    "转发的邮件",
    "轉寄郵件",
    "元のメッセージ",
    "転送メッセージ",
    "転送されたメッセージ",
    "원본 메시지",
    "원본 메일",
    "전달된 메시지",
    "הודעה מקורית",
    "הודעה שהועברה",
    "الرسالة الأصلية",
    "رسالة معاد توجيهها",
    "thư gốc",
    "tin nhắn được chuyển tiếp",
    "pesan asli",
    "pesan terusan",
    "missatge original",
    "missatge reenviat",
];

/// How a line begins that a telephone puts below everything.
pub(super) const SENT_FROM: &[&str] = &[
    "sent from",
    "get outlook for",
    "von meinem",
    "gesendet von",
    "envoyé de",
    "envoyé depuis",
    "enviado desde",
    "enviado do",
    "inviato da",
    "verzonden vanaf",
    "verstuurd vanaf",
    "skickat från",
    "sendt fra",
    "wysłane z",
    "отправлено с",
];
