// One product of the corpus: what chance gave it, and its parts as JSON.

/// What there is to say of one product; it knows no form of storage.
struct CorpusProduct {
    typealias Text = CorpusTexts.Text

    let texts: CorpusTexts
    let index: Int
    let title: Text
    let variant: Text
    let vendor: Text
    let sentences: (Text, Text, Text)
    let collections: Int
    private let firstCollection: Int
    let cents: Int
    let inventory: Int
    /// An integer beyond 2^53, which some products have.
    let serial: UInt64?
    let isAvailable: Bool
    let isOnSale: Bool
    private let sizes: UInt64
    let hasPointedKey: Bool
    /// The numbers of its vector.
    let vector: Range<Int>?

    init(_ index: Int, seed: UInt64, floats: Int, _ texts: CorpusTexts) {
        var chance = CorpusChance(seed: seed, index: index)
        func pick(_ choices: [Text], _ bits: UInt64) -> Text { choices[Int(bits % UInt64(choices.count))] }
        let bits = chance.next()
        let more = chance.next()
        self.texts = texts
        self.index = index
        title = pick(texts.titles, bits)
        variant = pick(texts.titles, bits >> 8)
        vendor = pick(texts.names, bits >> 16)
        sentences = (
            pick(texts.sentences, bits >> 24), pick(texts.sentences, bits >> 32), pick(texts.sentences, bits >> 40)
        )
        collections = 1 + Int(bits >> 48 & 3)
        firstCollection = Int(bits >> 50 & 31)
        // One price in eight is a whole number, which stays a float.
        cents = 100 * Int(more & 1023) + (more >> 10 & 7 == 0 ? 0 : Int(more >> 13 & 63))
        inventory = Int(more >> 20 & 511)
        serial = index % 8 == 3 ? 1 << 53 + 1 + more >> 12 : nil
        isAvailable = more >> 30 & 7 != 0
        isOnSale = more >> 33 & 3 == 0
        sizes = more >> 35
        hasPointedKey = index % 16 == 5
        vector = floats > 0 ? texts.numbers(chance.below(1024), count: floats) : nil
    }

    func writeID(into bytes: inout [UInt8]) {
        switch index % 32 {
        case 7: bytes.append("sku:")
        case 19: bytes.append("shop::de::")
        default: bytes.append("p-")
        }
        bytes.append(number: index)
    }

    func write(_ text: Text, into bytes: inout [UInt8]) {
        texts.pool.withUnsafeBufferPointer { bytes.append(contentsOf: $0[text.range]) }
    }

    func writeDescription(into bytes: inout [UInt8]) {
        write(sentences.0, into: &bytes)
        write(sentences.1, into: &bytes)
        write(sentences.2, into: &bytes)
    }

    func writeImage(into bytes: inout [UInt8]) {
        bytes.append("https://cdn.example.com/images/products/")
        bytes.append(number: index)
        bytes.append("/front-1200x1200.jpg?v=")
        bytes.append(number: cents)
    }

    func writeParent(into bytes: inout [UInt8]) {
        bytes.append("parent-")
        bytes.append(number: index / 4)
    }

    func writeCollection(_ place: Int, into bytes: inout [UInt8]) {
        write(texts.names[(firstCollection + 7 * place) % texts.names.count], into: &bytes)
        // Lists may say the same twice, but these strings are told apart.
        bytes.append(" ")
        bytes.append(number: place)
    }

    func writePrice(into bytes: inout [UInt8]) {
        bytes.append(number: cents / 100)
        bytes.append(".")
        if cents % 100 >= 10 || cents % 100 == 0 {
            bytes.append(number: cents % 100)
        } else {
            bytes.append("0")
            bytes.append(number: cents % 100)
        }
    }

    /// The integers among the attributes, each with `prefix` before its name.
    func writeIntegers(_ prefix: StaticString, into bytes: inout [UInt8]) {
        bytes.append("\"", prefix, "height_cm\":")
        bytes.append(number: Int(sizes & 255))
        bytes.append(",\"", prefix, "weight_g\":")
        bytes.append(number: Int(sizes >> 8 & 4095))
        guard hasPointedKey else { return }
        bytes.append(",\"", prefix, "energy.class\":")
        bytes.append(number: Int(sizes & 7))
    }

    /// The floats among the attributes.
    func writeFloats(_ prefix: StaticString, into bytes: inout [UInt8]) {
        bytes.append("\"", prefix, "width_cm\":")
        bytes.append(number: Int(sizes >> 16 & 127))
        bytes.append(".5,\"", prefix, "rating\":")
        bytes.append(number: Int(sizes >> 20 & 3) + 1)
        bytes.append(".0")
    }
}

extension [UInt8] {
    mutating func append(_ texts: StaticString...) {
        for text in texts { append(text) }
    }

    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    mutating func append(number: some FixedWidthInteger & UnsignedInteger) {
        append(contentsOf: String(number).utf8)
    }

    mutating func append(number: Int) {
        append(number: UInt64(number))
    }
}
