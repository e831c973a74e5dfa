package mtl

import (
	"sync/atomic"
	"unsafe"
)

// A batch: many items in one crossing.
//
//	 0  count        host: how many items there are
//	 4  done         plugin: items finished so far
//	 8  out          plugin: address of the result bytes
//	12  stop         host: not zero = return
//	16  end[count]   host: end of each item; plugin: end of each result, with two flags
//	    item bytes
//
// The host reads the words at any moment at which the module can be stopped. So each is written when
// all that it speaks of has been written, and atomically: the compiler moves no such write.

const (
	countAt = 0
	doneAt  = 4
	outAt   = 8
	stopAt  = 12
	endsAt  = 16

	// fullAt is how much of results the host is to have before more are made.
	fullAt = 1 << 20
	least  = 4096
)

// A batch is one crossing. Its results lie back to back.
type batch struct {
	memory  []byte
	results []byte
	// publish tells the host where results are, and keeps them alive.
	publish func(results []byte)
}

// word is one of the batch's words, where the host sees it.
//
// SAFETY: the memory begins 8-aligned and at is a multiple of 4; indexing checks the first byte, and the host sends
// a batch whole.
func (b *batch) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&b.memory[at])) }

// work answers the items: all of them, unless the host says stop, or their results are many. It
// returns its own memory, for the next batch to use.
func (b *batch) work(g *guest) []byte {
	count := int(atomic.LoadUint32(b.word(countAt)))
	itemsAt := endsAt + 4*count
	b.begin()
	start := itemsAt
	for index := range count {
		if atomic.LoadUint32(b.word(stopAt)) != 0 || len(b.results) >= fullAt {
			break
		}
		end := itemsAt + int(atomic.LoadUint32(b.word(endsAt+4*index)))
		answer := g.answer(b.memory[start:end:end])
		if index == 0 && answer.flags == 0 && len(answer.bytes) >= fullAt {
			// From where it is, since there may be no memory for a second one.
			b.publish(answer.bytes)
			b.finished(index, uint32(len(answer.bytes)))
			break
		}
		b.add(answer.bytes)
		b.finished(index, answer.flags|uint32(len(b.results)))
		start = end
	}
	return b.results
}

func (b *batch) finished(index int, end uint32) {
	atomic.StoreUint32(b.word(endsAt+4*index), end)
	atomic.StoreUint32(b.word(doneAt), uint32(index+1))
}

// begin forgets the results of the batch before. What a few large ones took is not kept for ever.
func (b *batch) begin() {
	b.results = b.results[:0]
	if c := cap(b.results); c == 0 || c > 4*fullAt {
		b.results = make([]byte, 0, least)
	}
	b.publish(b.results)
}

func (b *batch) add(result []byte) {
	if length := len(b.results) + len(result); length > cap(b.results) {
		larger := make([]byte, len(b.results), max(length, 2*cap(b.results)))
		copy(larger, b.results)
		// Until the host knows the new place it reads from the old one, which is let go only then.
		b.publish(larger)
		b.results = larger
	}
	b.results = append(b.results, result...)
}

// bytesOf is memory that is aligned, as bytes.
//
// SAFETY: they are the words' own bytes, all of them, and keep the words alive; any byte is lawful.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
}
