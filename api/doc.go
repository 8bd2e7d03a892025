// Package api has every exported identifier of the public packages in a listing, one file for each, so that a change of the
// API is seen in review. The tests compare; go test ./api -update writes the listings anew.
package api
