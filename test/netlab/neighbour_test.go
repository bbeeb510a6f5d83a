package netlab

import (
	"bytes"
	"encoding/hex"
	"net"
	"testing"
)

var (
	askerMAC = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	farMAC   = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Questions and answers as on a wire, by RFC 826 and RFC 4861; the checksum is from an independent calculation.
const (
	whoHas    = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"
	isAt      = "020000000001 020000000002 0806 0001 0800 06 04 0002 020000000002 0a000002 020000000001 0a000001"
	announce  = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000001"
	arpProbe  = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 0a000001"
	solicit   = "3333ff000002 020000000001 86dd 60000000 0020 3a ff fd000000000000000000000000000001 ff0200000000000000000001ff000002 87 00 0000 00000000 fd000000000000000000000000000002 01 01 020000000001"
	advertise = "020000000001 020000000002 86dd 60000000 0020 3a ff fd000000000000000000000000000002 fd000000000000000000000000000001 88 00 1c9a 60000000 fd000000000000000000000000000002 02 01 020000000002"
	dadProbe  = "3333ff000002 020000000001 86dd 60000000 0018 3a ff 00000000000000000000000000000000 ff0200000000000000000001ff000002 87 00 0000 00000000 fd000000000000000000000000000002"
)

func TestLinkAnswersForTheNeighbour(t *testing.T) {
	tests := []struct {
		name, question, answer string
		asked                  bool
	}{
		{"arp request", whoHas, isAt, true},
		{"arp announcement", announce, "", true},
		{"arp probe", arpProbe, "", true},
		{"arp reply passes", isAt, "", false},
		{"neighbour solicitation", solicit, advertise, true},
		{"duplicate address detection", dadProbe, "", true},
		{"neighbour advertisement passes", advertise, "", false},
		{"other frames pass", "ffffffffffff 020000000001 0800 45000014", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, asked := answerNeighbour(nil, unhex(t, tt.question), farMAC)
			if asked != tt.asked || !bytes.Equal(got, unhex(t, tt.answer)) {
				t.Errorf("got %x, %v\nwant %s, %v", got, asked, tt.answer, tt.asked)
			}
		})
	}
}

func FuzzAnswerNeighbour(f *testing.F) {
	for _, s := range []string{whoHas, isAt, announce, arpProbe, solicit, advertise, dadProbe} {
		b := unhex(f, s)
		for n := range b {
			f.Add(b[:n+1])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		answer, asked := answerNeighbour(nil, b, farMAC)
		if len(answer) == 0 {
			return
		}
		if !asked || len(answer) > 86 {
			t.Fatalf("answer of %d bytes, asked %v", len(answer), asked)
		}
		if !bytes.Equal(answer[6:12], farMAC) {
			t.Fatalf("answer %x is not from the neighbour", answer)
		}
		if again, asked := answerNeighbour(nil, answer, askerMAC); asked {
			t.Fatalf("the answer %x is answered by %x", answer, again)
		}
	})
}
