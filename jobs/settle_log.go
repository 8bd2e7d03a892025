package jobs

import (
	"context"
	"log/slog"

	"github.com/claimsync/claimsync/outbox"
)

// log counts the attempt and writes its line. Each way to settle one ends here or in line, once.
func (a *attempt) log(
	ctx context.Context, level slog.Level, message, outcome string, receipt outbox.Receipt, failure error, more ...slog.Attr,
) {
	a.config.Observer.Delivered(a.lease.Topic, outcome, a.duration)
	a.line(ctx, level, message, outcome, receipt, failure, more...)
}

// line writes the attempt's line, unless too many others have said the same lately, and describes it in its span.
func (a *attempt) line(
	ctx context.Context, level slog.Level, message, outcome string, receipt outbox.Receipt, failure error, more ...slog.Attr,
) {
	a.describe(outcome, receipt, failure)
	if level > slog.LevelInfo && !a.due(level, outcome, receipt, failure) {
		return
	}
	attrs := []slog.Attr{
		slog.String("topic", a.lease.Topic), slog.String("key", a.lease.Key), slog.Int64("version", a.lease.Version),
		slog.String("outcome", outcome), slog.Duration("duration", a.duration),
	}
	if a.job != nil {
		attrs = append(attrs, slog.Int64("job_id", a.job.ID), slog.Int("attempt", a.job.Attempt))
	} else {
		attrs = append(attrs, slog.Bool("probe", true))
	}
	attrs = append(attrs, receipt.LogAttrs...)
	if failure != nil {
		attrs = append(attrs, slog.Any("err", failure))
	}
	a.config.Logger.LogAttrs(ctx, level, message, append(attrs, more...)...)
}

func (a *attempt) due(level slog.Level, outcome string, receipt outbox.Receipt, failure error) bool {
	text := ""
	if failure != nil {
		text = failure.Error()
	}
	return a.config.bursts.due(level, likenessOf(a.lease.Topic, a.lease.Key, outcome, receipt, failure), text)
}
