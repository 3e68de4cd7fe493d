import BoxEvents

/// The page at `/`: one HTML document without scripts or external resources, reloaded by the browser every
/// five seconds.
enum StatusPage {
  /// Rows shown; streams with problems come first.
  static let maximumRows = 500

  /// Nothing but the page's own styles: a stream's error stays text whatever it holds.
  static let contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'"

  /// - Parameter now: local time, seconds since 1970.
  static func html(_ snapshot: DaemonSnapshot, now: Double) -> String {
    let title = escaped("box-eventd: \(snapshot.state)")
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="refresh" content="5">
      <title>\(title)</title>
      <style>
      \(style)
      </style>
      </head>
      <body>
      <header>
      <h1>box-eventd <span class="state \(snapshot.state)">\(snapshot.state)</span></h1>
      <p>\(escaped(StatusLine.text(snapshot, now: now)))</p>
      </header>
      \(table(snapshot.streams, now))
      <footer>\(footer(snapshot, now)) · <a href="/status">status</a> · <a href="/metrics">metrics</a>
      · <a href="/healthz">health</a></footer>
      </body>
      </html>

      """
  }

  private static func footer(_ snapshot: DaemonSnapshot, _ now: Double) -> String {
    let since = UTCDate(secondsSince1970: snapshot.since).map { " · since \($0.rfc3339)" } ?? ""
    return escaped("version \(snapshot.version)\(since) (\(MetricText.span(now - snapshot.since)))")
  }

  private static func table(_ streams: [StreamSnapshot], _ now: Double) -> String {
    guard !streams.isEmpty else { return "<p>No streams.</p>" }
    let ordered = streams.filter { $0.problem != nil } + streams.filter { $0.problem == nil }
    let rows = ordered.prefix(maximumRows).map { row($0, now) }.joined(separator: "\n")
    let hidden = streams.count - min(streams.count, maximumRows)
    let more = hidden > 0 ? "\n<p>and \(hidden) more streams</p>" : ""
    return """
      <div class="wide"><table>
      <thead><tr><th>Stream</th><th>State</th><th class="n">Events</th><th class="n">Duplicates</th>\
      <th class="n">Gaps</th><th>Last event</th><th>Position age</th><th>Retention left</th>\
      <th>Position</th></tr></thead>
      <tbody>
      \(rows)
      </tbody>
      </table></div>\(more)
      """
  }

  private static func row(_ stream: StreamSnapshot, _ now: Double) -> String {
    let cells = [
      "<th scope=\"row\">\(escaped(stream.name))</th>",
      "<td><span class=\"state \(stream.problem?.rawValue ?? stream.state.rawValue)\">"
        + "\(stream.state.rawValue)</span></td>",
      number(stream.hasRecovered ? stream.eventsTotal : nil), number(stream.duplicatesTotal),
      number(stream.hasRecovered ? stream.gapsTotal : nil),
      cell(stream.lastEventAt.map { "\(MetricText.span(now - $0)) ago" }),
      cell(stream.positionAge.map { MetricText.span($0 / .seconds(1)) }),
      cell(
        MetricText.retention(
          left: stream.retentionLeft.map { $0 / .seconds(1) },
          age: stream.positionAge.map { $0 / .seconds(1) })),
      "<td class=\"p\">\(escaped(stream.position ?? "–"))</td>",
    ]
    let row = "<tr>\(cells.joined())</tr>"
    let problem = stream.error ?? (stream.isTimely ? nil : "past its deadline")
    guard let problem else { return row }
    let text = problem + MetricText.attempt(in: stream.nextAttempt.map { $0 / .seconds(1) })
    return row + "\n<tr class=\"error\"><td colspan=\"9\">\(escaped(text))</td></tr>"
  }

  private static func number(_ count: UInt64?) -> String {
    "<td class=\"n\">\(count.map(MetricText.count) ?? "–")</td>"
  }

  private static func cell(_ text: String?) -> String { "<td>\(escaped(text ?? "–"))</td>" }

  /// Text that stays text in elements and quoted attributes.
  static func escaped(_ text: String) -> String {
    PlainText.escaped(text).replacingScalars([
      "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;",
    ])
  }

  private static let style = """
    :root { color-scheme: light dark; --line: #8884; --soft: #8881; --dim: #777;
      --good: #1a7f37; --wait: #9a6700; --bad: #cf222e; }
    @media (prefers-color-scheme: dark) {
      :root { --dim: #999; --good: #4ac26b; --wait: #d4a72c; --bad: #ff7b72; }
      body { background: #16181c; color: #e6e6e6; } a { color: #79b8ff; } }
    body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
    h1 { font-size: 1.3rem; margin: 0; }
    header p { margin: .3rem 0 1.5rem; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; padding: .4rem .7rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
    thead th { font-size: .8rem; color: var(--dim); border-bottom: 2px solid var(--line); }
    tbody th { font-weight: 600; }
    tbody tr:not(:has(+ tr.error)) > * { border-bottom: 1px solid var(--line); }
    .n { text-align: right; }
    .p { font-family: ui-monospace, monospace; font-size: .85rem; }
    .state { border: 1px solid currentColor; border-radius: 1rem; padding: .05rem .6rem; font-size: .8rem;
      font-weight: 600; vertical-align: middle; color: var(--good); }
    .starting, .waiting, .failing, .stopping { color: var(--wait); }
    .degraded, .blocked, .stalled, .paused, .overdue { color: var(--bad); }
    td .degraded { color: var(--wait); }
    .stopped { color: var(--dim); }
    tr.error td { white-space: normal; color: var(--bad); background: var(--soft); padding-top: .2rem; }
    footer { margin-top: 1.5rem; color: var(--dim); font-size: .85rem; }
    """
}

extension String {
  /// With a text for each scalar of a table, even where another one combines with it.
  func replacingScalars(_ texts: [Unicode.Scalar: String]) -> String {
    unicodeScalars.reduce(into: "") { text, scalar in
      text.unicodeScalars += texts[scalar]?.unicodeScalars ?? String(scalar).unicodeScalars
    }
  }
}
