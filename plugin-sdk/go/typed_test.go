package mtl

import (
	"encoding/json"
	"fmt"
	"testing"
)

type row struct {
	item, expected string
}

// check calls the registered worker; a bad item is expected as `bad: …`, a refused one as `refused: …`.
func check(t *testing.T, run Run, rows []row) {
	t.Helper()
	worker, err := run.Start()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		got, err := worker.Call(row.item)
		switch {
		case err == NoRecord:
			got = "none"
		case IsBadItem(err):
			got = "bad: " + err.Error()
		case err != nil:
			got = "refused: " + err.Error()
		}
		if got != row.expected {
			t.Errorf("%s\n     got %s\nexpected %s", row.item, got, row.expected)
		}
	}
}

type call[In, Out any] func(In) (Out, error)

func (c call[In, Out]) Call(in In) (Out, error) { return c(in) }

func typed[In, Out any](c call[In, Out]) {
	RegisterTyped(func([]byte) (TypedWorker[In, Out], error) { return c, nil })
}

type several struct {
	Base  int64  `json:"base"`
	Label string `json:"the_label"`
	Most  *uint8 `json:"most"`
}

func registerSeveral() {
	typed(func(in several) (string, error) {
		if in.Most == nil {
			return fmt.Sprintf("%d %s", in.Base, in.Label), nil
		}
		return fmt.Sprintf("%d %s %d", in.Base, in.Label, *in.Most), nil
	})
}

const all = "`base`, `the_label` and `most`"

func TestAnArrayIsTheParametersByPosition(t *testing.T) {
	registerSeveral()
	check(t, Run{Passing: Args}, []row{
		{`[1,"a"]`, "1 a"},
		{` [ -2 , "a,\"]\u00e9" , null ] `, "-2 a,\"]é"},
		{`[1,"a",255]`, "1 a 255"},
		{`[-0,"a",-0]`, "0 a 0"},
		{`[1]`, "bad: parameter `the_label` is missing"},
		{`[]`, "bad: parameter `base` is missing"},
		{`[1,"a",3,4]`, "bad: an array of 4 elements, and the parameters are " + all},
		{`[1,"a",256]`, "bad: parameter `most`: invalid value: integer `256`, expected uint8"},
		{`[1,"a",-1]`, "bad: parameter `most`: invalid value: integer `-1`, expected uint8"},
		{`[1.0,"a"]`, "bad: parameter `base`: invalid type: floating point `1.0`, expected int64"},
		{`["1","a"]`, "bad: parameter `base`: invalid type: string \"1\", expected int64"},
		{`[null,"a"]`, "bad: parameter `base`: invalid type: null, expected int64"},
		{`[9223372036854775808,"a"]`, "bad: parameter `base`: invalid value: integer `9223372036854775808`, expected int64"},
		{`[1,2]`, "bad: parameter `the_label`: invalid type: integer `2`, expected a string"},
		{`[1,null]`, "bad: parameter `the_label`: invalid type: null, expected a string"},
		{`[1,"\ud800"]`, "bad: parameter `the_label`: half of a surrogate pair"},
		{`[1,"\ud83d\ude00\\ud800"]`, `1 😀\ud800`},
		{`5`, "bad: invalid type: integer `5`, expected an array of the parameters " + all},
		{`{}`, "bad: invalid type: map, expected an array of the parameters " + all},
		{`[1`, "bad: not a JSON array: unexpected end of JSON input (byte 1)"},
		{`[1] 2`, "bad: not a JSON array: invalid character '2' after top-level value (byte 4)"},
		{"[1,\"\xff\"]", "bad: not a JSON array: not UTF-8 from byte 4 on"},
		{``, "bad: not a JSON array: unexpected end of JSON input"},
	})
}

func TestAnObjectIsTheParametersByName(t *testing.T) {
	registerSeveral()
	check(t, Run{Passing: Kwargs, Items: JSONFormat}, []row{
		{`{"the_label":"a","base":1}`, "1 a"},
		{`{"most":3, "\u0062ase" : 1 ,"the-label":"{"}`, "1 { 3"},
		{`{"base":1,"the-label":"a","the_label":"b"}`, "bad: parameter `the_label` is given twice"},
		{`{"Base":1}`, "bad: unknown parameter `Base`; the parameters are " + all},
		{`{"\n":1}`, "bad: unknown parameter `\\n`; the parameters are " + all},
		{`{"most":3}`, "bad: parameter `base` is missing"},
		{`[1]`, "bad: invalid type: sequence, expected an object with the parameters " + all},
		{`{"base" 1}`, "bad: not a JSON object: invalid character '1' after object key (byte 8)"},
	})
}

func TestAnItemAloneIsTheOneParameter(t *testing.T) {
	registerSeveral()
	if _, err := (Run{}).Start(); err == nil || err.Error() != "`Call` has 3 parameters, "+all+
		": use `--args args` if an item is a JSON array of them, or `--args kwargs` if it is a JSON object" {
		t.Error(err)
	}

	typed(func(in struct{ Number float32 }) (float32, error) { return in.Number, nil })
	check(t, Run{}, []row{
		{" 1.5\r", "1.5"},
		{"1e39", "bad: parameter `Number`: invalid value: floating point `1e39`, expected float32"},
		{"one", "bad: parameter `Number`: not the expected JSON: invalid character 'o' looking for beginning of value (byte 0)"},
	})

	typed(func(in struct{ Text *string }) (string, error) {
		if in.Text == nil {
			return "", NoRecord
		}
		return *in.Text, nil
	})
	check(t, Run{}, []row{{"null", "null"}, {`"a"`, `"a"`}, {"\xff", "bad: parameter `Text`: not UTF-8 from byte 0 on"}})
	check(t, Run{Items: JSONFormat}, []row{{"null", "none"}, {`"a\n"`, "a\n"}, {"[1]", "[1]"}})
	check(t, Run{Passing: Args}, []row{{`["a"]`, "a"}, {"[]", "none"}, {"[null]", "none"}})

	typed(func(in struct{ Bytes []byte }) ([]byte, error) { return append(in.Bytes, '!'), nil })
	check(t, Run{}, []row{{"a\xff", "a\xff!"}, {"", "!"}})

	typed(func(in struct{ Raw json.RawMessage }) (any, error) { return in.Raw, nil })
	check(t, Run{}, []row{{` {"a":null} `, `{"a":null}`}, {"null", "null"}})
}

func TestResultsThatAreNotTextAreJSON(t *testing.T) {
	typed(func(struct{}) (map[string]any, error) { return map[string]any{"a": "<&>"}, nil })
	worker, err := Run{Passing: Kwargs}.Start()
	if err != nil || worker.Results() != JSONFormat {
		t.Fatal(err, worker.Results())
	}
	check(t, Run{Passing: Kwargs}, []row{{"{}", `{"a":"<&>"}`}})

	registerSeveral()
	if worker, _ := (Run{Passing: Args}).Start(); worker.Results() != TextFormat {
		t.Error("a string is text")
	}
}

func TestParametersAreTheFieldsOfAStruct(t *testing.T) {
	typed(func(in int) (int, error) { return in, nil })
	if _, err := (Run{}).Start(); err == nil || err.Error() != "`Call` takes `int`; it has to be a struct of parameters" {
		t.Error(err)
	}
	typed(func(struct{ hidden int }) (int, error) { return 0, nil })
	if _, err := (Run{}).Start(); err == nil {
		t.Error("a field that cannot be set is a parameter")
	}
}
