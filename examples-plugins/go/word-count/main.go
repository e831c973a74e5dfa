// Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.
//
// The result of an item is its number of words. The finish report is the total of the worker; the
// totals of all workers add up to that of the input.
package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	mtl "mtl-plugin"
)

type wordCount struct{ worker, items, words, bytes int }

func start(args []byte) (mtl.Worker, error) {
	if len(args) > 0 {
		return nil, errors.New("this worker takes no arguments")
	}
	mtl.ResultFormat(mtl.JSONFormat)
	return &wordCount{worker: mtl.WorkerIndex()}, nil
}

func (count *wordCount) Call(item []byte) ([]byte, error) {
	text, err := mtl.Text(item)
	if err != nil {
		return nil, err
	}
	words := len(strings.Fields(text))
	count.items++
	count.words += words
	count.bytes += len(text)
	return strconv.AppendInt(nil, int64(words), 10), nil
}

// Finish writes its JSON by hand, because encoding/json would double the size of this small plugin.
func (count *wordCount) Finish() ([]byte, error) {
	return fmt.Appendf(nil, `{"worker":%d,"items":%d,"words":%d,"bytes":%d}`,
		count.worker, count.items, count.words, count.bytes), nil
}

func init() { mtl.Register(start) }
func main() {}
