package main

import (
	"testing"

	mtl "mtl-plugin"
)

func TestEveryoneIsGreeted(t *testing.T) {
	worker, err := mtl.Run{Args: "Hi"}.Start()
	if err != nil {
		t.Fatal(err)
	}
	if record, err := worker.Call("Ada"); record != "Hi, Ada!" || err != nil {
		t.Errorf("got %q, %v", record, err)
	}
	if _, err := worker.Call(""); !mtl.IsBadItem(err) {
		t.Errorf("got %v", err)
	}
	if report, err := worker.Finish(); report != "greeted: 1" || err != nil {
		t.Errorf("got %q, %v", report, err)
	}
}
