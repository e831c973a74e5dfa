package mtl

import (
	"bytes"
	"errors"
	"fmt"
)

// The code between the host's calls and the worker. It does not handle addresses.

// startRegistered starts the worker that the program has registered.
var startRegistered func(args []byte) (*guest, error)

// A guest is a started worker.
type guest struct {
	// worker may implement [Finisher] and [Restorer].
	worker any
	call   func(item []byte) ([]byte, error)
}

// An answer is the answer of a worker, with flags above a length of 30 bits.
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
	if startRegistered == nil {
		return nil, errors.New("no worker: call `mtl.Register` in a `func init` of the program")
	}
	return startRegistered(args)
}

// answer calls the worker with an item. A nil guest has not started.
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
	// Before init, no state could differ between copies.
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

// decodeText returns a text or bytes item. If items are JSON, it decodes a string; everything else stays unchanged.
func decodeText(item []byte, items Format) ([]byte, error) {
	if items != JSONFormat || !bytes.HasPrefix(trimJSON(item), []byte{'"'}) {
		return item, nil
	}
	return jsonString(item)
}
