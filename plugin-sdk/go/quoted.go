package mtl

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON strings without encoding/json, which would double the size of a small plugin. Unlike encoding/json, this code
// refuses bytes that are not UTF-8 and halves of surrogate pairs.

func trimJSON(value []byte) []byte { return bytes.Trim(value, " \t\r\n") }

// Quoted returns text as a JSON string. It makes a smaller plugin than [JSON].
func Quoted(text string) []byte {
	quoted := append(make([]byte, 0, len(text)+2), '"')
	for _, c := range text {
		at := strings.IndexRune("\"\\\b\f\n\r\t", c)
		switch {
		case at >= 0:
			quoted = append(quoted, '\\', "\"\\bfnrt"[at])
		case c < ' ':
			quoted = append(quoted, '\\', 'u', '0', '0', '0'+byte(c>>4), "0123456789abcdef"[c&15])
		default:
			quoted = utf8.AppendRune(quoted, c)
		}
	}
	return append(quoted, '"')
}

// jsonString decodes a JSON string.
func jsonString(value []byte) ([]byte, error) {
	value = trimJSON(value)
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return nil, errors.New("it does not end with a quote")
	}
	inside := value[1 : len(value)-1]
	if !utf8.Valid(inside) {
		return nil, errors.New("not UTF-8 from byte " + strconv.Itoa(validUpTo(inside)) + " on")
	}
	if bytes.IndexFunc(inside, isSpecial) < 0 {
		return inside, nil
	}
	text := make([]byte, 0, len(inside))
	for len(inside) > 0 {
		special := bytes.IndexFunc(inside, isSpecial)
		if special < 0 {
			return append(text, inside...), nil
		}
		text = append(text, inside[:special]...)
		character, length, err := escape(inside[special:])
		if err != nil {
			return nil, err
		}
		text = utf8.AppendRune(text, character)
		inside = inside[special+length:]
	}
	return text, nil
}

// isSpecial returns whether a JSON string must escape the character.
func isSpecial(c rune) bool { return c == '\\' || c == '"' || c < ' ' }

// escape decodes an escape and returns its length.
func escape(text []byte) (rune, int, error) {
	if text[0] == '"' {
		return 0, 0, errors.New("it ends before the item does")
	}
	if text[0] != '\\' {
		return 0, 0, errors.New("a control character in it")
	}
	if len(text) > 1 {
		if at := bytes.IndexByte([]byte("\"\\/bfnrt"), text[1]); at >= 0 {
			return rune("\"\\/\b\f\n\r\t"[at]), 2, nil
		}
	}
	first, isUnit := codeUnit(text)
	if !isUnit {
		return 0, 0, errors.New("an unknown escape")
	}
	if !utf16.IsSurrogate(first) {
		return first, 6, nil
	}
	second, _ := codeUnit(text[6:])
	pair := utf16.DecodeRune(first, second)
	if pair == utf8.RuneError {
		return 0, 0, errors.New("half of a surrogate pair")
	}
	return pair, 12, nil
}

// codeUnit returns the code unit of a \u escape.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	number, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(number), err == nil
}
