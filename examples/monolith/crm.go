package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// crmTopic is the outbox topic of the CRM's accounts, and the name of their River queue. Its keys are ids of organizations.
const crmTopic = "crm_account"

// crmBudget is what the CRM admits.
var crmBudget = outbox.Budget{
	Fleet: outbox.Limit{Calls: 500, Window: time.Minute}, Key: outbox.Limit{Calls: 60, Window: time.Minute}, Share: 1,
}

// account is the fields that the application keeps in the CRM.
type account struct {
	Projects int   `json:"projects"`
	Score    *int  `json:"compliance_score"` // null: never calculated
	Insured  *bool `json:"insured"`
}

// crm is a CRM with the accounts of the companies. It is an outbox.Destination.
type crm struct {
	pool     *pgxpool.Pool
	url, key string
	http     http.Client
}

func newCRM(pool *pgxpool.Pool, url, key string) *crm {
	return &crm{pool: pool, url: url, key: key, http: http.Client{
		Timeout:       2 * time.Second, // below the deadline of a delivery
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// markAccount returns what marks an organization's account in the transaction that changes it.
func markAccount(box *outbox.Outbox, waker jobs.Waker) func(context.Context, pgx.Tx, string) error {
	return func(ctx context.Context, tx pgx.Tx, organization string) error {
		return box.MarkTx(ctx, tx, waker, crmTopic, outbox.PriorityLive, organization)
	}
}

// Deliver makes the account equal to what is in the database now.
func (c *crm) Deliver(ctx context.Context, organization string, _ int64) (outbox.Receipt, error) {
	want, err := c.want(ctx, organization)
	if err != nil {
		return outbox.Receipt{}, err
	}
	body, err := json.Marshal(want)
	if err != nil {
		return outbox.Receipt{}, err
	}
	_, receipt, err := c.call(ctx, http.MethodPut, organization, body)
	if err == nil {
		receipt.Applied = body
	}
	return receipt, err
}

// Verify reads the account back: a request that was given up on may have landed over a newer one.
func (c *crm) Verify(ctx context.Context, organization string, _ int64) (inStep bool, receipt outbox.Receipt, err error) {
	want, err := c.want(ctx, organization)
	if err != nil {
		return false, outbox.Receipt{}, err
	}
	answer, receipt, err := c.call(ctx, http.MethodGet, organization, nil)
	var found account
	if err == nil {
		err = json.Unmarshal(answer, &found)
	}
	return reflect.DeepEqual(found, want), receipt, err
}

// want reads what the CRM is to have. It reads anew for each delivery, so it is never older than what was marked.
func (c *crm) want(ctx context.Context, organization string) (want account, err error) {
	const query = `SELECT (SELECT count(*) FROM projects WHERE organization = o.id), compliance_score, insurance_valid
		FROM organizations AS o WHERE id = $1`
	err = c.pool.QueryRow(ctx, query, organization).Scan(&want.Projects, &want.Score, &want.Insured)
	if errors.Is(err, pgx.ErrNoRows) {
		return account{}, nil // it was deleted, and has nothing
	}
	return want, err
}

func (c *crm) call(ctx context.Context, method, organization string, body []byte) ([]byte, outbox.Receipt, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+"/accounts/"+url.PathEscape(organization), bytes.NewReader(body))
	if err != nil {
		return nil, outbox.Receipt{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	response, err := c.http.Do(request)
	var answer []byte
	var receipt outbox.Receipt
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		receipt = outbox.Receipt{Status: response.StatusCode, TraceID: response.Header.Get("X-Request-Id")}
		answer, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	}
	if err == nil && response.StatusCode == http.StatusOK {
		return answer, receipt, nil
	}
	return nil, receipt, failureOf(method, response, receipt, err)
}

// unsent is whether the request has not left: nobody was there to connect to.
func unsent(err error) bool {
	connecting, ok := errors.AsType[*net.OpError](err)
	return ok && connecting.Op == "dial"
}

// failureOf is what a destination has to decide: which of the outbox's actions its answer calls for.
func failureOf(method string, response *http.Response, receipt outbox.Receipt, err error) *outbox.Failure {
	failure := &outbox.Failure{Receipt: receipt, Err: err}
	switch status := receipt.Status; {
	case err != nil && method == http.MethodPut && !unsent(err):
		failure.Action = outbox.Ambiguous // it may have been applied
		return failure
	case err != nil:
		failure.Action = outbox.Outage
		return failure
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		failure.Action = outbox.Stop
	case status == http.StatusNotFound:
		failure.Action = outbox.Missing
	case status == http.StatusConflict, status == http.StatusLocked:
		failure.Action = outbox.Retry
	case status == http.StatusTooManyRequests:
		failure.Action = outbox.Wait
	case status >= http.StatusInternalServerError:
		failure.Action, failure.InDoubt = outbox.Outage, method == http.MethodPut
	default:
		failure.Action = outbox.Park
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		failure.RetryAfter = time.Duration(min(seconds, 3600)) * time.Second // a mistake of theirs is not to silence us for good
	}
	failure.Err = fmt.Errorf("the CRM answered %s", response.Status)
	return failure
}
