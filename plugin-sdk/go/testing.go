//go:build !wasip1

package mtl

import "errors"

// Workers run natively under go test: bytes in, bytes out, as in the host.
//
//	worker, err := mtl.Run{Args: "Hello"}.Start()
//	record, err := worker.Call("you")

// A Run is what the stand-ins for the host answer. The zero value is one worker and text items.
type Run struct {
	// Args is the text of --init.
	Args string
	// WorkerIndex and WorkerCount are what the functions of these names answer; no count is one.
	WorkerIndex, WorkerCount uint32
	// Passing is --args.
	Passing Passing
	// Items is what every item is.
	Items Format
	// Logged gets every message, unless it is nil.
	Logged func(level Level, message string)
}

// An Instance is a worker that was started, as the host would start it.
type Instance struct{ guest *guest }

var (
	current Run
	// declared is the format that the worker has declared.
	declared Format
)

// Start starts the worker that the program has registered. There is one run at a time.
func (run Run) Start() (*Instance, error) {
	current, declared = run, TextFormat
	guest, err := startGuest([]byte(run.Args))
	if err != nil {
		return nil, err
	}
	return &Instance{guest}, nil
}

// Call is the record of an item. Its error is [NoRecord], or as [IsBadItem] says.
func (instance *Instance) Call(item string) (string, error) {
	// A copy, and so one that the worker may change, as that of the host.
	return said(instance.guest.answer([]byte(item)))
}

// Finish is the closing report of the worker, or [NoRecord].
func (instance *Instance) Finish() (string, error) { return said(instance.guest.finish()) }

// AfterRestore is what happens to a worker that is started from a snapshot.
func (instance *Instance) AfterRestore() { instance.guest.afterRestore() }

// Results is what the worker has declared its results to be.
func (instance *Instance) Results() Format { return declared }

// IsBadItem is whether an error says that the item is to blame. Other errors refuse it.
func IsBadItem(err error) bool { return errors.As(err, &badItem{}) }

func said(answer answer) (string, error) {
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
