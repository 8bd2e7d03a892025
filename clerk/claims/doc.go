// Package claims is for the application that decides by what claimsync has pushed to Clerk: it verifies a Clerk session
// token, and gives the organization's certification tier, compliance score and insurance, typed, each of them optional.
// net/http middleware turns that into answers: 401 for who is not known, 403 for who has not enough. It knows neither
// Postgres nor River, and needs no secret.
//
//	verifier, err := claims.NewVerifier(claims.Config{
//		Issuer:            "https://clerk.example.com",             // Clerk's Frontend API
//		AuthorizedParties: []string{"https://reports.example.com"}, // where the web application lives that calls this one
//		Keys:              claims.JWKS(""),                         // as the issuer publishes them
//	})
//	certified := claims.RequireTier(claims.Certified)
//	mux.Handle("GET /reports", verifier.Authenticate(certified(reports)))
//
// and in the handler
//
//	c, _ := claims.From(r.Context())
//	if c.Score != nil && *c.Score >= 90 { … }
//
// A preflight request has no token: what answers CORS goes in front of Authenticate.
//
// # At Clerk
//
// The claims come into the token by its customization, in Clerk's dashboard under Sessions, which for all that claimsync
// pushes is
//
//	{
//		"certification_tier": "{{org.public_metadata.certification_tier}}",
//		"compliance_score":   "{{org.public_metadata.compliance_score}}",
//		"insurance_valid":    "{{org.public_metadata.insurance_valid}}",
//		"claims_as_of":       "{{org.public_metadata.claims_as_of}}"
//	}
//
// They are those of the user's active organization: without one all are null, so absent here. Give no defaults: what is not
// known has to stay so, and {{org.public_metadata.insurance_valid || true}} is true even where the metadata say false.
// Custom claims have 1.2 KB together; these need less than 150 bytes.
//
// # What is verified
//
// A token is accepted only if it is signed with RS256 by a key that Clerk publishes now or published a moment ago; iss is
// Config.Issuer and azp one of Config.AuthorizedParties, on a satellite domain as anywhere; exp is there and has not passed,
// nbf and iat have; sub and sid are there, which the tokens of JWT templates and of machines do not have though they are
// signed with the same key; and sts, if told, is active. Clerk's SDK does the cryptography. What it alone would let pass is
// an issuer on satellites, a token without azp or exp, one that is pending, and a key that Clerk has long removed.
//
// A claim of ours that has a value of the wrong kind does not make the token a bad one. It is absent, listed in
// Claims.Malformed, and counted by Config.Observer: package claimsmetrics has one for Prometheus. Scores and truth values may come as strings. A score above 100 or with a
// fraction is malformed, and so is a tier that is not known here.
//
// # Refusals
//
// Each is application/problem+json (RFC 9457). A 401 has a member reason, one of the constants of type Reason, and a
// WWW-Authenticate header. A 403 has
//
//	"claim": "compliance_score", "required": 70, "actual": 55, "refresh": true
//
// where actual is null for what the token does not have. With refresh, the token is not brand-new, and a newer one may well have
// other claims: a client fetches one, getToken({skipCache: true}), and tries again, once; without, that would change
// nothing. A 503 says that Clerk's keys cannot be fetched, which is nobody's fault here; a 500 that Authenticate is missing in
// front of a Require function. While a verifier has keys that are younger than Config.MaxKeyAge, it does not depend on
// Clerk's answering.
//
// # Freshness
//
// How old what a token says can be: claimsync pushes a change within a second or so, most of the time; Clerk mints tokens from
// the organization's metadata, which live 60 s and are refreshed by Clerk's front-end libraries some ten seconds before
// that. So a change is seen after about a minute, or at once by who asks for a new token. None of that is a guarantee. Clerk
// does not promise that a token is minted from the newest metadata; a browser's clock may be late; claimsync may be down, or its budget used
// up, or Clerk may be. A token that was minted a second ago can say what was true last week.
//
// What can be relied on is Claims.AsOf, the claim claims_as_of: when, by Postgres' clock, the values next to it were read
// there. Whatever was committed before is in them. It is rounded down to a second, and pushed in one write with the values,
// so that it is never newer than they are. RequireFresh(d) refuses values that are older than d, and those of which nobody knows.
//
// claimsync pushes what changes. An organization that does not is not pushed, and its values age though they are right. Which
// d makes sense depends on that:
//
//   - With renewal (app serve --claims-renew-every 24h) every linked organization is pushed again before its values are a day
//     old while all works: most of the time at seven eighths of that. So d is 7/8 of the interval and the outage that readers
//     are to survive, or more: with RequireFresh(48*time.Hour) nobody is refused while claimsync, its database or the way to
//     Clerk is dead for a day. If it stays dead, the first are refused after d less 7/8 of the interval, 27 h here, and
//     everybody after d. Organizations that are parked or contested are not renewed, and are refused too; and while 1000
//     changes wait, nothing is.
//   - Without, RequireFresh(d) refuses every organization that has not changed for d, too. It makes sense for a step that
//     is to follow a change, and where refused ones can be pushed by hand (app resync).
//   - d below some minutes refuses what is right nearly always. It does not make a token newer. To decide by what Postgres has
//     now, ask claimsync's API, not a token.
//
// A refresh helps exactly if Clerk has newer values than the token: the 403 says whether the token is old enough for that to be
// worth a try. After that it is for those who run claimsync: app why, app status.
//
// An organization that was pushed last by a version without claims_as_of has none, and is refused: app resync --all, once,
// before RequireFresh is put to use.
//
// Whoever can write the metadata at Clerk can write what they like, values and claims_as_of. Who edits the values alone leaves
// claims_as_of as it was, and theirs pass as fresh until a drift check or a webhook has them overwritten. RequireFresh is no
// protection from them: it sees to it that what claimsync itself wrote, and has since been withdrawn in Postgres, is refused d
// after that at the latest, whatever breaks. One that is more than a minute ahead of this clock is refused.
package claims
