package mtl

import (
	"sync/atomic"
	"unsafe"
)

// The exported functions. Only this file handles addresses.
//
// Variables of the package hold all memory that the host may read or write. Therefore the garbage collector
// keeps that memory; it never moves live memory.

var (
	// buffer is the last buffer from mtl_alloc; the host owns it.
	buffer []byte
	// lastAnswer holds the bytes that the host may still read.
	lastAnswer []byte
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
	worker, err = startGuest(bytesAt(address, length))
	return encodeWord(answerOf(nil, err))
}

//go:wasmexport call
func exportedCall(address, length uint32) uint64 {
	return encodeWord(worker.answer(bytesAt(address, length)))
}

//go:wasmexport call_batch
func exportedCallBatch(address uint32) uint32 {
	memory := buffer[address-addressOf(buffer):]
	// SAFETY: a batch starts at an address from alloc, which is 8-aligned, and has at least four words.
	out := (*uint32)(unsafe.Pointer(&memory[outAt]))
	publish := func(current []byte) {
		atomic.StoreUint32(out, addressOf(current))
		lastAnswer = current
	}
	results = (&batch{memory, results, publish}).run(worker)
	return 0
}

//go:wasmexport finish
func exportedFinish() uint64 {
	answer := worker.finish()
	worker = nil
	return encodeWord(answer)
}

//go:wasmexport after_restore
func exportedAfterRestore() { worker.afterRestore() }

// bytesAt returns the bytes at an address from the host, which are in the buffer from alloc.
func bytesAt(address, length uint32) []byte {
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

// encodeWord encodes an answer for the host: address, flags, length.
func encodeWord(answer answer) uint64 {
	lastAnswer = answer.bytes
	return uint64(addressOf(lastAnswer))<<32 | uint64(answer.flags) | uint64(len(lastAnswer))
}
