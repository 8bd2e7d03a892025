//go:build unix && !linux

package localpg

// memoryFolder is Linux's.
func memoryFolder() string { return "" }
