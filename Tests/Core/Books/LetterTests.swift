// Letters form a lattice: whatever comes twice, late or in another order, joins to the same.
import SluiceCore
import Testing

@Suite("Letters")
struct LetterTests {
    private let all = Letter.allCases

    @Test("join to one least upper bound, in any order and however often")
    func lattice() {
        for a in all {
            #expect(a.joined(with: a) == a)
            #expect(a.joined(with: .inFlight) == a)
            #expect(a.joined(with: .completed) == .completed)
            for b in all {
                let joined = a.joined(with: b)
                #expect(joined == b.joined(with: a))
                #expect(joined.joined(with: a) == joined, "\(a) ∨ \(b) is above \(a)")
                for c in all {
                    #expect(joined.joined(with: c) == a.joined(with: b.joined(with: c)))
                    // Least: whatever is above both is above what they join to.
                    let isAboveBoth = c.joined(with: a) == c && c.joined(with: b) == c
                    if isAboveBoth { #expect(c.joined(with: joined) == c) }
                }
            }
        }
    }

    @Test("a record that was accepted and refused has failed after it was accepted")
    func acceptedAndRefused() {
        #expect(Letter.accepted.joined(with: .refused) == .failed)
    }

    @Test("a completed record stays completed, and only dead ones can be redriven")
    func ends() {
        #expect(all.filter(\.isDead) == [.refused, .failed])
        #expect(all.filter(\.isFinal) == [.refused, .failed, .completed])
    }

    @Test("are counted, and the counts' difference moves records without making any")
    func counts() throws {
        let before = try #require(Letters("iiarfc"))
        var after = before
        #expect(after.join(try #require(Letters("icaccc"))) == [1, 3, 4])
        #expect(after.text == "icaccc")
        let difference = after.tally() - before.tally()
        #expect(difference.inFlight == -1)
        #expect(difference.refused == -1)
        #expect(difference.failed == -1)
        #expect(difference.completed == 3)
        #expect(all.reduce(0) { $0 + difference[$1] } == 0)
    }

    @Test("a text with anything else is none of ours")
    func texts() {
        #expect(Letters("icx") == nil)
        #expect(Letters("")?.count == 0)
        #expect(Letters(count: 3).text == "iii")
    }
}
