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
// The host may stop the module at any moment, and then reads the words. Therefore each word is written after the data
// that it describes. The writes are atomic, so that the compiler does not move them.

const (
	countAt = 0
	doneAt  = 4
	outAt   = 8
	stopAt  = 12
	endsAt  = 16

	// fullLength is the number of result bytes after which a batch returns to the host.
	fullLength  = 1 << 20
	minCapacity = 4096
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

// run calls the worker for each item. It returns early if the host sets stop or the results are large. It returns its
// buffer for the next batch.
func (b *batch) run(g *guest) []byte {
	count := int(atomic.LoadUint32(b.word(countAt)))
	itemsAt := endsAt + 4*count
	b.clearResults()
	start := itemsAt
	for index := range count {
		if atomic.LoadUint32(b.word(stopAt)) != 0 || len(b.results) >= fullLength {
			break
		}
		end := itemsAt + int(atomic.LoadUint32(b.word(endsAt+4*index)))
		answer := g.answer(b.memory[start:end:end])
		if index == 0 && answer.flags == 0 && len(answer.bytes) >= fullLength {
			// The host reads a large result in place, because there may be no memory for a copy.
			b.publish(answer.bytes)
			b.setDone(index, uint32(len(answer.bytes)))
			break
		}
		b.append(answer.bytes)
		b.setDone(index, answer.flags|uint32(len(b.results)))
		start = end
	}
	return b.results
}

// setDone writes the end of an item's result, and then the number of finished items.
func (b *batch) setDone(index int, end uint32) {
	atomic.StoreUint32(b.word(endsAt+4*index), end)
	atomic.StoreUint32(b.word(doneAt), uint32(index+1))
}

// clearResults clears the results of the previous batch, and frees the memory of unusually large ones.
func (b *batch) clearResults() {
	b.results = b.results[:0]
	if c := cap(b.results); c == 0 || c > 4*fullLength {
		b.results = make([]byte, 0, minCapacity)
	}
	b.publish(b.results)
}

// append adds a result, in a larger buffer if necessary.
func (b *batch) append(result []byte) {
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
