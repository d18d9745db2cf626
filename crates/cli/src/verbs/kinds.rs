//! `signalbox kinds`

use crate::complete;
use crate::errors::advised;
use crate::exit::Exit;
use crate::listing::{self, Cell, Format};
use crate::output;
use crate::target::To;
use anyhow::bail;
use clap::Args;
use form::Form;
use protocol::api::KindOffer;

/// Arguments of `signalbox kinds`.
#[derive(Args)]
pub struct KindsArgs {
    /// Kind whose parameters are printed; without a kind, all kinds are listed
    #[arg(add = complete::kinds())]
    kind: Option<String>,
    #[command(flatten)]
    to: To,
}

/// Lists the kinds, or the parameters of one.
pub async fn run(args: KindsArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let kinds = target.client.kinds().await.map_err(advised)?;
    let Some(name) = args.kind else {
        target.print(&kinds.kinds, &kinds)?;
        return Ok(Exit::Fine);
    };
    let Some(offer) = kinds.kinds.iter().find(|offer| offer.spec.name.as_str() == name) else {
        let names: Vec<&str> = kinds.kinds.iter().map(|offer| offer.spec.name.as_str()).collect();
        if names.is_empty() {
            bail!(
                "no kinds are available to you: no host with your kinds has connected, or your token has no access to kinds. `signalbox hosts` shows the hosts"
            );
        }
        bail!("no host offers the kind '{name}'. Kinds: {}", names.join(", "));
    };
    match target
        .format
        .one_of(&[Format::Text, Format::Json, Format::Jsonl, Format::Csv, Format::Name], "kinds")?
    {
        Format::Json | Format::Jsonl => output::json(&listing::json_of(offer))?,
        format => show(offer, format)?,
    }
    Ok(Exit::Fine)
}

fn show(offer: &KindOffer, format: Format) -> anyhow::Result<()> {
    let form = match Form::from_schema(&offer.spec.params) {
        Ok(form) => form,
        Err(why) => bail!("the parameters of {} can't be shown: {why}", offer.spec.name),
    };
    let rows = form.fields.iter().map(|field| {
        let default = field.default.as_ref().map(display::format::param).unwrap_or_default();
        let takes = format!("{}{}", if field.secret { "secret " } else { "" }, field.kind.takes());
        (
            field,
            takes,
            if field.required && field.default.is_none() { "required".to_owned() } else { default },
        )
    });
    match format {
        Format::Name => form.fields.iter().try_for_each(|field| output::line(&field.name))?,
        Format::Csv => listing::print_csv(
            &["name", "takes", "default", "help"],
            rows.map(|(field, takes, default)| vec![field.name.clone(), takes, default, field.help.clone()]),
        )?,
        _ => {
            output::line(&format!(
                "{}  {}\n{}\n",
                offer.spec.name, offer.spec.title, offer.spec.description
            ))?;
            let cells = rows.map(|(field, takes, default)| {
                vec![Cell::from(field.name.clone()), default.into(), takes.into(), field.help.clone().into()]
            });
            listing::print_table(&["PARAMETER", "DEFAULT", "VALUES", "DESCRIPTION"], cells.collect())?;
        }
    }
    Ok(())
}

/// Parameters as typed, after the defaults of the context that they don't set.
pub fn with_defaults(given: &[String], defaults: Vec<(String, String)>) -> Vec<String> {
    let is_given =
        |name: &str| given.iter().any(|pair| pair.split_once('=').is_some_and(|(given, _)| given == name));
    let mut all: Vec<String> = defaults
        .iter()
        .filter(|(name, _)| !is_given(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    all.extend_from_slice(given);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_parameter_replaces_the_default_of_the_context() {
        let defaults = vec![("source".into(), "csv".into()), ("timeframe".into(), "1h".into())];
        let all = with_defaults(&["symbol=MSFT".into(), "timeframe=1d".into()], defaults);
        assert_eq!(all, ["source=csv", "symbol=MSFT", "timeframe=1d"]);
    }
}
