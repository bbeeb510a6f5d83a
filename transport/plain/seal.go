package plain

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
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
	chaCha bool
	kinds  [classes]sealedKind
	nonce  [12]byte
}

// sealedKind is what the records of a class are sealed with.
type sealedKind struct {
	key   [32]byte
	aead  cipher.AEAD
	count uint64 // records so far
}

// rekeyAfter is how many records of a class a key seals. With the longest ones that is 2³⁸ bytes; RFC 8446 §5.5 allows an
// AES-GCM key 2³⁸·⁵. Both ends count, so that nothing has to be said, and a stream that never ends needs no new subflow.
const rekeyAfter = 1 << 22

func newSealer(key [32]byte, chaCha bool) *sealer {
	s := &sealer{chaCha: chaCha}
	first := sealedKind{key: key, aead: newAEAD(key, chaCha)}
	for c := range s.kinds {
		s.kinds[c] = first
	}
	return s
}

func newAEAD(key [32]byte, chaCha bool) cipher.AEAD {
	if chaCha {
		aead, err := chacha20poly1305.New(key[:])
		if err != nil {
			panic("BUG: plain: " + err.Error()) // a key of another length
		}
		return aead
	}
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic("BUG: plain: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("BUG: plain: " + err.Error())
	}
	return aead
}

// nextKey follows key when that has sealed rekeyAfter records.
func nextKey(key [32]byte) [32]byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("next"))
	return [32]byte(h.Sum(nil))
}

// next is what the next record of its class is sealed with; the nonce is valid until the next call.
func (s *sealer) next(c class) (aead cipher.AEAD, nonce []byte) {
	k := &s.kinds[c]
	if k.count > 0 && k.count%rekeyAfter == 0 {
		k.key = nextKey(k.key)
		k.aead = newAEAD(k.key, s.chaCha)
	}
	s.nonce[0] = byte(c)
	binary.BigEndian.PutUint64(s.nonce[4:], k.count)
	k.count++
	return k.aead, s.nonce[:]
}

// seal adds to b the ciphertext of the payload and the tag over it and what is clear of the record.
func (s *sealer) seal(b []byte, c class, payload, clear []byte) []byte {
	aead, nonce := s.next(c)
	return aead.Seal(b, nonce, payload, clear)
}

// genuine says whether a whole record is the next of its class, and decrypts its payload in place.
func (s *sealer) genuine(h header, record []byte) bool {
	clear := h.Size + h.Len
	if h.Type == typeData {
		clear = h.Size + dataDSS // admit has seen that there is so much
	}
	rest := record[clear:]
	aead, nonce := s.next(classOf(h.Type))
	_, err := aead.Open(rest[:0], nonce, rest, record[:clear])
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
