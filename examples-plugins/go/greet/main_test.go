package main

import (
	"testing"

	mtl "mtl-plugin"
)

func TestEveryoneIsGreetedAsInitWasTold(t *testing.T) {
	worker, err := mtl.Run{Args: "Hello"}.Start()
	if err != nil {
		t.Fatal(err)
	}
	if record, err := worker.Call("Ada"); record != "Hello, Ada!" || err != nil {
		t.Errorf("got %q, %v", record, err)
	}
}
