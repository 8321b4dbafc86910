//! Bodies are kept as one zstd frame each, made with a dictionary where one helps.
//!
//! A dictionary holds raw fragments of what it was trained on, so ours are trained on synthetic text only
//! (`cargo xtask dictionaries`). A dictionary, once used, is never changed or removed: each has a number that
//! stands beside every body made with it.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::body;
use crate::commit::StoreError;

/// A compressed body and how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// 0: without dictionary; otherwise the number of the dictionary.
    pub codec: i64,
    /// One zstd frame.
    pub bytes: Vec<u8>,
}

/// Fast, and within a few percent of the slower levels on bodies this small.
const LEVEL: i32 = 1;

/// The largest body ever stored, by the request limits with room to spare; a frame that claims more is damaged.
const MAX_BODY: usize = 256 << 20;

const DICTIONARY_1: &[u8] = include_bytes!("../dictionaries/1.zdict");

static ENCODER_1: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER_1: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

/// The newest dictionary: what new bodies are made with.
const CURRENT: i64 = 1;

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKERS: RefCell<[Option<Decompressor<'static>>; 2]> = const { RefCell::new([None, None]) };
}

/// Compresses a body.
#[must_use]
pub fn pack(body: &[u8]) -> Packed {
    PACKER.with_borrow_mut(|packer| {
        let packer = packer.get_or_insert_with(|| {
            let mut packer = Compressor::with_prepared_dictionary(&ENCODER_1)
                .expect("the dictionary is part of the program");
            // The codec stands beside the frame; what the disk gives back must be what it was given.
            packer.include_dictid(false).expect("a parameter of zstd");
            packer.include_checksum(true).expect("a parameter of zstd");
            packer
        });
        let bytes = packer.compress(body).expect("compressing into memory cannot fail");
        Packed { codec: CURRENT, bytes }
    })
}

/// Gives back the body that was packed.
///
/// # Errors
/// [`StoreError::Damaged`] when the frame or its codec is not ours.
pub fn unpack(codec: i64, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("a compressed body {what}"));
    let size = Decompressor::upper_bound(bytes).ok_or_else(|| damaged("has no size"))?;
    if size > MAX_BODY {
        return Err(damaged("claims an impossible size"));
    }
    let slot = usize::try_from(codec)
        .ok()
        .filter(|&slot| slot < 2)
        .ok_or_else(|| damaged("has an unknown codec"))?;
    UNPACKERS.with_borrow_mut(|unpackers| {
        let unpacker = unpackers[slot].get_or_insert_with(|| {
            let made = if slot == 0 {
                Decompressor::new()
            } else {
                Decompressor::with_prepared_dictionary(&DECODER_1)
            };
            made.expect("the dictionary is part of the program")
        });
        let body = unpacker.decompress(bytes, size).map_err(|_| damaged("cannot be read"))?;
        if body::is_body(&body) { Ok(body) } else { Err(damaged("has not the layout of one")) }
    })
}
