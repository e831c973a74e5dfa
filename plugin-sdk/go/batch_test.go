package mtl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// hostBatch is a batch as the host sees it.
type hostBatch struct {
	batch
	out []byte
}

func newBatch(items ...string) *hostBatch {
	host := &hostBatch{}
	host.memory = bytesOf(make([]uint64, 1024))
	put := binary.LittleEndian.PutUint32
	put(host.memory, uint32(len(items)))
	text := ""
	for index, item := range items {
		text += item
		put(host.memory[endsAt+4*index:], uint32(len(text)))
	}
	copy(host.memory[endsAt+4*len(items):], text)
	host.publish = func(results []byte) { host.out = results }
	return host
}

func (host *hostBatch) read(at int) uint32 { return binary.LittleEndian.Uint32(host.memory[at:]) }

// ends returns the word of each finished item: flags, and the end of its result.
func (host *hostBatch) ends() (ends []uint32) {
	for index := range int(host.read(doneAt)) {
		ends = append(ends, host.read(endsAt+4*index))
	}
	return ends
}

func guestOf(call func(item []byte) ([]byte, error)) *guest { return &guest{nil, call} }

func TestEachItemOfABatchHasItsAnswer(t *testing.T) {
	host := newBatch("one", "", "none", "bad", "no", "six")
	host.run(guestOf(func(item []byte) ([]byte, error) {
		switch string(item) {
		case "none":
			return nil, NoRecord
		case "bad":
			return nil, BadItem("b")
		case "no":
			return nil, errors.New("n")
		}
		return append(item, '!'), nil
	}))
	expected := []uint32{4, 5, noRecord | 5, failed | noRecord | 6, failed | 7, 11}
	if got := host.ends(); len(got) != len(expected) {
		t.Fatal(got)
	} else {
		for index := range got {
			if got[index] != expected[index] {
				t.Errorf("item %d: %x, expected %x", index, got[index], expected[index])
			}
		}
	}
	if got := string(host.out[:11]); got != "one!!bnsix!" {
		t.Error(got)
	}
}

func TestTheHostGetsTheAddressOfEachLargerBuffer(t *testing.T) {
	host := newBatch("a", "b", "c")
	var published [][]byte
	host.publish = func(results []byte) { published = append(published, results); host.out = results }
	host.run(guestOf(func(item []byte) ([]byte, error) { return bytes.Repeat(item, 3000), nil }))
	if len(published) != 3 {
		t.Fatal(len(published), "buffers were published")
	}
	if got := host.out[:9000]; got[0] != 'a' || got[3000] != 'b' || got[8999] != 'c' {
		t.Error("results are not those of their items")
	}
}

func TestABatchEndsOnStopOrWithLargeResults(t *testing.T) {
	stop := newBatch("a", "b", "c")
	stop.run(guestOf(func(item []byte) ([]byte, error) {
		if string(item) == "b" {
			stop.memory[stopAt] = 1
		}
		return item, nil
	}))
	if got := stop.read(doneAt); got != 2 {
		t.Error(got, "items are done, and 2 are before stop")
	}

	large := bytes.Repeat([]byte("x"), fullLength)
	full := newBatch("a", "b")
	full.run(guestOf(func([]byte) ([]byte, error) { return large, nil }))
	if got := full.ends(); len(got) != 1 || got[0] != fullLength || &full.out[0] != &large[0] {
		t.Error(got, "the large result was not published in place")
	}
	if len(full.results) > 0 && &full.results[0] == &large[0] {
		t.Error("the next batch would overwrite the memory of the worker")
	}
}
