package clerktest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// One push is refused, two meet an outage, and then all is well for an hour.
func ExampleServer_SetScript() {
	server := clerktest.New(clerktest.Config{})
	defer func() { _ = server.Close() }()
	server.AddOrganization("org_1", "Acme Roofing")
	err := server.SetScript(`
		409 once on PATCH
		503 2 times for org_1 header "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"
		at 1h for 60s: hang
	`)
	if err != nil {
		fmt.Println(err)
	}
	for range 4 {
		body := strings.NewReader(`{"public_metadata":{"compliance_score":87.5}}`)
		request := httptest.NewRequest(http.MethodPatch, "/v1/organizations/org_1/metadata", body)
		request.Header.Set("Authorization", "Bearer "+clerktest.DefaultSecretKey)
		request.Header.Set("Clerk-API-Version", clerktest.APIVersion)
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, request)
		fmt.Println(strings.TrimSpace(fmt.Sprint(answer.Code, " ", answer.Header().Get("Retry-After"))))
	}
	fmt.Println(len(server.Writes()), "write;", len(server.Faults()), "fault to come")
	// Output:
	// 409
	// 503 Wed, 21 Oct 2026 07:28:00 GMT
	// 503 Wed, 21 Oct 2026 07:28:00 GMT
	// 200
	// 1 write; 1 fault to come
}

func ExampleParseScript() {
	_, err := clerktest.ParseScript("at 10s for 60s: 503 for 100 %\nat 70s: hnag")
	fmt.Println(strings.SplitAfter(err.Error(), ";")[0])
	// Output: line 2: "hnag": begins no part of a fault;
}
