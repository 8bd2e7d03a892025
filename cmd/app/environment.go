package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// environmentTag names a flag's environment variable. Kong's own tag, env, reads the environment of the process; ours is
// an argument of run.
const environmentTag = "envvar"

// fileSuffix makes of a variable the one that names a file with its value: how systemd, Docker and Kubernetes hand over a
// secret that is not to be in an environment, which child processes and crash reports get to see.
const fileSuffix = "_FILE"

// nameEnvironment adds each flag's variable to its help.
func nameEnvironment(parser *kong.Kong) error {
	for _, node := range append([]*kong.Node{parser.Model.Node}, parser.Model.Leaves(false)...) {
		for _, flag := range node.Flags {
			if name := flag.Tag.Get(environmentTag); name != "" {
				flag.Help += " [$" + name + "]"
			}
		}
	}
	return nil
}

// environment resolves the flags that the command line leaves out.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := flag.Tag.Get(environmentTag)
		if name == "" {
			return nil, nil
		}
		value, err := lookUp(getenv, name)
		if err != nil || value == "" {
			return nil, err
		}
		return value, nil
	})
}

// lookUp returns what a variable says, or the file that the variable with the suffix names. An empty one is an unset one.
func lookUp(getenv func(string) string, name string) (string, error) {
	value, path := getenv(name), getenv(name+fileSuffix)
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %s are both set: which one counts?", name, name+fileSuffix)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name+fileSuffix, err)
	}
	if value = strings.TrimRight(string(text), "\r\n"); value == "" {
		return "", fmt.Errorf("%s: %s is empty", name+fileSuffix, path)
	}
	return value, nil
}
