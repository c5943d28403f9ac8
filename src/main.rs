//! The `redeliver` binary: see `cli` for its verbs.

/// An event is made on a thread of the server and freed on the committer's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    redeliver::cli::main()
}
