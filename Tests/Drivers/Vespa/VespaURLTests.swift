// Which URLs name a visit, and which are refused with what advice.
import SluiceCore
import Testing
import VespaDriver

@Suite("Vespa URLs")
struct VespaURLTests {
    @Test(
        "the endpoint is scheme, host and port",
        arguments: [
            ("vespa+http://localhost:8080/", "http://localhost:8080"),
            ("vespa+http://localhost", "http://localhost:8080"),
            ("VESPA+HTTPS://a-b.example.org/", "https://a-b.example.org:443"),
            ("vespa+https://a.example:8443", "https://a.example:8443"),
            ("vespa+http://127.0.0.1:19071/?timeout=5", "http://127.0.0.1:19071"),
            ("vespa+http://[::1]:8080/", "http://[::1]:8080"), ("vespa+http://[fe80::1]", "http://[fe80::1]:8080"),
            ("vespa+http://localhost?timeout=5", "http://localhost:8080"),
        ]
    )
    func endpoint(url: String, endpoint: String) throws {
        #expect(try VespaURL(url, field: "source").endpoint == endpoint)
    }

    @Test("parameters are unescaped and kept")
    func parameters() throws {
        let url = try VespaURL(
            "vespa+http://h/?namespace=n_1&schema=s&cluster=c-1&selection=s.year+%3E%3D%201990+and+s.a%3D%3D%22%C3%A9%2B%22"
                + "&fieldSet=s:a,b&bucketSpace=global&fromTimestamp=1&toTimestamp=2&timeout=30&concurrency=4",
            field: "source"
        )
        #expect(url.namespace == "n_1")
        #expect(url.schema == "s")
        #expect(url.cluster == "c-1")
        #expect(url.selection == "s.year >= 1990 and s.a==\"é+\"")
        #expect(url.fieldSet == "s:a,b")
        #expect(url.bucketSpace == "global")
        #expect(url.fromTimestamp == 1)
        #expect(url.toTimestamp == 2)
        #expect(url.timeout == 30)
        #expect(url.concurrency == 4)
    }

    @Test(
        "what can't be meant is refused, with the field and the fix",
        arguments: [
            ("http://h/", "vespa+http://host:8080/"), ("vespa+http:h", "vespa+http://host:8080/"),
            ("vespa+ftp://h/", "vespa+http://host:8080/"), ("", "vespa+http://host:8080/"),
            ("vespa+http://", "vespa+http://host:8080/"), ("vespa+http://:8080/", "vespa+http://host:8080/"),
            ("vespa+http://h:0/", "vespa+http://host:8080/"), ("vespa+http://h:66000", "vespa+http://host:8080/"),
            ("vespa+http://h:8x/", "vespa+http://host:8080/"), ("vespa+http://h_ä/", "vespa+http://host:8080/"),
            ("vespa+http://[::1/", "vespa+http://host:8080/"), ("vespa+http://[]/", "vespa+http://host:8080/"),
            ("vespa+http://[::1]x:80/", "vespa+http://host:8080/"),
            ("vespa+http://h/document/v1/", "leave it out"), ("vespa+http://h/#a", "%23"),
            ("vespa+http://h/?slices=4", "known are bucketSpace, cluster"), ("vespa+http://h/?timeout", "no value"),
            ("vespa+http://h/?timeout=1&timeout=2", "twice"), ("vespa+http://h/?timeout=0", "1 to 3600"),
            ("vespa+http://h/?timeout=5s", "whole seconds"), ("vespa+http://h/?concurrency=101", "1 to 100"),
            ("vespa+http://h/?bucketSpace=other", "default or global"), ("vespa+http://h/?selection=%zz", "%25"),
            ("vespa+http://h/?selection=%C3", "UTF-8"), ("vespa+http://h/?schema=a%2Fb", "letters, digits"),
            ("vespa+http://h/?fromTimestamp=2&toTimestamp=2", "later"), ("vespa+http://h/?fromTimestamp=-1", "0 to"),
        ]
    )
    func refused(url: String, advice: String) throws {
        let error = #expect(throws: JobError.self) { try VespaURL(url, field: "source") }
        #expect(error?.description.hasPrefix("source: ") == true)
        #expect(error?.description.contains(advice) == true)
    }

    @Test(
        "user-info is refused and not repeated",
        arguments: ["vespa+http://me:hush@h/", "vespa+https://hush@h:1/?timeout=1"]
    )
    func userInfo(url: String) throws {
        let error = #expect(throws: JobError.self) { try VespaURL(url, field: "source") }
        #expect(error?.description.contains("user-info") == true)
        #expect(error?.description.contains("hush") == false)
    }

    @Test(
        "a schema is named as Marqo names it",
        arguments: [
            ("books", "books"), ("Books2", "Books2"), ("my-index", "marqo__my_01index"),
            ("my_index", "marqo__my_00index"), ("a-_b", "marqo__a_01_00b"),
        ]
    )
    func schema(index: String, schema: String) {
        #expect(VespaSchema.name(ofIndex: index) == schema)
    }
}
