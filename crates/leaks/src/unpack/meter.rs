//! The limits of unpacking, and the meter that enforces them over one source file.

use super::Refusal;
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

const MIB: u64 = 1024 * 1024;

/// How many members of one source file may be refused as bombs before the rest of it is refused with them.
const FORGIVEN: u32 = 16;

/// What unpacking one source file may cost at most. The default is what production uses; tests take small ones.
///
/// There is no limit in time: this room has no clock. A sink stops the reading whenever it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes may come out of one byte that is read, once `free` bytes have come out. Deflate alone cannot pass
    /// 1,032, lists of credentials pack 3 to 5, the most repetitive logs 200.
    pub ratio: u64,
    /// Unpacked bytes that are not held against `ratio`, what costs less than a second to read: of a member, and twice that
    /// of all members together.
    pub free: u64,
    /// Unpacked bytes in all, every layer counted.
    pub total: u64,
    /// Members of archives, those of nested archives included. A folder on disk has no such limit.
    pub entries: u64,
    /// Archives within archives. A compressed stream counts as one too, unless a tar is all that it holds.
    pub depth: u32,
    /// Bytes of memory for dictionaries, and for nested archives that are read from their end, all at once.
    pub memory: u64,
    /// Bytes of a nested or piped zip or 7z that may be kept in memory, within `memory`.
    pub buffer: u64,
    /// Bytes of a 7z's list of members, which is read into memory as a whole, within `memory`.
    pub list: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ratio: 1000,
            free: 256 * MIB,
            total: 16 * 1024 * 1024 * MIB,
            entries: 1_000_000,
            depth: 4,
            memory: 384 * MIB,
            buffer: 96 * MIB,
            list: 64 * MIB,
        }
    }
}

/// A member of an archive whose own unpacking is being watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// What had come out of the source file before it.
    before: u64,
    /// Its packed size.
    packed: u64,
}

/// Counts what goes into and comes out of one source file, and refuses what passes the limits.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    /// Length of the source file; `None` for a stream.
    pub(super) raw_total: Option<u64>,
    raw_read: Cell<u64>,
    /// The archive is read from its end, so what counts for the ratio is the whole length, not what was read so far.
    whole: Cell<bool>,
    unpacked: Cell<u64>,
    entries: Cell<u64>,
    memory: Cell<u64>,
    forgiven: Cell<u32>,
    member: Cell<Option<Member>>,
    tripped: Cell<Option<Refusal>>,
    /// Only the present member is refused, the source file can go on.
    member_only: Cell<bool>,
}

impl Meter {
    pub(super) fn new(limits: Limits, raw_total: Option<u64>) -> Self {
        Self {
            limits,
            raw_total,
            raw_read: Cell::new(0),
            whole: Cell::new(false),
            unpacked: Cell::new(0),
            entries: Cell::new(0),
            memory: Cell::new(0),
            forgiven: Cell::new(0),
            member: Cell::new(None),
            tripped: Cell::new(None),
            member_only: Cell::new(false),
        }
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes of the source file read so far, or where the reading stands in it.
    pub(super) fn raw_read(&self) -> u64 {
        self.raw_total
            .map_or(self.raw_read.get(), |total| self.raw_read.get().min(total))
    }

    pub(super) fn raw(&self, bytes: u64) {
        self.raw_read.set(self.raw_read.get().saturating_add(bytes));
    }

    pub(super) fn raw_at(&self, position: u64) {
        self.raw_read.set(position);
    }

    /// The whole length counts for the ratio from now on.
    pub(super) fn count_whole(&self) {
        self.whole.set(true);
    }

    /// What stopped the source file or the present member, if anything did.
    pub(super) fn tripped(&self) -> Option<Refusal> {
        self.tripped.get()
    }

    /// Whether nothing more can be read from the source file.
    pub(super) fn is_over(&self) -> bool {
        self.tripped.get().is_some() && !self.member_only.get()
    }

    /// One more member of an archive.
    pub(super) fn entry(&self) -> Result<(), Refusal> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.limits.entries {
            Err(self.trip(Refusal::TooManyMembers))
        } else {
            Ok(())
        }
    }

    /// Refuses the rest of the source file.
    pub(super) fn trip(&self, refusal: Refusal) -> Refusal {
        self.tripped.set(Some(refusal));
        self.member_only.set(false);
        refusal
    }

    /// Watches a member of this packed size by itself; answers what [`Meter::leave`] takes.
    pub(super) fn enter(&self, packed: u64) -> Option<Member> {
        self.member.replace(Some(Member {
            before: self.unpacked.get(),
            packed,
        }))
    }

    /// Ends what [`Meter::enter`] began. A member that was refused for itself is set aside and the archive goes on, so
    /// long as there are few of them.
    pub(super) fn leave(&self, outer: Option<Member>) {
        let member = self.member.replace(outer);
        if let (Some(member), Some(refusal), true) = (member, self.tripped.get(), self.member_only.get()) {
            self.forgiven.set(self.forgiven.get() + 1);
            if self.forgiven.get() > FORGIVEN {
                self.trip(refusal);
            } else {
                self.tripped.set(None);
                self.member_only.set(false);
                self.unpacked.set(member.before);
            }
        }
    }

    /// Counts bytes that came out of a decompressor or an archive.
    fn unpacked(&self, bytes: u64) -> Result<(), Refusal> {
        if let Some(refusal) = self.tripped.get() {
            return Err(refusal);
        }
        let unpacked = self.unpacked.get().saturating_add(bytes);
        self.unpacked.set(unpacked);
        if unpacked > self.limits.total {
            return Err(self.trip(Refusal::TooMuch));
        }
        let member = self.member.get();
        if let Some(member) = member
            && self.is_bomb(unpacked - member.before, member.packed, self.limits.free)
        {
            self.tripped.set(Some(Refusal::Bomb));
            self.member_only.set(true);
            return Err(Refusal::Bomb);
        }
        let raw = if self.whole.get() { self.raw_total } else { None };
        // A member that is a bomb shall trip for itself, not for the little that came before it.
        let free = if member.is_some() {
            self.limits.free.saturating_mul(2)
        } else {
            self.limits.free
        };
        if self.is_bomb(unpacked, raw.unwrap_or(self.raw_read.get()), free) {
            return Err(self.trip(Refusal::Bomb));
        }
        Ok(())
    }

    fn is_bomb(&self, unpacked: u64, packed: u64, free: u64) -> bool {
        unpacked > free && unpacked / self.limits.ratio.max(1) > packed
    }

    /// Sets memory aside, at most `most` bytes, as long as the answer is held.
    pub(super) fn hold(self: &Rc<Self>, most: u64) -> Held {
        let granted = most.min(self.limits.memory.saturating_sub(self.memory.get()));
        self.memory.set(self.memory.get() + granted);
        Held {
            meter: Rc::clone(self),
            bytes: granted,
        }
    }
}

/// Memory that is set aside; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    meter: Rc<Meter>,
    bytes: u64,
}

impl Held {
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back what is not needed.
    pub(super) fn shrink(&mut self, bytes: u64) {
        let back = self.bytes.saturating_sub(bytes);
        self.bytes -= back;
        self.meter.memory.set(self.meter.memory.get() - back);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

/// A reader whose output is counted: what comes out of one layer of packing.
pub(super) struct Metered<R> {
    inner: R,
    meter: Rc<Meter>,
}

impl<R> Metered<R> {
    pub(super) fn new(inner: R, meter: &Rc<Meter>) -> Self {
        Self {
            inner,
            meter: Rc::clone(meter),
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.unpacked(read as u64).map_err(io::Error::other)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(ratio: u64, free: u64) -> Rc<Meter> {
        Rc::new(Meter::new(
            Limits {
                ratio,
                free,
                entries: 2,
                memory: 100,
                ..Limits::default()
            },
            Some(10),
        ))
    }

    #[test]
    fn k01_what_comes_out_is_held_against_what_went_in() {
        let meter = meter(10, 50);
        meter.raw(6);
        assert_eq!(meter.unpacked(50), Ok(()));
        assert_eq!(meter.unpacked(10), Ok(()));
        assert_eq!(meter.unpacked(20), Err(Refusal::Bomb));
        assert!(meter.is_over());
        assert_eq!(meter.unpacked(0), Err(Refusal::Bomb));
    }

    #[test]
    fn k01_a_member_is_refused_for_itself_and_not_held_against_the_rest() {
        let meter = meter(10, 50);
        meter.count_whole();
        let outer = meter.enter(3);
        assert_eq!(meter.unpacked(51), Err(Refusal::Bomb));
        assert!(!meter.is_over());
        meter.leave(outer);
        assert_eq!(meter.tripped(), None);
        assert_eq!(meter.unpacked(109), Ok(()));
        assert_eq!(meter.unpacked(1), Err(Refusal::Bomb));
        assert!(meter.is_over());
    }

    #[test]
    fn k01_many_refused_members_end_the_archive() {
        let meter = meter(10, 50);
        meter.count_whole();
        for count in 0..=FORGIVEN {
            assert!(!meter.is_over(), "after {count}");
            let outer = meter.enter(3);
            assert_eq!(meter.unpacked(51), Err(Refusal::Bomb));
            meter.leave(outer);
        }
        assert!(meter.is_over());
    }

    #[test]
    fn k01_memory_is_shared_and_given_back() {
        let meter = meter(10, 50);
        let first = meter.hold(70);
        let mut second = meter.hold(70);
        assert_eq!((first.bytes(), second.bytes()), (70, 30));
        second.shrink(10);
        drop(first);
        assert_eq!(meter.hold(1000).bytes(), 90);
    }

    #[test]
    fn k01_members_are_counted() {
        let meter = meter(10, 50);
        assert_eq!((meter.entry(), meter.entry()), (Ok(()), Ok(())));
        assert_eq!(meter.entry(), Err(Refusal::TooManyMembers));
        assert!(meter.is_over());
    }
}
