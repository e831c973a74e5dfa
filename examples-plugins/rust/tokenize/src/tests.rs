use super::*;
use mtl_plugin::testing::Instance;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tokenizer.json");

fn start(args: &str) -> Result<Instance<Tokenize>, Error> {
    Instance::start(args)
}

#[test]
fn a_line_becomes_tokens_and_their_ids() {
    for args in [MODEL.to_owned(), format!(r#"{{"tokenizer": "{MODEL}"}}"#)] {
        let mut tokenize = start(&args).unwrap();
        let line = tokenize.call("a worker keeps its state").unwrap().unwrap();
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let tokens: Vec<&str> = line["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token.as_str().unwrap())
            .collect();

        // A byte-level vocabulary writes a space as `Ġ`; no text is lost.
        assert_eq!(tokens.concat().replace('Ġ', " "), "a worker keeps its state");
        assert_eq!(line["ids"].as_array().unwrap().len(), tokens.len());
    }
}

#[test]
fn an_empty_line_has_no_tokens() {
    let mut tokenize = start(MODEL).unwrap();
    assert_eq!(tokenize.call(""), Ok(Some(r#"{"tokens":[],"ids":[]}"#.into())));
}

#[test]
fn a_file_that_is_no_tokenizer_fails_the_start() {
    #[rustfmt::skip]
    let cases = [
        // args                        the message begins with
        ("",                           "the path of a tokenizer.json is needed"),
        ("/no/such",                   "cannot read `/no/such`: "),
        (r#"{"tokeniser": "/model"}"#, "unknown field `tokeniser`"),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "`"),
    ];
    for (args, message) in cases {
        let error = start(args).map(drop).unwrap_err();
        assert!(error.message().starts_with(message), "{args}: {error}");
    }
}
