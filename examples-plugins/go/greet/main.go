package main

import (
	"fmt"

	mtl "mtl-plugin"
)

type greet struct{ greeting string }

func start(greeting []byte) (mtl.Worker, error) { return &greet{string(greeting)}, nil }

func (g *greet) Call(name []byte) ([]byte, error) {
	return fmt.Appendf(nil, "%s, %s!", g.greeting, name), nil
}

func init() { mtl.Register(start) }
func main() {}
