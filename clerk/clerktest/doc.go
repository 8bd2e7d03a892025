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
// /organizations/{id}/metadata; GET /jwks. Everything is in memory. There are no users, so no memberships.
//
// # Rehearsing an outage by hand
//
// Faults can be set over HTTP too, without authentication: keep the emulator on a loopback address.
//
//	# Every request is answered with an empty 503, until cleared.
//	curl -X PUT localhost:8181/_control/faults -d '{"faults":[{"effect":"answer","status":503}]}'
//	# One organization's next two writes time out at the client and land three seconds later.
//	curl -X PUT localhost:8181/_control/faults -d '{"faults":[
//	  {"effect":"late","delay":"3s","organization":"org_1","method":"PATCH","count":2}]}'
//	# A third of all requests take a second longer.
//	curl -X PUT localhost:8181/_control/faults -d '{"faults":[{"latency":"1s","probability":0.33}]}'
//
//	curl localhost:8181/_control/faults              # what is set, and how many requests it will still hit
//	curl -X DELETE localhost:8181/_control/faults    # all well again
//	curl 'localhost:8181/_control/writes?organization=org_1&after=17'
//
// The members of a fault are those of [Fault], durations as in "1.5s".
package clerktest
