package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// agentChannel is notified by the database when agents or connectors change.
const agentChannel = "connector_agent"

// doorLook is how soon a port that was in use is tried again, and how soon a change counts where no
// notification arrives.
const doorLook = 3 * time.Second

// doorState is what the port of the agents does in this process.
type doorState struct {
	mu        sync.Mutex
	address   net.Addr // listening there; nil: not
	reason    string   // why not
	needed    bool
	addresses []string // where other processes may reach it
}

func (d *doorState) get() (listening bool, reason string, addresses []string, needed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.address != nil, d.reason, d.addresses, d.needed
}

func (d *doorState) opened(address net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.address, d.reason, d.addresses = address, "", reachable(address)
}

func (d *doorState) closed(reason string) (news bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	news = d.reason != reason
	d.address, d.reason, d.addresses = nil, reason, nil
	return news
}

func (d *doorState) need(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.needed = yes
}

// Address is where agents call in at this process; nil while it does not listen.
func (a *Agents) Address() net.Addr {
	a.door.mu.Lock()
	defer a.door.mu.Unlock()
	return a.door.address
}

// superviseDoor opens the port while there is a connector of the kind agent, and closes it after the last one.
func (a *Agents) superviseDoor(ctx context.Context) {
	var stop func()
	defer func() {
		if stop != nil {
			stop()
		}
	}()
	for ctx.Err() == nil {
		wanted, err := agentsWanted(ctx, a.pool)
		if stop != nil && a.Address() == nil { // the listener broke by itself
			stop()
			stop = nil
		}
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.WarnContext(ctx, "look for network connectors with agents", "error", err)
		case wanted && stop == nil:
			a.door.need(true)
			stop = a.openDoor(ctx)
		case !wanted && stop != nil && err == nil:
			stop()
			stop = nil
			a.door.closed("")
			a.door.need(false)
		}
		if err := a.enforce(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cut off revoked agents", "error", err)
		}
		a.changed.wait(ctx, doorLook)
	}
}

// openDoor listens and returns how to stop, nil when the port is not to be had.
func (a *Agents) openDoor(ctx context.Context) (stop func()) {
	if a.listen == "" {
		a.door.closed("ORBIT_CONNECTOR_LISTEN is empty")
		return nil
	}
	broker, err := a.use(ctx)
	if err == nil {
		var listener net.Listener
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", a.listen); err == nil {
			a.door.opened(listener.Addr())
			a.happened.raise()
			serving, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if err := broker.Serve(serving, listener); err != nil {
					a.door.closed(err.Error())
					a.changed.raise()
					a.log.ErrorContext(ctx, "serve network connector agents", "error", err)
				}
			}()
			return func() { cancel(); <-ended; broker.Close() }
		}
	}
	if a.door.closed(doorReason(err, a.listen)) && ctx.Err() == nil {
		a.log.WarnContext(ctx, "agents of network connectors cannot call in at this process", "error", err)
		a.happened.raise()
	}
	return nil
}

// doorReason says why the port is not open, and what to do.
func doorReason(err error, address string) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Sprintf("another program uses %s; another Orbit process on this machine may serve the agents", address)
	}
	return fmt.Sprintf("cannot listen on %s: %v; correct ORBIT_CONNECTOR_LISTEN", address, err)
}

// reachable lists where other processes may find a listener: this machine's addresses, if it listens on all.
func reachable(address net.Addr) []string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return nil
	}
	if !tcp.IP.IsUnspecified() {
		return []string{tcp.String()}
	}
	port := strconv.Itoa(tcp.Port)
	all := []string{net.JoinHostPort("127.0.0.1", port)}
	for _, addr := range machineAddresses() {
		all = append(all, net.JoinHostPort(addr.String(), port))
	}
	return all
}

// maxAddresses keeps a machine with hundreds of addresses from being tried at each.
const maxAddresses = 16

func machineAddresses() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var all []netip.Addr
	for _, a := range found {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		addr := prefix.Addr().Unmap()
		if addr.IsLoopback() || addr.IsLinkLocalUnicast() || len(all) == maxAddresses {
			continue
		}
		all = append(all, addr)
	}
	return all
}

// hear follows what other processes and people change, on a connection of its own.
func (a *Agents) hear(ctx context.Context) {
	for ctx.Err() == nil {
		err := a.hearOnce(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "listen to the database for changes of agents", "error", err)
			pause(ctx, time.Second)
		}
	}
}

func (a *Agents) hearOnce(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, a.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "listen "+agentChannel); err != nil {
		return err
	}
	a.changed.raise() // what was said before
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		if err := a.enforce(ctx); err != nil { // now, whatever the other loop does
			return err
		}
		a.changed.raise()
	}
}

// hostname is how this machine calls itself, for people.
func hostname() string {
	name, _ := os.Hostname()
	return name
}
