//! Block stores: a shared base, and the view of it that one run reads and writes.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, RwLock};

use anyhow::{Context, Result, anyhow, bail, ensure};
use cid::Cid;
use cid::multihash::Multihash;
use fvm_ipld_blockstore::Blockstore;
use multihash_codetable::{Code, MultihashDigest};
use serde::Deserialize;

/// The blocks that outlive a request. Clones share their content.
#[derive(Clone, Default)]
pub struct Base {
    blocks: Arc<RwLock<HashMap<Cid, Vec<u8>>>>,
    /// Where to look for blocks that are not here.
    under: Option<Box<Base>>,
}

impl Base {
    /// An empty store that reads through to `under` and never writes to it.
    pub fn over(under: &Base) -> Base {
        Base {
            blocks: Default::default(),
            under: Some(Box::new(under.clone())),
        }
    }

    /// The store that this one reads through to.
    pub fn below(&self) -> Option<Base> {
        self.under.as_deref().cloned()
    }

    pub fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
        let found = self.blocks.read().expect("store lock").get(cid).cloned();
        found.or_else(|| self.under.as_ref()?.get(cid))
    }

    fn has(&self, cid: &Cid) -> bool {
        self.blocks.read().expect("store lock").contains_key(cid)
            || self.under.as_ref().is_some_and(|under| under.has(cid))
    }

    pub fn put(&self, cid: Cid, data: Vec<u8>) -> Result<()> {
        check_digest(&cid, &data)?;
        self.put_all([(cid, data)]);
        Ok(())
    }

    fn put_all(&self, blocks: impl IntoIterator<Item = (Cid, Vec<u8>)>) {
        self.blocks.write().expect("store lock").extend(blocks);
    }

    /// Adds the blocks of a CARv1 file (plain or gzip); returns its roots and the number of blocks.
    pub fn load_car_file(&self, path: &Path) -> Result<(Vec<Cid>, usize)> {
        let data =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.load_car(&data)
            .with_context(|| format!("bad CAR {}", path.display()))
    }

    pub fn load_car(&self, data: &[u8]) -> Result<(Vec<Cid>, usize)> {
        if data.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(data).read_to_end(&mut plain)?;
            return self.load_plain_car(&plain);
        }
        self.load_plain_car(data)
    }

    fn load_plain_car(&self, mut data: &[u8]) -> Result<(Vec<Cid>, usize)> {
        #[derive(Deserialize)]
        struct Header {
            roots: Vec<Cid>,
            version: u64,
        }
        let header = take_section(&mut data)?.context("empty file")?;
        let header: Header = fvm_ipld_encoding::from_slice(header).context("bad header")?;
        ensure!(
            header.version == 1,
            "CAR version {} is not 1",
            header.version
        );
        let mut blocks = Vec::new();
        while let Some(section) = take_section(&mut data)? {
            let mut reader = Cursor::new(section);
            let cid = Cid::read_bytes(&mut reader)?;
            let body = section[reader.position() as usize..].to_vec();
            check_digest(&cid, &body)?;
            blocks.push((cid, body));
        }
        let count = blocks.len();
        self.put_all(blocks);
        Ok((header.roots, count))
    }
}

/// Splits the next length-prefixed section off `data`; `None` at the end.
fn take_section<'a>(data: &mut &'a [u8]) -> Result<Option<&'a [u8]>> {
    if data.is_empty() {
        return Ok(None);
    }
    let (mut len, mut shift) = (0u64, 0);
    loop {
        let (byte, rest) = data.split_first().context("truncated length")?;
        *data = rest;
        ensure!(shift < 63, "length is too long");
        len |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if len > data.len() as u64 {
        bail!("truncated section");
    }
    let (section, rest) = data.split_at(len as usize);
    *data = rest;
    Ok(Some(section))
}

/// Checks `data` against the digest in `cid`, if the hash function is one that we know.
fn check_digest(cid: &Cid, data: &[u8]) -> Result<()> {
    let hash = cid.hash();
    if let Ok(code) = Code::try_from(hash.code()) {
        let full = code.digest(data);
        ensure!(
            full.digest().starts_with(hash.digest()),
            "block does not hash to its CID {cid}"
        );
    }
    Ok(())
}

/// What one run sees: the base below, its own writes above, and a log of both.
/// The base is untouched until [`View::commit`]. Clones share their content.
#[derive(Clone)]
pub struct View(Rc<Inner>);

struct Inner {
    base: Base,
    own: RefCell<HashMap<Cid, Vec<u8>>>,
    log_reads: Cell<bool>,
    seen: RefCell<HashSet<Cid>>,
    reads: RefCell<Vec<Cid>>,
    log_writes: Cell<bool>,
    writes: RefCell<Vec<Cid>>,
}

impl View {
    pub fn new(base: &Base) -> View {
        View(Rc::new(Inner {
            base: base.clone(),
            own: Default::default(),
            log_reads: Cell::new(false),
            seen: Default::default(),
            reads: Default::default(),
            log_writes: Cell::new(false),
            writes: Default::default(),
        }))
    }

    pub fn log_reads(&self, on: bool) {
        self.0.log_reads.set(on);
    }

    pub fn log_writes(&self, on: bool) {
        self.0.log_writes.set(on);
    }

    /// The blocks read while the log was on, in the order of their first read.
    pub fn reads(&self) -> Vec<Cid> {
        self.0.reads.borrow().clone()
    }

    /// The blocks written while the log was on, sorted by CID (a flush has no fixed order).
    pub fn writes(&self) -> Vec<(Cid, Vec<u8>)> {
        let own = self.0.own.borrow();
        let mut list: Vec<_> = self
            .0
            .writes
            .borrow()
            .iter()
            .map(|c| (*c, own[c].clone()))
            .collect();
        list.sort();
        list.dedup();
        list
    }

    /// Moves everything written into the base.
    pub fn commit(&self) {
        self.0.base.put_all(self.0.own.borrow_mut().drain());
    }

    fn note_write(&self, cid: Cid) {
        if self.0.log_writes.get() {
            self.0.writes.borrow_mut().push(cid);
        }
    }
}

impl Blockstore for View {
    fn get(&self, cid: &Cid) -> Result<Option<Vec<u8>>> {
        let own = self.0.own.borrow().get(cid).cloned();
        let data = own.or_else(|| self.0.base.get(cid));
        if data.is_some() && self.0.log_reads.get() && self.0.seen.borrow_mut().insert(*cid) {
            self.0.reads.borrow_mut().push(*cid);
        }
        Ok(data)
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        Ok(self.0.own.borrow().contains_key(cid) || self.0.base.has(cid))
    }

    fn put_keyed(&self, cid: &Cid, block: &[u8]) -> Result<()> {
        self.0.own.borrow_mut().insert(*cid, block.to_vec());
        self.note_write(*cid);
        Ok(())
    }

    fn put_many_keyed<D, I>(&self, blocks: I) -> Result<()>
    where
        D: AsRef<[u8]>,
        I: IntoIterator<Item = (Cid, D)>,
    {
        for (cid, block) in blocks {
            self.put_keyed(&cid, block.as_ref())?;
        }
        Ok(())
    }
}

/// The CID (DAG-CBOR, blake2b-256) of some bytes.
pub fn dag_cbor_cid(data: &[u8]) -> Cid {
    let hash: Multihash<64> = Code::Blake2b256.digest(data);
    Cid::new_v1(fvm_ipld_encoding::DAG_CBOR, hash)
}

pub fn parse_cid(text: &str) -> Result<Cid> {
    text.parse().map_err(|e| anyhow!("bad CID {text:?}: {e}"))
}
