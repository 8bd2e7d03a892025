package main

import (
	"strings"

	"github.com/claimsync/claimsync/clerk"
)

// webhookFlags are about Clerk's events.
type webhookFlags struct {
	WebhookSecret string `name:"clerk-webhook-secret" envvar:"CLERK_WEBHOOK_SECRET" placeholder:"SECRET" help:"Signs Clerk's webhooks, whsec_…. Without it there is no /webhooks/clerk."`
	LinkKey       string `name:"clerk-link-key" envvar:"CLERK_LINK_KEY" default:"${link_key}" help:"Where the private metadata of a Clerk organization has the id of ours that its creation links it to; \"-\" for nowhere."`
}

// webhook returns nil if there is no secret.
func (f *webhookFlags) webhook() (*clerk.Webhook, error) {
	secret := strings.TrimSpace(f.WebhookSecret) // a file's last newline is not part of it
	if secret == "" {
		return nil, nil
	}
	webhook, err := clerk.NewWebhook(secret)
	if err != nil {
		return nil, usage("%w (CLERK_WEBHOOK_SECRET)", err)
	}
	return webhook, nil
}
