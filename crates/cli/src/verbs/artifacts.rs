//! `signalbox artifacts`

use crate::complete::{Which, operations};
use crate::download;
use crate::errors::advised;
use crate::exit::Exit;
use crate::listing::{self, Cell, Format, Listed};
use crate::target::To;
use crate::{id, output};
use anyhow::bail;
use clap::Args;
use protocol::Time;
use protocol::host::Artifact;
use std::path::PathBuf;

/// Arguments of `signalbox artifacts`.
#[derive(Args)]
pub struct ArtifactsArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Ended))]
    id: String,
    /// Name of the artifact to download; without a name, all artifacts are listed
    name: Option<String>,
    /// File to write; `-` means standard output. Default: a file with the name of the artifact, in the current folder
    #[arg(long, value_name = "FILE", requires = "name")]
    to_file: Option<PathBuf>,
    #[command(flatten)]
    to: To,
}

impl Listed for Artifact {
    const COLUMNS: &'static [&'static str] = &["NAME", "TYPE", "DESCRIPTION"];
    const FIELDS: &'static [&'static str] = &["name", "media_type", "description"];
    const EMPTY: &'static str = "The result has no artifacts.";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        self.record().into_iter().map(Cell::from).collect()
    }

    fn record(&self) -> Vec<String> {
        vec![self.name.clone(), self.media_type.clone(), self.description.clone()]
    }
}

/// Lists the artifacts of an operation's result, or downloads one.
pub async fn run(args: ArtifactsArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let id = id::id_of(&target, &args.id).await?;
    let detail = target.client.operation(id).await.map_err(advised)?;
    target.remember(id)?;
    let Some(result) = detail.result else {
        bail!("operation {id} has no result: its state is {}", detail.operation.state);
    };
    let Some(name) = args.name else {
        listing::print(target.format, &result.artifacts, &result.artifacts)?;
        return Ok(Exit::Fine);
    };
    if !result.artifacts.iter().any(|one| one.name == name) {
        let names: Vec<&str> = result.artifacts.iter().map(|one| one.name.as_str()).collect();
        match names.is_empty() {
            true => bail!("the result of {id} has no artifacts"),
            false => bail!("the result has no artifact '{name}'. Its artifacts: {}", names.join(", ")),
        }
    }
    let to = match args.to_file {
        Some(file) if file.as_os_str() == "-" => {
            download::to_output(&target.client, id, &name).await?;
            return Ok(Exit::Fine);
        }
        Some(file) => file,
        None => download::file_name(&name)?,
    };
    let bytes = download::to_file(&target.client, id, &name, &to).await?;
    match target.format {
        Format::Text => {
            output::line(&format!("{}: {}", to.display(), display::format::bytes(bytes)))?;
        }
        Format::Name => output::line(&to.display().to_string())?,
        _ => {
            output::json(&serde_json::json!({"file": to.display().to_string(), "bytes": bytes}).to_string())?
        }
    }
    Ok(Exit::Fine)
}
