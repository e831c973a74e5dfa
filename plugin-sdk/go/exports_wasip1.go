package mtl

import (
	"sync/atomic"
	"unsafe"
)

// The exported functions. Only this file handles addresses.
//
// Variables of the package hold all memory that the host may read or write. So the garbage collector keeps it, and it
// never moves live memory.

var (
	// buffer is the last buffer from mtl_alloc; the host owns it.
	buffer []byte
	// kept is the answer that the host may still read.
	kept []byte
	// results is the buffer for the results of a batch.
	results []byte
	worker  *guest
)

//go:wasmexport mtl_alloc
func alloc(length uint32) unsafe.Pointer {
	// The old buffer is released first, so that memory need not hold both.
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
	// SAFETY: a batch starts at an address from alloc, which is 8-aligned, and has at least four words.
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

// passed returns the bytes at an address of the host, which are in the buffer from alloc.
func passed(address, length uint32) []byte {
	if length == 0 {
		return []byte{}
	}
	start := address - addressOf(buffer)
	end := uint64(start) + uint64(length)
	return buffer[start:end:end]
}

// addressOf returns the address of bytes for the host. No code converts it back to a pointer.
func addressOf(bytes []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))
}

// word encodes an answer for the host: address, flags, length.
func word(answer answer) uint64 {
	kept = answer.bytes
	return uint64(addressOf(kept))<<32 | uint64(answer.flags) | uint64(len(kept))
}
