//! `redeliver completion`: scripts that let a shell complete verbs and options.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Failure, output};

/// Print a script that lets a shell complete verbs and options
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver completion bash > ~/.local/share/bash-completion/completions/redeliver\n  \
    redeliver completion zsh > ~/.zfunc/_redeliver\n  \
    redeliver completion fish > ~/.config/fish/completions/redeliver.fish")]
pub struct Args {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// Prints it.
pub fn run(args: Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "redeliver", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())
}
