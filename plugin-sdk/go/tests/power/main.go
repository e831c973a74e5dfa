// Raises numbers to powers: base to the exponent, modulo the modulus if the item has one.
package main

import (
	"errors"
	"math/big"

	mtl "mtl-plugin"
)

type parameters struct {
	Base     int64  `json:"base"`
	Exponent uint32 `json:"exponent"`
	Modulus  *int64 `json:"modulus"`
}

type power struct{}

func start([]byte) (mtl.TypedWorker[parameters, int64], error) { return power{}, nil }

func (power) Call(in parameters) (int64, error) {
	result, err := raised(in.Base, in.Exponent)
	if err != nil || in.Modulus == nil {
		return result, err
	}
	if *in.Modulus == 0 {
		return 0, mtl.BadItem("nothing can be divided by this `modulus`")
	}
	return new(big.Int).Mod(big.NewInt(result), big.NewInt(*in.Modulus)).Int64(), nil
}

func raised(base int64, exponent uint32) (int64, error) {
	if -1 <= base && base <= 1 {
		// Only the parity of the exponent matters, and the exponent may be large.
		exponent = min(exponent, 2+exponent%2)
	}
	if exponent > 63 {
		return 0, errTooLarge
	}
	result := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(exponent)), nil)
	if !result.IsInt64() {
		return 0, errTooLarge
	}
	return result.Int64(), nil
}

var errTooLarge = errors.New("the power has more than 64 bits")

func init() { mtl.RegisterTyped(start) }
func main() {}
