package main

// renewFlags say how old claims may get that do not change.
type renewFlags struct {
	RenewEvery interval `name:"claims-renew-every" envvar:"CLAIMS_RENEW_EVERY" default:"never" placeholder:"DURATION" help:"How often at least every organization is pushed again though nothing has changed, as 24h, so that readers of tokens can tell by claims_as_of whether this still works; never for not at all. Default: never."`
}
