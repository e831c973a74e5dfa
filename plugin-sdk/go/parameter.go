package mtl

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Parameters of a TypedWorker. A text or bytes parameter takes the item unchanged, or the text of a JSON string. Every
// other parameter takes a JSON value.

// A parameter is a field of the struct that Call takes.
type parameter struct {
	name string
	// field is its index in the struct.
	field int
	kind  reflect.Type
	// optional is true if the field is a pointer; kind is then the type that it points to.
	optional bool
}

// An argument is the value for a parameter.
type argument struct {
	bytes []byte
	// whole is true if the argument is the whole item, not a value inside it.
	whole bool
	items Format
}

var (
	bytesType       = reflect.TypeFor[[]byte]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func parametersOf(in reflect.Type) ([]parameter, error) {
	if in.Kind() != reflect.Struct {
		return nil, fmt.Errorf("`Call` takes `%s`; it has to be a struct of parameters", in)
	}
	var parameters []parameter
	for index := range in.NumField() {
		field := in.Field(index)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if !field.IsExported() {
			return nil, fmt.Errorf("parameter `%s` of `Call` has to begin with a capital letter; its name can be a tag: `json:\"…\"`", field.Name)
		}
		if name == "" {
			name = field.Name
		}
		kind, optional := field.Type, false
		if kind.Kind() == reflect.Pointer {
			kind, optional = kind.Elem(), true
		}
		parameters = append(parameters, parameter{name, index, kind, optional})
	}
	return parameters, nil
}

// names returns the names for a sentence: `a`, `b` and `c`.
func names(parameters []parameter) string {
	var list strings.Builder
	for index, parameter := range parameters {
		switch {
		case index == 0:
		case index+1 == len(parameters):
			list.WriteString(" and ")
		default:
			list.WriteString(", ")
		}
		list.WriteString("`" + parameter.name + "`")
	}
	return list.String()
}

// escapeName returns the name with escapes for a message.
func escapeName(name string) string {
	quoted := strconv.Quote(name)
	return quoted[1 : len(quoted)-1]
}

// fill sets the field of this parameter. An argument without bytes is missing.
func (p parameter) fill(in reflect.Value, value argument) error {
	target := in.Field(p.field)
	if value.bytes == nil {
		if p.optional {
			return nil
		}
		return BadItem("parameter `%s` is missing", p.name)
	}
	if p.optional {
		anyText := isText(p.kind) && value.whole && value.items == TextFormat
		if !anyText && isNull(value.bytes) {
			return nil
		}
		target.Set(reflect.New(p.kind))
		target = target.Elem()
	}
	read := readJSON
	if isText(p.kind) {
		read = readText
	}
	if err := read(target, value); err != nil {
		return BadItem("parameter `%s`: %w", p.name, err)
	}
	return nil
}

func isText(kind reflect.Type) bool {
	if pointer := reflect.PointerTo(kind); pointer.Implements(unmarshaler) || pointer.Implements(textUnmarshaler) {
		return false
	}
	return kind == bytesType || kind.Kind() == reflect.String
}

func isNull(value []byte) bool { return bytes.Equal(trimJSON(value), []byte("null")) }

func readText(target reflect.Value, value argument) (err error) {
	text := value.bytes
	switch {
	case value.whole:
		if text, err = decodeText(text, value.items); err != nil {
			return fmt.Errorf("not a JSON string: %w", err)
		}
	case text[0] != '"':
		return fmt.Errorf("invalid type: %s, expected a string", describe(text))
	default:
		if text, err = jsonString(text); err != nil {
			return err
		}
	}
	if target.Type() == bytesType {
		target.SetBytes(text)
		return nil
	}
	valid, err := Text(text)
	target.SetString(valid)
	return err
}

func readJSON(target reflect.Value, value argument) error {
	if value.whole {
		if err := checkJSON(value.bytes); err != nil {
			return fmt.Errorf("not the expected JSON: %w", err)
		}
	}
	if isNull(value.bytes) && !takesNull(target.Type()) {
		return fmt.Errorf("invalid type: null, expected %s", target.Type())
	}
	if target.CanUint() && !reflect.PointerTo(target.Type()).Implements(unmarshaler) && bytes.Equal(trimJSON(value.bytes), []byte("-0")) {
		// -0 is zero, although Go accepts no sign here.
		target.SetUint(0)
		return nil
	}
	err := json.Unmarshal(value.bytes, target.Addr().Interface())
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field == "" && wrong.Type == target.Type() {
		return mismatch(value.bytes, target.Type())
	}
	return err
}

// takesNull returns whether null is a value of the type. encoding/json accepts null for every type and then leaves the
// value unchanged.
func takesNull(kind reflect.Type) bool {
	return kind.Kind() == reflect.Interface || reflect.PointerTo(kind).Implements(unmarshaler)
}

// mismatch returns the error of a value that has another type or does not fit.
func mismatch(value []byte, kind reflect.Type) error {
	wrong := "type"
	found := describe(value)
	isInteger := strings.HasPrefix(found, "integer")
	switch kind.Kind() {
	case reflect.Float32, reflect.Float64:
		if isInteger || strings.HasPrefix(found, "floating") {
			wrong = "value"
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if isInteger {
			wrong = "value"
		}
	}
	return fmt.Errorf("invalid %s: %s, expected %s", wrong, found, kind)
}
