package claimsync

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// EventOutcome is what an event of Clerk's led to.
type EventOutcome string

// The outcomes of events.
const (
	EventLinked    EventOutcome = "linked"    // one of our organizations is linked to Clerk's now
	EventUnlinked  EventOutcome = "unlinked"  // Clerk's is gone, and ours linked to nothing
	EventSuspected EventOutcome = "suspected" // Clerk has other values: it is read back, and pushed over
	EventContested EventOutcome = "contested" // the same, but it was pushed over too often lately: left to people
	EventConflict  EventOutcome = "conflict"  // it names an organization that is linked to another of Clerk's
	EventUnchanged EventOutcome = "unchanged" // nothing was to be done
	EventDuplicate EventOutcome = "duplicate" // it has been handled already
	EventIgnored   EventOutcome = "ignored"   // it is of a type that says nothing to us
	EventRefused   EventOutcome = "refused"   // it is not Clerk's, too old, or no event
	EventFailed    EventOutcome = "failed"    // it could not be handled now: Clerk will send it again
)

const (
	// eventRetention is how long it is known which events were handled. Clerk sends what was not acknowledged for about
	// a day: longer, and a late duplicate is handled again, or links to what is gone.
	//
	// https://docs.svix.com/retries
	eventRetention = 72 * time.Hour

	// echoTolerance is by how much Clerk's clock and the database's may differ. An event about a state that is older by
	// more than that than our last push is passed over: that push went over it, whatever it was.
	echoTolerance = time.Minute
)

// HandleEvent does what an event asks for, once, however often it comes. The event and its effects are one transaction,
// so after an error it is as if it had not come, and Clerk is to send it again.
//
//   - organization.created, and an update of one that was never linked, links the organization of ours whose id is in
//     its private metadata, see Config.LinkKey.
//   - organization.updated of one that is or was linked is compared with what it should say, and read back if it
//     differs.
//   - organization.deleted unlinks ours.
//
// An error that is a *clerk.Error says that Clerk had to be asked and could not be.
func (s *Sync) HandleEvent(ctx context.Context, waker outbox.Waker, event clerk.Event) (EventOutcome, error) {
	if !event.Type.Known() {
		return EventIgnored, nil
	}
	link, err := s.eventLink(ctx, event)
	if err != nil {
		return "", fmt.Errorf("handling %s of %s: %w", event.Type, event.Organization.ID, err)
	}
	h := eventHandler{Sync: s, waker: waker, event: event, key: event.Organization.ID, link: link}
	var outcome EventOutcome
	err = db.Transact(ctx, s.jobs.Pool, func(tx pgx.Tx) (err error) {
		outcome, err = h.handleTx(ctx, tx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("handling %s of %s: %w", event.Type, event.Organization.ID, err)
	}
	h.log(ctx, outcome)
	return outcome, nil
}

// eventHandler handles one event.
type eventHandler struct {
	*Sync
	waker outbox.Waker
	event clerk.Event
	key   string // Clerk's organization
	link  string // the organization of ours that its private metadata names; "": none, or that does not matter

	queries dbsqlc.Queries
}

// handleTx locks, in this order: the event, Clerk's organization, ours, the outbox row.
func (h *eventHandler) handleTx(ctx context.Context, tx pgx.Tx) (EventOutcome, error) {
	fresh, err := h.queries.ClerkEventInsert(ctx, tx, dbsqlc.ClerkEventInsertParams{
		ID: h.event.ID, Type: string(h.event.Type), Organization: h.key,
	})
	if err != nil || fresh == 0 {
		return EventDuplicate, err
	}
	if err := h.queries.ClerkEventLock(ctx, tx, h.key); err != nil {
		return "", err
	}
	ground, err := h.eventGround(ctx, tx, h.event)
	switch {
	case err != nil:
		return "", err
	case h.event.Type == clerk.OrganizationDeleted:
		return h.unlinkTx(ctx, tx, ground.OrganizationID)
	case h.link != "" && linkable(ground):
		return h.linkTx(ctx, tx)
	case h.event.Type == clerk.OrganizationUpdated && ground.Known && !ground.Deleted:
		return h.compareTx(ctx, tx, ground.SyncedAt)
	default:
		return EventUnchanged, nil
	}
}

// eventGround is what is known of the organization that the event is about, and of the event.
func (s *Sync) eventGround(
	ctx context.Context, conn db.Querier, event clerk.Event,
) (ground dbsqlc.ClerkEventGroundRow, err error) {
	return dbsqlc.New().ClerkEventGround(ctx, conn, dbsqlc.ClerkEventGroundParams{
		ID: event.ID, Organization: event.Organization.ID, Topic: Topic,
	})
}

// compareTx has the organization read back if it does not say what it should. What the event says may be out of date,
// and what Clerk sends after a push of our own is what we pushed: so only what is then found to differ is pushed, and a
// row whose push is still to come is left alone.
func (h *eventHandler) compareTx(ctx context.Context, tx pgx.Tx, syncedAt *time.Time) (EventOutcome, error) {
	want, err := wantedOf(ctx, tx, h.key)
	switch {
	case err != nil:
		return "", err
	case h.event.Organization.Agrees(want.metadata), overtaken(h.event.Organization.UpdatedAt, syncedAt):
		return EventUnchanged, nil
	}
	suspicion, err := h.outbox.SuspectTx(ctx, tx, h.waker, Topic, outbox.PriorityRoutine, h.key)
	switch {
	case err != nil:
		return "", err
	case len(suspicion.Contested) > 0:
		return EventContested, nil
	case len(suspicion.Suspected) > 0:
		return EventSuspected, nil
	default:
		return EventUnchanged, nil
	}
}

// overtaken tells whether what Clerk had at that time, by its clock, is surely older than our last push.
func overtaken(updatedAt time.Time, syncedAt *time.Time) bool {
	told := updatedAt.Unix() > 0
	return told && syncedAt != nil && updatedAt.Before(syncedAt.Add(-echoTolerance))
}

// log tells what became of the event, and warns of what is for people to settle.
func (h *eventHandler) log(ctx context.Context, outcome EventOutcome) {
	attrs := []any{
		"event_id", h.event.ID, "event_type", h.event.Type, "key", h.key, "occurred_at", h.event.At, "outcome", outcome,
	}
	switch outcome {
	case EventContested:
		h.logger.WarnContext(ctx, "Somebody else writes our values at Clerk, again and again: left to them", attrs...)
	case EventConflict:
		h.logger.WarnContext(ctx, "Clerk organization names one of ours that is linked to another: not linked",
			append(attrs, "organization_id", h.link)...)
	case EventLinked:
		h.logger.InfoContext(ctx, "Linked", append(attrs, "organization_id", h.link)...)
	case EventUnchanged, EventDuplicate:
		h.logger.DebugContext(ctx, "Clerk event", attrs...)
	default:
		h.logger.InfoContext(ctx, "Clerk event", attrs...)
	}
}
