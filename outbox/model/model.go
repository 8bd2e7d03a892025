package model

// bounds make the space finite.
type bounds struct {
	versions    [keyCount]uint8 // commits per key
	failures    uint8           // answers other than a confirmation, over both keys
	disruptions uint8           // processes killed or stalled, jobs deleted or retried by hand, over both keys
	slow        bool            // a delivery may last longer than a lease, counted from when its job was fetched
	rescues     bool            // River may rescue the job of a worker that is stalled: then two run one job
	rollbacks   bool            // transactions are open for a while, and may roll back
}

// model is the protocol within bounds, with or without a mutation.
type model struct {
	bounds
	mutant mutant
}

func newModel(b bounds, m mutant) *model { return &model{bounds: b, mutant: m} }

func (m *model) initial() state {
	return state{failures: m.failures, disruptions: m.disruptions}
}

// undisturbed tells whether nothing has happened yet that may cost a job, or make one too many.
func (m *model) undisturbed(s *state) bool {
	return s.disruptions == m.disruptions && (!m.slow || s.failures == m.failures)
}

// fail uses up one of the failures that may still happen; false: none may.
func (s *state) fail() bool {
	if s.failures == 0 {
		return false
	}
	s.failures--
	return true
}

// disrupt uses up one of the disruptions that may still happen; false: none may.
func (s *state) disrupt() bool {
	if s.disruptions == 0 {
		return false
	}
	s.disruptions--
	return true
}
