// Package web is the HTTP interface: the JSON API over organizations, the probes, and what is mounted behind the same
// door, such as River UI. [NewHandler] makes a [net/http.Handler], for a server of its own or for the mux of an application,
// below a prefix and behind the application's authentication; the package listens on nothing and starts nothing.
//
//	GET    /v1/organizations?limit&cursor&sync       POST /v1/organizations
//	GET    /v1/organizations/{id}                    PUT  /v1/organizations/{id}/facts
//	PATCH  /v1/organizations/{id}                    POST /v1/organizations/{id}/recalculate
//	DELETE /v1/organizations/{id}                    POST /v1/organizations/{id}/sync
//	GET    /livez, /readyz, /metrics                 /riverui/, and the console at / (package console)
//	POST   /webhooks/clerk
//
// Everything but the probes, the metrics and Clerk's webhooks, which are signed, needs the admin token, as a bearer token
// or as a Basic password with any user name; or what Config.Authorize asks for. Refusals are problem details (RFC 9457)
// that list every field at fault; a refused request changed nothing. Writing never waits for Clerk: a request returns when
// its transaction has committed, and the push follows. Only a webhook may have Clerk asked first.
package web
