// A product in each of the forms that it has: as its client sent it, and as each kind of index keeps it in Vespa.

extension CorpusProduct {
    /// As a client sent it.
    func writeDocument(into bytes: inout [UInt8]) {
        bytes.append("{\"_id\":\"")
        writeID(into: &bytes)
        bytes.append("\",\"productTitle\":\"")
        write(title, into: &bytes)
        bytes.append("\",\"variantTitle\":\"")
        write(variant, into: &bytes)
        bytes.append("\",\"variantImageUrl\":\"")
        writeImage(into: &bytes)
        bytes.append("\",\"description\":\"")
        writeDescription(into: &bytes)
        bytes.append("\",\"parentProductId\":\"")
        writeParent(into: &bytes)
        bytes.append("\",\"vendor\":\"")
        write(vendor, into: &bytes)
        bytes.append("\",\"productCollections\":[")
        writeCollections("", into: &bytes)
        bytes.append("],\"attributes\":{")
        writeIntegers("", into: &bytes)
        bytes.append(",")
        writeFloats("", into: &bytes)
        bytes.append("},\"price\":")
        writePrice(into: &bytes)
        writeNumbers(into: &bytes)
        bytes.append(isAvailable ? ",\"available\":true" : ",\"available\":false")
        bytes.append(isOnSale ? ",\"onSale\":true}" : ",\"onSale\":false}")
    }

    /// As a structured index keeps it: each field by itself, texts that are filtered by a second time.
    func writeStructured(into bytes: inout [UInt8]) {
        bytes.append("{\"marqo__id\":\"")
        writeID(into: &bytes)
        for prefix in ["\",\"marqo__lexical_", "\",\"marqo__filter_"] as [StaticString] {
            bytes.append(prefix, "productTitle\":\"")
            write(title, into: &bytes)
            bytes.append(prefix, "vendor\":\"")
            write(vendor, into: &bytes)
        }
        bytes.append("\",\"marqo__lexical_variantTitle\":\"")
        write(variant, into: &bytes)
        bytes.append("\",\"variantImageUrl\":\"")
        writeImage(into: &bytes)
        bytes.append("\",\"marqo__lexical_description\":\"")
        writeDescription(into: &bytes)
        bytes.append("\",\"marqo__filter_parentProductId\":\"")
        writeParent(into: &bytes)
        bytes.append("\",\"marqo__filter_productCollections\":[")
        writeCollections("", into: &bytes)
        bytes.append("],\"attributes\":{")
        writeIntegers("", into: &bytes)
        bytes.append(",")
        writeFloats("", into: &bytes)
        bytes.append("},\"marqo__filter_price\":")
        writePrice(into: &bytes)
        writeNumbers(into: &bytes)
        bytes.append(isAvailable ? ",\"marqo__filter_available\":1" : ",\"marqo__filter_available\":0")
        bytes.append(isOnSale ? ",\"onSale\":1" : ",\"onSale\":0")
        bytes.append(",\"marqo__score_modifiers_double_long\":{\"type\":\"tensor<double>(p{})\",\"cells\":{")
        writeScores(into: &bytes)
        bytes.append("}}")
        writeChunks(suffix: "_description", prefix: "", into: &bytes)
        bytes.append(",\"marqo__vector_count\":1}")
    }

    /// As a legacy unstructured index keeps it: containers by type, and all strings once more in a bag.
    func writeUnstructured(into bytes: inout [UInt8]) {
        bytes.append("{\"marqo__id\":\"")
        writeID(into: &bytes)
        bytes.append("\",\"marqo__strings\":[\"")
        write(title, into: &bytes)
        bytes.append("\",\"")
        write(variant, into: &bytes)
        bytes.append("\",\"")
        writeDescription(into: &bytes)
        bytes.append("\"],\"marqo__short_string_fields\":{\"parentProductId\":\"")
        writeParent(into: &bytes)
        writeStrings(areShort: true, into: &bytes)
        bytes.append("\"},\"marqo__long_string_fields\":{\"variantImageUrl\":\"")
        writeImage(into: &bytes)
        bytes.append("\",\"description\":\"")
        writeDescription(into: &bytes)
        writeStrings(areShort: false, into: &bytes)
        bytes.append("\"},\"marqo__string_array\":[")
        writeCollections("productCollections::", into: &bytes)
        bytes.append("]")
        writeContainers(into: &bytes)
        writeChunks(suffix: "", prefix: "description::", into: &bytes)
        bytes.append(",\"marqo__vector_count\":1}")
    }

    /// As an index of Marqo 2.16 or later keeps it: texts and lists by themselves, numbers by type.
    func writeSemiStructured(into bytes: inout [UInt8]) {
        bytes.append("{\"marqo__id\":\"")
        writeID(into: &bytes)
        bytes.append("\",\"marqo__lexical_productTitle\":\"")
        write(title, into: &bytes)
        bytes.append("\",\"marqo__lexical_variantTitle\":\"")
        write(variant, into: &bytes)
        bytes.append("\",\"marqo__lexical_variantImageUrl\":\"")
        writeImage(into: &bytes)
        bytes.append("\",\"marqo__lexical_description\":\"")
        writeDescription(into: &bytes)
        bytes.append("\",\"marqo__lexical_parentProductId\":\"")
        writeParent(into: &bytes)
        bytes.append("\",\"marqo__lexical_vendor\":\"")
        write(vendor, into: &bytes)
        bytes.append("\",\"marqo__short_string_fields\":{\"parentProductId\":\"")
        writeParent(into: &bytes)
        writeStrings(areShort: true, into: &bytes)
        bytes.append("\"},\"marqo__string_array_productCollections\":[")
        writeCollections("", into: &bytes)
        bytes.append("]")
        writeContainers(into: &bytes)
        writeChunks(suffix: "_description", prefix: "", into: &bytes)
        writeTypes(into: &bytes)
        bytes.append(",\"marqo__version_uuid\":\"00112233445566778899aabbccddeeff\",\"marqo__vector_count\":1}")
    }

    // MARK: - Parts

    private func writeCollections(_ prefix: StaticString, into bytes: inout [UInt8]) {
        for place in 0..<collections {
            if place > 0 { bytes.append(",") }
            bytes.append("\"", prefix)
            writeCollection(place, into: &bytes)
            bytes.append("\"")
        }
    }

    private func writeNumbers(into bytes: inout [UInt8]) {
        bytes.append(",\"inventory\":")
        bytes.append(number: inventory)
        guard let serial else { return }
        bytes.append(",\"serial\":")
        bytes.append(number: serial)
    }

    /// The texts whose length decides which container they are in; others come before them.
    private func writeStrings(areShort: Bool, into bytes: inout [UInt8]) {
        if title.isShort == areShort {
            bytes.append("\",\"productTitle\":\"")
            write(title, into: &bytes)
        }
        if variant.isShort == areShort {
            bytes.append("\",\"variantTitle\":\"")
            write(variant, into: &bytes)
        }
        if vendor.isShort == areShort {
            bytes.append("\",\"vendor\":\"")
            write(vendor, into: &bytes)
        }
    }

    private func writeContainers(into bytes: inout [UInt8]) {
        bytes.append(",\"marqo__int_fields\":{")
        writeIntegers("attributes.", into: &bytes)
        writeNumbers(into: &bytes)
        bytes.append("},\"marqo__float_fields\":{\"price\":")
        writePrice(into: &bytes)
        bytes.append(",")
        writeFloats("attributes.", into: &bytes)
        bytes.append("},\"marqo__bool_fields\":{\"available\":")
        bytes.append(isAvailable ? "1,\"onSale\":" : "0,\"onSale\":")
        bytes.append(isOnSale ? "1}" : "0}")
        bytes.append(",\"marqo__score_modifiers\":{\"type\":\"tensor<double>(p{})\",\"cells\":{")
        writeScores(into: &bytes)
        bytes.append("}}")
    }

    private func writeScores(into bytes: inout [UInt8]) {
        bytes.append("\"price\":")
        writePrice(into: &bytes)
        bytes.append(",\"inventory\":")
        bytes.append(number: inventory)
        bytes.append(".0,")
        writeFloats("attributes.", into: &bytes)
    }

    /// What the vector was made of, and the vector if there are any.
    private func writeChunks(suffix: StaticString, prefix: StaticString, into bytes: inout [UInt8]) {
        bytes.append(",\"marqo__chunks", suffix, "\":[\"", prefix)
        write(sentences.0, into: &bytes)
        bytes.append("\"]")
        guard let vector else { return }
        bytes.append(",\"marqo__embeddings", suffix, "\":{\"type\":\"tensor<float>(p{},x[")
        bytes.append(number: texts.numbers[vector].count { $0 == UInt8(ascii: ",") } + 1)
        bytes.append("])\",\"blocks\":{\"0\":[")
        texts.numbers.withUnsafeBufferPointer { bytes.append(contentsOf: $0[vector]) }
        bytes.append("]}}")
    }

    private func writeTypes(into bytes: inout [UInt8]) {
        bytes.append(
            """
            ,"marqo__field_types":{"productTitle":"string","variantTitle":"string","variantImageUrl":"string",\
            "description":"tensor","parentProductId":"string","vendor":"string","productCollections":"string_array",\
            "price":"float","inventory":"int","available":"bool","onSale":"bool","attributes":"float_map_entry",\
            "attributes.height_cm":"int_map_entry","attributes.weight_g":"int_map_entry",\
            "attributes.width_cm":"float_map_entry","attributes.rating":"float_map_entry"
            """
        )
        if hasPointedKey { bytes.append(",\"attributes.energy.class\":\"int_map_entry\"") }
        bytes.append(serial == nil ? "}" : ",\"serial\":\"int\"}")
    }
}
