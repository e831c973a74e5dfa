//go:build !wasip1

package mtl

import "errors"

// Workers run natively under go test; they take bytes and return bytes, as in the host.
//
//	worker, err := mtl.Run{Args: "Hello"}.Start()
//	record, err := worker.Call("you")

// A Run has the answers of the stand-ins for the host (default: one worker, text items).
type Run struct {
	// Args is the text of --init.
	Args string
	// WorkerIndex and WorkerCount are the results of the functions of these names. A count of 0 means 1.
	WorkerIndex, WorkerCount uint32
	// Passing is --args.
	Passing Passing
	// Items is the format of the items.
	Items Format
	// Logged gets every message. It may be nil.
	Logged func(level Level, message string)
}

// An Instance is a running worker, started as the host starts it.
type Instance struct{ guest *guest }

var (
	current Run
	// declaredFormat is the format that the worker has declared.
	declaredFormat Format
)

// Start starts the worker that the program has registered. Only one run exists at a time.
func (run Run) Start() (*Instance, error) {
	current, declaredFormat = run, TextFormat
	guest, err := startGuest([]byte(run.Args))
	if err != nil {
		return nil, err
	}
	return &Instance{guest}, nil
}

// Call returns the record of an item. Its error may be [NoRecord]; [IsBadItem] recognizes invalid items.
func (instance *Instance) Call(item string) (string, error) {
	// The worker may change this copy, like the host's buffer.
	return decodeAnswer(instance.guest.answer([]byte(item)))
}

// Finish returns the finish report of the worker, or [NoRecord].
func (instance *Instance) Finish() (string, error) { return decodeAnswer(instance.guest.finish()) }

// AfterRestore calls the worker's AfterRestore, as for a start from a snapshot.
func (instance *Instance) AfterRestore() { instance.guest.afterRestore() }

// Results returns the format that the worker has declared for its results.
func (instance *Instance) Results() Format { return declaredFormat }

// IsBadItem returns whether an error marks the item as invalid. Other errors refuse the item.
func IsBadItem(err error) bool { return errors.As(err, &badItem{}) }

// decodeAnswer returns the record or the error of an answer.
func decodeAnswer(answer answer) (string, error) {
	message := errors.New(string(answer.bytes))
	switch answer.flags {
	case 0:
		return string(answer.bytes), nil
	case noRecord:
		return "", NoRecord
	case failed:
		return "", message
	}
	return "", badItem{message}
}
