//! Files for their owner alone.

/// From now on nobody else may read what this process makes: a store holds keys and passwords, and
/// the library below it makes its files as the process does.
pub fn keep_files() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
}
