// Package mtl writes plugins for mtl-host: a worker is started once, keeps its state, and is called
// for each of its items.
//
//	package main
//
//	import mtl "mtl-plugin"
//
//	type greeter struct{ greeting string }
//
//	func start(args []byte) (mtl.Worker, error) { return &greeter{string(args)}, nil }
//
//	func (g *greeter) Call(item []byte) ([]byte, error) {
//		return []byte(g.greeting + ", " + string(item)), nil
//	}
//
//	func init() { mtl.Register(start) }
//	func main() {}
//
// The host calls exported functions, and main is never run: that is why a worker is registered in
// func init. What follows a call on its way in:
//
//	mtl_alloc, init, call(_batch), finish ─▶ exports ─▶ guest ─▶ Worker, TypedWorker
//	                                         (memory)   (items, answers)
package mtl

import "errors"

// A Worker works on its items, one at a time.
type Worker interface {
	// Call answers with the record of this item, with [NoRecord] where there is none, or with an
	// error. [BadItem] says that the item is to blame; any other error refuses it.
	//
	// The item is the host's buffer. It may be changed in place, and the record may be a part of it,
	// but the next item overwrites it: what is kept for later has to be copied.
	//
	// Where the items of a run are JSON, an item that is a JSON string is what the string says, and
	// any other value is as it is written.
	Call(item []byte) ([]byte, error)
}

// A Finisher is a worker that makes a closing report.
type Finisher interface {
	// Finish runs once, when there are no more items. [NoRecord] is no report.
	Finish() ([]byte, error)
}

// A Restorer is a worker that can be started from a snapshot.
type Restorer interface {
	// AfterRestore makes good what should not be a copy, such as open files. It is not called on a
	// worker that was started by itself.
	AfterRestore()
}

// NoRecord is the error that says there is nothing to write for this item, and nothing wrong.
var NoRecord = errors.New("no record")

// Register says how the worker is started. It is called from a func init of the program.
//
// start gets the text of --init, and its error ends the run. It is called once for each worker.
func Register(start func(args []byte) (Worker, error)) {
	registered = func(args []byte) (*guest, error) {
		worker, err := start(args)
		if err != nil {
			return nil, err
		}
		items := ItemFormat()
		call := func(item []byte) ([]byte, error) {
			said, err := saidBy(item, items)
			if err != nil {
				return nil, BadItem("not a JSON string: %w", err)
			}
			return worker.Call(said)
		}
		return &guest{worker, call}, nil
	}
}
