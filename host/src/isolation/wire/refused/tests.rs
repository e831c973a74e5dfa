use std::error::Error as StdError;
use std::path::PathBuf;

use super::*;
use crate::engine::{Engine, HostFunctions};

fn path() -> PathBuf {
    "it.wasm".into()
}

fn settings() -> CompileSettings {
    let mut functions = HostFunctions::default();
    functions.add("acme:store/lookup".into(), "get".into(), |_, _| Ok(Vec::new()));
    let max_functions = "7".parse().unwrap();
    CompileSettings {
        max_functions,
        ..CompileSettings::of_child(&Engine::new().unwrap(), "first", functions)
    }
}

/// Two links long.
fn cause() -> Box<dyn StdError + Send + Sync> {
    Box::new(Said {
        text: "why".into(),
        cause: Some(Box::new(Said { text: "why so".into(), cause: None })),
    })
}

/// All that people see of an error.
fn shown(error: &LoadError) -> (Vec<String>, Option<String>) {
    (Causes::of(error).0, error.hint())
}

/// What a child of `settings` would say.
fn all_errors(settings: &CompileSettings) -> Vec<LoadError> {
    let offered = HostFunctions::elsewhere(settings.functions.numbered(), |_, _| unreachable!());
    let offered = offered.names();
    let text = || "text".to_owned();
    let path = path();
    vec![
        LoadError::TooManyFunctions {
            path: path.clone(),
            functions: 8,
            limit: settings.max_functions,
        },
        LoadError::TooComplex { path: path.clone(), complexity: Complexity::Depth(99) },
        LoadError::Features {
            path: path.clone(),
            missing: WasmFeatures::EXCEPTIONS,
            allowed: WasmFeatures::NONE,
        },
        LoadError::NotWasm { path: path.clone(), begins: text() },
        LoadError::Truncated { path: path.clone(), bytes: 5 },
        LoadError::Version { path: path.clone(), version: 9 },
        LoadError::Text { path: path.clone(), source: cause() },
        LoadError::Invalid { path: path.clone(), source: cause() },
        LoadError::MissingExport { path: path.clone(), missing: "memory".into(), exports: text() },
        LoadError::MissingExport {
            path: path.clone(),
            missing: "memory".into(),
            exports: "`_start`".into(),
        },
        LoadError::Signature {
            path: path.clone(),
            export: text(),
            expected: "()".into(),
            found: "(i32)".into(),
        },
        LoadError::Import { path: path.clone(), import: "a.b".into(), offered },
        LoadError::ImportType {
            path: path.clone(),
            import: text(),
            expected: known_type("(i32, i32, i32) -> ()").unwrap(),
        },
        LoadError::Link { path: path.clone(), source: cause() },
        LoadError::Code { source: io::Error::other(cause()) },
        LoadError::world(path.clone(), text()),
        LoadError::Ambiguous { path: path.clone(), call: "first".into(), candidates: text() },
        LoadError::Untyped { path: path.clone(), function: text(), what: text() },
        LoadError::CallOfWorld { path, call: "first".into() },
    ]
}

#[test]
fn what_is_refused_reads_as_if_it_were_refused_here() {
    let settings = settings();
    for error in all_errors(&settings) {
        let sent = Refused::from(&error).encode();
        let refused = Refused::decode(&sent[super::super::HEADER..]).unwrap();
        let received = refused.error(&settings, &path()).unwrap();
        assert_eq!(shown(&received), shown(&error), "{error:?}");
        assert_eq!(std::mem::discriminant(&received), std::mem::discriminant(&error), "{error:?}");
    }
}

#[test]
fn memory_that_was_short_is_no_fault_of_the_plugin() {
    let source = Box::new(io::Error::from_raw_os_error(12));
    let refused = Refused::from(&LoadError::Invalid { path: path(), source });
    assert_eq!(refused, Refused::OutOfMemory);
    let error = refused.error(&settings(), &path()).unwrap();
    assert_eq!(error.to_string(), "compiling plugin `it.wasm` takes more memory than 4GiB");
}

#[test]
fn what_is_none_of_these_is_not_taken() {
    for payload in ["", "{}", "null", r#"{"Fine":{}}"#, r#""CallOfWorld" "#, r#"{"Import":{}}"#] {
        let is_none = Refused::decode(payload.as_bytes()).is_err();
        assert_eq!(is_none, payload != r#""CallOfWorld" "#, "{payload}");
    }
    let wrong = Refused::ImportType { import: "a".into(), expected: "func()".into() };
    assert!(wrong.error(&settings(), &path()).is_err());
    let nothing = Refused::Features { missing: WasmFeatures::NONE };
    assert!(nothing.error(&settings(), &path()).is_err());
}

#[test]
fn a_chain_without_an_end_ends() {
    let long = Causes(vec!["x".into(); 1_000_000]);
    assert!(serde_json::from_str::<Causes>(&serde_json::to_string(&long).unwrap()).is_err());
    let links = |causes: Causes| {
        let error = causes.into_error();
        std::iter::successors(Some(&*error as &dyn StdError), |&error| error.source()).count()
    };
    assert_eq!(links(long), Causes::MOST);
    assert_eq!(Causes(Vec::new()).into_error().to_string(), "nothing was said of it");
}

#[test]
fn what_is_said_of_a_refusal_fits_into_a_frame_and_is_cut() {
    let settings = settings();
    let long = || "\u{1}".repeat(1_000_000);
    let said = || Box::new(Said { text: long(), cause: None });
    let chain =
        (0..100).fold(said(), |cause, _| Box::new(Said { text: long(), cause: Some(cause) }));
    let path = path();
    let errors = [
        LoadError::Invalid { path: path.clone(), source: chain },
        LoadError::NotWasm { path: path.clone(), begins: long() },
        LoadError::MissingExport { path: path.clone(), missing: long(), exports: long() },
        LoadError::Signature {
            path: path.clone(),
            export: long(),
            expected: long(),
            found: long(),
        },
        LoadError::Import { path: path.clone(), import: long(), offered: Vec::new() },
        LoadError::world(path.clone(), long()),
        LoadError::Ambiguous { path: path.clone(), call: "first".into(), candidates: long() },
        LoadError::Untyped { path: path.clone(), function: long(), what: long() },
    ];
    for error in errors {
        let sent = Refused::from(&error).encode();
        let refused = Refused::decode(&sent[super::super::HEADER..]).unwrap();
        let (texts, _) = shown(&refused.error(&settings, &path).unwrap());
        assert!(texts.iter().map(String::len).sum::<usize>() < 64 * 1024);
    }
    let hostile = format!(r#"{{"NotWasm":{{"begins":"{}"}}}}"#, "x".repeat(70_000));
    assert!(Refused::decode(hostile.as_bytes()).is_err());
    let begins = "x".repeat(60_000);
    let error = Refused::NotWasm { begins }.error(&settings, &path).unwrap();
    assert!(error.to_string().len() < 4096);
}
