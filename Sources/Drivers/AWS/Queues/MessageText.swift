// How a message's bytes travel as the text that SQS takes.
internal import SluiceCore

/// Bytes as a text that SQS takes: as they are if they are such a text, else as Base64 behind a mark.
///
/// SQS takes the characters that XML has, and no empty text. Our messages are JSON and stay readable in AWS's console.
enum MessageText {
    /// A text that itself begins like this is marked too, so that the mark always means the same.
    static let mark = "base64:"
    /// The most bytes whose text is within SQS's limit, whatever they are.
    static let bytesMax = (SQS.batchBytesMax - mark.utf8.count) / 4 * 3

    static func text(of bytes: [UInt8]) -> String {
        if isPlain(bytes), let text = String(validating: bytes, as: UTF8.self) { return text }
        return mark + String(decoding: Base64.encode(bytes), as: UTF8.self)
    }

    /// What is marked without being Base64 was sent by somebody else, and stays as it is.
    static func bytes(of text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.starts(with: mark.utf8) else { return bytes }
        return Base64.decode(bytes.dropFirst(mark.utf8.count)) ?? bytes
    }

    private static func isPlain(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty, !bytes.starts(with: mark.utf8) else { return false }
        for place in bytes.indices {
            let byte = bytes[place]
            if byte < 0x20, byte != 0x09, byte != 0x0A, byte != 0x0D { return false }
            // U+FFFE and U+FFFF are no characters of XML.
            if byte == 0xEF, bytes[place...].dropFirst().first == 0xBF,
                let last = bytes[place...].dropFirst(2).first, last >= 0xBE
            {
                return false
            }
        }
        return true
    }
}
