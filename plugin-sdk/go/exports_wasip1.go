package mtl

import (
	"sync/atomic"
	"unsafe"
)

// The exported functions: the only ones that know addresses.
//
// What the host may read or write is kept in variables of the package, so that the collector leaves it
// where it is; it never moves what is alive.

var (
	// buffer is the host's: what mtl_alloc gave last.
	buffer []byte
	// kept is the answer that the host may still be reading.
	kept []byte
	// results is where those of a batch are made.
	results []byte
	worker  *guest
)

//go:wasmexport mtl_alloc
func alloc(length uint32) unsafe.Pointer {
	// Let go first, so that both need not fit.
	buffer = nil
	buffer = bytesOf(make([]uint64, (uint64(length)+7)/8))
	return unsafe.Pointer(unsafe.SliceData(buffer))
}

//go:wasmexport init
func exportedInit(address, length uint32) uint64 {
	var err error
	worker, err = startGuest(passed(address, length))
	return word(answerOf(nil, err))
}

//go:wasmexport call
func exportedCall(address, length uint32) uint64 {
	return word(worker.answer(passed(address, length)))
}

//go:wasmexport call_batch
func exportedCallBatch(address uint32) uint32 {
	memory := buffer[address-addressOf(buffer):]
	// SAFETY: a batch begins 8-aligned, at what alloc gave, and has its four words.
	out := (*uint32)(unsafe.Pointer(&memory[outAt]))
	publish := func(now []byte) {
		atomic.StoreUint32(out, addressOf(now))
		kept = now
	}
	results = (&batch{memory, results, publish}).work(worker)
	return 0
}

//go:wasmexport finish
func exportedFinish() uint64 {
	answer := worker.finish()
	worker = nil
	return word(answer)
}

//go:wasmexport after_restore
func exportedAfterRestore() { worker.afterRestore() }

// passed is what the host means by this address and length, which lie in the buffer it was given.
func passed(address, length uint32) []byte {
	if length == 0 {
		return []byte{}
	}
	start := address - addressOf(buffer)
	end := uint64(start) + uint64(length)
	return buffer[start:end:end]
}

// addressOf is where bytes are, as the host counts: it is only told, and never made a pointer again.
func addressOf(bytes []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))
}

// word is an answer as the host reads it: address, flags, length.
func word(answer answer) uint64 {
	kept = answer.bytes
	return uint64(addressOf(kept))<<32 | uint64(answer.flags) | uint64(len(kept))
}
