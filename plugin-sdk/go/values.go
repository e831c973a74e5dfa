package mtl

import "strings"

// The values of the parameters in a JSON array or object.

// findElements returns each parameter's element of a JSON array. Elements at the end may be missing.
func findElements(item []byte, parameters []parameter) ([][]byte, error) {
	rest, err := innerText(item, '[', "array of", parameters)
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(parameters))
	elements := 0
	for ; len(rest) > 0; elements++ {
		var value []byte
		value, rest = nextValue(rest)
		if elements < len(values) {
			values[elements] = value
		}
	}
	if elements > len(values) {
		return nil, BadItem("an array of %d elements, and the parameters are %s", elements, names(parameters))
	}
	return values, nil
}

// findMembers returns each parameter's member of a JSON object.
func findMembers(item []byte, parameters []parameter) ([][]byte, error) {
	rest, err := innerText(item, '{', "object with", parameters)
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(parameters))
	for len(rest) > 0 {
		var key, value []byte
		key, rest = nextValue(rest)
		value, rest = nextValue(rest)
		index, err := parameterIndex(key, parameters)
		if err != nil {
			return nil, err
		}
		if values[index] != nil {
			return nil, BadItem("parameter `%s` is given twice", parameters[index].name)
		}
		values[index] = value
	}
	return values, nil
}

// innerText returns the text between the brackets of an item, which must be valid JSON.
func innerText(item []byte, open byte, shape string, parameters []parameter) ([]byte, error) {
	noun, _, _ := strings.Cut(shape, " ")
	if err := checkJSON(item); err != nil {
		return nil, BadItem("not a JSON %s: %w", noun, err)
	}
	value := trimJSON(item)
	if value[0] != open {
		return nil, BadItem("invalid type: %s, expected an %s the parameters %s", describe(value), shape, names(parameters))
	}
	return trimJSON(value[1 : len(value)-1]), nil
}

// nextValue splits valid JSON after its first value and the following comma or colon.
func nextValue(text []byte) (value, rest []byte) {
	end, depth, quoted := 0, 0, false
scan:
	for ; end < len(text); end++ {
		switch c := text[end]; {
		case quoted && c == '\\':
			end++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case depth == 0 && (c == ',' || c == ':'):
			break scan
		}
	}
	return trimJSON(text[:end]), trimJSON(text[min(end+1, len(text)):])
}

// parameterIndex returns the index of the parameter that a key names. The key may have - for _.
func parameterIndex(key []byte, parameters []parameter) (int, error) {
	name, err := jsonString(key)
	if err != nil {
		return 0, BadItem("not a JSON string: %w", err)
	}
	for index, parameter := range parameters {
		if isNamed(parameter.name, string(name)) {
			return index, nil
		}
	}
	return 0, BadItem("unknown parameter `%s`; the parameters are %s", escapeName(string(name)), names(parameters))
}

// isNamed returns whether the key is the name, in which - may replace _.
func isNamed(name, key string) bool {
	if len(name) != len(key) {
		return false
	}
	for index := range len(name) {
		if name[index] != key[index] && !(name[index] == '_' && key[index] == '-') {
			return false
		}
	}
	return true
}
