// Products of a shop, as Vespa keeps them for each kind of Marqo index, and as Marqo's clients know them.
public import SluiceCore

/// A shop's products, each made when it is asked for; every kind of index holds the same ones.
///
/// About 1.8 KB each in Vespa without vectors. Texts are in several scripts and have escapes; now and then an id holds
/// `:` or `::`, a list's string `::`, a map's key a point, and a number is beyond 2^53 or a float with nothing behind its point.
public struct ProductCorpus: Sendable {
    public let kind: IndexKind
    public let seed: UInt64
    public let count: Int
    /// How many numbers each document's vector has; 0 for no vectors.
    public let floats: Int
    /// Behind one reference, for a corpus is copied about.
    private final class Shared: Sendable {
        let texts: CorpusTexts

        init(_ texts: CorpusTexts) {
            self.texts = texts
        }
    }

    private let shared: Shared

    public init(kind: IndexKind, seed: UInt64, count: Int, floats: Int = 0) {
        self.kind = kind
        self.seed = seed
        self.count = count
        self.floats = floats
        shared = Shared(CorpusTexts(floats: floats))
    }

    /// Vespa's schema, which is both namespace and type of the documents.
    public static let schema = "products"

    /// The fields as a structured index declares them; the other kinds declare none.
    public var declared: [String: FieldType] { kind == .structured ? Self.declared : [:] }

    private static let declared: [String: FieldType] = [
        "productTitle": .text, "variantTitle": .text, "variantImageUrl": .imagePointer, "description": .text,
        "parentProductId": .text, "vendor": .text, "productCollections": .textArray, "attributes": .doubleMap,
        "price": .double, "inventory": .int, "serial": .long, "available": .bool, "onSale": .bool,
        "titleAndImage": .multimodalCombination,
    ]

    /// The document's id in Vespa.
    public func documentID(_ index: Int) -> String { "id:\(Self.schema):\(Self.schema)::\(userID(index))" }

    /// The document's id as its client knows it.
    public func userID(_ index: Int) -> String {
        var bytes: [UInt8] = []
        product(index).writeID(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the document's `fields` as Vespa has them, one line of JSON.
    public func write(_ index: Int, into bytes: inout [UInt8]) {
        let product = product(index)
        switch kind {
        case .structured: product.writeStructured(into: &bytes)
        case .unstructured: product.writeUnstructured(into: &bytes)
        case .semiStructured: product.writeSemiStructured(into: &bytes)
        }
    }

    /// Appends the document that a client once sent, one line of JSON.
    public func writeExpected(_ index: Int, into bytes: inout [UInt8]) {
        product(index).writeDocument(into: &bytes)
    }

    private func product(_ index: Int) -> CorpusProduct {
        precondition(0..<count ~= index, "the corpus has \(count) documents")
        return CorpusProduct(index, seed: seed, floats: floats, shared.texts)
    }
}
