// Package clerktest is an emulator of the part of Clerk's Backend API that deals with organizations. Tests, the demo
// and a developer's laptop use it in place of Clerk. It aims to be no kinder than Clerk: it refuses what Clerk refuses,
// with the same statuses and codes, limits rates, and on demand fails in every way that has been seen or must be feared.
//
//	server, err := clerktest.Start(clerktest.Config{})
//	defer server.Close()
//	server.AddOrganization("org_1", "Acme Roofing")
//	server.SetFaults(clerktest.Fault{Effect: clerktest.ResetAfter, Count: 1})
//	// … a client with server.BaseURL() and clerktest.DefaultSecretKey …
//	fmt.Println(server.Requests(), server.Writes())
//
// Served below /v1 are: GET and POST /organizations; GET, PATCH and DELETE /organizations/{id}; PATCH and PUT
// /organizations/{id}/metadata; GET /instance; GET /jwks. Everything is in memory. There are no users, so no memberships.
//
// # Rehearsing an outage by hand
//
// All can be done over HTTP too, without authentication: keep the emulator on a loopback address. Faults are written one
// per line, as [ParseScript] says.
//
//	emulator=localhost:8181/_control
//
//	# An outage of a minute, in ten seconds, and a slow time after it.
//	curl -T - $emulator/script <<.
//	at 10s for 60s: 503
//	at 70s for 5m: latency 2s for 30 %
//	.
//
//	# A fight for the rate limit: others send 90 of the 100 requests that the key may make in 10 s.
//	curl -X PUT $emulator/traffic -d '{"requests":90,"window":"10s"}'
//	curl $emulator/limits                       # how much is used, who is blocked until when
//	echo '429 retry-after 7s block once' | curl -T - $emulator/script
//
//	# A late write: the next push to org_1 times out at the client, and lands a minute later over newer ones.
//	echo 'late 60s for org_1 on PATCH once' | curl -T - $emulator/script
//	curl "$emulator/writes?organization=org_1"  # in the order of application
//
//	# A rotated key: the old one gets 401 from now on. And the key of the session tokens, with the old one kept for a while.
//	curl -X PUT $emulator/secret-key -d '{"secret_key":"sk_test_new"}'
//	curl $emulator/signing-key -d '{"keep_old":true}'
//
//	# A session token whose claims are half a minute behind.
//	curl $emulator/tokens -d '{"organization":"org_1","stale":"30s"}'
//
//	# Organizations switched off for the whole instance, as in the dashboard.
//	curl -X PUT $emulator/organizations -d '{"enabled":false}'
//
//	# Webhooks for every change, each twice and in any order.
//	curl -X PUT $emulator/webhooks -d '{"url":"http://localhost:8080/webhooks/clerk","twice":true,"spread":"2s"}'
//
//	curl -X DELETE $emulator/faults             # all well again
//	curl $emulator/                             # what else there is
//
// # What it takes for granted
//
// Clerk documents its limits, not its algorithm: see window.go. It does not document whether writing metadata is announced by
// a webhook, nor whether that has the private metadata: here it is, and has not. Both are in webhook.go and
// webhook_event.go. The code of metadata above 8 KB is a guess, in refusal.go.
package clerktest
