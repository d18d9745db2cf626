//! Examples below the help of commands.

pub const START: &str = "\
Examples:
  signalbox start data.load symbol=MSFT timeframe=1h source=csv
  id=$(signalbox start training.run symbols=MSFT timeframe=1h) && signalbox follow \"$id\"
  signalbox start backtest.run --follow --on-interrupt cancel symbol=MSFT timeframe=1h
  pass show registry | signalbox start exec.push tag=v2 --param-file token=-";

pub const LIST: &str = "\
Examples:
  signalbox list --state running,queued
  signalbox list --param symbol=MSFT --since 7d --state failed
  signalbox list -o json --fresh | jq '.operations[].id'";

pub const SHOW: &str = "\
Examples:
  signalbox show @last
  signalbox show 0199c2d4 -o json | jq .result";

pub const FOLLOW: &str = "\
Examples:
  signalbox follow @last --log
  signalbox follow 0199c2d4 && echo succeeded
  signalbox follow 0199c2d4 --json | jq -r .type";

pub const WAIT: &str = "\
Examples:
  signalbox wait @1 @2 @3 --timeout 2h
  signalbox wait --any $(signalbox list --state running -o name)";

pub const WATCH: &str = "\
Examples:
  signalbox watch --kind training.run
  signalbox watch --state failed -o name | xargs -n 1 signalbox logs -n 20";

pub const LOGS: &str = "\
Examples:
  signalbox logs @last -n 100
  signalbox logs 0199c2d4 --level warn --grep timeout
  signalbox logs -f 0199c2d4";

pub const SERIES: &str = "\
Examples:
  signalbox series @last
  signalbox series 0199c2d4 --name loss,val_loss -o csv > loss.csv";

pub const ARTIFACTS: &str = "\
Examples:
  signalbox artifacts @last
  signalbox artifacts 0199c2d4 model.json
  signalbox artifacts 0199c2d4 trades.csv --to-file - | head";

pub const COMPARE: &str = "\
Examples:
  signalbox compare @1 @2
  signalbox compare @1 @2 @3 -o csv";

pub const CANCEL: &str = "\
Examples:
  signalbox cancel @last --reason \"wrong symbol\" --follow
  signalbox cancel @1 @2
  signalbox cancel --kind training.run --state queued";

pub const DELETE: &str = "\
Examples:
  signalbox delete @1 @2 --dry-run
  signalbox delete --yes $(signalbox list --state failed --until 30d -o name)";

pub const CONTEXT: &str = "\
Examples:
  signalbox context add lab --server http://lab.example.org:7200 --token-file ~/.lab-token
  signalbox context use lab
  signalbox context params data.load source=csv timeframe=1h";

pub const COMPLETION: &str = "\
Examples:
  echo 'source <(signalbox completion bash)' >> ~/.bashrc
  echo 'source <(signalbox completion zsh)' >> ~/.zshrc
  signalbox completion fish > ~/.config/fish/completions/signalbox.fish";
