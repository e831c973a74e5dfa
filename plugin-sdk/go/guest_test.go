package mtl

import (
	"errors"
	"fmt"
	"testing"
)

type counter struct{ calls int }

func (c *counter) Call(item []byte) ([]byte, error) {
	c.calls++
	switch string(item) {
	case "none":
		return []byte("not this"), NoRecord
	case "bad":
		return nil, fmt.Errorf("the item: %w", BadItem("too short"))
	case "refused":
		return nil, errors.New("no")
	}
	return append(item, fmt.Sprint(c.calls)...), nil
}

func (c *counter) Finish() ([]byte, error) { return []byte(fmt.Sprint("calls: ", c.calls)), nil }

func (c *counter) AfterRestore() { c.calls = 100 }

func TestAWorkerKeepsItsStateAndAnswersEachItem(t *testing.T) {
	Register(func(args []byte) (Worker, error) {
		if len(args) > 0 {
			return nil, errors.New("no arguments")
		}
		return &counter{}, nil
	})
	if _, err := (Run{Args: "x"}).Start(); err == nil || err.Error() != "no arguments" {
		t.Error(err)
	}
	check(t, Run{}, []row{{"a", "a1"}, {"none", "none"}, {"bad", "bad: the item: too short"}, {"refused", "refused: no"}, {"", "5"}})
	check(t, Run{Items: JSONFormat}, []row{{` "a\n"`, "a\n1"}, {"[1]", "[1]2"}, {`"a`, "bad: not a JSON string: it does not end with a quote"}})

	worker, _ := Run{}.Start()
	worker.AfterRestore()
	if report, err := worker.Finish(); report != "calls: 100" || err != nil {
		t.Error(report, err)
	}
}

func TestTextThatIsNotUTF8HasAPosition(t *testing.T) {
	if _, err := Text([]byte("é\xff")); !IsBadItem(err) || err.Error() != "not UTF-8 from byte 2 on" {
		t.Error(err)
	}
	if text, err := Text([]byte("\ufffdé")); text != "\ufffdé" || err != nil {
		t.Error(text, err)
	}
}

func TestQuotedTextIsAJSONString(t *testing.T) {
	text := "a \"\\\b\f\n\r\t\x00\x1f\x7f é😀</"
	if quoted := string(Quoted(text)); quoted != `"a \"\\\b\f\n\r\t\u0000\u001f`+"\x7f é😀</\"" {
		t.Error(quoted)
	}
	if decoded, err := jsonString(Quoted(text)); string(decoded) != text || err != nil {
		t.Error(string(decoded), err)
	}
}

func TestAJSONStringIsDecoded(t *testing.T) {
	for _, row := range []row{
		{` "a" `, "a"},
		{`""`, ""},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"\u00e9\uD83D\ude00x"`, "é😀x"},
		{`"\ufffd"`, "\ufffd"},
		{`"`, "it does not end with a quote"},
		{`"a\"`, "an unknown escape"},
		{`"\x"`, "an unknown escape"},
		{`"\u12"`, "an unknown escape"},
		{`"\u+123"`, "an unknown escape"},
		{`"a"b"`, "it ends before the item does"},
		{"\"a\n\"", "a control character in it"},
		{`"\ud83d"`, "half of a surrogate pair"},
		{`"\ude00\ud83d"`, "half of a surrogate pair"},
		{"\"a\xff\"", "not UTF-8 from byte 1 on"},
	} {
		text, err := jsonString([]byte(row.item))
		if err != nil {
			text = []byte(err.Error())
		}
		if string(text) != row.expected {
			t.Errorf("%s: got %q", row.item, text)
		}
	}
}
