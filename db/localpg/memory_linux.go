package localpg

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

const (
	// sharedMemory is where Linux has a file system in memory, which in containers is often too small for a server.
	sharedMemory = "/dev/shm"
	// memoryNeeded is what has to be free there and in the machine, in bytes: a server with a few large databases.
	memoryNeeded = 4 << 30
	// tmpfsMagic is TMPFS_MAGIC of linux/magic.h.
	tmpfsMagic = 0x01021994
)

// memoryFolder returns where files are kept in memory; "" if there is no such place, or too little room.
func memoryFolder() string {
	var fs syscall.Statfs_t
	if syscall.Statfs(sharedMemory, &fs) != nil || fs.Type != tmpfsMagic || fs.Bavail*uint64(fs.Bsize) < memoryNeeded {
		return ""
	}
	if availableMemory() < memoryNeeded { // a tmpfs promises what may not be there
		return ""
	}
	return sharedMemory
}

// availableMemory is what could be used without swapping, in bytes; 0 if the kernel does not say.
func availableMemory() (bytes uint64) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if kilobytes, found := strings.CutPrefix(lines.Text(), "MemAvailable:"); found {
			_, _ = fmt.Sscan(kilobytes, &bytes)
			return bytes << 10
		}
	}
	return 0
}
