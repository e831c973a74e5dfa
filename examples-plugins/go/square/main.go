// Squares numbers. The lesson: an item that cannot be read is a bad item, and a valid item without a result
// is refused. Both have a message.
//
// Integers are squared exactly up to 128 bits, other numbers as floating-point numbers.
package main

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	mtl "mtl-plugin"
)

type square struct{}

func start(args []byte) (mtl.Worker, error) {
	if len(args) > 0 {
		return nil, errors.New("this worker takes no arguments")
	}
	return square{}, nil
}

func (square) Call(item []byte) ([]byte, error) {
	text, err := mtl.Text(item)
	if err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if whole, isWhole := new(big.Int).SetString(text, 10); isWhole && has128Bits(whole) {
		square := new(big.Int).Mul(whole, whole)
		if square.BitLen() > 128 {
			return nil, errors.New("the square has more than 128 bits")
		}
		return square.Append(nil, 10), nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) || strings.ContainsAny(text, "xX_") {
		return nil, mtl.BadItem("not a number: `%s`", text)
	}
	return formatNumber(number * number), nil
}

// has128Bits returns whether the number fits a signed integer of 128 bits.
func has128Bits(number *big.Int) bool {
	if number.Sign() < 0 {
		number = new(big.Int).Not(number)
	}
	return number.BitLen() < 128
}

// formatNumber returns the shortest decimal that reads back as the number, without an exponent.
func formatNumber(number float64) []byte {
	if math.IsInf(number, 0) {
		return []byte("inf")
	}
	return strconv.AppendFloat(nil, number, 'f', -1, 64)
}

func init() { mtl.Register(start) }
func main() {}
