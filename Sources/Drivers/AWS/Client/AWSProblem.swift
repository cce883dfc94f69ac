// What is wrong on our side before anything is sent.

/// Settings, files or credentials that can't be used.
package struct AWSProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// Names the setting or file and what to do; holds no secret.
    package let description: String
    /// Whether asking again later may help.
    package let isTransient: Bool
    /// Whether the caller was cancelled, and nothing was found out.
    package let isCancelled: Bool

    package init(_ description: String, isTransient: Bool = false, isCancelled: Bool = false) {
        self.description = description
        self.isTransient = isTransient
        self.isCancelled = isCancelled
    }
}
