// Package mtl is the SDK for mtl-host plugins in Go. A worker starts once, keeps its state, and is called for each of its
// items.
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
// The host calls exported functions and never runs main. Therefore a program registers its worker in func init. The
// path of a call:
//
//	mtl_alloc, init, call(_batch), finish ─▶ exports ─▶ guest ─▶ Worker, TypedWorker
//	                                         (memory)   (items, answers)
package mtl

import "errors"

// A Worker works on its items, one at a time.
type Worker interface {
	// Call returns the record of this item, or [NoRecord], or another error. [BadItem] reports an invalid item; any
	// other error refuses the item.
	//
	// The item is the host's buffer. Call may change it in place and return a part of it. The next item overwrites
	// it, so copy what you keep.
	//
	// If the items of a run are JSON, Call gets JSON strings decoded and other values unchanged.
	Call(item []byte) ([]byte, error)
}

// A Finisher is a worker with a finish report.
type Finisher interface {
	// Finish runs once, after the last item. [NoRecord] means no report.
	Finish() ([]byte, error)
}

// A Restorer is a worker that prepares itself when it starts from a snapshot.
type Restorer interface {
	// AfterRestore replaces what copies must not share, such as open files. The host does not call it on a worker
	// that start created.
	AfterRestore()
}

// NoRecord is the error for an item that is valid but has no record.
var NoRecord = errors.New("no record")

// Register sets the function that starts a worker. Call it in a func init of the program.
//
// The host calls start once for each worker, with the text of --init. An error of start ends the run.
func Register(start func(args []byte) (Worker, error)) {
	startRegistered = func(args []byte) (*guest, error) {
		worker, err := start(args)
		if err != nil {
			return nil, err
		}
		items := ItemFormat()
		call := func(item []byte) ([]byte, error) {
			text, err := decodeText(item, items)
			if err != nil {
				return nil, BadItem("not a JSON string: %w", err)
			}
			return worker.Call(text)
		}
		return &guest{worker, call}, nil
	}
}
