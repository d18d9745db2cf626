//! The exec host: each command that the configuration names is a kind `exec.<name>`.
