package jobs

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A destination that stops answering gets a few calls more, and then none until it answers or they have all been given up.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSilence()
		for range 50 { // 30 ms are usual
			ended := s.begin()
			time.Sleep(30 * time.Millisecond)
			ended(true)
		}
		var under []func(bool)
		made := 0
		for ; made < 100 && !s.lasts(); made++ { // one every 10 ms, none answered
			under = append(under, s.begin())
			time.Sleep(10 * time.Millisecond)
		}
		if made < silenceCalls || made > 26 {
			t.Errorf("%d calls were made until it was noticed, want those of the first 250 ms", made)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.over(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it lasts: %v", err)
		}
		go func() { time.Sleep(time.Second); under[0](true) }()
		begun := time.Now()
		if err := s.over(t.Context()); err != nil || time.Since(begun) != time.Second {
			t.Errorf("over after %s, %v; want with the answer after 1 s", time.Since(begun), err)
		}
		time.Sleep(silenceMost + time.Second)
		if !s.lasts() {
			t.Error("not noticed after an answer long ago")
		}
		for _, ended := range under[1 : len(under)-silenceCalls+1] {
			ended(false)
		}
		if s.lasts() {
			t.Error("it lasts with so few calls under way")
		}
	})
}

// Slow is not silent: answers keep coming.
func TestSlowIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSilence()
		held := 0
		for range 300 { // a call every 100 ms, each answered after 3 s
			if s.lasts() {
				held++
			} else {
				ended := s.begin()
				go func() { time.Sleep(3 * time.Second); ended(true) }()
			}
			time.Sleep(100 * time.Millisecond)
		}
		if held > 35 {
			t.Errorf("held back %d of 300 times, want only before the first answers", held)
		}
		time.Sleep(3 * time.Second)
	})
}
