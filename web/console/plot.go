package console

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

// plot is what was pushed over the last hour: confirmed pushes upwards, failed ones downwards, on one scale.
type plot struct {
	Pushes, Failures string // paths
	// Top is the scale's end in pushes a second, as it is written; Half is half of it, which is where failures end.
	Top, Half  string
	Times      []time.Time // below, evenly spread
	Rows       []plotRow   // the same in figures
	Any        bool
	PeakPushes string
}

// plotRow is what a row of the table sums up.
type plotRow struct {
	From, To         time.Time
	Pushes, Failures int
	PerSecond        string
}

// The plot's own units: two for each interval, and two thirds of the height are above the line.
const (
	plotPast   = time.Hour
	plotWidth  = 720
	plotUp     = 120
	plotDown   = 60
	plotStep   = plotWidth / int(plotPast/outbox.ActivityInterval)
	plotRows   = 12
	plotLabels = 5
)

func newPlot(activity []outbox.Activity, now time.Time) plot {
	end := now.Truncate(outbox.ActivityInterval)
	begin := end.Add(-plotPast)
	pushes, failures := make([]int, plotWidth/plotStep), make([]int, plotWidth/plotStep)
	for _, a := range activity {
		i := int(a.BeginsAt.Sub(begin) / outbox.ActivityInterval)
		switch {
		case a.BeginsAt.Before(begin) || i >= len(pushes):
		case a.Outcome == "applied":
			pushes[i] += a.Deliveries
		case a.Failed():
			failures[i] += a.Deliveries
		}
	}
	seconds := outbox.ActivityInterval.Seconds()
	peak := float64(slices.Max(pushes)) / seconds
	top := roundUp(max(peak, float64(slices.Max(failures))/seconds*plotUp/plotDown))
	perUnit := seconds * top / plotUp
	p := plot{
		Pushes: area(pushes, -1/perUnit), Failures: area(failures, 1/perUnit), Top: figure(top), Half: figure(top / 2),
		Rows: plotTable(pushes, failures, begin), Any: slices.Max(pushes)+slices.Max(failures) > 0, PeakPushes: figure(peak),
	}
	for i := range plotLabels {
		p.Times = append(p.Times, begin.Add(time.Duration(i)*plotPast/(plotLabels-1)))
	}
	return p
}

// area is a path along the tops of bars, each of a height, that ends where it began.
func area(counts []int, height float64) string {
	var path strings.Builder
	fmt.Fprintf(&path, "M0 %d", plotUp)
	last := 0
	for i, n := range counts {
		if n != last {
			fmt.Fprintf(&path, "H%dV%.1f", i*plotStep, plotUp+float64(n)*height)
			last = n
		}
	}
	fmt.Fprintf(&path, "H%dV%dZ", plotWidth, plotUp)
	return path.String()
}

func plotTable(pushes, failures []int, begin time.Time) []plotRow {
	rows, each := make([]plotRow, plotRows), len(pushes)/plotRows
	for i := range rows {
		row := plotRow{From: begin.Add(time.Duration(i) * plotPast / plotRows)}
		row.To = row.From.Add(plotPast / plotRows)
		for j := i * each; j < (i+1)*each; j++ {
			row.Pushes += pushes[j]
			row.Failures += failures[j]
		}
		row.PerSecond = figure(float64(row.Pushes) / (plotPast / plotRows).Seconds())
		rows[i] = row
	}
	slices.Reverse(rows) // the newest first
	return rows
}

// roundUp is to the next 1, 2 or 5 with zeros.
func roundUp(x float64) float64 {
	if x <= 0.2 {
		return 0.2
	}
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	for _, digit := range []float64{1, 2, 5} {
		if x <= digit*unit {
			return digit * unit
		}
	}
	return 10 * unit
}

// figure has as many digits as say something.
func figure(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
	default:
		return fmt.Sprintf("%.0f", x)
	}
}
