package mtl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// JSON writes a value as a result. Unlike [json.Marshal], it does not escape <, > and &.
func JSON(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// checkJSON returns the reason why the bytes are not one JSON value, or nil.
func checkJSON(value []byte) error {
	if valid := validUpTo(value); valid < len(value) {
		return fmt.Errorf("not UTF-8 from byte %d on", valid)
	}
	var raw json.RawMessage
	err := json.Unmarshal(value, &raw)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) && syntax.Offset > 0 {
		return fmt.Errorf("%w (byte %d)", err, syntax.Offset-1)
	}
	return err
}

// describe returns a text about a JSON value for a message.
func describe(value []byte) string {
	switch value = trimJSON(value); value[0] {
	case '"':
		return "string " + string(value)
	case '[':
		return "sequence"
	case '{':
		return "map"
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean `" + string(value) + "`"
	}
	if bytes.ContainsAny(value, ".eE") {
		return "floating point `" + string(value) + "`"
	}
	return "integer `" + string(value) + "`"
}
