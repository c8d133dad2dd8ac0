package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

// The environment of a running domain names its interface.
const (
	URLVariable   = "GMSASIM_CONTROL_URL"
	TokenVariable = "GMSASIM_CONTROL_TOKEN"
)

// ErrNoDomain means that the environment names no running domain.
var ErrNoDomain = errors.New("no running domain: " + URLVariable + " and " + TokenVariable + " are not set")

// requestTimeout bounds a request that does not follow.
const requestTimeout = 30 * time.Second

// A Client talks to a running domain.
type Client struct {
	url, token string
	http       *http.Client
}

// FromEnvironment is a client of the domain that the environment names.
func FromEnvironment() (*Client, error) {
	base, token := os.Getenv(URLVariable), os.Getenv(TokenVariable)
	if base == "" || token == "" {
		return nil, ErrNoDomain
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%s: %q is not an http address", URLVariable, base)
	}
	return NewClient(base, token), nil
}

// NewClient is a client of the domain at an address.
func NewClient(base, token string) *Client {
	// A proxy of the environment has no business with the loopback interface.
	return &Client{url: base, token: token, http: &http.Client{Transport: &http.Transport{Proxy: nil}}}
}

func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the domain does not answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		var e Error
		if json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&e) != nil || e.Message == "" {
			e.Message = resp.Status
		}
		return nil, &statusError{resp.StatusCode, errors.New(e.Message)}
	}
	return resp, nil
}

func (c *Client) ask(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// Clock asks for domain time.
func (c *Client) Clock(ctx context.Context) (Clock, error) {
	var t Clock
	err := c.ask(ctx, http.MethodGet, "/clock", nil, &t)
	return t, err
}

// MoveClock moves domain time.
func (c *Client) MoveClock(ctx context.Context, m Move) (Clock, error) {
	var t Clock
	err := c.ask(ctx, http.MethodPost, "/clock", m, &t)
	return t, err
}

// Events gives each event after number since to each. With follow it goes on until ctx ends, the domain goes, or each has an error.
func (c *Client) Events(ctx context.Context, since int, follow bool, each func(simulator.Event) error) error {
	if !follow {
		var list Events
		if err := c.ask(ctx, http.MethodGet, "/events?since="+strconv.Itoa(since), nil, &list); err != nil {
			return err
		}
		for _, e := range list.Events {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}
	resp, err := c.send(ctx, http.MethodGet, "/events?follow=1&since="+strconv.Itoa(since), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxBody)
	for lines.Scan() {
		var e simulator.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("event: %w", err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return lines.Err()
}
