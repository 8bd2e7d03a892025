// Package jobs runs the outbox on River: the worker that delivers, the sweeper that guards it, and the settings that
// both need. An application that already has a River client registers them on its own:
//
//	config := jobs.Config{Pool: pool, Outbox: box, Destinations: map[string]outbox.Destination{"crm": crm}}
//	jobs.Register(workers, config)            // before river.NewClient
//	maps.Copy(riverConfig.Queues, jobs.Queues(config))
//	client, err := river.NewClient(riverpgxv5.New(pool), riverConfig)
//	go jobs.NewSweeper(config, jobs.NewWaker(client)).Run(ctx)
//
// [RiverConfig] has the settings for a client of our own.
package jobs
