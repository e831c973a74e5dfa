package mtl

import (
	"fmt"
	"unicode/utf8"
)

type badItem struct{ error }

// Unwrap gives what a %w of the format stands for.
func (bad badItem) Unwrap() error { return bad.error }

// BadItem is the error of an item that cannot be read as what it should be. It formats as
// [fmt.Errorf] does. An error that wraps one says the same of the item.
func BadItem(format string, args ...any) error {
	return badItem{fmt.Errorf(format, args...)}
}

// Text is the item as text, or the error of an item that is not UTF-8.
func Text(item []byte) (string, error) {
	if valid := validUpTo(item); valid < len(item) {
		return "", BadItem("not UTF-8 from byte %d on", valid)
	}
	return string(item), nil
}

func validUpTo(text []byte) int {
	if utf8.Valid(text) {
		return len(text)
	}
	valid := 0
	for {
		r, size := utf8.DecodeRune(text[valid:])
		if r == utf8.RuneError && size <= 1 {
			return valid
		}
		valid += size
	}
}
