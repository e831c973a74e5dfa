package mtl

import (
	"sync/atomic"
	"unsafe"
)

// A batch: many items in one call.
//
//	 0  count        host: number of items
//	 4  done         plugin: number of finished items
//	 8  out          plugin: address of the result bytes
//	12  stop         host: if not zero, the plugin returns
//	16  end[count]   host: end of each item; plugin: end of each result, with two flags
//	    item bytes
//
// The host may stop the module at any moment and then reads the words. Therefore each word is written after the data
// that it describes. The writes are atomic, so that the compiler does not move them.

const (
	countAt = 0
	doneAt  = 4
	outAt   = 8
	stopAt  = 12
	endsAt  = 16

	// fullAt is the number of result bytes after which a batch returns to the host.
	fullAt = 1 << 20
	least  = 4096
)

// A batch is one call with many items. Its results are stored back to back.
type batch struct {
	memory  []byte
	results []byte
	// publish gives the host the address of the results, and keeps them alive.
	publish func(results []byte)
}

// word returns a word of the batch, in memory that the host reads.
//
// SAFETY: the memory is 8-aligned and at is a multiple of 4. Indexing checks the first byte, and the host sends only
// complete words.
func (b *batch) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&b.memory[at])) }

// work answers the items. It returns early if the host sets stop or the results are large. It returns its buffer for
// the next batch.
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
			// The host reads a large result in place, because there may be no memory for a copy.
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

// begin clears the results of the previous batch, and frees the memory of unusually large ones.
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
		// Until the host has the new address, it reads from the old buffer, which must stay alive.
		b.publish(larger)
		b.results = larger
	}
	b.results = append(b.results, result...)
}

// bytesOf returns aligned memory as bytes.
//
// SAFETY: the slice covers exactly the bytes of the words and keeps them alive. Every byte value is valid.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
}
