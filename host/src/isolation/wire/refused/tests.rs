use std::error::Error as StdError;

use super::*;
use crate::engine::{Complexity, Engine, HostFunctions, WasmFeatures};
use crate::isolation::wire::HEADER;

fn settings() -> CompileSettings {
    let mut functions = HostFunctions::default();
    functions.add("acme:store/lookup".into(), "get".into(), |_, _| Ok(Vec::new()));
    let max_functions = "7".parse().unwrap();
    CompileSettings {
        max_functions,
        ..CompileSettings::of_child(&Engine::new().unwrap(), "first", functions)
    }
}

/// Returns a cause that has a cause.
fn cause() -> ErrorChain {
    ErrorChain::from_error(&LoadErrorKind::Text { source: ErrorChain::new("why") })
}

/// Returns the messages of an error and of its causes, and the hint.
fn texts(why: &LoadErrorKind) -> (Vec<String>, Option<String>) {
    let links = std::iter::successors(Some(why as &dyn StdError), |&error| error.source());
    (links.map(ToString::to_string).collect(), why.hint())
}

/// Returns the error that the loader decodes from the reply of a child.
fn sent(why: LoadErrorKind, settings: &CompileSettings) -> Result<LoadErrorKind, ProtocolError> {
    decode_refusal(Payload(&encode_refusal(why)[HEADER..]), settings)
}

/// Returns each error that a child with `settings` may send.
fn all_errors(settings: &CompileSettings) -> Vec<LoadErrorKind> {
    let offered = HostFunctions::remote(settings.host_functions.numbered(), |_, _| unreachable!());
    let text = || "text".to_owned();
    let missing = || "memory".to_owned();
    vec![
        LoadErrorKind::TooManyFunctions { functions: 8, limit: settings.max_functions },
        LoadErrorKind::TooComplex { complexity: Complexity::Depth(99) },
        LoadErrorKind::Features { missing: WasmFeatures::EXCEPTIONS, allowed: WasmFeatures::NONE },
        LoadErrorKind::NotWasm { begins: text() },
        LoadErrorKind::Truncated { bytes: 5 },
        LoadErrorKind::Version { version: 9 },
        LoadErrorKind::Text { source: cause() },
        LoadErrorKind::Invalid { source: cause() },
        LoadErrorKind::MissingExport { missing: missing(), exports: text() },
        LoadErrorKind::MissingExport { missing: missing(), exports: "`_start`".into() },
        LoadErrorKind::Signature { export: text(), expected: "()".into(), found: "(i32)".into() },
        LoadErrorKind::Import { import: "a.b".into(), offered: offered.names() },
        LoadErrorKind::ImportType { import: text(), expected: "(i32, i32, i32) -> ()".into() },
        LoadErrorKind::Link { source: cause() },
        LoadErrorKind::Code { source: cause() },
        LoadErrorKind::World { exports: text() },
        LoadErrorKind::Ambiguous { call: "first".into(), candidates: text() },
        LoadErrorKind::Untyped { function: text(), what: text() },
        LoadErrorKind::FixedCall { call: "first".into() },
    ]
}

#[test]
fn a_load_error_from_a_child_reads_like_a_local_one() {
    let settings = settings();
    for (original, error) in all_errors(&settings).into_iter().zip(all_errors(&settings)) {
        let received = sent(original, &settings).unwrap();
        assert_eq!(texts(&received), texts(&error), "{error:?}");
        assert_eq!(std::mem::discriminant(&received), std::mem::discriminant(&error), "{error:?}");
    }
    let why = sent(LoadErrorKind::Precompiled, &settings).unwrap();
    let LoadErrorKind::Code { source } = why else { panic!("{why:?}") };
    assert_eq!(source.to_string(), LoadErrorKind::Precompiled.to_string());
}

#[test]
fn a_memory_shortage_is_not_blamed_on_the_plugin() {
    let source = ErrorChain::new(std::io::Error::from_raw_os_error(12));
    let error = sent(LoadErrorKind::Invalid { source }, &settings()).unwrap();
    assert_eq!(error.to_string(), "compiling the plugin takes more memory than 4GiB");
}

#[test]
fn an_invalid_load_error_is_rejected() {
    let settings = settings();
    let whole = encode_refusal(LoadErrorKind::Version { version: 9 });
    let whole = &whole[HEADER..];
    assert!(decode_refusal(Payload(whole), &settings).is_ok());
    for bad in [&b""[..], b"\xff", &whole[..whole.len() - 1], &[whole, b"x"].concat()] {
        assert!(decode_refusal(Payload(bad), &settings).is_err(), "{bad:?}");
    }
    // The errors that a child does not send have no number.
    let kinds = all_errors(&settings).into_iter().map(|why| encode_refusal(why)[HEADER]);
    let most = kinds.max().unwrap();
    for kind in most + 1..=255 {
        let payload = [&[kind][..], &[0; 64]].concat();
        assert_eq!(
            decode_refusal(Payload(&payload), &settings).err(),
            Some(ProtocolError("an invalid error")),
            "{kind}"
        );
    }
    let wrong = LoadErrorKind::ImportType { import: "a".into(), expected: "func()".into() };
    assert!(sent(wrong, &settings).is_err());
    let nothing =
        LoadErrorKind::Features { missing: WasmFeatures::NONE, allowed: WasmFeatures::NONE };
    assert!(sent(nothing, &settings).is_err());
}

#[test]
fn a_long_load_error_is_cut_to_fit_a_frame() {
    let settings = settings();
    let long = || "\u{1}".repeat(1_000_000);
    let chain = (0..100).fold(ErrorChain::new(long()), |source, _| {
        ErrorChain::from_error(&LoadErrorKind::Text { source })
    });
    let errors = [
        LoadErrorKind::Invalid { source: chain },
        LoadErrorKind::Invalid { source: ErrorChain::new(long()) },
        LoadErrorKind::NotWasm { begins: long() },
        LoadErrorKind::MissingExport { missing: long(), exports: long() },
        LoadErrorKind::Signature { export: long(), expected: long(), found: long() },
        LoadErrorKind::Import { import: long(), offered: Vec::new() },
        LoadErrorKind::World { exports: long() },
        LoadErrorKind::Ambiguous { call: "first".into(), candidates: long() },
        LoadErrorKind::Untyped { function: long(), what: long() },
    ];
    for error in errors {
        let (texts, _) = texts(&sent(error, &settings).unwrap());
        assert!(texts.iter().map(String::len).sum::<usize>() < 64 * 1024);
    }
    let number = encode_refusal(LoadErrorKind::NotWasm { begins: String::new() })[HEADER];
    let hostile = |length: usize| {
        let begins = postcard::to_allocvec(&"x".repeat(length)).unwrap();
        decode_refusal(Payload(&[&[number][..], &begins].concat()), &settings)
    };
    assert!(hostile(70_000).is_err());
    assert!(hostile(60_000).unwrap().to_string().len() < 4096);
}
