package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows which scenarios run and how those that ended went; on a terminal with a bar below.
type progress struct {
	bar  *progressbar.ProgressBar
	stop chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	running []string
}

func newProgress(w io.Writer, total int) *progress {
	file, ok := w.(*os.File)
	p := &progress{stop: make(chan struct{}), bar: progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(ok && term.IsTerminal(int(file.Fd()))),
		progressbar.OptionShowCount(),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetPredictTime(false), // the scenarios take as long as they take
		progressbar.OptionSetWidth(20),
		progressbar.OptionClearOnFinish(),
	)}
	p.wg.Go(p.tick)
	return p
}

// tick keeps the time that is shown going.
func (p *progress) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			_ = p.bar.RenderBlank()
		}
	}
}

func (p *progress) begin(scenario string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, scenario)
	p.describe()
}

func (p *progress) end(ctx context.Context, o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.running, o.scenario)
	p.running = slices.Delete(p.running, at, at+1)
	if ctx.Err() == nil {
		_, _ = progressbar.Bprintln(p.bar, o.line())
	}
	p.describe()
	_ = p.bar.Add(1)
}

// line says how a scenario went; all figures come in the end.
func (o outcome) line() string {
	if o.err != nil {
		return fmt.Sprintf("%s: failed after %s: %v", o.scenario, o.took.Round(time.Second), o.err)
	}
	held, promised := o.held()
	return fmt.Sprintf("%s: %d of %d bounds held (%s)", o.scenario, held, promised, o.took.Round(time.Second))
}

func (p *progress) describe() { p.bar.Describe(strings.Join(p.running, ", ")) }

// close ends the line.
func (p *progress) close() {
	close(p.stop)
	p.wg.Wait()
	_ = p.bar.Exit()
}
