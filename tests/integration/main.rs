//! temp
mod support;
#[test]
fn check_fixtures() {
    use mtl_host::{Engine, Plugin};
    let engine = Engine::new().unwrap();
    for e in std::fs::read_dir(support::fixtures()).unwrap() {
        let p = e.unwrap().path();
        match Plugin::load(&engine, &p) {
            Ok(_) => println!("ok {p:?}"),
            Err(e) => {
                println!("ERR {e} {:?}", std::error::Error::source(&e).map(|s| s.to_string()))
            }
        }
    }
}
