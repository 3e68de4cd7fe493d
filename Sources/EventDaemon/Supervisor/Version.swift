/// The version of this program, as `--version`, the status and `User-Agent` give it.
public enum Version {
  public static let current = "0.1.0"
}
