package claims

// Reason is why a token is not accepted.
type Reason string

// The reasons.
const (
	Missing     Reason = "missing"      // there is no token
	Malformed   Reason = "malformed"    // it is no JSON Web Token, or two were sent
	UnknownKey  Reason = "unknown_key"  // Clerk publishes no key by the name it was signed with, or not any more
	Invalid     Reason = "invalid"      // its signature or algorithm is not the key's, or a claim of Clerk's own has the wrong type
	Expired     Reason = "expired"      // it was good once
	Early       Reason = "early"        // its time is yet to come: this clock or Clerk's is wrong
	NoSession   Reason = "no_session"   // it lacks a claim of every session token: made from a JWT template, or by a machine
	WrongIssuer Reason = "wrong_issuer" // another instance's
	WrongParty  Reason = "wrong_party"  // another application's, or nobody's
	Pending     Reason = "pending"      // the user has not done yet what Clerk asks of them before they are signed in

	// Unverified is the fault of the program: a Require function is not behind Authenticate. It answers 500.
	Unverified Reason = "unverified"

	// KeysUnavailable is not the token's fault: Clerk's keys could not be fetched, and those there were are too old.
	KeysUnavailable Reason = "keys_unavailable"
)

// sentences are for the client. None has anything of the token.
var sentences = map[Reason]string{
	Missing:         "A session token is required: Authorization: Bearer …",
	Malformed:       "The session token is malformed.",
	UnknownKey:      "The session token is signed by a key that is not known here.",
	Invalid:         "The session token is not valid.",
	Expired:         "The session token has expired.",
	Early:           "The session token is not valid yet: a clock is wrong.",
	NoSession:       "This is no session token.",
	WrongIssuer:     "The session token is of another issuer.",
	WrongParty:      "The session token was made for another application.",
	Pending:         "The session is pending: the sign-in has to be completed first.",
	Unverified:      "Nothing has verified a session token: Authenticate is not in front of what requires claims.",
	KeysUnavailable: "The session token cannot be verified at the moment.",
}

// Error is why a token is not accepted. Its text has nothing of the token.
type Error struct {
	Reason Reason
	Err    error // why the keys are unavailable; else nil
}

func (e *Error) Error() string {
	text := "claims: " + sentences[e.Reason]
	if e.Err != nil {
		text += " " + e.Err.Error()
	}
	return text
}

// Unwrap returns why the keys are unavailable.
func (e *Error) Unwrap() error { return e.Err }
