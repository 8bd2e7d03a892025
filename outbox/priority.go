package outbox

// Priority orders what is to be delivered: a lower one goes first. Its values are River's.
type Priority int

// The priorities.
const (
	PriorityLive         Priority = 1 // a change that somebody made
	PriorityVerification Priority = 2 // reading back what is in doubt
	PriorityBackfill     Priority = 3 // pushing again what may be right already
)
