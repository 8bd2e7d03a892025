package triggers

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
)

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

// Status says which triggers there are.
type Status struct {
	Triggers []Trigger
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

// Amiss reports whether some are installed, and not all of them as they should be.
func (s Status) Amiss() bool { return !s.Absent() && !s.Complete() }

// Read looks: two queries of the catalog.
func Read(ctx context.Context, conn db.Querier) (Status, error) {
	places, err := find(ctx, conn)
	if err != nil {
		return Status{}, err
	}
	triggers, err := read(ctx, conn, places...)
	return Status{Triggers: triggers}, err
}

// read returns how the tables' triggers stand, in the order of their names there.
func read(ctx context.Context, conn db.Querier, places ...place) (triggers []Trigger, err error) {
	found, err := installed(ctx, conn, places)
	if err != nil {
		return nil, fmt.Errorf("looking for the triggers: %w", err)
	}
	for _, p := range places {
		_, version, err := p.render()
		if err != nil {
			return nil, err
		}
		for _, name := range p.triggers {
			state := NoTable
			if p.ordinary {
				state = found[key{p.oid, name}].state(version)
			}
			triggers = append(triggers, Trigger{Table: p.name, Name: name, State: state})
		}
	}
	return triggers, nil
}

// key is which trigger, of which table.
type key struct {
	table uint32
	name  string
}

// trigger is one as the database has it.
type trigger struct {
	key
	enabled bool
	comment *string
}

func (t *trigger) state(version string) State {
	switch {
	case t == nil:
		return Missing
	case !t.enabled:
		return Disabled
	case t.comment == nil || *t.comment != version:
		return Outdated
	}
	return Installed
}

// installed are the triggers that there are. Enabled for a replica only (R) is off, for all but replication.
func installed(ctx context.Context, conn db.Querier, places []place) (map[key]*trigger, error) {
	const query = `
		SELECT tgrelid, tgname, tgenabled IN ('O', 'A'), obj_description(oid, 'pg_trigger')
		FROM pg_trigger WHERE tgrelid = ANY($1::oid[]) AND tgname = ANY($2) AND NOT tgisinternal`
	oids := make([]uint32, len(places))
	for i, p := range places {
		oids[i] = p.oid
	}
	rows, err := conn.Query(ctx, query, oids, factsTriggers)
	if err != nil {
		return nil, err
	}
	triggers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t trigger, err error) {
		return t, row.Scan(&t.table, &t.name, &t.enabled, &t.comment)
	})
	found := make(map[key]*trigger, len(triggers))
	for i, t := range triggers {
		found[t.key] = &triggers[i]
	}
	return found, err
}

// all reports whether every trigger is in the state.
func all(triggers []Trigger, state State) bool {
	return !slices.ContainsFunc(triggers, func(t Trigger) bool { return t.State != state })
}
