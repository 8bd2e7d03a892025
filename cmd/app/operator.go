package main

import (
	"cmp"
	"context"
	"os"
	"os/user"
	"strings"

	"github.com/claimsync/claimsync"
)

// operate runs do, and keeps in the operator log who did it at which machine.
func (t *tool) operate(
	ctx context.Context, action, target string, do func(context.Context) (result string, err error),
) error {
	return t.sync.Operate(ctx, operatorHere(), action, target, do)
}

// operateOn is operate for a command that works on the organizations that are named, or on all.
func (t *tool) operateOn(
	ctx context.Context, ids []string, action, actionAll string, do func(context.Context) (result string, err error),
) error {
	if len(ids) == 0 {
		return t.operate(ctx, actionAll, "", do)
	}
	return t.operate(ctx, action, strings.Join(ids, " "), do)
}

// operatorHere is who types, as far as the machine knows.
func operatorHere() claimsync.Operator {
	hostname, _ := os.Hostname() // none is no reason not to act
	name := ""
	if current, err := user.Current(); err == nil {
		name = cmp.Or(current.Username, current.Uid)
	}
	return claimsync.Operator{Name: name, Origin: "terminal of " + cmp.Or(hostname, "an unnamed machine")}
}
