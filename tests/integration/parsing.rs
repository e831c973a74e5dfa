//! Checks the errors for texts that cannot be parsed: each says what is expected.

use mtl_host::grants::{DirGrant, NetGrant};
use mtl_host::limits::{
    ChunkSize, Fuel, FunctionLimit, MaxFaults, MaxRestarts, MemoryLimit, TotalMemory, Window,
};
use mtl_host::load::{Sha256, WasmFeatures};
use mtl_host::source::ItemLimit;
use mtl_host::{ArgumentPassing, ErrorPolicy, FaultKind, Jobs, ParseError, RetryOn};

/// Returns the error for a text.
fn said<T: std::str::FromStr<Err = ParseError>>(text: &str) -> String {
    text.parse::<T>().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_text_that_is_no_value_is_told_what_one_is() {
    let kinds = "refused, trap, timeout, out-of-memory, out-of-fuel, out-of-disk, bad-item, bad-result, crashed, not-run";
    let size = "not a size, such as `64MiB`, `2GiB` or `1000000`";
    #[rustfmt::skip]
    let cases = [
        (said::<MemoryLimit>("lots"),     size.to_owned()),
        (said::<ItemLimit>("lots"),       size.to_owned()),
        (said::<TotalMemory>("lots"),     "not a size, such as `4GiB`, and not `unlimited`".into()),
        (said::<FunctionLimit>("0"),      "not a number of functions, from 1 to 4294967295".into()),
        (said::<Fuel>("lots"),            "not an amount of fuel, such as `1000000`, `50M` or `2G`".into()),
        (said::<Window>("0"),             "neither a number of items such as `1000` nor an amount of bytes such as `64MiB`".into()),
        (said::<ChunkSize>("0"),          "neither a number of items from 1 on nor `auto`".into()),
        (said::<Jobs>("0"),               "not a number from 1 to 10000".into()),
        (said::<Jobs>("10001"),           "not a number from 1 to 10000".into()),
        (said::<Jobs>("10000"),           String::new()),
        (said::<MaxRestarts>("-1"),       "neither a number of restarts nor `unlimited`".into()),
        (said::<MaxFaults>("120%"),       "not a number such as `10`, nor a share from `0%` to `100%`".into()),
        (said::<ErrorPolicy>("stop"),     "not one of `ignore`, `immediate`, `deferred`".into()),
        (said::<ArgumentPassing>("list"), "not one of `single`, `args`, `kwargs`".into()),
        (said::<FaultKind>("oom"),        format!("`oom` is not a kind of fault: they are {kinds}")),
        (said::<RetryOn>("oom"),          format!("`oom` is not a kind of fault: they are {kinds}")),
        (said::<RetryOn>("trap,not-run"), "an item that was `not-run` cannot be tried again".into()),
        (said::<WasmFeatures>("jit"),     "unknown feature `jit`: there are `gc`, `exceptions` and `none`".into()),
        (said::<Sha256>("ba7816bf"),      "not the 64 hexadecimal digits that `sha256sum FILE` prints: there are 8 characters".into()),
        (said::<DirGrant>("./d:/d"),      "not of the form `HOST::GUEST[:rw|:rw+symlinks]`, such as `./data::/data`".into()),
        (said::<NetGrant>("a:*"),         "its port is not a number from 1 to 65535".into()),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
}
