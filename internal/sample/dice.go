package sample

import "math/rand/v2"

// dice is one stream of random choices. Each part of a data set has its own stream, so
// that a change in one part leaves the others as they were. Only whole numbers are drawn:
// the result is the same on every machine.
type dice struct{ r *rand.Rand }

func newDice(seed, stream uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, 0x6d6f6174<<8|stream))}
}

// upTo returns 0 to n-1.
func (d dice) upTo(n int) int { return d.r.IntN(n) }

// between returns low to high, both included.
func (d dice) between(low, high int) int { return low + d.r.IntN(high-low+1) }

// percent is true in p of 100 cases.
func (d dice) percent(p int) bool { return d.r.IntN(100) < p }

// pick returns one of the choices, each as often as its weight says.
func (d dice) pick(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := d.r.IntN(total)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func choose[T any](d dice, of []T) T { return of[d.r.IntN(len(of))] }

func shuffle[T any](d dice, of []T) {
	d.r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
}
