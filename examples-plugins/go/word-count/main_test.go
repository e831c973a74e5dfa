package main

import (
	"testing"

	mtl "mtl-plugin"
)

func TestEachItemIsCountedAndTheReportSumsThemUp(t *testing.T) {
	worker, err := mtl.Run{WorkerIndex: 1, WorkerCount: 2}.Start()
	if err != nil || worker.Results() != mtl.JSONFormat {
		t.Fatal(err)
	}
	for _, row := range [][2]string{{"to be or not", "4"}, {"", "0"}, {"  naïve\tword ", "2"}} {
		if words, err := worker.Call(row[0]); words != row[1] || err != nil {
			t.Errorf("%q: got %q, %v", row[0], words, err)
		}
	}
	if _, err := worker.Call("\xff"); !mtl.IsBadItem(err) {
		t.Error(err)
	}
	if report, err := worker.Finish(); report != `{"worker":1,"items":3,"words":6,"bytes":26}` || err != nil {
		t.Error(report, err)
	}
}
