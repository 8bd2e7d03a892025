// Package jobs runs the outbox on River: the worker that delivers, the maintainer that guards it, and the settings that
// both need. An application that already has a River client registers them on its own:
//
//	config := jobs.Config{Pool: pool, Outbox: box, Destinations: map[string]outbox.Destination{"crm": crm}}
//	err := jobs.Register(riverConfig, config)
//	client, err := river.NewClient(riverpgxv5.New(pool), riverConfig)
//	go jobs.NewMaintainer(config, jobs.NewWaker(client)).Run(ctx)
//
// [RiverConfig] and [InsertConfig] have the settings for clients of our own.
package jobs
