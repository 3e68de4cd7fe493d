import Glibc

/// What can go wrong at one call of the disk.
package enum Fault: Int, Sendable, CaseIterable {
  /// The process is killed before the call, after half of a write, or after the call.
  case killBefore, killHalfway, killAfter
  /// The machine loses power then.
  case cutBefore, cutHalfway, cutAfter
  /// The call fails. A failed sync leaves its pages clean and not on disk.
  case io, readOnly, interrupted, noSpace, quota
  /// A write takes fewer bytes than it was given.
  case short

  var isPowerCut: Bool { self == .cutBefore || self == .cutHalfway || self == .cutAfter }

  /// The call's error number, for the faults that are errors.
  var errno: Int32? {
    switch self {
    case .io: EIO
    case .readOnly: EROFS
    case .interrupted: EINTR
    case .noSpace: ENOSPC
    case .quota: EDQUOT
    case .killBefore, .killHalfway, .killAfter, .cutBefore, .cutHalfway, .cutAfter, .short: nil
    }
  }

  /// Whether a real disk could do this to such a call.
  func canInject(_ operation: Stage.Operation) -> Bool {
    switch self {
    case .killBefore, .cutBefore, .io, .interrupted: operation != .look
    case .killAfter, .cutAfter: operation.changes
    case .killHalfway, .cutHalfway, .short: operation == .write
    case .readOnly: operation.changes || operation == .open
    case .noSpace, .quota: operation.changes && operation != .truncate && operation != .remove
    }
  }

  var name: String {
    switch self {
    case .killBefore: "kill<"
    case .killHalfway: "kill½"
    case .killAfter: "kill>"
    case .cutBefore: "power<"
    case .cutHalfway: "power½"
    case .cutAfter: "power>"
    case .io: "EIO"
    case .readOnly: "EROFS"
    case .interrupted: "EINTR"
    case .noSpace: "ENOSPC"
    case .quota: "EDQUOT"
    case .short: "short"
    }
  }
}
