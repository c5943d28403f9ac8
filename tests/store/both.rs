//! What must hold of a store, whatever it is kept in.

/// Each claim as a test on disk and as one in memory.
macro_rules! on_both {
    ($($claim:ident)*) => {
        mod on_disk { use super::OnDisk; $(#[test] fn $claim() { super::$claim::<OnDisk>() })* }
        mod in_memory { use super::InMemory; $(#[test] fn $claim() { super::$claim::<InMemory>() })* }
    };
}
pub(crate) use on_both;
