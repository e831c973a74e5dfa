//! Tests of the error messages for authors. The tests of working code are in `mtl-plugin`.

use super::*;

#[test]
fn every_mistake_has_a_message() {
    #[rustfmt::skip]
    let cases = [
        // block                                               message
        ("impl W {}",                                          "a worker needs a `fn call(&mut self, …)`, which takes the item"),
        ("impl W { fn call(&mut self) {} }",                   "`call` needs a parameter for the item"),
        ("impl W { fn call(self, a: i64) {} }",                "a worker is called many times: write `&mut self`"),
        ("impl W { fn call(self: Box<Self>, a: i64) {} }",     "a worker is called many times: write `&mut self`"),
        ("impl W { fn call(&mut self, _: i64) {} }",           "a parameter needs a name for JSON objects: `name: …`, or `Json(name): Json<…>`"),
        ("impl W { fn call(&mut self, (a, b): (u8, u8)) {} }", "a parameter needs a name for JSON objects: `name: …`, or `Json(name): Json<…>`"),
        ("impl W { fn call(&mut self, a: u8, Json(a): X) {} }", "two parameters have the name `a`"),
        ("impl W { fn call(&mut self, a: impl Read) {} }",     "this parameter needs a named type"),
        ("impl W { fn call(&mut self, a: u8) -> impl Sized {} }", "the result of `call` needs a named type"),
        ("impl W { fn call<T>(&mut self, a: T) {} }",          "`call` is called by the host: it cannot be generic"),
        ("impl W { fn call<const N: usize>(&mut self, a: u8) {} }", "`call` is called by the host: it cannot be generic"),
        ("impl W { async fn call(&mut self, a: u8) {} }",      "`call` is called synchronously: it cannot be `async`"),
        ("impl W { unsafe fn call(&mut self, a: u8) {} }",     "`call` cannot be `unsafe`"),
        ("impl W { #[cfg(test)] fn call(&mut self, a: u8) {} }", "with `worker`, put the condition on the whole `impl` block"),
        ("impl W { fn call(&mut self, #[cfg(test)] a: u8) {} }", "with `worker`, put the condition on the whole `impl` block"),
        ("impl W { fn init(&self) -> Self {} fn call(a: u8) {} }", "`init` creates the worker: it has no `self`"),
        ("impl W { fn init(a: A, b: B) -> Self {} fn call(a: u8) {} }", "`init` has at most one parameter; `Json<…>` takes a struct"),
        ("impl W { fn init(a: &str) -> Self {} fn call(a: u8) {} }", "`init` owns its arguments: write `String`, `Vec<u8>`, `Json<…>`, or an `Option` of these"),
        ("impl W { fn init() {} fn call(a: u8) {} }",          "`init` creates the worker: return `Result<Self, Error>`"),
        ("impl W { fn after_restore(self) {} fn call(a: u8) {} }", "`after_restore` changes the worker: write `fn after_restore(&mut self)`"),
        ("impl W { fn after_restore(&mut self, a: u8) {} fn call(a: u8) {} }", "`after_restore` changes the worker: write `fn after_restore(&mut self)`"),
        ("impl W { fn finish(&mut self) {} fn call(a: u8) {} }", "`finish` ends the worker: write `fn finish(self)`"),
        ("impl W { fn finish(self, a: u8) {} fn call(a: u8) {} }", "`finish` ends the worker: write `fn finish(self)`"),
        ("impl<T> W<T> { fn call(&mut self, a: u8) {} }",      "a plugin has one worker: its type cannot be generic"),
        ("impl Worker for W { fn call(&mut self, a: u8) {} }", "`worker` must precede the type's own `impl` block, not that of a trait"),
        ("struct W;",                                          "`worker` must precede an `impl` block: expected `impl`"),
    ];
    for (block, expected) in cases {
        let error = expand(TokenStream::new(), block.parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{block}");
    }
}

#[test]
fn all_mistakes_of_a_block_are_reported_together() {
    let block = "impl W { fn init(&self) {} fn call(&mut self) {} fn finish(&self) {} }";
    let error = expand(TokenStream::new(), block.parse().unwrap()).unwrap_err();
    assert_eq!(error.into_iter().count(), 3);
}

#[test]
fn the_attribute_takes_no_arguments() {
    let block = "impl W { fn call(&mut self, a: u8) {} }";
    let error = expand("fast".parse().unwrap(), block.parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`worker` takes no arguments");
    assert!(expand(TokenStream::new(), block.parse().unwrap()).is_ok());
}
