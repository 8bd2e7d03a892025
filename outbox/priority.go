package outbox

// Priority orders what is to be delivered: a lower one goes first. Its values are River's.
type Priority int

// The priorities.
const (
	PriorityLive     Priority = 1 // a change that somebody made
	PriorityLapse    Priority = 2 // what was valid and has run out by itself
	PriorityRoutine  Priority = 3 // reading back what is in doubt; what only aged
	PriorityBackfill Priority = 4 // pushing again what may be right already
)
