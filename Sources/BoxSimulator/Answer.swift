import NIOCore

/// One HTTP answer before a fault is played on it.
struct Answer: Sendable {
  var status: Int
  var headers: [(name: String, value: String)] = []
  var body: ByteBuffer
  var closesConnection = false

  init(status: Int = 200, headers: [(name: String, value: String)] = [], body: ByteBuffer) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  static func json(_ text: String, status: Int = 200) -> Answer {
    Answer(status: status, headers: [("Content-Type", "application/json")], body: ByteBuffer(string: text))
  }

  static func text(_ text: String, status: Int = 200) -> Answer {
    Answer(
      status: status, headers: [("Content-Type", "text/plain; charset=utf-8")],
      body: ByteBuffer(string: text))
  }

  /// A refusal of the API in Box's form.
  static func refusal(_ status: Int, _ code: String, _ message: String) -> Answer {
    let body = JSONWriter.object([
      "type": "\"error\"", "status": "\(status)", "code": JSONWriter.string(code),
      "context_info": "null", "help_url": "\"http://developers.box.com/docs/#errors\"",
      "message": JSONWriter.string(message), "request_id": "\"simulated\"",
    ])
    return .json(body, status: status)
  }

  /// A refused token: nothing in the body, the reason only in a header.
  static var unauthorized: Answer {
    let reason =
      #"Bearer realm="Service", error="invalid_token", "#
      + #"error_description="The access token provided is invalid.""#
    return Answer(status: 401, headers: [("WWW-Authenticate", reason)], body: ByteBuffer())
  }

  /// A reply of the realtime server.
  static func message(_ message: String, status: Int = 200) -> Answer {
    .json(#"{"version":1,"message":\#(JSONWriter.string(message))}"#, status: status)
  }

  /// The usual answer of an endpoint with this status, as a fault.
  static func failure(_ status: Int, at endpoint: SimulatedEndpoint) -> Answer {
    let text = reasonPhrase(status)
    let code = text.lowercased().replacing(" ", with: "_")
    switch (endpoint, status) {
    case (.token, _):
      let body = JSONWriter.object([
        "error": JSONWriter.string(code), "error_description": JSONWriter.string("\(text) (simulated)"),
      ])
      return .json(body, status: status)
    case (_, 401): return .unauthorized
    case (_, 502), (_, 503), (_, 504): return .html(text, status: status)
    default: return .refusal(status, code, "\(text) (simulated)")
    }
  }

  /// What a gateway in between answers.
  static func html(_ text: String, status: Int = 200) -> Answer {
    Answer(
      status: status, headers: [("Content-Type", "text/html")],
      body: ByteBuffer(
        string: "<html><head><title>\(text)</title></head><body><h1>\(text)</h1></body></html>\n"))
  }

  static func reasonPhrase(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 302: "Found"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 409: "Conflict"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Status \(status)"
    }
  }
}
