package main

import (
	"crypto/rand"
	"net"
	"net/netip"
	"strings"
)

// listenFlags say who gets in, and where.
type listenFlags struct {
	Addr       string `name:"addr" envvar:"HTTP_ADDR" default:"127.0.0.1:8080" help:"Where to listen."`
	AdminToken string `name:"admin-token" envvar:"ADMIN_TOKEN" placeholder:"TOKEN" help:"Opens console, API and River UI. Required unless bound to loopback, where one is made up and printed."`
}

// token returns the token that opens the API, made up if none is set. Without one, a port that others can reach is not
// opened.
func (f *listenFlags) token() (string, error) {
	switch token := strings.TrimSpace(f.AdminToken); { // a file's last newline is not part of it
	case token != "":
		return token, nil
	case !isLoopback(f.Addr):
		return "", usage("ADMIN_TOKEN is not set, and %s is not a loopback address: others could change scores", f.Addr)
	default:
		return rand.Text(), nil
	}
}

// guessable reports whether trying would find the token. Nothing counts the attempts: whoever can reach us may make many.
func guessable(token string) bool {
	different := map[rune]bool{}
	for _, character := range token {
		different[character] = true
	}
	return len(token) < 16 || len(different) < 8
}

// isLoopback reports whether only this machine can reach the address. A name other than localhost could mean anything.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
