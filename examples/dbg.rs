use mailwright::message::*;
fn main() {
    let raw = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let m = Message::parse(&raw);
    for (i, p) in m.parts().iter().enumerate() {
        println!(
            "{i} parent {:?} {} cs {:?} {:?} disp {:?} name {:?} hdr {:?} body {:?} sep {} b {:?}",
            p.parent,
            p.media_type,
            p.charset,
            p.encoding,
            p.disposition,
            p.file_name,
            p.header,
            p.body,
            p.has_separator,
            p.boundary.as_ref().map(|b| String::from_utf8_lossy(b).into_owned())
        );
    }
    println!("{:?} {:?} {:?}", m.line_end(), m.notes(), m.protection());
    let mut d = Draft::new(&m);
    let block = Block {
        text: "Vertraulich: é € notice ends here.".into(),
        html: "<p data-x=\"1\">Vertraulich: é € notice ends here.</p>".into(),
    };
    println!("{:?}", d.insert(&block, Place::End));
    match d.render() {
        Ok(r) => std::fs::write("/tmp/dbg.out", r.to_vec()).unwrap(),
        Err(e) => println!("{e}"),
    }
}
