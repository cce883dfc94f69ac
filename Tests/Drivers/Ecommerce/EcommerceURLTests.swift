// Tries which URLs name an Ecommerce API, and what is said of the others.
import SluiceCore
import Testing

@testable import EcommerceDriver

@Suite("Ecommerce URLs")
struct EcommerceURLTests {
    @Test(
        "name where the API lies",
        arguments: [
            ("ecommerce+http://localhost:8080", "http://localhost:8080/api/v1"),
            ("ecommerce+https://Ecom.Example", "https://ecom.example/api/v1"),
            ("ECOMMERCE+HTTPS://e.example/", "https://e.example/api/v1"),
            ("ecommerce+https://e.example/api/v2/", "https://e.example/api/v2"),
            ("ecommerce+http://[::1]:80/x", "http://[::1]:80/x"),
        ]
    )
    func good(url: String, base: String) throws {
        #expect(try EcommerceURL(url, field: "sink").base == base)
    }

    @Test(
        "that can't be meant are refused, by field and with the fix",
        arguments: [
            "", "ecommerce", "http://host", "ecommerce://host", "ecommerce+http:host", "ecommerce+http:///x",
            "ecommerce+http://host:0", "ecommerce+http://host:65536", "ecommerce+http://host:x",
            "ecommerce+http://ho st", "ecommerce+http://host/a b", "ecommerce+http://host//x",
            "ecommerce+http://host/../x", "ecommerce+http://host/?a=b", "ecommerce+http://host#x",
            "ecommerce+http://[::1", "ecommerce+http://host:",
        ]
    )
    func bad(url: String) {
        let error = #expect(throws: JobError.self) { try EcommerceURL(url, field: "sink") }
        #expect(error?.description.hasPrefix("sink: ") == true)
    }

    @Test(
        "with user-info are refused without repeating it",
        arguments: ["ecommerce+http://user:secret@host", "ecommerce+https://secret@host/api/v1", "http://secret@host"]
    )
    func userInfo(url: String) {
        let error = #expect(throws: JobError.self) { try EcommerceURL(url, field: "sink") }
        #expect(error?.description.contains("secret") == false)
    }

    @Test("names are escaped byte by byte, and read back", arguments: ["a", "a/b", "ü %", "x?y#z&", "é", "-._~"])
    func escapes(name: String) {
        let escaped = EcommerceURL.escaped(name)
        #expect(escaped.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#&".utf8.contains($0) })
        #expect(EcommerceURL.unescaped(escaped) == name)
    }

    @Test("an index that leads out of its place is refused", arguments: ["", ".", ".."])
    func badIndexes(index: String) throws {
        let url = try EcommerceURL("ecommerce+http://host", field: "sink")
        #expect(throws: JobError.self) { try EcommerceSink(url: url, index: index, type: .post) }
    }
}
