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
fn the_name_says_how_an_input_is_compressed() {
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
fn several_in_a_row_are_one() {
    for compression in ALL {
        let bytes = [compress(compression, b"one"), compress(compression, b"two")].concat();
        let decoded = decode(compression, Script::new([bytes], Then::End)).unwrap();
        assert_eq!(decoded, b"onetwo", "{compression:?}");
    }
}

#[test]
fn what_is_cut_off_or_damaged_is_an_error() {
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

/// Encodes each text so that its last byte can be decoded as soon as it is there.
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

/// The second text shrinks a thousandfold: the decoder then holds far more than one read takes.
#[test]
fn what_can_be_decoded_is_given_before_more_is_read() {
    let zeroes = vec![0; 2_000_000];
    for compression in ALL {
        let pieces = flushed(compression, &[b"first", &zeroes]);
        let script = Script::new(pieces, Then::Silence);
        let mut decoder = Decoder::new(compression, Box::new(script)).unwrap();
        let mut decoded = Vec::new();
        // Of a size that is no divisor of anything.
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
    fn a_text_does_not_depend_on_how_the_bytes_arrive(
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
