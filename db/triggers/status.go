package triggers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// waitingAtMost is how far the queue is counted.
const waitingAtMost = 10_000

// State says how a trigger stands.
type State string

// The states of a trigger.
const (
	Installed State = "installed"
	Missing   State = "missing"
	Outdated  State = "outdated" // another version's, so what it does may be wrong for this one
	Disabled  State = "disabled" // somebody has switched it off, by ALTER TABLE … DISABLE TRIGGER
	NoTable   State = "no_table" // the name is that of a view, which can have none: whoever made it sees to the changes
)

// Trigger is a trigger that there is, or should be.
type Trigger struct {
	Table string
	Name  string
	State State
}

// Status says which triggers there are, and what they have left to be done.
type Status struct {
	Triggers []Trigger

	// Waiting is how many changes nobody has taken yet, counted up to 10,000, and Oldest for how long the first has waited.
	// Where some process runs Sync.Run it is a second or so.
	Waiting int64
	Oldest  time.Duration
}

// Count returns how many triggers are in the state.
func (s Status) Count(state State) (n int) {
	for _, t := range s.Triggers {
		if t.State == state {
			n++
		}
	}
	return n
}

// Absent reports whether nobody has installed any.
func (s Status) Absent() bool { return s.Count(Missing)+s.Count(NoTable) == len(s.Triggers) }

// Complete reports whether all are installed and in force.
func (s Status) Complete() bool {
	return s.Count(Installed) > 0 && s.Count(Installed)+s.Count(NoTable) == len(s.Triggers)
}

// Read looks.
func Read(ctx context.Context, conn db.Querier) (Status, error) {
	places, err := find(ctx, conn)
	if err != nil {
		return Status{}, err
	}
	var s Status
	for _, p := range places {
		triggers, err := p.read(ctx, conn)
		if err != nil {
			return Status{}, err
		}
		s.Triggers = append(s.Triggers, triggers...)
	}
	waiting, err := dbsqlc.New().OrganizationChangesWaiting(ctx, conn, waitingAtMost)
	if err != nil {
		return Status{}, fmt.Errorf("looking at the queue of changes: %w", err)
	}
	s.Waiting, s.Oldest = waiting.Changes, max(0, waiting.Oldest)
	return s, nil
}

// read returns how the table's triggers stand, in the order of their names there.
func (p *place) read(ctx context.Context, conn db.Querier) ([]Trigger, error) {
	_, version, err := p.render()
	if err != nil {
		return nil, err
	}
	states, err := p.states(ctx, conn, version)
	if err != nil {
		return nil, fmt.Errorf("looking for the triggers of %s: %w", p.name, err)
	}
	triggers := make([]Trigger, len(p.triggers))
	for i, name := range p.triggers {
		triggers[i] = Trigger{Table: p.name, Name: name, State: Missing}
		if state, found := states[name]; found {
			triggers[i].State = state
		}
		if !p.ordinary {
			triggers[i].State = NoTable
		}
	}
	return triggers, nil
}

// states are those of the triggers that there are. Enabled for a replica only (R) is off, for all but replication.
func (p *place) states(ctx context.Context, conn db.Querier, version string) (map[string]State, error) {
	const query = `
		SELECT tgname, CASE
			WHEN tgenabled NOT IN ('O', 'A') THEN 'disabled'
			WHEN obj_description(oid, 'pg_trigger') IS DISTINCT FROM $3 THEN 'outdated'
			ELSE 'installed'
		END
		FROM pg_trigger WHERE tgrelid = $1 AND tgname = ANY($2) AND NOT tgisinternal`
	rows, err := conn.Query(ctx, query, p.oid, p.triggers, version)
	if err != nil {
		return nil, err
	}
	states := map[string]State{}
	var name string
	var state State
	_, err = pgx.ForEachRow(rows, []any{&name, &state}, func() error {
		states[name] = state
		return nil
	})
	return states, err
}

// all reports whether every trigger is in the state.
func all(triggers []Trigger, state State) bool {
	return !slices.ContainsFunc(triggers, func(t Trigger) bool { return t.State != state })
}
