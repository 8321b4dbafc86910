//! Bodies are kept as one zstd frame each, made with a dictionary.
//!
//! A dictionary holds raw fragments of what it was trained on. The one built in is trained on synthetic text only
//! (`cargo xtask dictionaries`); those that a store learns hold only what stands in the records of several persons. A
//! dictionary, once used, is never changed or removed: each has a number, which stands beside every body made with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};

use sha2::{Digest, Sha256};
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

/// Dictionaries for which a thread keeps its working memory.
const KEPT: usize = 4;

/// A dictionary, ready for use. There are few, and they stay as long as the process.
pub struct Dictionary {
    encoder: EncoderDictionary<'static>,
    decoder: DecoderDictionary<'static>,
}

/// Compresses a body with the dictionary that is built in.
#[must_use]
pub fn pack(body: &[u8]) -> Packed {
    Packed { codec: BUILT_IN, bytes: BUILT_IN_DICTIONARY.pack(body) }
}

/// The number of the dictionary that is built in.
const BUILT_IN: i64 = 1;
static BUILT_IN_DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    Dictionary::new(include_bytes!("../dictionaries/1.zdict")).expect("the dictionary is part of the program")
});

/// Dictionaries read so far, by their digest: a store that is opened again brings nothing new.
static READ: Mutex<Option<HashMap<[u8; 32], &'static Dictionary>>> = Mutex::new(None);

thread_local! {
    static PACKERS: RefCell<Vec<(*const Dictionary, Compressor<'static>)>> = const { RefCell::new(Vec::new()) };
    static UNPACKERS: RefCell<Vec<(*const Dictionary, Decompressor<'static>)>> = const { RefCell::new(Vec::new()) };
}

impl Dictionary {
    fn new(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |_| StoreError::Damaged("a dictionary of bodies".into());
        Ok(Self {
            encoder: EncoderDictionary::try_copy(bytes, LEVEL).map_err(damaged)?,
            decoder: DecoderDictionary::try_copy(bytes).map_err(damaged)?,
        })
    }

    /// The dictionary of these bytes.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when they are none.
    pub fn read(bytes: &[u8]) -> Result<&'static Self, StoreError> {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read.get_or_insert_default();
        let digest = Sha256::digest(bytes).into();
        if let Some(known) = read.get(&digest) {
            return Ok(known);
        }
        let dictionary: &'static Self = Box::leak(Box::new(Self::new(bytes)?));
        read.insert(digest, dictionary);
        Ok(dictionary)
    }

    /// Compresses a body.
    #[must_use]
    pub fn pack(&'static self, body: &[u8]) -> Vec<u8> {
        let make = || {
            let mut packer = Compressor::with_prepared_dictionary(&self.encoder).expect("there is memory");
            // The codec stands beside the frame; what the disk gives back must be what it was given.
            packer.include_dictid(false).expect("a parameter of zstd");
            packer.include_checksum(true).expect("a parameter of zstd");
            packer
        };
        PACKERS.with_borrow_mut(|packers| {
            let packer = kept(packers, self, make);
            packer.compress(body).expect("compressing into memory cannot fail")
        })
    }

    /// Gives back the body that was packed.
    fn unpack(&'static self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        let make = || Decompressor::with_prepared_dictionary(&self.decoder).expect("there is memory");
        UNPACKERS.with_borrow_mut(|unpackers| decompress(kept(unpackers, self, make), bytes))
    }
}

/// What the thread keeps for a dictionary, made when it is new.
fn kept<'k, T>(
    all: &'k mut Vec<(*const Dictionary, T)>,
    dictionary: &'static Dictionary,
    make: impl FnOnce() -> T,
) -> &'k mut T {
    let place = match all.iter().position(|(of, _)| std::ptr::eq(*of, dictionary)) {
        Some(place) => place,
        None => {
            if all.len() >= KEPT {
                all.remove(0);
            }
            all.push((std::ptr::from_ref(dictionary), make()));
            all.len() - 1
        }
    };
    &mut all[place].1
}

fn decompress(unpacker: &mut Decompressor<'_>, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("a compressed body {what}"));
    let size = Decompressor::upper_bound(bytes).ok_or_else(|| damaged("has no size"))?;
    if size > MAX_BODY {
        return Err(damaged("claims an impossible size"));
    }
    let body = unpacker.decompress(bytes, size).map_err(|_| damaged("cannot be read"))?;
    if body::is_body(&body) { Ok(body) } else { Err(damaged("has not the layout of one")) }
}

/// The dictionaries of one store, by number.
pub struct Dictionaries {
    /// The newest last: it is what new bodies are made with.
    known: RwLock<Vec<(i64, &'static Dictionary)>>,
}

impl Default for Dictionaries {
    fn default() -> Self {
        Self { known: RwLock::new(vec![(BUILT_IN, &BUILT_IN_DICTIONARY)]) }
    }
}

impl Dictionaries {
    /// Adds one that is newer than all others.
    pub fn add(&self, number: i64, dictionary: &'static Dictionary) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).push((number, dictionary));
    }

    /// The newest, with its number.
    #[must_use]
    pub fn newest(&self) -> (i64, &'static Dictionary) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        *known.last().expect("the one built in is always there")
    }

    /// Compresses a body with the newest.
    #[must_use]
    pub fn pack(&self, body: &[u8]) -> Packed {
        let (codec, dictionary) = self.newest();
        Packed { codec, bytes: dictionary.pack(body) }
    }

    /// Gives back the body that was packed.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the frame or its codec is not ours.
    pub fn unpack(&self, codec: i64, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        if codec == 0 {
            return decompress(&mut Decompressor::new().expect("there is memory"), bytes);
        }
        let of_number =
            |(number, dictionary): &(i64, &'static Dictionary)| (*number == codec).then_some(*dictionary);
        let known =
            self.known.read().unwrap_or_else(PoisonError::into_inner).iter().rev().find_map(of_number);
        let unknown = || StoreError::Damaged("a compressed body has an unknown codec".into());
        known.ok_or_else(unknown)?.unpack(bytes)
    }
}
