package clerk

import "fmt"

// A configuration and a client may end up in a log, as a whole or as part of something. They are printed without the key,
// whatever the verb: a Formatter decides that for all of them. JSON leaves it out by the tag of Config.SecretKey.

// Format implements fmt.Formatter.
func (c Config) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, c.redacted()) }

func (c Config) redacted() string {
	return fmt.Sprintf("clerk.Config{BaseURL: %q, Timeout: %s}", c.BaseURL, c.Timeout)
}

// Format implements fmt.Formatter.
func (c Client) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, c.redacted()) }

func (c Client) redacted() string {
	return fmt.Sprintf("clerk.Client{%s key}", c.keyKind)
}
