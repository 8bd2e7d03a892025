package clerk_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

func ExampleClient_PushMetadata() {
	server, err := clerktest.Start(clerktest.Config{})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	server.AddOrganization("org_1", "Acme Roofing")

	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: server.BaseURL()})
	if err != nil {
		panic(err)
	}
	defer client.CloseIdleConnections()

	state := clerk.Metadata{ComplianceScore: new(87), InsuranceValid: new(true), Version: 1}
	if _, err := client.PushMetadata(context.Background(), "org_1", state); err != nil {
		panic(err)
	}
	organization, _ := server.Organization("org_1")
	fmt.Println(string(organization.PublicMetadata))

	server.SetFaults(clerktest.Fault{Effect: clerktest.ResetAfter})
	_, err = client.PushMetadata(context.Background(), "org_1", state)
	var failed *clerk.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Action)
	}
	// Output:
	// {"compliance_score":87,"insurance_valid":true}
	// ambiguous
}
