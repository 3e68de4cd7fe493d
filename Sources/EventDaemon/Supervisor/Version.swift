/// The version of this program, as `--version`, the status and `User-Agent` give it.
package enum Version {
  package static let current = "0.1.0"
}
