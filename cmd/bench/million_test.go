package main

import (
	"slices"
	"testing"
	"time"
)

// Ten tenths of 10 s each, with a retention of 15 s: the first in which old deliveries go all the time is the third.
func TestMillionIsJudged(t *testing.T) {
	t.Parallel()
	s := million{deliveries: 10, retention: 15 * time.Second, slower: 1.5}
	tests := map[string]struct {
		edit   func(all []tenth)
		oldest time.Duration
		broken []string
	}{
		"flat":                     {func([]tenth) {}, 16 * time.Second, nil},
		"larger before":            {func(all []tenth) { all[0].size["outbox"], all[1].size["outbox_delivery"] = 90, 90 }, 15 * time.Second, nil},
		"the outbox grows":         {func(all []tenth) { all[9].size["outbox"] = 12.6 }, 15 * time.Second, []string{"outbox and its indexes, in the end"}},
		"the log grows":            {func(all []tenth) { all[9].size["outbox_delivery"] = 12.6 }, 15 * time.Second, []string{"outbox_delivery and its indexes, in the end"}},
		"as there is more to keep": {func(all []tenth) { all[9].size["outbox_delivery"], all[9].kept = 12.6, 110 }, 15 * time.Second, nil},
		"marks are slower":         {func(all []tenth) { all[9].marks = latencies{16} }, 15 * time.Second, []string{"mark: 99 % within, in the end"}},
		"acknowledgements are":     {func(all []tenth) { all[9].acknowledgements = latencies{16} }, 15 * time.Second, []string{"acknowledge: 99 % within, in the end"}},
		"nothing goes":             {func([]tenth) {}, 100 * time.Second, []string{"the oldest delivery in the log, in the end"}},
	}
	for name, test := range tests {
		var all []tenth
		for i := range 10 {
			all = append(all, tenth{
				marks: latencies{10}, acknowledgements: latencies{10}, kept: 100,
				took: 10 * time.Second, ended: time.Duration(i+1) * 10 * time.Second,
				size: map[string]float64{"outbox": 10, "outbox_delivery": 10}, dead: map[string]int{},
			})
		}
		test.edit(all)
		bounds, err := s.judge(all, lasting(test.oldest))
		if err != nil {
			t.Fatal(err)
		}
		var broken []string
		for _, b := range bounds {
			if !b.ok() {
				broken = append(broken, b.what)
			}
		}
		if !slices.Equal(broken, test.broken) {
			t.Errorf("%s: broken are %q, want %q", name, broken, test.broken)
		}
	}
	if _, err := s.judge([]tenth{{ended: time.Second}}, elapsed{}); err == nil {
		t.Error("what is over too soon is judged")
	}
}
