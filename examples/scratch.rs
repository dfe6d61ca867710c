use mailwright::message::*;
use std::path::Path;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (src, dst) = (Path::new(&a[1]), Path::new(&a[2]));
    let crlf = a.get(3).is_some_and(|x| x == "crlf");
    let place = if a.get(4).is_some_and(|x| x == "start") {
        Place::Start
    } else if a.get(4).is_some_and(|x| x == "reply") {
        Place::BelowReply
    } else {
        Place::End
    };
    let mut stack = vec![src.to_path_buf()];
    let mut stats = std::collections::BTreeMap::<String, usize>::new();
    while let Some(d) = stack.pop() {
        for e in std::fs::read_dir(&d).unwrap() {
            let p = e.unwrap().path();
            if p.is_dir() {
                stack.push(p);
                continue;
            }
            if p.extension().is_none_or(|x| x != "eml") {
                continue;
            }
            let rel = p.strip_prefix(src).unwrap();
            let mut raw = std::fs::read(&p).unwrap();
            if crlf {
                let mut out = Vec::with_capacity(raw.len() + 1000);
                for (i, b) in raw.iter().enumerate() {
                    if *b == b'\n' && (i == 0 || raw[i - 1] != b'\r') {
                        out.push(b'\r');
                    }
                    out.push(*b);
                }
                raw = out;
                let q = Path::new(&a[5]).join(rel);
                std::fs::create_dir_all(q.parent().unwrap()).unwrap();
                std::fs::write(q, &raw).unwrap();
            }
            let m = Message::parse(&raw);
            let mut d = Draft::new(&m);
            let block = Block {
                text: "Vertraulich: é € notice ends here.".into(),
                html: "<p data-x=\"1\">Vertraulich: é € notice ends here.</p>".into(),
            };
            let what;
            let t = std::time::Instant::now();
            let stamp = |d: &mut Draft| {
                d.add_field(Field::new(FieldName::new("X-Stamp").unwrap(), "yes").unwrap());
            };
            if let Some(p) = m.protection() {
                what = format!("protected {}", p.as_str());
            } else {
                match d.insert(&block, place) {
                    Ok(n) => {
                        what = format!("ok {n}");
                        stamp(&mut d);
                    }
                    Err(e) => {
                        what = format!("err {e}");
                        if a.get(6).is_some() {
                            println!("{} {e}", rel.display());
                        }
                    }
                }
            }
            let out = match d.render() {
                Ok(r) => r.to_vec(),
                Err(v) => {
                    println!("{} {v}", rel.display());
                    *stats.entry("VIOLATION".into()).or_default() += 1;
                    raw.clone()
                }
            };
            if t.elapsed().as_millis() > 200 {
                println!("SLOW {} {:?}", rel.display(), t.elapsed());
            }
            *stats.entry(what).or_default() += 1;
            let q = dst.join(rel);
            std::fs::create_dir_all(q.parent().unwrap()).unwrap();
            std::fs::write(q, out).unwrap();
        }
    }
    println!("{stats:#?}");
}
