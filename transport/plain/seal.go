package plain

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"

	"hawser/transport"
	"hawser/transport/wire"
)

// encrypts: the payload of sealed DATA is ciphertext.
const encrypts = true

// tagLen is the length of a sealed record's tag, bytes.
const tagLen = 16

// class is a kind of record that has a count of its own: control records overtake data that was sealed before them.
type class uint8

const (
	classOthers class = iota
	classData
	classes
)

func classOf(t recordType) class {
	if t == typeData {
		return classData
	}
	return classOthers
}

// sealer seals the records of one direction of a subflow, or opens them (protocol.md §1.6): DATA are encrypted but for
// header and mapping, the others authenticated.
//
// The payload used to be encrypted by TLS alone, and authenticated here once more, because a path must not be able to spoil
// a session by what it changes. That was a tenth of all processor time for the second pass, and as much again for what TLS
// copies; now TLS agrees on the keys, as it does for QUIC (RFC 9001), and each byte is touched once.
type sealer struct {
	aead  cipher.AEAD
	count [classes]uint64 // records so far
	nonce [12]byte
}

func newSealer(key [32]byte, chaCha bool) *sealer {
	if chaCha {
		aead, err := chacha20poly1305.New(key[:])
		if err != nil {
			panic("BUG: plain: " + err.Error()) // a key of another length
		}
		return &sealer{aead: aead}
	}
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic("BUG: plain: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("BUG: plain: " + err.Error())
	}
	return &sealer{aead: aead}
}

// next is the nonce of the next record of its class, valid until the next call.
func (s *sealer) next(c class) []byte {
	s.nonce[0] = byte(c)
	binary.BigEndian.PutUint64(s.nonce[4:], s.count[c])
	s.count[c]++
	return s.nonce[:]
}

// seal adds to b the ciphertext of the payload and the tag over it and what is clear of the record.
func (s *sealer) seal(b []byte, c class, payload, clear []byte) []byte {
	return s.aead.Seal(b, s.next(c), payload, clear)
}

// genuine says whether a whole record is the next of its class, and decrypts its payload in place.
func (s *sealer) genuine(h header, record []byte) bool {
	clear := h.Size + h.Len
	if h.Type == typeData {
		clear = h.Size + dataDSS // admit has seen that there is so much
	}
	rest := record[clear:]
	_, err := s.aead.Open(rest[:0], s.next(classOf(h.Type)), rest, record[:clear])
	return err == nil
}

// protection is what the loop tells the reading goroutine of the seal.
type protection struct {
	seal  *sealer // owned by the reader
	level transport.Protection
}

// Protect seals the subflow from now on. See transport.Subflow.
func (s *Subflow) Protect(k transport.Keys, level transport.Protection) {
	p := s.sh.protection.Load()
	switch {
	case s.status != transport.StatusOpen || s.broken != nil:
		return
	case p == nil:
		s.keys = k
		p = &protection{newSealer(k.Receive, k.ChaCha), level}
	case level <= p.level:
		return
	default:
		p = &protection{p.seal, level}
	}
	if level >= transport.ProtectSending {
		s.seal()
	}
	s.sh.protection.Store(p)
}

// seal begins to seal what we send. What was signalled before leaves as it was meant.
func (s *Subflow) seal() {
	if s.out.seal != nil {
		return
	}
	s.putOptions()
	s.sealedAt = s.sent
	s.out.begin(newSealer(s.keys.Send, s.keys.ChaCha))
}

// admitSeal says whether a record may come with, or without, a seal.
func (f *framer) admitSeal(h header) error {
	last := h.Type == typeOptions && !f.sealed // may be a last word: admitOptions looks
	switch {
	case h.Sealed && f.seal == nil:
		return misused("sealed %v record before there are keys", h.Type)
	case h.Sealed, last:
		return nil
	case f.sealed, f.joined, f.level == transport.ProtectAll:
		return altered("%v record without a seal", h.Type)
	case f.level == transport.ProtectSending && h.Type != typeAck && h.Type != typePing && h.Type != typePong && h.Type != typePad:
		return altered("%v record without a seal", h.Type)
	}
	return nil
}

// verify checks CRC or tag of a whole record.
func (f *framer) verify(h header, rec []byte) error {
	if !h.Sealed {
		if !intact(rec) {
			return altered("wrong checksum in %v record of %d bytes", h.Type, h.Len)
		}
		return nil
	}
	if !f.seal.genuine(h, rec) {
		return altered("wrong seal on %v record of %d bytes", h.Type, h.Len)
	}
	f.sealed = true
	return nil
}

// admitOptions says whether the options of a record may come as they did: where a seal is due, MP_TCPRST and
// MP_FASTCLOSE may still come without one. The first ends no more than a path can end at any time, the second has a key
// of its own. A peer that has not got our keys yet can say why it leaves.
func (f *framer) admitOptions(r *record) error {
	if r.Sealed {
		return nil
	}
	due := f.joined || f.level >= transport.ProtectSending
	for _, o := range r.Options {
		switch o.(type) {
		case wire.MPTCPRst, wire.MPFastclose:
			continue
		case wire.MPJoin:
			if len(r.Options) > 1 {
				return altered("%v with other options", o)
			}
			f.joined = true
		}
		if due {
			return altered("%v without a seal", o)
		}
	}
	return nil
}
