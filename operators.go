package claimsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Operator is who does something by hand, and from where.
type Operator struct {
	Name   string // as they said themselves: there is one token for all
	Origin string // an address, or a machine
}

// What is done by hand, as the operator log names it: to organizations, to all of a kind, to what stands before Clerk, and in
// River UI.
const (
	ActionPush           = "push"
	ActionRecalculate    = "recalculate"
	ActionRedrive        = "redrive"
	ActionCompare        = "compare"
	ActionPushAll        = "push_all"
	ActionRecalculateAll = "recalculate_all"
	ActionRedriveAll     = "redrive_all" // its target is the reason, empty for whatever reason
	ActionDriftCheck     = "drift_check"
	ActionDriftRepair    = "drift_repair"
	ActionBreakerOpen    = "breaker_open" // its target is the reason
	ActionBreakerClose   = "breaker_close"
	ActionQueuePause     = "queue_pause"
	ActionQueueResume    = "queue_resume"
	ActionJobs           = "jobs" // its target is what was done to which
	ActionRiverUI        = "river_ui"
)

// OperatorAction is something that was done by hand.
type OperatorAction struct {
	ID       int64
	At       time.Time // by the database's clock
	Operator Operator
	Action   string // such as "redrive"
	Target   string // what it was done to: an organization, a reason; "": to all
	Result   string // what became of it; "": it is under way, or its process has died
}

// The greatest lengths in the database, in characters.
const (
	maxOperatorName = 128
	maxOrigin       = 256
	maxTarget       = 512
	maxResult       = 1024
)

// Operate runs do, and keeps in the operator log who did it and what became of it: do's words, or its error. It is logged
// before it begins, so that nothing is done without a trace; if it cannot be, nothing is done.
func (s *Sync) Operate(
	ctx context.Context, operator Operator, action, target string, do func(context.Context) (result string, err error),
) error {
	queries, pool := dbsqlc.New(), s.jobs.Pool
	id, err := queries.OperatorActionBegin(ctx, pool, dbsqlc.OperatorActionBeginParams{
		Operator: fitForLog(cmp.Or(strings.TrimSpace(operator.Name), "unknown"), maxOperatorName),
		Origin:   fitForLog(operator.Origin, maxOrigin),
		Action:   action, Target: fitForLog(target, maxTarget),
	})
	if err != nil {
		return fmt.Errorf("logging that %s is done: %w", action, err)
	}
	result := "failed: it panicked"
	defer func() { s.logResult(ctx, id, action, result) }()
	said, err := do(ctx)
	switch {
	case err != nil && said != "":
		result = "failed after: " + said + ": " + err.Error()
	case err != nil:
		result = "failed: " + err.Error()
	default:
		result = cmp.Or(said, "done")
	}
	return err
}

// logResult adds what became of an action to the operator log, also for one who has left.
func (s *Sync) logResult(ctx context.Context, id int64, action, result string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), operatorEndTimeout)
	defer cancel()
	ended := dbsqlc.OperatorActionEndParams{ID: id, Result: fitForLog(result, maxResult)}
	if err := dbsqlc.New().OperatorActionEnd(ctx, s.jobs.Pool, ended); err != nil {
		s.logger.ErrorContext(ctx, "The operator log lacks a result", "action", action, "result", ended.Result, "err", err)
	}
}

// operatorEndTimeout bounds how long the result of an action waits for the database.
const operatorEndTimeout = 2 * time.Second

// OperatorLog returns what was done by hand, newest first: at most limit actions, after the one with the ID before; 0: the
// newest.
func (s *Sync) OperatorLog(ctx context.Context, before int64, limit int32) ([]OperatorAction, error) {
	rows, err := dbsqlc.New().OperatorActionList(ctx, s.jobs.Pool, dbsqlc.OperatorActionListParams{BeforeID: before, MaxRows: limit})
	if err != nil {
		return nil, fmt.Errorf("reading the operator log: %w", err)
	}
	actions := make([]OperatorAction, len(rows))
	for i, row := range rows {
		actions[i] = operatorActionOf(row)
	}
	return actions, nil
}

// lastActionTx returns the latest action of the kind on the target that did not fail, of those until then; nil: there is none.
func lastActionTx(ctx context.Context, tx pgx.Tx, action, target string, until time.Time) (*OperatorAction, error) {
	row, err := dbsqlc.New().OperatorActionLast(ctx, tx, dbsqlc.OperatorActionLastParams{
		Action: action, Target: fitForLog(target, maxTarget), Until: until,
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking for who did %s: %w", action, err)
	}
	return new(operatorActionOf(row)), nil
}

func operatorActionOf(row dbsqlc.OperatorAction) OperatorAction {
	action := OperatorAction{
		ID: row.ID, At: row.At, Operator: Operator{row.Operator, row.Origin}, Action: row.Action, Target: row.Target,
	}
	if row.Result != nil {
		action.Result = *row.Result
	}
	return action
}

// fitForLog makes a text fit for a column of that many characters, and for a terminal.
func fitForLog(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if characters := []rune(text); len(characters) > most {
		return string(characters[:most-1]) + "…"
	}
	return text
}
