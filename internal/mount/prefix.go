// Package mount checks where an application mounts handlers.
package mount

import (
	"fmt"
	"regexp"
)

// validPrefix: nothing that a pattern of http.ServeMux or a URL would understand in another way.
var validPrefix = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// CheckPrefix returns what is wrong with the path below which a handler is to be; "" is none.
func CheckPrefix(prefix string) error {
	if !validPrefix.MatchString(prefix) {
		return fmt.Errorf("Config.Prefix is %q, not a path such as /internal/claimsync", prefix)
	}
	return nil
}
