// my-worker greets names and counts its greetings.
package main

import (
	"fmt"

	mtl "mtl-plugin"
)

type worker struct {
	greeting string
	greeted  int
}

// start starts a worker. args is the text of --init.
func start(args []byte) (mtl.Worker, error) {
	if len(args) == 0 {
		return &worker{greeting: "Hello"}, nil
	}
	return &worker{greeting: string(args)}, nil
}

// Call returns the record of one item.
func (w *worker) Call(item []byte) ([]byte, error) {
	name, err := mtl.Text(item)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, mtl.BadItem("there is nobody to greet")
	}
	w.greeted++
	return fmt.Appendf(nil, "%s, %s!", w.greeting, name), nil
}

// Finish returns the finish report.
func (w *worker) Finish() ([]byte, error) {
	return fmt.Appendf(nil, "greeted: %d", w.greeted), nil
}

func init() { mtl.Register(start) }
func main() {}
