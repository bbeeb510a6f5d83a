package plain

import "sync"

// block is pooled memory for a sealed payload. The last one given back is the next one taken, so that what is encrypted
// lies in the processor's cache when the system copies it.
type block struct{ b []byte }

func (b *block) release() { blocksFor(len(b.b)).Put(b) }

// Sizes of sealed payloads with their tags: few are between two of them, see the chunks of package mptcp.
const (
	smallBlock = 16<<10 + tagLen
	largeBlock = MaxPayload + tagLen
	// leastBlock is what is worth a block, and not an allocation of its size: many tiny records may wait on a slow path.
	leastBlock = 4 << 10
)

var (
	smallBlocks = sync.Pool{New: func() any { return &block{make([]byte, smallBlock)} }}
	largeBlocks = sync.Pool{New: func() any { return &block{make([]byte, largeBlock)} }}
)

// blocksFor is where blocks for n bytes come from.
func blocksFor(n int) *sync.Pool {
	if n > smallBlock {
		return &largeBlocks
	}
	return &smallBlocks
}

// sealedMemory is room for n bytes, at most largeBlock; nil: it is the collector's.
func sealedMemory(n int) ([]byte, *block) {
	if n < leastBlock {
		return make([]byte, 0, n), nil
	}
	b := blocksFor(n).Get().(*block)
	return b.b[:0:n], b
}
