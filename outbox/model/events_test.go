package model

type event func(before *state, st step, after *state) bool

// events are what the model is there for: if one never happened, the properties would hold for want of an occasion.
var events = map[string]event{
	"a request lands late, over a newer state": func(before *state, st step, after *state) bool {
		return st.kind().name == "Land" && after.keys[0].destination < before.keys[0].destination
	},
	"a worker sends after its lease was taken over": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Send" && !before.holds(int(st.index))
	},
	"a worker sends after its lease was taken over and the doubt was settled": func(_ *state, st step, after *state) bool {
		return st.kind().name == "Send" && after.workers[st.index].late
	},
	"two pushes of a key are in flight, one without the lease": func(_ *state, _ step, after *state) bool {
		return after.workers[0].phase == sent && after.workers[1].phase == sent &&
			after.workers[0].key == after.workers[1].key
	},
	"a confirmed push is fenced": func(before *state, st step, _ *state) bool {
		return st.kind().name == "RecordFenced" && before.workers[st.index].phase == answered
	},
	"a stalled worker is still acknowledged, as nobody took its lease": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Acknowledge" && before.workers[st.index].stalled
	},
	"a row marked during its push gets its next job with the acknowledgement": func(_ *state, st step, after *state) bool {
		return st.kind().name == "Acknowledge" && after.keys[0].dirty() && after.keys[0].liveJob()
	},
	"a verification finds the destination in step": func(before *state, st step, after *state) bool {
		return st.kind().name == "Verify" && before.workers[st.index].inStep && after.keys[0].doubt == certain
	},
	"a verification repairs": func(before *state, st step, after *state) bool {
		return st.kind().name == "Verify" && !before.keys[0].dirty() && after.keys[0].dirty()
	},
	"the last verification repairs": func(before *state, st step, after *state) bool {
		return st.kind().name == "Verify" && before.workers[st.index].last && after.keys[0].dirty()
	},
	"a row is marked during its verification": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Verify" && before.holds(int(st.index)) && before.keys[0].dirty()
	},
	"a verification is refused": func(before *state, st step, _ *state) bool {
		return st.kind().name == "AnswerRefused" && before.workers[st.index].phase == unverified
	},
	"a doubt comes up during a verification": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Verify" && before.holds(int(st.index)) && before.keys[0].renewed
	},
	"a verification is fenced": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Verify" && !before.holds(int(st.index))
	},
	"the sweep wakes a row for its verification": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Sweep" && !before.keys[0].dirty()
	},
	"the sweep finds a row whose job was lost": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Sweep" && before.keys[0].dirty()
	},
	"the sweep finds a verification whose worker died": func(before *state, st step, _ *state) bool {
		return st.kind().name == "Sweep" && !before.keys[0].dirty() && before.keys[0].holder == dead
	},
	"a version is parked": func(_ *state, st step, after *state) bool {
		return st.kind().name == "Park" && after.keys[0].parked != 0
	},
	"a change made during a refused push is not parked": func(_ *state, st step, after *state) bool {
		return st.kind().name == "Park" && after.keys[0].parked == 0 && after.keys[0].liveJob()
	},
	"a mark tries a parked key again": func(before *state, st step, after *state) bool {
		return st.kind().name == "Mark" && before.keys[0].parked != 0 && after.keys[0].liveJob()
	},
	"two workers run one job": func(_ *state, _ step, after *state) bool {
		return after.workers[0].phase != idle && after.workers[1].phase != idle &&
			after.workers[0].key == after.workers[1].key && after.workers[0].job == after.workers[1].job
	},
	"both keys are delivered at once": func(_ *state, _ step, after *state) bool {
		return after.workers[0].phase == sent && after.workers[1].phase == sent &&
			after.workers[0].key != after.workers[1].key
	},
}
