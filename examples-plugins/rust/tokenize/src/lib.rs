//! Splits lines into the tokens of a language model. The lesson: `init` loads a slow resource once,
//! from a directory that the run grants.
//!
//! ```text
//! mtl-host run tokenize.wasm --dir rust/tokenize::/model --init /model/tokenizer.json book.txt
//! ```
//!
//! `--init` is the path of any Hugging Face `tokenizer.json`, plain or as `{"tokenizer": PATH}`.
//! The plugin applies all settings of the file: special tokens, truncation, padding.

use mtl_plugin::{Error, Failure, Json, Worker};
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

struct Tokenize {
    tokenizer: Tokenizer,
}

/// The arguments in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    tokenizer: String,
}

#[derive(Serialize)]
struct Tokens {
    tokens: Vec<String>,
    ids: Vec<u32>,
}

impl Worker for Tokenize {
    type Init = String;
    type Item<'a> = &'a str;
    type Output<'a> = Json<Tokens>;

    fn init(args: String) -> Result<Self, Error> {
        let path = path(&args)?;
        let file = std::fs::read(&path)
            .map_err(|error| Error::new(format_args!("cannot read `{path}`: {error}")))?;
        let tokenizer = Tokenizer::from_bytes(file)
            .map_err(|error| Error::new(format_args!("`{path}` is not a tokenizer: {error}")))?;
        Ok(Self { tokenizer })
    }

    fn call(&mut self, line: &str) -> Result<Json<Tokens>, Failure> {
        let encoding = self.tokenizer.encode(line, true)?;
        Ok(Json(Tokens {
            tokens: encoding.get_tokens().to_vec(),
            ids: encoding.get_ids().to_vec(),
        }))
    }
}

/// Returns the path of the tokenizer from either form of the arguments.
fn path(args: &str) -> Result<String, Error> {
    match args.trim() {
        "" => Err("the path of a tokenizer.json is needed, in a directory that is granted".into()),
        json if json.starts_with('{') => Ok(serde_json::from_str::<Args>(json)?.tokenizer),
        path => Ok(path.to_owned()),
    }
}

mtl_plugin::export!(Tokenize);

#[cfg(test)]
mod tests;
