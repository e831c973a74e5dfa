use std::io::{Read, Write};

use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::{Compression, Decoder};
use crate::source::script::{Script, Then};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn compress(compression: Compression, text: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Plain => text.to_vec(),
        Compression::Gzip => gzip(text),
        Compression::Zstd => zstd::encode_all(text, 0).unwrap(),
    }
}

fn decode(compression: Compression, script: Script) -> std::io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    Decoder::new(compression, Box::new(script))?.read_to_end(&mut decoded)?;
    Ok(decoded)
}

const ALL: [Compression; 3] = [Compression::Plain, Compression::Gzip, Compression::Zstd];

#[test]
fn the_file_extension_selects_the_compression() {
    let cases = [
        ("items.txt", Compression::Plain),
        ("items.txt.gz", Compression::Gzip),
        ("a/items.zst", Compression::Zstd),
        ("items.gz/plain", Compression::Plain),
        (".gz", Compression::Plain),
    ];
    for (name, expected) in cases {
        assert_eq!(Compression::of(name.as_ref()), expected, "{name}");
    }
}

#[test]
fn concatenated_streams_decode_as_one() {
    for compression in ALL {
        let bytes = [compress(compression, b"one"), compress(compression, b"two")].concat();
        let decoded = decode(compression, Script::new([bytes], Then::End)).unwrap();
        assert_eq!(decoded, b"onetwo", "{compression:?}");
    }
}

#[test]
fn truncated_or_damaged_data_is_an_error() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let whole = compress(compression, b"a text that is long enough to be cut off");
        for length in 0..whole.len() {
            let script = Script::new([&whole[..length]], Then::End);
            assert!(decode(compression, script).is_err(), "{compression:?} {length}");
        }
        let script = Script::new(["this was never compressed"], Then::End);
        assert!(decode(compression, script).is_err(), "{compression:?}");
    }
    let mut damaged = gzip(b"a text with a sum at its end");
    let sum = damaged.len() - 8;
    damaged[sum] ^= 1;
    assert!(decode(Compression::Gzip, Script::new([damaged], Then::End)).is_err());
}

#[test]
fn zeros_may_follow_the_last_gzip_member() {
    let (one, two) = (gzip(b"one"), gzip(b"two"));
    let zeros = |count| vec![0; count];
    #[rustfmt::skip]
    let cases = [
        // parts                                        decoded
        (vec![one.clone(), zeros(1)],                   Some("one")),
        (vec![one.clone(), zeros(100_000)],             Some("one")),
        (vec![one.clone(), two.clone(), zeros(5)],      Some("onetwo")),
        (vec![one.clone(), zeros(512), two],            None),
        (vec![one.clone(), zeros(512), vec![1]],        None),
        (vec![one.clone(), b"garbage".to_vec()],        None),
        (vec![zeros(512)],                              None),
        (vec![zeros(1), one],                           None),
    ];
    for (parts, decoded) in cases {
        let bytes = parts.concat();
        for piece in [1, 7, bytes.len()] {
            let script = Script::new(bytes.chunks(piece), Then::End);
            let given = decode(Compression::Gzip, script).ok();
            assert_eq!(given.as_deref(), decoded.map(str::as_bytes), "{} {piece}", bytes.len());
        }
    }
}

/// Encodes each text and flushes the encoder after it, so that a decoder can decode the whole text
/// from the bytes so far.
fn flushed(compression: Compression, texts: &[&[u8]]) -> Vec<Vec<u8>> {
    match compression {
        Compression::Plain => texts.iter().map(|text| text.to_vec()).collect(),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
            pieces(texts, |text| {
                encoder.write_all(text).unwrap();
                encoder.flush().unwrap();
                std::mem::take(encoder.get_mut())
            })
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 19).unwrap();
            pieces(texts, |text| {
                encoder.write_all(text).unwrap();
                encoder.flush().unwrap();
                std::mem::take(encoder.get_mut())
            })
        }
    }
}

fn pieces(texts: &[&[u8]], encode: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    texts.iter().copied().map(encode).collect()
}

/// Returns the bytes that the decoder gives before the error, in reads of at most `most` bytes.
fn given_before_the_error(compression: Compression, script: Script, most: usize) -> Vec<u8> {
    let mut decoder = Decoder::new(compression, Box::new(script)).unwrap();
    let (mut given, mut buffer) = (Vec::new(), vec![0; most]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => panic!("{compression:?} ends without an error"),
            Ok(read) => given.extend_from_slice(&buffer[..read]),
            Err(_) => return given,
        }
    }
}

/// Returns a text that compresses neither very well nor very badly.
fn numbers(count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|number| format!("{}\n", number.wrapping_mul(0x9e37_79b9)).into_bytes())
        .collect()
}

#[test]
fn data_before_the_damage_is_delivered() {
    // The gzip decoder flushes its output in units of this size. It must return at least all units
    // that are complete.
    let window = |compression| if compression == Compression::Gzip { 32 << 10 } else { 1 };
    let texts = [b"short".to_vec(), numbers(500), numbers(50_000), vec![0; 2_000_000]];
    for compression in [Compression::Gzip, Compression::Zstd] {
        // An invalid block type of the format.
        let damage = if compression == Compression::Gzip { 7 } else { 6 };
        for text in &texts {
            let mut damaged = flushed(compression, &[b"begin", text]).concat();
            damaged.extend([damage, 0, 0, 0]);
            let first = compress(compression, b"whole");
            let bytes = [first.clone(), damaged, first].concat();
            let whole = [&b"wholebegin"[..], text].concat();
            let least =
                b"whole".len() + (whole.len() - 5) / window(compression) * window(compression);
            for most in [7, 1009, 300_000] {
                let script = Script::new([&bytes], Then::End);
                let given = given_before_the_error(compression, script, most);
                let case = format!("{compression:?} {} of {}", given.len(), whole.len());
                assert!(whole.starts_with(&given) && given.len() >= least, "{case}");
            }
        }
    }
}

#[test]
fn all_data_before_a_truncation_is_delivered() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let pieces = flushed(compression, &[b"begin", &numbers(500)]);
        let script = Script::new(pieces, Then::End);
        let given = given_before_the_error(compression, script, 300_000);
        assert_eq!(given, [&b"begin"[..], &numbers(500)].concat(), "{compression:?}");
    }
}

/// The second text compresses by a factor of a thousand. So the decoder has far more output than
/// one read returns.
#[test]
fn decoded_data_is_delivered_before_more_is_read() {
    let zeroes = vec![0; 2_000_000];
    for compression in ALL {
        let pieces = flushed(compression, &[b"first", &zeroes]);
        let script = Script::new(pieces, Then::Silence);
        let mut decoder = Decoder::new(compression, Box::new(script)).unwrap();
        let mut decoded = Vec::new();
        // The size of the buffer divides no other size here.
        let mut buffer = vec![0; 1009];
        while decoded.len() < 5 + zeroes.len() {
            let read = decoder.read(&mut buffer).unwrap();
            decoded.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(&decoded[..5], b"first", "{compression:?}");
    }
}

proptest! {
    #[test]
    fn decoding_is_independent_of_read_sizes(
        text in prop::collection::vec(0_u8..4, 0..3000),
        piece in 1_usize..700,
    ) {
        for compression in ALL {
            let bytes = compress(compression, &text);
            let script = Script::new(bytes.chunks(piece), Then::End);
            prop_assert_eq!(&decode(compression, script).unwrap(), &text);
        }
    }
}
