// Answers commands, so that one table of items in tests/integration/languages.rs tests every part of every SDK.
package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	mtl "mtl-plugin"
)

type probe struct {
	args  string
	calls int
}

func start(args []byte) (mtl.Worker, error) {
	if message, fails := strings.CutPrefix(string(args), "fail "); fails {
		return nil, errors.New(message)
	}
	if string(args) == "json" {
		mtl.ResultFormat(mtl.JSONFormat)
	}
	return &probe{args: string(args)}, nil
}

func (p *probe) Call(item []byte) ([]byte, error) {
	p.calls++
	record, err := p.obey(string(item))
	if err != nil {
		return nil, err
	}
	if p.args == "json" {
		return mtl.Quoted(record), nil
	}
	return []byte(record), nil
}

func (p *probe) obey(item string) (string, error) {
	command, rest, _ := strings.Cut(item, " ")
	switch command {
	case "":
		return "", nil
	case "echo":
		return rest, nil
	case "bytes":
		if count, err := strconv.Atoi(rest); err == nil && count >= 0 {
			return strings.Repeat("x", count), nil
		}
	case "state":
		return strconv.Itoa(p.calls), nil
	case "init":
		return p.args, nil
	case "refuse":
		return "", errors.New(rest)
	case "bad":
		return "", mtl.BadItem("%s", rest)
	case "skip":
		return "", mtl.NoRecord
	case "worker":
		return fmt.Sprintf("%d/%d", mtl.WorkerIndex(), mtl.WorkerCount()), nil
	case "format":
		return map[mtl.Format]string{mtl.TextFormat: "text", mtl.JSONFormat: "json"}[mtl.ItemFormat()], nil
	case "log":
		name, message, _ := strings.Cut(rest, " ")
		if level, known := levels[name]; known {
			mtl.Log(level, message)
			return "logged", nil
		}
	case "trap":
		panic("trap requested")
	}
	return "", mtl.BadItem("unknown command `%s`", item)
}

var levels = map[string]mtl.Level{
	"trace": mtl.LevelTrace,
	"debug": mtl.LevelDebug,
	"info":  mtl.LevelInfo,
	"warn":  mtl.LevelWarn,
	"error": mtl.LevelError,
}

func (p *probe) Finish() ([]byte, error) { return fmt.Appendf(nil, "calls: %d", p.calls), nil }

func init() { mtl.Register(start) }
func main() {}
