//! The `redeliver` binary: see `cli` for its verbs.

fn main() -> std::process::ExitCode {
    redeliver::cli::main()
}
