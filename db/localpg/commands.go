//go:build unix

package localpg

import (
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
)

// commands are the two command lines, relative to the server's folder, which is their working folder.
func (p programs) commands(config Config, port int) commands {
	server := []string{filepath.Join(p.dir, "postgres"), "-D", dataName}
	settings := serverSettings(config, port)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		server = append(server, "-c", name+"="+settings[name])
	}
	return commands{
		initdb:        filepath.Join(p.dir, "initdb"),
		initdbOptions: initdbOptions(p.major, config.Durable),
		server:        server,
	}
}

// serverSettings all go on the command line, none into postgresql.conf: the next start in the same folder may differ.
func serverSettings(config Config, port int) map[string]string {
	settings := map[string]string{
		"cluster_name": "localpg", // shown by ps
		"timezone":     "UTC",
		"log_timezone": "UTC",
	}
	if !config.Durable {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		// In the folder instead of /dev/shm, which is small in containers and keeps what a killed server leaves.
		settings["dynamic_shared_memory_type"] = "mmap"
	}
	maps.Copy(settings, config.Settings)
	settings["listen_addresses"] = "127.0.0.1"
	settings["port"] = strconv.Itoa(port)
	settings["unix_socket_directories"] = ""
	return settings
}

func initdbOptions(major int, durable bool) []string {
	options := []string{
		"--username=" + superuser,
		"--pwfile=" + passwordName,
		"--auth=scram-sha-256",
		"--encoding=UTF8",
		"--no-instructions",
	}
	options = append(options, localeOptions(major)...)
	if !durable {
		options = append(options, "--no-sync")
	}
	if !durable && major >= 18 {
		options = append(options, "--no-data-checksums") // the default before 18
	}
	return options
}

// localeOptions sort by bytes and know the case of all letters: the same on every machine and, from 17, whatever
// locales it has. Systems other than Linux may lack C.UTF-8; there, before 17, only ASCII letters have a case.
func localeOptions(major int) []string {
	switch {
	case major >= 17:
		return []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}
	case runtime.GOOS == "linux":
		return []string{"--locale=C.UTF-8"}
	default:
		return []string{"--locale=C"}
	}
}
