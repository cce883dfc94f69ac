// Addresses and XML are read strictly.
import Testing

@testable import AWSDriver

@Suite("Endpoints")
struct EndpointTests {
    @Test(
        "a URL is taken apart as it will be sent",
        arguments: [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566", "127.0.0.1"),
            ("HTTPS://Host:443/", "https://host", "host"),
            ("http://h:80/a/b//", "http://h/a/b", "h"), ("http://[::1]:8/x", "http://[::1]:8/x", "::1"),
            ("https://[fd00:ec2::23]", "https://[fd00:ec2::23]", "fd00:ec2::23"),
        ]
    )
    func taken(text: String, shown: String, host: String) throws {
        let endpoint = try AWSEndpoint(text, setting: "X")
        #expect(endpoint.description == shown)
        #expect(endpoint.host == host)
    }

    @Test(
        "what is no address of a service is refused without being repeated",
        arguments: [
            "", "host", "ftp://h", "http:/h", "http://", "http://:80", "http://h:0", "http://h:99999", "http://h:x",
            "http://me:hush@h", "http://h/?hush", "http://h/#hush", "http://h h", "http://hü", "http://[::1",
            "http://[h]",
        ]
    )
    func refused(text: String) {
        let problem = #expect(throws: AWSProblem.self) { _ = try AWSEndpoint(text, setting: "THE_SETTING") }
        #expect(problem?.description.hasPrefix("THE_SETTING ") == true)
        #expect(problem?.description.contains("hush") == false)
    }
}

@Suite("XML")
struct XMLTests {
    @Test("elements, text, entities, attributes and what is passed over")
    func parsed() throws {
        let text = """
            \u{FEFF}<?xml version="1.0"?><!-- <a> --><a x="1>" y='"'>
            <b>1 &lt;&amp;&gt; &quot;&apos; &#65;&#x1F600;</b><c/><b><![CDATA[<x>&amp;]]> y</b><d z = "" /></a>
            """
        let root = try XMLElement.parse(Array(text.utf8))
        #expect(root.name == "a")
        #expect(root.all("b").map(\.text) == ["1 <&> \"' A😀", "<x>&amp; y"])
        #expect(root["c"]?.text == "")
        #expect(root["d"] != nil)
        #expect(root["e"] == nil)
    }

    @Test(
        "what is broken, or no XML of a service, is refused",
        arguments: [
            "", " ", "x", "<", "<a", "<a>", "<a></b>", "</a>", "<a>&x;</a>", "<a>&lt</a>", "<a b></a>", "<a b=c/>",
            "<a b=\"c/>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a><![CDATA[</a>", "<!-- <a/>", "x<a/>", "<a>&#xD800;</a>",
            "<></>",
            String(repeating: "<a>", count: 100_000),
        ]
    )
    func refused(text: String) {
        #expect(throws: XMLElement.Problem.self) { _ = try XMLElement.parse(Array(text.utf8)) }
    }
}
