// Texts and vectors of the corpus, written as JSON once, so that a document only copies them.

/// A pool of bytes, and where each text lies in it.
struct CorpusTexts: Sendable {
    struct Text: Sendable {
        var range: Range<Int>
        /// Whether legacy indexes keep it with the short strings, which have up to 50 characters.
        var isShort: Bool
    }

    private(set) var pool: [UInt8] = []
    private(set) var titles: [Text] = []
    private(set) var sentences: [Text] = []
    private(set) var names: [Text] = []
    /// Numbers of vectors, and where each begins; one more place tells where the last one ends.
    private(set) var numbers: [UInt8] = []
    private(set) var numberStarts: [Int] = []

    private static let words = [
        "alpine", "bottle", "cotton", "drill", "evening", "fabric", "garden", "ivory", "kettle", "lantern", "marble",
        "nordic", "oak", "pocket", "quilted", "rain", "slim", "travel", "umbrella", "velvet", "wool", "made of wood",
        "größer", "crème", "日本製", "naïve", "12\\\" wide", "back\\\\slash", "a \\u00e9clair", "tea::time", "v1.5",
        "😀",
    ]
    private static let ends = [". ", ".\\n", "; ", " – ", "! "]

    /// - Parameter floats: How many numbers the vectors of a document have; none means that there are no vectors.
    init(floats: Int) {
        var chance = CorpusChance(seed: 7, index: 0)
        for _ in 0..<64 { titles.append(add(words: 3 + chance.below(6), end: "", &chance)) }
        for _ in 0..<256 {
            let end = Self.ends[chance.below(Self.ends.count)]
            sentences.append(add(words: 14 + chance.below(14), end: end, &chance))
        }
        for _ in 0..<64 { names.append(add(words: 1 + chance.below(2), end: "", &chance)) }
        if floats > 0 { addNumbers(floats + 1024, &chance) }
    }

    private mutating func add(words count: Int, end: String, _ chance: inout CorpusChance) -> Text {
        var words: [String] = []
        for _ in 0..<count { words.append(Self.words[chance.below(Self.words.count)]) }
        let text = words.joined(separator: " ") + end
        let start = pool.count
        pool += text.utf8
        return Text(range: start..<pool.count, isShort: text.unicodeScalars.count <= 50)
    }

    /// Vectors as Vespa prints them: floats of 32 bits as doubles, a comma behind each.
    private mutating func addNumbers(_ count: Int, _ chance: inout CorpusChance) {
        for _ in 0..<count {
            numberStarts.append(numbers.count)
            let number = Double(Float(chance.below(2_000_001) - 1_000_000) / 12_345_678)
            numbers += "\(number),".utf8
        }
        numberStarts.append(numbers.count)
    }

    /// The bytes of `count` numbers from the `first` on, commas between them.
    func numbers(_ first: Int, count: Int) -> Range<Int> {
        numberStarts[first]..<numberStarts[first + count] - 1
    }
}
