//! `rescind init`: a commented configuration that only observes.

use super::Exit;
use super::exit::BadInput;
use super::output::Screen;
use crate::config::{new_external_id, opt_outs_template, template};
use crate::ident::Region;
use crate::ledger::note::Signer;
use jiff::Timestamp;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A region whose findings are read; once for each region.
    #[arg(long = "region", value_name = "REGION", default_value = "us-east-1")]
    regions: Vec<Region>,

    /// The folder for the ledger and the key that signs it, when they do not lie beside the
    /// configuration: where the service may write, such as /var/lib/rescind.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
}

pub fn run(args: &Args, config: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    if let Some(folder) = args.state.as_deref().filter(|folder| !folder.is_dir() || folder.is_relative()) {
        let text = format!("--state {}: expected a folder that is there, from the root on", folder.display());
        return Err(BadInput(text).into());
    }
    let text = template(&args.regions, &new_external_id()?, args.state.as_deref());
    // The text is checked before it is written: no file is left behind that cannot be used.
    let parsed = crate::config::Config::parse(&text, config)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = config.display();
    let mut file = options.open(config).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            BadInput(format!("{name} is there already, and is not overwritten; --config names another file"))
        }
        _ => BadInput(format!("{name}: {error}")),
    })?;
    file.write_all(text.as_bytes())?;
    screen.json(&serde_json::json!({ "written": config }))?;
    screen.prose(format!(
        "Wrote {name}. It observes: nothing is changed until you set mode = \"approve\" or \"enforce\"."
    ));
    let opt_outs = &parsed.opt_outs_file;
    match std::fs::OpenOptions::new().write(true).create_new(true).open(opt_outs) {
        Ok(mut file) => {
            file.write_all(opt_outs_template(Timestamp::now()).as_bytes())?;
            screen.json(&serde_json::json!({ "written": opt_outs }))?;
            screen.prose(format!(
                "Wrote {}: where less may be done, by account, OU, tag or role.",
                opt_outs.display()
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            screen.line(format!("{} is there already, and stays as it is.", opt_outs.display()));
        }
        Err(error) => return Err(BadInput(format!("{}: {error}", opt_outs.display())).into()),
    }
    let Some(key) = parsed.signing_key.file() else { return Ok(Exit::Done) };
    let signer = Signer::new_log()?;
    match signer.save(key) {
        Ok(()) => {
            screen.json(&serde_json::json!({ "written": key, "public_key": signer.public().to_string() }))?;
            screen.prose(format!(
                "Wrote {}: it signs checkpoints of the ledger. Keep its public part elsewhere:",
                key.display()
            ));
            screen.line(format!("  {}", signer.public()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            screen.line(format!("{} is there already, and stays as it is.", key.display()));
        }
        Err(error) => return Err(BadInput(format!("{}: {error}", key.display())).into()),
    }
    screen.line("Next:");
    screen.line("  1. Deploy the remediation role to the member accounts, with the external id in the file");
    screen.line("     (policies/member-role-trust.json, policies/member-role-permissions.json).");
    screen.line("  2. rescind plan          what would be done about today's findings");
    screen
        .line("  3. rescind run           watch, and read `rescind list --decisions` and `rescind explain`");
    Ok(Exit::Done)
}
