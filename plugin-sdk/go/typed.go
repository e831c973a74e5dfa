package mtl

import (
	"fmt"
	"reflect"
)

// A TypedWorker is a worker whose Call takes parameters: the fields of the struct In.
//
//	type parameters struct {
//		Base     int64  `json:"base"`
//		Exponent uint32 `json:"exponent"`
//		Modulus  *int64 `json:"modulus"`
//	}
//
// The tag is the name of a parameter; without a tag, the field's name is. A parameter of a pointer type may be left out
// or null, and is then nil. A string or []byte takes the item unchanged, or the text of a JSON string. encoding/json
// reads any other type.
//
// Out may be string or []byte. Any other type is written as JSON, and declared as JSON to the host.
type TypedWorker[In, Out any] interface {
	// Call works on one item, like Call of a [Worker].
	Call(in In) (Out, error)
}

// RegisterTyped is [Register] for a worker whose items fill parameters, as set by --args.
func RegisterTyped[In, Out any](start func(args []byte) (TypedWorker[In, Out], error)) {
	startRegistered = func(args []byte) (*guest, error) {
		spread, err := spreadInto(reflect.TypeFor[In]())
		if err != nil {
			return nil, err
		}
		if isJSONResult[Out]() {
			ResultFormat(JSONFormat)
		}
		worker, err := start(args)
		if err != nil {
			return nil, err
		}
		call := func(item []byte) ([]byte, error) {
			var in In
			if err := spread(item, reflect.ValueOf(&in).Elem()); err != nil {
				return nil, err
			}
			out, err := worker.Call(in)
			if err != nil {
				return nil, err
			}
			return encodeOutput[Out](out)
		}
		return &guest{worker, call}, nil
	}
}

// spreadInto returns the function that spreads an item over the fields of a struct, as set by --args.
func spreadInto(in reflect.Type) (func(item []byte, in reflect.Value) error, error) {
	parameters, err := parametersOf(in)
	if err != nil {
		return nil, err
	}
	passing, items := Passing(argumentPassing()), ItemFormat()
	if passing == Single && len(parameters) > 1 {
		return nil, fmt.Errorf("`Call` has %d parameters, %s: use `--args args` if an item is a JSON array of them, "+
			"or `--args kwargs` if it is a JSON object", len(parameters), names(parameters))
	}
	split := func(item []byte) ([][]byte, error) {
		switch passing {
		case Args:
			return findElements(item, parameters)
		case Kwargs:
			return findMembers(item, parameters)
		}
		return [][]byte{item}, nil
	}
	return func(item []byte, in reflect.Value) error {
		values, err := split(item)
		if err != nil {
			return err
		}
		for index, parameter := range parameters {
			if err := parameter.fill(in, argument{values[index], passing == Single, items}); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func isJSONResult[Out any]() bool {
	var out Out
	switch any(out).(type) {
	case string, []byte:
		return false
	}
	return true
}

// encodeOutput writes a result according to the declared type, which determines the format declared to the host.
func encodeOutput[Out any](out Out) ([]byte, error) {
	switch out := any(&out).(type) {
	case *string:
		return []byte(*out), nil
	case *[]byte:
		return *out, nil
	}
	return JSON(out)
}
