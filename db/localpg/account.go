//go:build unix

package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// account is the unprivileged user that a root process runs the server as. It is nil for everybody else: their server
// runs as themselves, and every check passes that the system makes anyway.
type account struct {
	name   string
	uid    uint32
	gid    uint32
	groups []uint32
}

func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			return newAccount(found)
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")
}

func newAccount(found *user.User) (*account, error) {
	a := &account{name: found.Username}
	groups, err := found.GroupIds()
	if err != nil {
		groups = nil // its primary group will do
	}
	ids := make([]uint32, 0, 2+len(groups))
	for _, text := range append([]string{found.Uid, found.Gid}, groups...) {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: id %q: %w", found.Username, text, err)
		}
		ids = append(ids, uint32(id))
	}
	a.uid, a.gid, a.groups = ids[0], ids[1], ids[2:]
	return a, nil
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
}

// own gives the file at path to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// mayReach reports why the account cannot enter the folder's parents, if it cannot. The path is absolute and has no
// symbolic links.
func (a *account) mayReach(path string) error {
	if a == nil {
		return nil
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if err := a.check(dir, 0o1, "enter"); err != nil {
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// mayWrite reports why the account cannot make and remove files in the folder, if it cannot.
func (a *account) mayWrite(path string) error {
	if a == nil {
		return nil
	}
	return errors.Join(a.mayReach(path), a.check(path, 0o3, "write in"))
}

// check compares permission bits, given as for others, with the folder's. Access lists are not looked at.
func (a *account) check(dir string, bits uint32, what string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case stat.Uid == a.uid:
		bits <<= 6
	case stat.Gid == a.gid || slices.Contains(a.groups, stat.Gid):
		bits <<= 3
	}
	if uint32(info.Mode().Perm())&bits != bits {
		return fmt.Errorf("user %s, which the server runs as, cannot %s %s", a.name, what, dir)
	}
	return nil
}
