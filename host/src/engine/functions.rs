//! Counts the functions of a binary from the headers of its sections, before the host validates or compiles any part of
//! the binary. Counting is very cheap.
//!
//! ```text
//! core module:  magic, version, { id, size, content }…    section 3: functions, { count, … }
//! component:    the same                                  section 1: a core module, 4: a component
//! ```
//!
//! If a section is unreadable, the function stops counting there. The compiler refuses such a binary before it compiles
//! any function.

/// The length of the magic number and the version, in bytes.
pub(crate) const PREAMBLE: usize = 8;

/// Returns the number of functions that all modules in `binary` define.
pub(crate) fn count(binary: &[u8]) -> u64 {
    let mut functions: u64 = 0;
    // Hostile files nest components deeper than a recursion could follow, so this is a loop.
    let mut binaries = vec![binary];
    while let Some(binary) = binaries.pop() {
        let is_component = binary.get(6) == Some(&1);
        let mut rest = binary.get(PREAMBLE..).unwrap_or_default();
        while let Some((id, content, after)) = section(rest) {
            match (is_component, id) {
                (true, 1 | 4) => binaries.push(content),
                (false, 3) => functions += number(content).map_or(0, |(count, _)| u64::from(count)),
                _ => {}
            }
            rest = after;
        }
    }
    functions
}

/// Splits off the first section: returns its id, its content, and the bytes after it.
pub(crate) fn section(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (id, rest) = bytes.split_first()?;
    let (size, rest) = number(rest)?;
    let (content, after) = rest.split_at_checked(usize::try_from(size).ok()?)?;
    Some((*id, content, after))
}

/// Reads a LEB128 number, and returns it with the bytes after it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number: u64 = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(number).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_all_modules_are_counted_and_imports_are_not() {
        let nested = (0..20).fold("(core module (func) (func))".to_owned(), |inner, _| {
            format!("(component {inner} (core module (func)))")
        });
        #[rustfmt::skip]
        let cases = [
            ("(module)",                                              0),
            ("(module (func) (func) (memory 1))",                     2),
            ("(module (import \"a\" \"b\" (func)) (func))",           1),
            ("(component)",                                           0),
            ("(component (core module (func)) (core module (func)))", 2),
            (nested.as_str(),                                         22),
        ];
        for (text, functions) in cases {
            assert_eq!(count(&wat::parse_str(text).unwrap()), functions, "{text}");
        }
        let many = format!("(module {})", "(func)".repeat(300));
        assert_eq!(count(&wat::parse_str(many).unwrap()), 300);
    }

    #[test]
    fn counting_functions_ends_at_any_nesting_depth() {
        let mut binary = wat::parse_str("(module (func))").unwrap();
        for level in 0..2000 {
            let id = if level == 0 { 1 } else { 4 };
            let size = binary.len();
            let digits = [size & 0x7f | 0x80, size >> 7 & 0x7f | 0x80, size >> 14];
            let digits = digits.map(|digit| u8::try_from(digit).unwrap());
            binary = [&b"\0asm\x0d\0\x01\0"[..], &[id], &digits, &binary].concat();
        }
        assert_eq!(count(&binary), 1);
    }

    #[test]
    fn an_invalid_binary_has_no_functions() {
        let module = b"\0asm\x01\0\0\0";
        #[rustfmt::skip]
        let tails: [&[u8]; 6] = [
            b"", b"\x03", b"\x03\xff\xff\xff\xff\xff", b"\x03\x05\x01", b"\x03\x00",
            b"\x03\xff\xff\xff\xff\x7f\x01",
        ];
        for tail in tails {
            assert_eq!(count(&[module, tail].concat()), 0, "{tail:?}");
        }
        assert_eq!(count(b"\0as"), 0);
    }
}
