// Counts words. The lesson: a worker keeps its state from item to item, and reports it at the end.
//
// The result of an item is the number of its words. What a worker has counted in all is its closing
// report; the sum over all workers is the sum over the input.
package main

import (
	"errors"
	"strconv"
	"strings"

	mtl "mtl-plugin"
)

type wordCount struct {
	Worker int `json:"worker"`
	Items  int `json:"items"`
	Words  int `json:"words"`
	Bytes  int `json:"bytes"`
}

func start(args []byte) (mtl.Worker, error) {
	if len(args) > 0 {
		return nil, errors.New("this worker takes no arguments")
	}
	mtl.ResultFormat(mtl.JSONFormat)
	return &wordCount{Worker: mtl.WorkerIndex()}, nil
}

func (count *wordCount) Call(item []byte) ([]byte, error) {
	text, err := mtl.Text(item)
	if err != nil {
		return nil, err
	}
	words := len(strings.Fields(text))
	count.Items++
	count.Words += words
	count.Bytes += len(text)
	return strconv.AppendInt(nil, int64(words), 10), nil
}

func (count *wordCount) Finish() ([]byte, error) { return mtl.JSON(count) }

func init() { mtl.Register(start) }
func main() {}
