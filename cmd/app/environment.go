package main

import (
	"github.com/alecthomas/kong"
)

// environmentTag names a flag's environment variable. Kong's own tag, env, reads the environment of the process; ours is
// an argument of run.
const environmentTag = "envvar"

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

// environment resolves the flags that the command line leaves out. An empty variable is an unset one.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if name := flag.Tag.Get(environmentTag); name != "" {
			if value := getenv(name); value != "" {
				return value, nil
			}
		}
		return nil, nil
	})
}
