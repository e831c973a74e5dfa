package mtl

import (
	"fmt"
	"unicode/utf8"
)

type badItem struct{ error }

// Unwrap returns the error of a %w in the format.
func (bad badItem) Unwrap() error { return bad.error }

// BadItem returns the error of an invalid item. It formats like [fmt.Errorf]. An error that wraps it marks the item as
// invalid.
func BadItem(format string, args ...any) error {
	return badItem{fmt.Errorf(format, args...)}
}

// Text returns the item as text, or a [BadItem] error if it is not UTF-8.
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
