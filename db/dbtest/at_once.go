//go:build !race

package dbtest

// testsAtOnce is how many tests run beside one another for each processor: they wait more than they work.
const testsAtOnce = 3
