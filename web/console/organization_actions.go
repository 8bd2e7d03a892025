package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/operator"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// onOrganization does something to the organization in the path, and leads back to it.
func (c *console) onOrganization(
	r *http.Request, name string, do func(ctx context.Context, id string) (result string, said notice, err error),
) (*outcome, error) {
	id := r.PathValue("id")
	if _, err := c.sync.Key(r.Context(), id); err != nil { // what is not there is not worth a line in the log
		return nil, err
	}
	var said notice
	err := c.sync.Operate(r.Context(), operator.Of(r), name, id, func(ctx context.Context) (result string, err error) {
		result, said, err = do(ctx, id)
		return result, err
	})
	return &outcome{to: organizationPath(id), notice: said}, err
}

// push has it pushed again, also if it is clean. What is marked is the Clerk organization: whatever is linked to it then is
// pushed.
func (c *console) push(r *http.Request) (*outcome, error) {
	return c.onOrganization(r, claimsync.ActionPush, func(ctx context.Context, id string) (string, notice, error) {
		key, err := c.linkedKey(ctx, id)
		if err != nil {
			return "", notice{}, err
		}
		return "marked", notice{code: "pushed"}, db.Transact(ctx, c.sync.Jobs().Pool, func(tx pgx.Tx) error {
			return c.sync.Outbox().MarkTx(ctx, tx, c.waker, claimsync.Topic, outbox.PriorityLive, key)
		})
	})
}

func (c *console) recalculate(r *http.Request) (*outcome, error) {
	return c.onOrganization(r, claimsync.ActionRecalculate, func(ctx context.Context, id string) (string, notice, error) {
		var found []string
		var changed int
		err := db.Transact(ctx, c.sync.Jobs().Pool, func(tx pgx.Tx) (err error) {
			store := c.sync.Store(c.waker)
			found, changed, err = store.RecalculateManyTx(ctx, tx, scoring.UrgencyLive, []string{id}, time.Time{})
			return err
		})
		switch {
		case err != nil:
			return "", notice{}, err
		case len(found) == 0:
			return "", notice{}, scoring.ErrNotFound
		case changed > 0:
			return "its claims changed", notice{code: "changed"}, nil
		default:
			return "its claims are as they were", notice{code: "same"}, nil
		}
	})
}

func (c *console) redrive(r *http.Request) (*outcome, error) {
	done, err := c.onOrganization(r, claimsync.ActionRedrive, func(ctx context.Context, id string) (string, notice, error) {
		key, err := c.linkedKey(ctx, id)
		if err != nil {
			return "", notice{}, err
		}
		redriven, err := c.sync.Redrive(ctx, c.waker, key)
		if len(redriven) == 0 {
			return "was not parked", notice{code: "redriven_none"}, err
		}
		return "redriven", notice{"redriven", 1}, err
	})
	if err == nil && r.PostFormValue("from") == "parked" {
		done.to = "/parked"
	}
	return done, err
}

func (c *console) linkedKey(ctx context.Context, id string) (string, error) {
	key, err := c.sync.Key(ctx, id)
	if err == nil && key == "" {
		err = claimsync.ErrUnlinked
	}
	return key, err
}

// compare asks Clerk, which takes a call out of the fleet's budget: so it is no page that a browser may fetch by itself. That
// Clerk could not be asked is told beside what is known here.
func (c *console) compare(r *http.Request) (*page, error) {
	var found *claimsync.Comparison
	_, err := c.onOrganization(r, claimsync.ActionCompare, func(ctx context.Context, id string) (result string, _ notice, err error) {
		if found, err = c.sync.Compare(ctx, id); err != nil {
			return "", notice{}, err
		}
		return comparedInWords(found), notice{}, nil
	})
	failed, clerks := errors.AsType[*clerk.Error](err)
	if err != nil && !clerks {
		return nil, err
	}
	shown, err := c.organizationPage(r, 0, found)
	if err == nil && clerks {
		shown.Body.(*organizationPage).Tried = failed.Error()
	}
	return shown, err
}

func comparedInWords(found *claimsync.Comparison) string {
	switch {
	case found.Missing:
		return "Clerk does not have it"
	case len(found.Differences) > 0:
		return fmt.Sprintf("%d keys differ", len(found.Differences))
	default:
		return "in step"
	}
}
