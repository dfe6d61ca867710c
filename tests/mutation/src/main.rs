//! Puts faults into the Rust files below a folder, each behind a switch, so that one build holds them all: the environment
//! variable `MUTANT` says which one is on. `mailwright-mutation ROOT LIST [WITHOUT]` rewrites `ROOT/src/message`, adds the
//! switch to `ROOT/src/lib.rs` and writes the faults to LIST, one a line: number, place, what. WITHOUT is a file of
//! numbers that are left out, for those that do not compile.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Block, Expr, ItemFn, Lit, ReturnType, Signature, Type, UnOp, parse_quote};

/// Asked at every fault, whether it is the one that is on.
const SWITCH: &str = "
/// Which fault is on.
#[doc(hidden)]
pub mod mutant {
    use std::sync::OnceLock;
    static ON: OnceLock<usize> = OnceLock::new();
    /// Whether it is this one.
    pub fn on(number: usize) -> bool {
        let on = ON.get_or_init(|| std::env::var(\"MUTANT\").ok().and_then(|n| n.parse().ok()).unwrap_or(0));
        *on == number
    }
}
";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [root, list, ..] = arguments.as_slice() else { panic!("ROOT LIST [WITHOUT]") };
    let root = Path::new(root);
    let without = arguments.get(2).map(|path| fs::read_to_string(path).expect("a file of numbers")).unwrap_or_default();
    let without = without.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let mut mutator = Mutator { faults: Vec::new(), without, file: String::new(), counted: 0 };
    for path in files(&root.join("src/message")) {
        let text = fs::read_to_string(&path).expect("a file");
        let mut file = syn::parse_file(&text).expect("Rust");
        mutator.file = path.strip_prefix(root).expect("below the root").display().to_string();
        mutator.visit_file_mut(&mut file);
        fs::write(&path, prettyplease::unparse(&file)).expect("a file to write");
    }
    let lib = root.join("src/lib.rs");
    let text = fs::read_to_string(&lib).expect("the library");
    fs::write(&lib, text + SWITCH).expect("the library");
    fs::write(list, mutator.faults.join("\n") + "\n").expect("a list to write");
    println!("{} faults", mutator.faults.len());
}

/// Rust files below a folder that are no tests, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs")
            && !path.file_name().is_some_and(|n| n == "testing.rs" || n == "tests.rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

struct Mutator {
    faults: Vec<String>,
    without: HashSet<usize>,
    file: String,
    counted: usize,
}

impl Mutator {
    /// The number of a new fault; `None` where it is left out.
    fn fault(&mut self, span: proc_macro2::Span, what: &str) -> Option<usize> {
        self.counted += 1;
        if self.without.contains(&self.counted) {
            return None;
        }
        self.faults.push(format!("{}\t{}:{}\t{what}", self.counted, self.file, span.start().line));
        Some(self.counted)
    }

    /// The expression, or with the fault on another one.
    fn either(&mut self, expr: &mut Expr, other: &Expr, span: proc_macro2::Span, what: &str) {
        if let Some(number) = self.fault(span, what) {
            let as_it_is = &*expr;
            *expr = parse_quote!((if crate::mutant::on(#number) { #other } else { #as_it_is }));
        }
    }

    /// A condition, or with the fault on its opposite.
    fn negated(&mut self, condition: &mut Expr, what: &str) {
        if holds_let(condition) {
            return;
        }
        let span = first_span(condition);
        if let Some(number) = self.fault(span, what) {
            *condition = parse_quote!((crate::mutant::on(#number) != (#condition)));
        }
    }

    fn body(&mut self, signature: &Signature, block: &mut Block) {
        if signature.constness.is_some() {
            return;
        }
        let ReturnType::Type(_, kind) = &signature.output else {
            self.answer(signature, block, "()", &parse_quote!(()));
            return;
        };
        for (what, value) in answers(kind) {
            self.answer(signature, block, what, &value);
        }
    }

    fn answer(&mut self, signature: &Signature, block: &mut Block, what: &str, value: &Expr) {
        let name = &signature.ident;
        if let Some(number) = self.fault(name.span(), &format!("{name} answers {what}")) {
            block.stmts.insert(0, parse_quote!(if crate::mutant::on(#number) { return #value; }));
        }
    }
}

/// What a function of this type may answer without having looked.
fn answers(kind: &Type) -> Vec<(&'static str, Expr)> {
    let text = kind.to_token_stream().to_string().replace(' ', "");
    match text.as_str() {
        "bool" => vec![("true", parse_quote!(true)), ("false", parse_quote!(false))],
        "usize" => vec![("0", parse_quote!(0)), ("1", parse_quote!(1))],
        "String" => vec![("nothing", parse_quote!(String::new()))],
        _ if text.starts_with("Result<(),") => vec![("Ok", parse_quote!(Ok(())))],
        _ if text.starts_with("Option<") => vec![("None", parse_quote!(None))],
        _ if text.starts_with("Vec<") => vec![("nothing", parse_quote!(Vec::new()))],
        _ => vec![],
    }
}

fn holds_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => holds_let(&binary.left) || holds_let(&binary.right),
        Expr::Paren(inner) => holds_let(&inner.expr),
        _ => false,
    }
}

fn first_span(expr: &Expr) -> proc_macro2::Span {
    expr.to_token_stream().into_iter().next().map_or_else(proc_macro2::Span::call_site, |token| token.span())
}

fn other_operator(op: &BinOp) -> Option<BinOp> {
    Some(match op {
        BinOp::Eq(_) => parse_quote!(!=),
        BinOp::Ne(_) => parse_quote!(==),
        BinOp::Lt(_) => parse_quote!(<=),
        BinOp::Le(_) => parse_quote!(<),
        BinOp::Gt(_) => parse_quote!(>=),
        BinOp::Ge(_) => parse_quote!(>),
        BinOp::And(_) => parse_quote!(||),
        BinOp::Or(_) => parse_quote!(&&),
        BinOp::Add(_) => parse_quote!(-),
        BinOp::Sub(_) => parse_quote!(+),
        BinOp::Mul(_) => parse_quote!(+),
        BinOp::Div(_) => parse_quote!(*),
        BinOp::Rem(_) => parse_quote!(/),
        _ => return None,
    })
}

fn other_method(name: &str) -> Option<&'static str> {
    Some(match name {
        "min" => "max",
        "max" => "min",
        "any" => "all",
        "all" => "any",
        "starts_with" => "ends_with",
        "ends_with" => "starts_with",
        "first" => "last",
        "last" => "first",
        "trim_ascii_end" => "trim_ascii_start",
        "trim_end" => "trim_start",
        "trim_start" => "trim_end",
        "skip_while" => "take_while",
        "is_some" => "is_none",
        "is_none" => "is_some",
        _ => return None,
    })
}

impl VisitMut for Mutator {
    fn visit_item_mod_mut(&mut self, item: &mut syn::ItemMod) {
        if item.ident != "tests" {
            visit_mut::visit_item_mod_mut(self, item);
        }
    }
    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut syn::ItemStatic) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}

    fn visit_item_fn_mut(&mut self, item: &mut ItemFn) {
        if item.sig.constness.is_none() {
            visit_mut::visit_item_fn_mut(self, item);
        }
        self.body(&item.sig, &mut item.block);
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            visit_mut::visit_impl_item_fn_mut(self, item);
        }
        self.body(&item.sig, &mut item.block);
    }

    fn visit_expr_if_mut(&mut self, expr: &mut syn::ExprIf) {
        visit_mut::visit_expr_if_mut(self, expr);
        self.negated(&mut expr.cond, "if not");
    }

    fn visit_expr_while_mut(&mut self, expr: &mut syn::ExprWhile) {
        visit_mut::visit_expr_while_mut(self, expr);
        self.negated(&mut expr.cond, "while not");
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        visit_mut::visit_arm_mut(self, arm);
        if let Some((_, guard)) = &mut arm.guard {
            self.negated(guard, "if not, in a match");
        }
    }

    fn visit_expr_repeat_mut(&mut self, expr: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut expr.expr);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let before = expr.clone();
        visit_mut::visit_expr_mut(self, expr);
        match before {
            Expr::Binary(mut binary) if !holds_let(expr) => {
                let Some(op) = other_operator(&binary.op) else { return };
                let what = format!("{} is {}", binary.op.to_token_stream(), op.to_token_stream());
                let span = first_span(&Expr::Verbatim(binary.op.to_token_stream()));
                binary.op = op;
                self.either(expr, &Expr::Binary(binary), span, &what);
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let span = first_span(&Expr::Unary(unary.clone()));
                self.either(expr, &unary.expr, span, "! is left out");
            }
            Expr::Lit(lit) => {
                let Lit::Int(int) = &lit.lit else { return };
                let Ok(number) = int.base10_parse::<u64>() else { return };
                let other = if number == 1 { 0 } else { number + 1 };
                let other = syn::LitInt::new(&format!("{other}{}", int.suffix()), int.span());
                self.either(expr, &parse_quote!(#other), int.span(), &format!("{number} is {other}"));
            }
            Expr::MethodCall(mut call) => {
                let Some(method) = other_method(&call.method.to_string()) else { return };
                let what = format!("{} is {method}", call.method);
                let span = call.method.span();
                call.method = syn::Ident::new(method, span);
                self.either(expr, &Expr::MethodCall(call), span, &what);
            }
            Expr::Range(range) => {
                // One octet or one character further, or one less.
                let (Some(_), Some(end), syn::RangeLimits::HalfOpen(_)) = (&range.start, &range.end, &range.limits) else {
                    return;
                };
                if matches!(&**end, Expr::Lit(_)) {
                    return;
                }
                let Expr::Range(now) = expr else { return };
                let span = first_span(&Expr::Verbatim(quote!(#end)));
                if let (Some(number), Some(end)) = (self.fault(span, "a range is one longer"), now.end.as_mut()) {
                    **end = parse_quote!((#end) + usize::from(crate::mutant::on(#number)));
                }
            }
            _ => {}
        }
    }
}
