package integration

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// cut is the moment at which a proxy closes a connection.
type cut int

const (
	noCut cut = iota
	midStatement
	beforeCommit // the server does not receive COMMIT
	inCommit     // the server receives COMMIT and cannot reply
	afterCommit  // the server's reply is dropped
	swallow      // the server does not receive the packet, and the connection stays open
)

// cutNames are the names of the cuts at COMMIT.
var cutNames = map[cut]string{beforeCommit: "before", inCommit: "in", afterCommit: "after"}

// proxy forwards connections to the server and cuts some of them.
type proxy struct {
	address func() (string, error) // of the server of a new connection
	mu      sync.Mutex
	choose  func(packet []byte) cut // called with mu held
	cuts    atomic.Int64
}

// startProxy returns the DSN of a proxy in front of the server of another DSN. It calls choose for each packet of a
// client, one packet at a time.
func startProxy(t *testing.T, dsn string, choose func(packet []byte) cut) (*proxy, string) {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	succeed(t, err)
	server := config.Addr
	p := &proxy{address: func() (string, error) { return server, nil }, choose: choose}
	config.Addr = p.listen(t)
	return p, config.FormatDSN()
}

// listen accepts connections until the end of the test and returns the proxy's address.
func (p *proxy) listen(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	succeed(t, err)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait() // the test's stores and pools are closed first
	})
	return listener.Addr().String()
}

func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	address, err := p.address()
	if err != nil {
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var dropReplies atomic.Bool
	var replies sync.WaitGroup
	defer replies.Wait()
	replies.Go(func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || dropReplies.Load() {
				_ = client.Close()
				_ = server.Close()
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				_ = server.Close()
				return
			}
		}
	})
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			_ = server.Close()
			return
		}
		p.mu.Lock()
		at := p.choose(buffer[:n])
		p.mu.Unlock()
		if at != noCut {
			p.cuts.Add(1)
		}
		if at == swallow {
			continue
		}
		dropReplies.Store(at != noCut)
		switch at {
		case noCut, inCommit, afterCommit:
			_, err = server.Write(buffer[:n])
		case midStatement:
			_, err = server.Write(buffer[:n/2])
		}
		if err != nil || (at != noCut && at != afterCommit) {
			_ = server.Close()
			return
		}
	}
}

// isCommit reports whether a packet is the query COMMIT.
func isCommit(packet []byte) bool { return bytes.HasSuffix(packet, []byte("\x03COMMIT")) }
