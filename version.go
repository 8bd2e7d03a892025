package claimsync

import (
	"cmp"
	"runtime/debug"
)

// Version returns the version of the application, for people who look at the fleet.
func (s *Sync) Version() string { return s.version }

// linkedVersion is set by a build without a repository at hand, as the Dockerfile's is:
// -ldflags "-X github.com/claimsync/claimsync.linkedVersion=…".
var linkedVersion string

// BuiltVersion returns what is built into the program: the version it was linked with, that of its main module, or else
// the commit.
func BuiltVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(linkedVersion, "unknown")
	}
	version := info.Main.Version
	if version == "(devel)" {
		version = ""
	}
	revision, modified := "", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && len(setting.Value) >= 12:
			revision = setting.Value[:12]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = "+dirty"
		}
	}
	if revision != "" {
		revision += modified
	}
	return cmp.Or(linkedVersion, version, revision, "devel")
}
