//! Checks an embedder's own functions, which plugins of both kinds call.

use std::fs;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use mtl_host::load::LoadErrorKind;
use mtl_host::{Engine, ErrorPolicy, FaultKind, LoadError, Plugin, PluginLoader, Pool, Record};

use crate::support::{DEADLINE, fixtures, isolation};

const INTERFACE: &str = "acme:store/lookup@1.0.0";

/// Returns a loader that offers `get`; the item selects its answer.
fn loader() -> PluginLoader {
    Plugin::loader(&Engine::new().unwrap()).host_function(INTERFACE, "get", |call, key| match key {
        b"error" => Err("no such key".into()),
        b"empty" => Ok(Vec::new()),
        b"large" => Ok(vec![b'x'; 100_000]),
        b"too large" => Ok(vec![0; 64 * 1024 * 1024 + 1]),
        b"panic" => panic!("a bug in the host function"),
        _ => Ok(format!("{}: {}", call.worker(), key.escape_ascii()).into_bytes()),
    })
}

/// Returns the outcomes of these items, which one worker runs one after the other.
fn outcomes(plugin: &Plugin, items: &[&'static str]) -> Vec<String> {
    let pool = Pool::builder(plugin)
        .isolation(isolation())
        .jobs("1".parse().unwrap())
        .on_error(ErrorPolicy::Ignore);
    let mut pool = pool.build().unwrap();
    let outcomes = pool.map(items.to_vec()).map(|result| match result {
        Ok(record) => String::from_utf8(record.bytes().unwrap().to_vec()).unwrap(),
        Err(fault) => format!("{}: {}", fault.kind(), fault.message()),
    });
    outcomes.collect()
}

#[test]
fn both_plugin_kinds_get_answers_and_survive_host_panics() {
    let panicked = "trap: the host function `acme:store/lookup@1.0.0.get` panicked: a bug in the host function";
    let too_large = "trap: the host function `acme:store/lookup@1.0.0.get` answered with 67108865 \
                     bytes, more than the 67108864 that an answer may have";
    for (plugin, location) in
        [("host-function.wat", ", in `call`"), ("host-function-component.wat", ", in `call`")]
    {
        let plugin = loader().load(fixtures().join(plugin)).unwrap();
        let items = ["a", "error", "empty", "", "panic", "b", "too large", "large"];
        let expected = [
            "0: a".to_owned(),
            "refused: no such key".into(),
            String::new(),
            "0: ".into(),
            format!("{panicked}{location}"),
            "0: b".into(),
            format!("{too_large}{location}"),
            "x".repeat(100_000),
        ];
        assert_eq!(outcomes(&plugin, &items), expected);
    }
}

#[test]
fn invalid_host_function_arguments_trap_only_their_item() {
    let plugin = loader().load(fixtures().join("host-function.wat")).unwrap();
    let function = "the host function `acme:store/lookup@1.0.0.get`";
    #[rustfmt::skip]
    let cases = [
        ("<<", format!("trap: {function} was given 2 bytes at 65535, but the memory ends at 65536, in `call`")),
        (">",  format!("trap: {function} was given 4294967295 bytes at 4096, but the memory ends at 65536, in `call`")),
        ("^",  format!("trap: {function} must answer in 12 bytes at 65528, but the memory ends at 65536, in `call`")),
        ("~",  format!("trap: {function} must answer at 18, which is not aligned, in `call`")),
        ("0",  format!("trap: {function} found no memory for an answer of 4 bytes, in `call`")),
        ("!",  format!("trap: {function} must write 4 bytes at 65533, but the memory ends at 65536, in `call`")),
        ("*",  "trap: wasm `unreachable` instruction executed, in `cabi_realloc`".into()),
        ("@",  format!("trap: {function} was called by `cabi_realloc`, in `cabi_realloc`")),
    ];
    for (item, expected) in cases {
        assert_eq!(outcomes(&plugin, &[item, "next"]), [expected, "0: next".into()], "{item}");
    }
}

#[test]
fn the_deadline_covers_the_allocation_for_an_answer() {
    let plugin = loader().load(fixtures().join("host-function.wat")).unwrap();
    let pool = Pool::builder(&plugin)
        .isolation(isolation())
        .jobs("1".parse().unwrap())
        .on_error(ErrorPolicy::Ignore);
    let mut pool = pool.timeout(Duration::from_millis(300)).join_timeout(DEADLINE).build().unwrap();
    let mut results = pool.map(["&", "next"]);
    assert_eq!(results.next().unwrap().unwrap_err().kind(), FaultKind::Timeout);
    assert_eq!(results.next().unwrap().unwrap().bytes(), Some(&b"0: next"[..]));
}

#[test]
fn the_time_of_a_host_function_counts_for_the_item() {
    let limit = Duration::from_millis(200);
    // The time of an item starts when the watchdog of its worker first sees the item. In a child on a busy machine, the
    // watchdog may see the item some time after the start of the host function.
    let slow = 10 * limit;
    for plugin in ["host-function.wat", "host-function-component.wat"] {
        let plugin = Plugin::loader(&Engine::new().unwrap())
            .host_function(INTERFACE, "get", move |_, key| {
                if key == b"slow" {
                    let started = Instant::now();
                    let (never, waits) = (Mutex::new(()), Condvar::new());
                    let wait = waits.wait_timeout_while(never.lock().unwrap(), slow, |()| true);
                    drop(wait);
                    assert!(started.elapsed() >= slow);
                }
                Ok(key.to_vec())
            })
            .load(fixtures().join(plugin))
            .unwrap();
        let pool =
            Pool::builder(&plugin).isolation(isolation()).jobs("1".parse().unwrap()).timeout(limit);
        let mut pool = pool.build().unwrap();
        // The first item is slow, and a later one is slow after quick items.
        let items = ["slow", "quick", "quick", "slow", "quick"];
        for (item, result) in items.iter().zip(pool.map(items)) {
            let result = result.map(Record::into_bytes).map_err(|fault| fault.kind());
            match *item {
                "slow" => assert_eq!(result, Err(FaultKind::Timeout)),
                quick => assert_eq!(result, Ok(Some(quick.into()))),
            }
        }
    }
}

#[test]
fn workers_call_a_host_function_concurrently() {
    let (calls, arrived) = (Mutex::new(0), Condvar::new());
    let plugin = Plugin::loader(&Engine::new().unwrap())
        .host_function(INTERFACE, "get", move |call, _| {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            arrived.notify_all();
            let waited = arrived.wait_timeout_while(calls, DEADLINE, |calls| *calls < 2).unwrap();
            assert!(!waited.1.timed_out(), "the other call waits for this one to end");
            Ok(call.worker().to_string().into_bytes())
        })
        .load(fixtures().join("host-function.wat"))
        .unwrap();
    let mut pool =
        Pool::builder(&plugin).isolation(isolation()).jobs("2".parse().unwrap()).build().unwrap();
    let results = pool.map(["a", "b"]).map(|result| result.unwrap().bytes().unwrap().to_vec());
    let mut workers: Vec<_> = results.collect();
    workers.sort();
    assert_eq!(workers, [b"0", b"1"]);
}

/// Returns the load error of a plugin, and its hint.
fn refused(loader: &PluginLoader, name: &str, text: &str) -> (String, String) {
    let error: LoadError = loader.from_bytes(name, text.as_bytes()).unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn imports_that_match_no_host_function_are_refused() {
    let module = fs::read_to_string(fixtures().join("host-function.wat")).unwrap();
    let component = fs::read_to_string(fixtures().join("host-function-component.wat")).unwrap();
    let core_type = "(i32, i32, i32) -> ()";
    let component_type = "func(input: list<u8>) -> result<list<u8>, string>";
    let offered = "the host functions are `acme:store/lookup@1.0.0.get`";
    let form = "a host function takes bytes, and returns bytes or an error message";
    let other_form = |ty| {
        format!(
            "plugin `p` imports the host function `acme:store/lookup@1.0.0.get` with another type than `{ty}`"
        )
    };
    let nothing = |import| format!("plugin `p` imports `{import}`, which nothing provides");
    let numbers = r#"(import "acme:store/lookup@1.0.0" "get" (func $other (param i32)))"#;
    #[rustfmt::skip]
    let cases = [
        ("another version",      module.replace("@1.0.0", "@1.0.1"),
         nothing("acme:store/lookup@1.0.1.get"),                         offered),
        ("another function",     module.replace("\"get\"", "\"put\""),
         nothing("acme:store/lookup@1.0.0.put"),                         offered),
        ("another type",         module.replace("(memory (export", &format!("{numbers} (memory (export")),
         other_form(core_type),                                           form),
        ("no allocator",         module.replace("\"cabi_realloc\"", "\"realloc\""),
         "plugin `p` does not export `cabi_realloc`; it exports `memory`, `mtl_alloc`, `realloc`, `call`".into(),
         "export `cabi_realloc`: the host needs it to pass the answers of host functions"),
        ("component, version",   component.replace("lookup@1.0.0", "lookup@1.0.1"),
         nothing("acme:store/lookup@1.0.1"),                             offered),
        ("component, function",  component.replace("\"get\"", "\"put\""),
         nothing("acme:store/lookup@1.0.0.put"),                         offered),
        ("component, result",    component.replace("(result (list u8) (error string))", "(result (list u8) (error (list u8)))"),
         other_form(component_type),                                      form),
        ("component, param",     component.replace("\"key\" (list u8)", "\"key\" string"),
         other_form(component_type),                                      form),
    ];
    for (case, text, error, hint) in cases {
        assert_eq!(refused(&loader(), "p", &text), (error, hint.into()), "{case}");
    }
}

#[test]
fn offered_host_functions_may_stay_unused() {
    // A component's linker treats some of these versions as the same. Some names are barely valid.
    let offers = [
        ("acme:store/lookup@1.0.1", "get"),
        ("acme:store/lookup", "get"),
        ("a-B:c2/d@0.1.0-rc.1+x", "e-F2"),
        ("a-B:c2/d@1", "e-F2"),
    ];
    let loader = offers.iter().fold(loader(), |loader, &(interface, name)| {
        loader.host_function(interface, name, |_, _| Err("not this one".into()))
    });
    #[rustfmt::skip]
    let cases = [
        ("upper.wat",                   "A"),
        ("component.wat",               "A"),
        ("host-function.wat",           "0: a"),
        ("host-function-component.wat", "0: a"),
    ];
    for (plugin, answer) in cases {
        let plugin = loader.load(fixtures().join(plugin)).unwrap();
        assert_eq!(outcomes(&plugin, &["a"]), [answer]);
    }
}

#[test]
fn an_invalid_host_function_is_refused_before_loading() {
    let twice = loader().host_function(INTERFACE, "get", |_, _| Ok(Vec::new()));
    let error = twice.load("missing.wasm").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the host function `acme:store/lookup@1.0.0.get` is offered twice"
    );

    let reserved = loader().host_function("wasi:cli/exit@0.2.0", "exit", |_, _| Ok(Vec::new()));
    let error = reserved.from_bytes("p", b"(module)").unwrap_err();
    assert!(matches!(error.kind(), LoadErrorKind::HostFunction(_)), "{error}");
}
