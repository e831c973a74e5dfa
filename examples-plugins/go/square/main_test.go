package main

import (
	"testing"

	mtl "mtl-plugin"
)

func TestNumbersAreSquaredAndOtherItemsHaveAMessage(t *testing.T) {
	worker, err := mtl.Run{}.Start()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		item, record, problem string
		bad                   bool
	}{
		{item: "12", record: "144"},
		{item: " -12\r", record: "144"},
		{item: "1.5", record: "2.25"},
		{item: "1e3", record: "1000000"},
		{item: "18446744073709551615", record: "340282366920938463426481119284349108225"},
		{item: "18446744073709551616", problem: "the square has more than 128 bits"},
		{item: "twelve", problem: "not a number: `twelve`", bad: true},
		{item: "", problem: "not a number: ``", bad: true},
		{item: "0x10", problem: "not a number: `0x10`", bad: true},
	} {
		record, err := worker.Call(row.item)
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		if record != row.record || problem != row.problem || mtl.IsBadItem(err) != row.bad {
			t.Errorf("%q: got %q, %v", row.item, record, err)
		}
	}
}
