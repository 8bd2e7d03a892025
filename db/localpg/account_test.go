//go:build unix

package localpg

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAccountMayWrite(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(reachableDir(t))
	if err != nil {
		t.Fatal(err)
	}
	stat := func() *syscall.Stat_t {
		info, err := os.Stat(base)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t)
	}()
	owner := &account{name: "owner", uid: stat.Uid, gid: stat.Gid + 1}
	member := &account{name: "member", uid: stat.Uid + 1, gid: stat.Gid + 1, groups: []uint32{stat.Gid}}
	other := &account{name: "other", uid: stat.Uid + 1, gid: stat.Gid + 1}

	tests := map[string]struct {
		parent, dir os.FileMode
		may         map[*account]bool
	}{
		"open to all":        {0o755, 0o777, map[*account]bool{owner: true, member: true, other: true, nil: true}},
		"not writable":       {0o755, 0o755, map[*account]bool{owner: true, member: false, other: false, nil: true}},
		"writable for group": {0o755, 0o770, map[*account]bool{owner: true, member: true, other: false, nil: true}},
		"hidden by parent":   {0o700, 0o777, map[*account]bool{owner: true, member: false, other: false, nil: true}},
		"shut to its group":  {0o705, 0o707, map[*account]bool{owner: true, member: false, other: true, nil: true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parent := filepath.Join(base, name)
			dir := filepath.Join(parent, "dir")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for path, mode := range map[string]os.FileMode{dir: test.dir, parent: test.parent} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			for account, may := range test.may {
				if err := account.mayWrite(dir); (err == nil) != may {
					t.Errorf("%+v: %v, want allowed %t", account, err, may)
				}
			}
		})
	}
}
