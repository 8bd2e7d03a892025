//go:build race

package dbtest

// testsAtOnce is how many tests run beside one another for each processor: with the race detector they work enough.
const testsAtOnce = 1
