//! Tests of host functions: their names, the limits on answers, and panics.

use super::*;
use crate::control::cancel::Cancel;
use crate::control::watchdog::Ticks;
use crate::item::instance_config::InstanceConfig;

fn refusal(offers: &[(&str, &str)]) -> String {
    let mut functions = HostFunctions::default();
    for &(interface, name) in offers {
        functions.add(interface.into(), name.into(), |_, _| Ok(Vec::new()));
    }
    functions.check().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn both_plugin_kinds_can_import_host_function_names() {
    let interface =
        |it| format!("`{it}` is not the name of an interface, such as `acme:store/lookup@1.0.0`");
    let name = |it| format!("`{it}` is not the name of a function, such as `get-all`");
    let reserved =
        |it| format!("no host function can be offered in `{it}`: the host has it already");
    #[rustfmt::skip]
    let cases = [
        ("acme:store/lookup@1.0.0",        "get",      String::new()),
        ("acme:store/lookup",              "get",      String::new()),
        ("a-b:c2/d-E@0.1.0-rc.1+x",        "get-ALL2", String::new()),
        ("mtl:plugins/x",                  "get",      String::new()),
        ("env",                            "get",      interface("env")),
        ("",                               "get",      interface("")),
        ("acme:store",                     "get",      interface("acme:store")),
        ("acme/lookup",                    "get",      interface("acme/lookup")),
        (":store/lookup",                  "get",      interface(":store/lookup")),
        ("acme:store/a/b",                 "get",      interface("acme:store/a/b")),
        ("acme:st ore/lookup",             "get",      interface("acme:st ore/lookup")),
        ("acme:store/lookup@",             "get",      interface("acme:store/lookup@")),
        ("acme:store/lookup@v1",           "get",      interface("acme:store/lookup@v1")),
        ("acme:store/lookup@1.0 0",        "get",      interface("acme:store/lookup@1.0 0")),
        ("acme:store/lookup",              "",         name("")),
        ("acme:store/lookup",              "get_all",  name("get_all")),
        ("acme:store/lookup",              "get-",     name("get-")),
        ("acme:store/lookup",              "2get",     name("2get")),
        ("wasi:cli/environment@0.2.0",     "get",      reserved("wasi:cli/environment@0.2.0")),
        ("wasi:other/thing",               "get",      reserved("wasi:other/thing")),
        ("mtl:plugin/context@1.0.0",       "log",      reserved("mtl:plugin/context@1.0.0")),
        ("mtl:plugin/more",                "get",      reserved("mtl:plugin/more")),
    ];
    for (interface, name, expected) in cases {
        assert_eq!(refusal(&[(interface, name)]), expected, "`{interface}` `{name}`");
    }
}

#[test]
fn a_duplicate_host_function_is_refused() {
    #[rustfmt::skip]
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[],                                         ""),
        (&[("a:b/c", "d"), ("a:b/c", "e")],           ""),
        (&[("a:b/c", "d"), ("a:b/c@1.0.0", "d")],     ""),
        (&[("a:b/c", "d"), ("x:y/z", "d"), ("a:b/c", "d")], "the host function `a:b/c.d` is offered twice"),
    ];
    for (offers, expected) in cases {
        assert_eq!(refusal(offers), expected, "{offers:?}");
    }
}

#[test]
fn host_function_answers_are_bounded_and_panics_are_errors() {
    let mut functions = HostFunctions::default();
    functions.add("a:b/c".into(), "d".into(), |call, input| match input {
        b"long" => Ok(vec![0; MAX_ANSWER + 1]),
        b"longest" => Ok(vec![0; MAX_ANSWER]),
        b"wordy" => Err("é".repeat(4096)),
        b"panic" => panic!("{}", "p".repeat(10_000)),
        _ => Ok(format!("{} {}", call.worker(), input.len()).into_bytes()),
    });
    let watch = Watch::new(InstanceConfig::default(), Cancel::default(), Ticks::default());
    let answer = |input: &[u8]| functions.0[0].answer(WorkerIndex::new(7), &watch, input);

    assert_eq!(answer(b"abc").unwrap().unwrap(), b"7 3");
    assert_eq!(answer(b"longest").unwrap().unwrap().len(), MAX_ANSWER);
    assert_eq!(answer(b"wordy").unwrap().unwrap_err(), format!("{}…", "é".repeat(2048)));
    assert_eq!(
        answer(b"long").unwrap_err().to_string(),
        "the host function `a:b/c.d` answered with 67108865 bytes, more than the 67108864 that an \
         answer may have"
    );
    let panic = answer(b"panic").unwrap_err().to_string();
    assert_eq!(panic, format!("the host function `a:b/c.d` panicked: {}…", "p".repeat(4096)));
}
