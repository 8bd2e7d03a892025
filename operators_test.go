package claimsync_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync"
)

// What is done by hand is logged before it begins, with what becomes of it: also of one who has left, also a failure.
func TestOperate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	ada := claimsync.Operator{Name: "ada", Origin: "192.0.2.1"}
	ctx, leave := context.WithCancel(t.Context())
	d.must(d.sync.Operate(ctx, ada, "redrive", "all", func(context.Context) (string, error) {
		log, err := d.sync.OperatorLog(t.Context(), 0, 9)
		d.must(err)
		if len(log) != 1 || log[0].Result != "" {
			t.Errorf("while it is done: %+v", log)
		}
		leave()
		return "3 redriven", nil
	}))
	failed := errors.New("the database\x00 went away")
	err := d.sync.Operate(t.Context(), claimsync.Operator{Name: " "}, "push", strings.Repeat("ä", 600), func(context.Context) (string, error) {
		return "half of it", failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v, want the failure", err)
	}

	want := []claimsync.OperatorAction{
		{ID: 2, Operator: claimsync.Operator{Name: "unknown"}, Action: "push", Target: strings.Repeat("ä", 511) + "…",
			Result: "failed after: half of it: the database\uFFFD went away"},
		{ID: 1, Operator: ada, Action: "redrive", Target: "all", Result: "3 redriven"},
	}
	log, err := d.sync.OperatorLog(t.Context(), 0, 9)
	d.must(err)
	if diff := cmp.Diff(want, log, cmpopts.IgnoreFields(claimsync.OperatorAction{}, "At")); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	log, err = d.sync.OperatorLog(t.Context(), 2, 9)
	if len(log) != 1 || log[0].ID != 1 || err != nil {
		t.Errorf("the page after: %+v, %v", log, err)
	}
}

// Nothing is done that could not be logged.
func TestOperateOnlyWithLog(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	d.exec(`ALTER TABLE operator_action RENAME TO lost`)
	err := d.sync.Operate(t.Context(), claimsync.Operator{}, "push", "a", func(context.Context) (string, error) {
		t.Error("it was done")
		return "", nil
	})
	if err == nil {
		t.Error("no error")
	}
}

// What panics is logged as that, and no one else's concern than before.
func TestOperatePanics(t *testing.T) {
	t.Parallel()
	d := newDesk(t, claimsync.Unlimited)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = d.sync.Operate(t.Context(), claimsync.Operator{Name: "ada\x1b[31m"}, "push", "a", func(context.Context) (string, error) {
			panic("broken")
		})
	}()
	log, err := d.sync.OperatorLog(t.Context(), 0, 9)
	d.must(err)
	if len(log) != 1 || log[0].Result != "failed: it panicked" || log[0].Operator.Name != "ada\uFFFD[31m" {
		t.Errorf("log: %+v", log)
	}
}
