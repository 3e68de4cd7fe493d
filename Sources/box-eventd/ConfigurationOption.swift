import ArgumentParser

/// `--config FILE`, which every command takes.
struct ConfigurationOption: ParsableArguments {
  @Option(
    name: .customLong("config"),
    help: ArgumentHelp(
      "The configuration; FILE.d/*.toml beside it is read too.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var path = "/etc/box-eventd/box-eventd.toml"
}
