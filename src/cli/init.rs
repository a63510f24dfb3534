//! `rescind init`: a commented configuration that only observes.

use super::Exit;
use super::exit::BadInput;
use super::init_place::{Access, Place, Wanted, cannot, is_there};
use super::output::Screen;
use crate::config::{new_external_id, opt_outs_template, template};
use crate::ident::Region;
use crate::ledger::note::Signer;
use jiff::Timestamp;
use std::io::Write;
use std::path::PathBuf;

const NEXT: [&str; 7] = [
    "  1. Deploy the roles. With what the file has in them, these print them:",
    "     rescind policies print member-trust, member-role, hub-role",
    "  2. rescind doctor          until nothing is red",
    "  3. rescind drill ACCOUNT   a deny, proved and undone, once [drill] is set",
    "  4. rescind plan            what would be done about today's findings",
    "  5. rescind run             watch; `rescind list --decisions` and",
    "                             `rescind explain` have what it decided",
];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A region whose findings are read; once for each region.
    #[arg(id = "aws_region", long = "region", value_name = "REGION", default_value = "us-east-1")]
    regions: Vec<Region>,

    /// The folder for the ledger and the key that signs it, when they do not lie beside the
    /// configuration: where the service may write, such as /var/lib/rescind.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,

    /// The external id that the remediation roles ask for, where they are deployed already [default: a new one]
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,

    /// Write /etc/rescind/rescind.toml, with the ledger and its key in /var/lib/rescind. Where there is a user rescind, the
    /// files are for it to use.
    #[arg(long)]
    system: bool,

    /// With --system: write into the file system at this folder, such as that of an image.
    #[arg(long, value_name = "FOLDER", requires = "system")]
    root: Option<PathBuf>,
}

pub fn run(args: &Args, named: Option<PathBuf>, screen: &Screen) -> anyhow::Result<Exit> {
    let wanted = Wanted { state: args.state.clone(), is_system: args.system, root: args.root.clone() };
    let place = Place::of(wanted, named)?;
    let config = &place.file;
    let external_id = args.external_id.clone().map_or_else(new_external_id, Ok)?;
    let text = template(&args.regions, &external_id, place.state.as_deref());
    // The text is checked before it is written: no file is left behind that cannot be used.
    let parsed = crate::config::Config::parse(&text, config)?;
    let config = &place.on_disk(config);
    if config.symlink_metadata().is_ok() {
        return Err(is_there(config).into());
    }
    place.make_folders()?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = config.display();
    let mut file = options.open(config).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => is_there(config),
        _ => cannot(config, &error),
    })?;
    file.write_all(text.as_bytes())?;
    place.give(config, Access::Read)?;
    screen.json(&serde_json::json!({ "written": config }))?;
    screen.prose(format!(
        "Wrote {name}. It observes: nothing is changed until you set mode = \"approve\" or \"enforce\"."
    ));
    let opt_outs = &place.on_disk(&parsed.opt_outs_file);
    match std::fs::OpenOptions::new().write(true).create_new(true).open(opt_outs) {
        Ok(mut file) => {
            file.write_all(opt_outs_template(Timestamp::now()).as_bytes())?;
            place.give(opt_outs, Access::Read)?;
            screen.json(&serde_json::json!({ "written": opt_outs }))?;
            screen.prose(format!(
                "Wrote {}: where less may be done, by account, OU, tag or role.",
                opt_outs.display()
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            screen.line(format!("{} is there already, and stays as it is.", opt_outs.display()));
        }
        Err(error) => return Err(cannot(opt_outs, &error).into()),
    }
    let Some(key) = parsed.signing_key.file() else { return Ok(Exit::Done) };
    let key = &place.on_disk(key);
    let signer = Signer::new_log()?;
    match signer.save(key) {
        Ok(()) => {
            place.give(key, Access::Own)?;
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
    for step in NEXT {
        screen.line(step);
    }
    Ok(Exit::Done)
}
