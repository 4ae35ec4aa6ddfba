// SPDX-License-Identifier: MIT

// One load of bench/load.hpp on Go's database/sql over connections that do nothing. Goroutines are
// in the role of the threads: this is how Go is used, and its scheduler, not the system's, is what
// wakes them. The same loop, the same line of JSON. The same goroutines warm up first, which is not
// counted.
//
//	bench_go --load NAME --threads N --connections N --hold none|busy|sleep --held-ns N
//	         --seconds S --warmup S
//	bench_go --version
//
// Called by bench/peers/run.py.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"math"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	warmUp  = 1
	measure = 2
)

var errNone = errors.New("there is no database")

type noop struct{}

func (noop) Connect(context.Context) (driver.Conn, error) { return noop{}, nil }
func (noop) Driver() driver.Driver                        { return noop{} }
func (noop) Open(string) (driver.Conn, error)             { return noop{}, nil }
func (noop) Prepare(string) (driver.Stmt, error)          { return nil, errNone }
func (noop) Close() error                                 { return nil }
func (noop) Begin() (driver.Tx, error)                    { return nil, errNone }

type load struct {
	name        string
	threads     int
	connections int
	hold        string
	held        time.Duration
}

type borrower struct {
	cycles uint64
	waits  []time.Duration
	_      [128]byte // a line of its own
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The sleep is a system call that blocks, as a query through a C library is; time.Sleep would be
// Go's own timers.
func hold(kind string, held time.Duration) {
	if kind == "sleep" {
		ts := syscall.NsecToTimespec(held.Nanoseconds())
		_ = syscall.Nanosleep(&ts, nil) // cut short by a signal: then it is a shorter query
		return
	}
	for begun := time.Now(); time.Since(begun) < held; {
	}
}

func (b *borrower) run(db *sql.DB, l load, phase *atomic.Int32, during int32) {
	ctx := context.Background()
	b.waits = b.waits[:0]
	var cycles uint64
	for ; phase.Load() == during; cycles++ {
		if l.hold == "none" {
			conn, err := db.Conn(ctx)
			must(err)
			must(conn.Close())
			continue
		}
		asked := time.Now()
		conn, err := db.Conn(ctx)
		must(err)
		b.waits = append(b.waits, time.Since(asked))
		hold(l.hold, l.held)
		must(conn.Close())
	}
	b.cycles = cycles
}

func open(connections int) *sql.DB {
	db := sql.OpenDB(noop{})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	all := make([]*sql.Conn, connections)
	for i := range all {
		conn, err := db.Conn(context.Background())
		must(err)
		all[i] = conn
	}
	for _, conn := range all {
		must(conn.Close())
	}
	return db
}

func run(db *sql.DB, l load, warmup, seconds float64) ([]borrower, float64) {
	borrowers := make([]borrower, l.threads)
	var phase atomic.Int32
	phase.Store(warmUp)
	var done sync.WaitGroup
	start := make(chan struct{})
	for i := range borrowers {
		done.Add(1)
		go func(b *borrower) {
			defer done.Done()
			<-start
			b.run(db, l, &phase, warmUp)
			b.run(db, l, &phase, measure)
		}(&borrowers[i])
	}
	close(start)
	time.Sleep(time.Duration(warmup * float64(time.Second)))
	begun := time.Now()
	phase.Store(measure)
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	phase.Store(0)
	took := time.Since(begun).Seconds()
	done.Wait()
	return borrowers, took
}

func print(l load, borrowers []borrower, took float64) {
	var cycles, most uint64
	least := uint64(math.MaxUint64)
	var waits []time.Duration
	for i := range borrowers {
		b := &borrowers[i]
		cycles += b.cycles
		if b.cycles > most {
			most = b.cycles
		}
		if b.cycles < least {
			least = b.cycles
		}
		waits = append(waits, b.waits...)
	}
	sort.Slice(waits, func(i, j int) bool { return waits[i] < waits[j] })
	us := func(quantile float64) float64 {
		if len(waits) == 0 {
			return 0
		}
		return float64(waits[int(quantile*float64(len(waits)-1))].Nanoseconds()) / 1e3
	}
	spread := 9999.0
	if least > 0 {
		spread = math.Min(spread, float64(most)/float64(least))
	}
	fmt.Printf("{\"pool\":\"go-sql\",\"load\":%q,\"threads\":%d,\"connections\":%d,"+
		"\"per_s\":%.0f,\"spread\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"p999_us\":%.3f,"+
		"\"max_us\":%.3f}\n", l.name, l.threads, l.connections, float64(cycles)/took, spread,
		us(0.5), us(0.99), us(0.999), us(1))
}

func main() {
	var l load
	version := flag.Bool("version", false, "print it")
	flag.StringVar(&l.name, "load", "", "its name")
	flag.IntVar(&l.threads, "threads", 1, "how many borrow")
	flag.IntVar(&l.connections, "connections", 1, "what they borrow")
	flag.StringVar(&l.hold, "hold", "none", "none, busy or sleep")
	held := flag.Int64("held-ns", 0, "how long")
	seconds := flag.Float64("seconds", 1, "measured")
	warmup := flag.Float64("warmup", 0, "before that")
	flag.Parse()
	l.held = time.Duration(*held)
	if *version {
		fmt.Println("database/sql, Go", runtime.Version()[2:])
		return
	}
	db := open(l.connections)
	borrowers, took := run(db, l, *warmup, *seconds)
	print(l, borrowers, took)
}
