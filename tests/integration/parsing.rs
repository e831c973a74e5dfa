//! Checks the errors for texts that cannot be parsed. Each names the expected form.

use mtl_host::grants::{DirGrant, NetGrant};
use mtl_host::limits::{
    ChunkSize, Fuel, FunctionLimit, MaxFaults, MaxRestarts, MemoryLimit, TotalMemory, Window,
};
use mtl_host::load::{Sha256, WasmFeatures};
use mtl_host::source::ItemLimit;
use mtl_host::{ArgumentPassing, ErrorPolicy, FaultKind, Jobs, ParseError, RetryOn};

/// Returns the error for a text.
fn parse_error<T: std::str::FromStr<Err = ParseError>>(text: &str) -> String {
    text.parse::<T>().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn parse_errors_describe_the_valid_form() {
    let kinds = "refused, trap, timeout, out-of-memory, out-of-fuel, out-of-disk, bad-item, bad-result, crashed, not-run";
    let size = "not a size, such as `64MiB`, `2GiB` or `1000000`";
    #[rustfmt::skip]
    let cases = [
        (parse_error::<MemoryLimit>("lots"),     size.to_owned()),
        (parse_error::<ItemLimit>("lots"),       size.to_owned()),
        (parse_error::<TotalMemory>("lots"),     "not a size, such as `4GiB`, and not `unlimited`".into()),
        (parse_error::<FunctionLimit>("0"),      "not a number of functions, from 1 to 4294967295".into()),
        (parse_error::<Fuel>("lots"),            "not an amount of fuel, such as `1000000`, `50M` or `2G`".into()),
        (parse_error::<Window>("0"),             "neither a number of items such as `1000` nor an amount of bytes such as `64MiB`".into()),
        (parse_error::<ChunkSize>("0"),          "neither a number of items from 1 on nor `auto`".into()),
        (parse_error::<Jobs>("0"),               "not a number from 1 to 10000".into()),
        (parse_error::<Jobs>("10001"),           "not a number from 1 to 10000".into()),
        (parse_error::<Jobs>("10000"),           String::new()),
        (parse_error::<MaxRestarts>("-1"),       "neither a number of restarts nor `unlimited`".into()),
        (parse_error::<MaxFaults>("120%"),       "not a number such as `10`, nor a share from `0%` to `100%`".into()),
        (parse_error::<ErrorPolicy>("stop"),     "not one of `ignore`, `immediate`, `deferred`".into()),
        (parse_error::<ArgumentPassing>("list"), "not one of `single`, `args`, `kwargs`".into()),
        (parse_error::<FaultKind>("oom"),        format!("`oom` is not a kind of fault: they are {kinds}")),
        (parse_error::<RetryOn>("oom"),          format!("`oom` is not a kind of fault: they are {kinds}")),
        (parse_error::<RetryOn>("trap,not-run"), "an item that was `not-run` cannot be tried again".into()),
        (parse_error::<WasmFeatures>("jit"),     "unknown feature `jit`: there are `gc`, `exceptions` and `none`".into()),
        (parse_error::<Sha256>("ba7816bf"),      "not the 64 hexadecimal digits that `sha256sum FILE` prints: there are 8 characters".into()),
        (parse_error::<DirGrant>("./d:/d"),      "not of the form `HOST::GUEST[:rw|:rw+symlinks]`, such as `./data::/data`".into()),
        (parse_error::<NetGrant>("a:*"),         "its port is not a number from 1 to 65535".into()),
    ];
    for (parse_error, expected) in cases {
        assert_eq!(parse_error, expected);
    }
}
