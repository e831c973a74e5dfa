package mtl

import (
	"bytes"
	"errors"
	"fmt"
)

// What stands between the host's calls and the worker. It knows nothing of memory.

// registered starts what the program has registered.
var registered func(args []byte) (*guest, error)

// A guest is a worker that was started.
type guest struct {
	// worker is asked for what else it can do.
	worker any
	call   func(item []byte) ([]byte, error)
}

// An answer is what a worker has answered, with flags over a length of 30 bits.
type answer struct {
	bytes []byte
	flags uint32
}

const (
	failed    uint32 = 1 << 31
	noRecord  uint32 = 1 << 30
	maxLength        = 1<<30 - 1
)

func startGuest(args []byte) (*guest, error) {
	if registered == nil {
		return nil, errors.New("no worker: call `mtl.Register` in a `func init` of the program")
	}
	return registered(args)
}

// answer is what becomes of an item. A guest that is nil was never started.
func (g *guest) answer(item []byte) answer {
	if g == nil {
		return answerOf(nil, errors.New("called before `init`"))
	}
	return answerOf(g.call(item))
}

func (g *guest) finish() answer {
	if g == nil {
		return answerOf(nil, errors.New("finished before `init`, or twice"))
	}
	if worker, finishes := g.worker.(Finisher); finishes {
		return answerOf(worker.Finish())
	}
	return answer{flags: noRecord}
}

func (g *guest) afterRestore() {
	// Without a worker there is nothing that could differ.
	if g == nil {
		return
	}
	if worker, restores := g.worker.(Restorer); restores {
		worker.AfterRestore()
	}
}

func answerOf(record []byte, err error) answer {
	if err == nil && len(record) > maxLength {
		err = fmt.Errorf("a result of %d bytes; the longest that can be passed has %d", len(record), maxLength)
	}
	if err == nil {
		return answer{bytes: record}
	}
	if errors.Is(err, NoRecord) {
		return answer{flags: noRecord}
	}
	flags := failed
	if bad := (badItem{}); errors.As(err, &bad) {
		flags |= noRecord
	}
	return answer{[]byte(err.Error()), flags}
}

// saidBy is a text or bytes item: raw, or what a JSON string says where items are JSON.
func saidBy(item []byte, items Format) ([]byte, error) {
	if items != JSONFormat || !bytes.HasPrefix(trimJSON(item), []byte{'"'}) {
		return item, nil
	}
	return jsonString(item)
}
