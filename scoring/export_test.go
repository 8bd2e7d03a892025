package scoring

// GoldenVectors are the reference vectors, for the tests of the store.
var GoldenVectors = goldenVectors
